# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models


class CrmLead(models.Model):
    _inherit = "crm.lead"

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        if any(vals.get("visitor_ids") for vals in vals_list):
            leads._touch_by_visitors()
        return leads

    def write(self, vals):
        result = super().write(vals)
        if vals.get("visitor_ids"):
            self._touch_by_visitors()
        return result

    def _touch_by_visitors(self):
        # sudo: a salesperson may link visitors, and touchpoints are the system's
        self.sudo().visitor_ids._touch_leads()
