# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    lead_nurture_sms_purposes = fields.Char(
        "Consent to SMS",
        default="sms",
        help="Purposes of a consent, separated by commas, that allow nurture SMS. Who "
        "agreed to mails has not agreed to SMS.",
    )
    lead_nurture_sms_consent_required = fields.Boolean(
        "SMS Only With Consent",
        default=True,
        help="Leads that were never asked get no nurture SMS.",
    )
