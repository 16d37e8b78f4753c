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
    lead_nurture_cap = fields.Integer(
        related="company_id.lead_nurture_cap", readonly=False
    )
    lead_nurture_purposes = fields.Char(
        related="company_id.lead_nurture_purposes", readonly=False
    )
    lead_nurture_consent_required = fields.Boolean(
        related="company_id.lead_nurture_consent_required", readonly=False
    )
    lead_distribution = fields.Boolean(
        "Give Out Leads by Rules",
        config_parameter="lead_pipeline.distribution",
        help="Instead of Odoo's own assignment.",
    )
    lead_distribution_ready = fields.Selection(
        [("all", "All new leads"), ("sales_ready", "Sales-ready leads only")],
        "Leads to Give Out",
        config_parameter="lead_pipeline.distribution_ready",
        default="all",
    )

    def set_values(self):
        """Switched on without any rule, those of the sales teams are made."""
        result = super().set_values()
        rules = self.env["lead.distribution.rule"].with_context(active_test=False)
        if self.lead_distribution and not rules.search_count([], limit=1):
            # sudo: of all companies, as the switch
            self.env["lead.distribution"].sudo()._make_rules()
        return result
