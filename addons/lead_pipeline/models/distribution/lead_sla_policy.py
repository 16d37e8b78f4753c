# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

#: what is kept when it changes
DECIDING = (
    *("first_touch_minutes", "remind_before_minutes"),
    *("reassign", "misses_to_offline"),
)


class LeadSlaPolicy(models.Model):
    """How soon a person has to touch a lead, and what happens if nobody does."""

    _name = "lead.sla.policy"
    _description = "Lead SLA Policy"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", help="Leave empty to use it in every company."
    )
    first_touch_minutes = fields.Integer(
        "First Touch Within",
        required=True,
        default=60,
        help="Minutes of the owner's working time, from when they got the lead, until "
        "a person has called, written or met them.",
    )
    remind_before_minutes = fields.Integer(
        "Remind Before",
        default=15,
        help="Minutes of working time before the end; 0: no reminder.",
    )
    escalate_to_id = fields.Many2one(
        "res.users",
        "Tell When Missed",
        domain=[("share", "=", False)],
        ondelete="set null",
        help="Leave empty to tell the leader of the sales team.",
    )
    reassign = fields.Boolean(
        "Give to Somebody Else",
        default=True,
        help="A lead whose time is over goes to another member, never back.",
    )
    misses_to_offline = fields.Integer(
        "Offline After",
        help="So many leads missed in a row set a member offline; 0: never.",
    )

    _first_touch_positive = models.Constraint(
        "CHECK (first_touch_minutes > 0)", "The time to the first touch is at least 1."
    )
    _remind_within = models.Constraint(
        "CHECK (remind_before_minutes >= 0"
        " AND remind_before_minutes < first_touch_minutes)",
        "The reminder comes before the end.",
    )
    _misses_positive = models.Constraint(
        "CHECK (misses_to_offline >= 0)", "A number of misses is not below 0."
    )

    # ------------------------------------------------------------
    # HISTORY
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        policies = super().create(vals_list)
        policies._keep_history()
        return policies

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(DECIDING):
            self._keep_history()
        return result

    def action_view_changes(self):
        self.ensure_one()
        return self.env["lead.distribution.history"]._action_of(self, "sla_policy_id")

    def _keep_history(self):
        self.env["lead.distribution.history"]._keep("sla_policy_id", self._settings())

    def _settings(self):
        """:return: {policy id: {field of ``DECIDING``: value}}"""
        return {policy.id: {name: policy[name] for name in DECIDING} for policy in self}
