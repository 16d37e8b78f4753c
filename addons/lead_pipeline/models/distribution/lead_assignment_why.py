# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ...engine.distribution import CHOSEN, LOAD, MATCH, OWNER, TURN
from ...engine.members import (
    AWAY,
    COUNTRY,
    DAY_CAP,
    EXCLUDED,
    INACTIVE,
    LANGUAGE,
    MONTH_CAP,
    OPEN_CAP,
    PAUSED,
    SKILL,
    STRANGER,
    WEEK_CAP,
)

#: decisions shown on a lead, the newest
SHOWN = 20


class LeadAssignment(models.Model):
    """Why somebody got a lead, in words."""

    _inherit = "lead.assignment"

    def explain(self):
        """These decisions, in words and numbers, for the screens.

        :return: a list in this order of {"id", "at", "event", "reason" (texts), "rule",
            "pool", "user", "previous", "decided_by" (False or {"id", "name"}), "until",
            "told_at", "due_at", "first_touch_at", "missed_at", "rejected_at" (UTC, as
            text, or False), "sla", "rejected" (texts or False), "given_back" (the
            turn), "current", "candidates": see :meth:`_explain_candidates`}
        """
        self.check_access("read")
        # sudo: names of rules and people of whoever may read the decision
        return self.sudo()._explain()

    def _explain(self):
        """As :meth:`explain`, also of decisions that are not saved."""
        events = dict(self._fields["event"]._description_selection(self.env))
        reasons = dict(self._fields["reason"]._description_selection(self.env))
        times = ("until", "told_at", "due_at", "first_touch_at")
        times += ("missed_at", "rejected_at")
        names = self._names()
        return [
            {
                "id": one._origin.id,
                "at": fields.Datetime.to_string(one.at),
                "event": events[one.event],
                "reason": reasons[one.reason],
                "rule": _named(one.rule_id),
                "pool": _named(one.pool_id),
                "user": _named(one.user_id),
                "previous": _named(one.previous_user_id),
                "decided_by": _named(one.decided_by_id),
                "sla": one.sla_policy_id.name,
                "rejected": " ".join(
                    filter(None, (one.reject_reason_id.name, one.reject_note))
                ),
                "given_back": one.turn_given_back,
                "current": one.lead_id.assignment_id == one,
                "candidates": self._explain_candidates(one.candidates, names),
                **{name: fields.Datetime.to_string(one[name]) for name in times},
            }
            for one in self
        ]

    def _names(self):
        """:return: {id: name} of everybody these decisions speak of"""
        ids = {one["user"] for each in self for one in each.candidates or ()}
        users = self.env["res.users"].with_context(active_test=False)
        return {user.id: user.name for user in users.browse(ids).exists()}

    @api.model
    def _explain_candidates(self, candidates, names):
        """Everybody who was asked for: who got it first, then those whose turn it could
        have been by what they were owed, then the others in the order of the pool.

        :param candidates: as ``candidates`` keeps them
        :param names: {user id: name}
        :return: [{"id" (of the user), "name", "chosen", "text", "until", "owed",
            "after", "score" (None where unknown)}]
        """
        words = self._candidate_words()
        found = [
            {
                "id": one["user"],
                "name": names.get(one["user"]) or self.env._("Deleted user"),
                "chosen": one["reason"] == CHOSEN,
                "text": words.get(one["reason"], one["reason"]),
                "until": one.get("until"),
                "owed": one.get("owed"),
                "after": one.get("after"),
                "score": one.get("score"),
            }
            for one in candidates or ()
        ]
        found.sort(
            key=lambda one: (
                not one["chosen"],
                one["owed"] is None,
                -(one["owed"] or 0),
            )
        )
        return found

    @api.model
    def _candidate_words(self):
        """:return: {reason of a candidate: text}"""
        return {
            CHOSEN: self.env._("Gets it"),
            TURN: self.env._("It was not their turn"),
            LOAD: self.env._("Has more open leads for their weight"),
            OWNER: self.env._("Not the customer's salesperson"),
            MATCH: self.env._("Meets less of what the lead asks for"),
            INACTIVE: self.env._("Not active in this pool"),
            EXCLUDED: self.env._("Had this lead already"),
            STRANGER: self.env._("Does not work for the company of the lead"),
            LANGUAGE: self.env._("Does not speak the language"),
            SKILL: self.env._("Lacks a skill that is demanded"),
            COUNTRY: self.env._("Does not work this country"),
            PAUSED: self.env._("Paused"),
            AWAY: self.env._("Away"),
            MONTH_CAP: self.env._("At the limit of the month"),
            WEEK_CAP: self.env._("At the limit of the week"),
            DAY_CAP: self.env._("At the limit of the day"),
            OPEN_CAP: self.env._("At the limit of open leads"),
        }


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def explain_assignments(self):
        """Why this lead has its owner, or waits.

        :return: {"decisions": the newest 20, newest first, see
            ``lead.assignment.explain``, "waiting": False or {"since", "until" (UTC, as
            text), "reason" (text)}}
        """
        self.ensure_one()
        self.check_access("read")
        decisions = self.env["lead.assignment"].search(
            [("lead_id", "=", self.id)], limit=SHOWN
        )
        waiting = False
        if self.waiting_since:
            reasons = self._fields["waiting_reason"]._description_selection(self.env)
            waiting = {
                "since": fields.Datetime.to_string(self.waiting_since),
                "until": fields.Datetime.to_string(self.waiting_until),
                "reason": dict(reasons).get(self.waiting_reason, False),
            }
        return {"decisions": decisions.explain(), "waiting": waiting}


def _named(record):
    return {"id": record.id, "name": record.display_name} if record else False
