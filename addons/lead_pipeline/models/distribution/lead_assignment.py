# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ...engine.distribution import (
    ALL_AWAY,
    ALL_BUSY,
    ALL_CAPPED,
    HAD_IT,
    LOAD,
    MATCH,
    NOBODY,
    ONLY,
    OWNER,
    STRANGERS,
    TURN,
    UNFIT,
)
from ...engine.replay import NO_RULE

#: why a lead waits
WAITING_REASONS = [
    (NO_RULE, "No rule takes it"),
    (NOBODY, "The pool has no active member"),
    (STRANGERS, "Nobody works for its company"),
    (UNFIT, "Nobody has what it demands"),
    (HAD_IT, "Everybody fit had it already"),
    (ALL_AWAY, "Everybody fit is away"),
    (ALL_CAPPED, "Everybody fit is at their limit"),
    (ALL_BUSY, "Everybody fit is away or at their limit"),
]
#: decided by a person, not by a rule
BY_HAND = "by_hand"
#: the channel has a salesperson of its own
CHANNEL = "channel"
EVENTS = [
    ("created", "Came in"),
    ("ready", "Ready to be worked"),
    ("sales_ready", "Became sales-ready"),
    ("sweep", "Had waited"),
    ("reassigned", "Given on"),
    ("rejected", "Rejected by the owner"),
    ("missed", "SLA missed"),
    ("taken", "Taken by a person"),
    (BY_HAND, "Set by hand"),
]


class LeadAssignment(models.Model):
    """One decision on who gets a lead, for ever: the rule, everybody who was asked for
    and why it was who it was. Written by the system only."""

    _name = "lead.assignment"
    _description = "Lead Assignment"
    _order = "at desc, id desc"
    _rec_name = "lead_id"
    _log_access = False

    lead_id = fields.Many2one(
        "crm.lead", required=True, index=True, readonly=True, ondelete="cascade"
    )
    at = fields.Datetime("When", required=True, readonly=True)
    event = fields.Selection(EVENTS, required=True, readonly=True)
    rule_id = fields.Many2one(
        "lead.distribution.rule", readonly=True, ondelete="restrict"
    )
    pool_id = fields.Many2one("lead.pool", readonly=True, ondelete="restrict")
    member_id = fields.Many2one("lead.pool.member", readonly=True, ondelete="restrict")
    user_id = fields.Many2one(
        "res.users", "Salesperson", readonly=True, ondelete="set null"
    )
    previous_user_id = fields.Many2one(
        "res.users", "Before", readonly=True, ondelete="set null"
    )
    decided_by_id = fields.Many2one(
        "res.users", "By", readonly=True, ondelete="set null"
    )
    reason = fields.Selection(
        [
            (TURN, "It was their turn"),
            (LOAD, "Fewest open leads"),
            (OWNER, "The customer's salesperson"),
            (MATCH, "Best match"),
            (ONLY, "Nobody else was free"),
            (BY_HAND, "Chosen by a person"),
            (CHANNEL, "The channel's salesperson"),
            *WAITING_REASONS,
        ],
        required=True,
        readonly=True,
    )
    until = fields.Datetime(
        "Again At", readonly=True, help="When somebody may be free, if nobody was."
    )
    candidates = fields.Json(
        readonly=True,
        help="A list, in the order of the pool: member, user (ids), reason, and where "
        "they are known until (UTC), owed, after (leads), score.",
    )
    told_at = fields.Datetime("Told", readonly=True)
    sla_policy_id = fields.Many2one(
        "lead.sla.policy", "SLA", readonly=True, ondelete="restrict"
    )
    due_at = fields.Datetime(
        "Due", readonly=True, help="Until when the owner had for the first touch."
    )
    promised_at = fields.Datetime(
        "Due Since Capture",
        readonly=True,
        help="Of its first owner: when the first touch was due, counted from when the "
        "lead was captured. Earlier than the owner's own time for a lead that waited.",
    )
    reminded_at = fields.Datetime("Reminded", readonly=True)
    escalated_at = fields.Datetime("Escalated", readonly=True)
    first_touch_at = fields.Datetime("First Touch", readonly=True)
    missed_at = fields.Datetime("Missed", readonly=True)
    rejected_at = fields.Datetime("Rejected", readonly=True)
    reject_reason_id = fields.Many2one(
        "lead.reject.reason", readonly=True, ondelete="restrict"
    )
    reject_note = fields.Char(readonly=True)
    ended_at = fields.Datetime(
        "Ended", readonly=True, help="When another decision took its place."
    )

    _user_at_idx = models.Index("(user_id, at) WHERE user_id IS NOT NULL")
    _pool_at_idx = models.Index("(pool_id, at) WHERE pool_id IS NOT NULL")

    @api.depends("lead_id", "user_id", "reason")
    def _compute_display_name(self):
        reasons = dict(self._fields["reason"]._description_selection(self.env))
        for one in self:
            who = one.user_id.name or reasons.get(one.reason)
            one.display_name = f"{one.lead_id.display_name}: {who}"
