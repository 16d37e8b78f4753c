# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadDistributionTry(models.TransientModel):
    """Try one lead: which rule takes it, and who would get it now. Writes nothing."""

    _name = "lead.distribution.try"
    _description = "Try a Lead"

    rule_id = fields.Many2one(
        "lead.distribution.rule",
        help="Leave empty for the first rule that takes the lead.",
    )
    lead_id = fields.Many2one("crm.lead")
    first_rule_id = fields.Many2one(
        "lead.distribution.rule", "Taken By", compute="_compute_decision"
    )
    takes = fields.Boolean(
        compute="_compute_decision", help="The conditions of the rule hold."
    )
    decision = fields.Json(compute="_compute_decision")

    @api.model
    def default_get(self, fields_list):
        """From a rule, that rule; from a lead, that lead."""
        values = super().default_get(fields_list)
        active_id = self.env.context.get("active_id")
        if self.env.context.get("active_model") == "lead.distribution.rule":
            values.setdefault("rule_id", active_id)
        elif self.env.context.get("active_model") == "crm.lead":
            values.setdefault("lead_id", active_id)
        return values

    @api.depends("rule_id", "lead_id")
    def _compute_decision(self):
        """Of a rule that does not take the lead, nothing is decided."""
        Assignment = self.env["lead.assignment"]
        service = self.env["lead.distribution"]
        for wizard in self:
            wizard.first_rule_id = wizard.takes = wizard.decision = False
            lead, rule = wizard.lead_id._origin, wizard.rule_id._origin
            if not lead:
                continue
            lead.check_access("read")
            rule.check_access("read")
            first, vals = service._try(lead, rule)
            wizard.first_rule_id = first
            # sudo: rules look at leads as the distribution does
            taken = service.sudo()._match(lead.ids, rules=rule.sudo())
            wizard.takes = not rule or bool(taken[lead.id])
            if first and wizard.takes:
                [wizard.decision] = Assignment.new(vals).sudo()._explain()
