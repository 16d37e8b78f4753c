# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    lead_lost_policy = fields.Selection(
        related="company_id.lead_lost_policy", readonly=False
    )
    lead_payload_days = fields.Integer(
        related="company_id.lead_payload_days", readonly=False
    )
