# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadScoreModel(models.Model):
    """What a model did: the leads that it scores."""

    _inherit = "lead.score.model"

    lead_count = fields.Integer(
        "Leads Scored",
        compute="_compute_lead_count",
        help="Leads whose score comes from this version now.",
    )

    @api.depends("state")
    @api.depends_context("uid")
    def _compute_lead_count(self):
        active = self.filtered(lambda model: model.state == "active")
        counts = dict(
            self.env["crm.lead"]._read_group(
                [("score_model_id", "in", active.origin_id.ids)],
                ["score_model_id"],
                ["__count"],
            )
            if active
            else ()
        )
        for model in self:
            model.lead_count = model in active and counts.get(model.origin_id, 0)

    def action_view_leads(self):
        """The leads that this model scores, the one to work first on top."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Leads scored by “%s”", self.name),
            "res_model": "crm.lead",
            "view_mode": "list,kanban,form",
            "views": [
                (self.env.ref("crm.crm_case_tree_view_leads").id, "list"),
                (False, "kanban"),
                (False, "form"),
            ],
            "search_view_id": [self.env.ref("crm.view_crm_case_leads_filter").id],
            "domain": [("score_model_id", "=", self.origin_id.id)],
            "context": {"search_default_group_by_grade": 1},
        }
