# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadQualityOverride(models.TransientModel):
    """A person's own judgement of a lead, with the reason. The score never replaces
    it: it stands until it is given back."""

    _name = "lead.quality.override"
    _description = "Set the Quality by Hand"

    lead_id = fields.Many2one("crm.lead", required=True, readonly=True)
    model_quality = fields.Float(
        related="lead_id.quality_model_score", string="The Model Says"
    )
    value = fields.Float(
        "Quality",
        required=True,
        compute="_compute_value",
        store=True,
        readonly=False,
        help="0: does not fit at all. 100: fits as well as any lead can.",
    )
    grade = fields.Char(
        "Grade Then",
        compute="_compute_grade",
        help="The grade that the lead will have, with its engagement as it is now.",
    )
    reason = fields.Char(required=True)

    @api.depends("lead_id")
    def _compute_value(self):
        for wizard in self:
            wizard.value = wizard.lead_id.quality_score

    @api.depends("lead_id", "value")
    def _compute_grade(self):
        in_use = {
            model.origin_id.id: model
            for model in self.env["lead.score.model"]._in_use()
        }
        for wizard in self:
            lead = wizard.lead_id
            model = in_use.get(lead.score_model_id.id)
            wizard.grade = model and model._bands().grade(
                wizard.value, lead.engagement_score
            )

    def action_apply(self):
        """:raises ValidationError: a quality beyond 0 to 100, or no reason"""
        self.ensure_one()
        self.lead_id._override_quality(self.value, self.reason)
        return {"type": "ir.actions.act_window_close"}
