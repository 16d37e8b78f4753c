# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    lead_nurture_sms_purposes = fields.Char(
        related="company_id.lead_nurture_sms_purposes", readonly=False
    )
    lead_nurture_sms_consent_required = fields.Boolean(
        related="company_id.lead_nurture_sms_consent_required", readonly=False
    )
