# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    # core has no index for these, and every lead is looked up by them
    _email_normalized_equal_idx = models.Index(
        "(email_normalized) WHERE email_normalized IS NOT NULL"
    )
    _phone_sanitized_equal_idx = models.Index(
        "(phone_sanitized) WHERE phone_sanitized IS NOT NULL"
    )

    def write(self, vals):
        result = super().write(vals)
        # a criterion may read the customer of a lead
        self.env["crm.lead"]._rescore_linked("partner_id", self, vals)
        return result
