# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...engine.distribution import Decision
from ...engine.members import over_cap
from .lead_assignment import BY_HAND
from .lead_distribution import Round
from .lead_distribution_rule import UNUSABLE

_logger = logging.getLogger(__name__)

#: what to work first, as in the lists of leads
BEST = "sales_ready desc, lead_grade, engagement_key desc, priority desc, id desc"
#: how many leads are looked at for one that nobody else is taking
LOOK = 20
#: why there is nothing to take
NO_POOL, AT_LIMIT, NOTHING = "no_pool", "at_limit", "nothing"


class LeadDistribution(models.AbstractModel):
    """Somebody with time takes the best lead that waits, without a turn."""

    _inherit = "lead.distribution"

    @api.model
    def _take_next(self, user):
        """Give somebody the best lead that waits for one of their pools, which they are
        fit for and did not have before. Caps hold; working hours and pauses don't:
        whoever asks is here.

        In a transaction of its own, which is short: two who ask at the same moment
        get two leads.

        :return: (lead id, None) or (None, why there is none)
        """
        return self._in_own_transaction("_take_some", user.id)

    @api.model
    def _take_some(self, user_id):
        user = self.env["res.users"].browse(user_id)
        if not self._is_on():
            row = self._lock_best(Domain.TRUE, user)
            if not row:
                return None, NOTHING
            self.env["crm.lead"].browse(row.id).user_id = user
            return row.id, None
        round_ = Round("taken", fields.Datetime.now())
        members = user._lead_members()
        self._open(round_, members.pool_id.ids, (), wait=True)
        free = self._below_their_caps(round_, members)
        if not free:
            return None, AT_LIMIT if members else NO_POOL
        row = self._lock_best(self._for_members(free), user)
        if not row:
            return None, NOTHING
        round_.rows = [row]
        row.rule = self._match([row.id])[row.id]
        member = free.filtered(lambda one: one.pool_id == row.rule.pool_id)
        row.decision = Decision(
            row.id, round_.at, member.id, BY_HAND, None, 0.0, candidates=()
        )
        for pool, place in round_.places[user_id]:
            round_.worksheets[pool].give(place, round_.at)
        self._write_pools(round_)
        self._write_leads(round_)
        self.env["crm.lead"].browse(row.id).assignment_id.told_at = round_.at
        self._write_told([row.id], round_.at)
        return row.id, None

    @api.model
    def _below_their_caps(self, round_, members):
        at = round_.at
        free = {
            member.ref
            for worksheet in round_.worksheets.values()
            for member in worksheet.members
            if not over_cap(member, member.load, at)
        }
        return members.filtered(lambda one: one.id in free)

    @api.model
    def _for_members(self, members):
        """The leads that a rule sends to the pool of one of these members, and that ask
        for nothing the member lacks."""
        Lead = self.env["crm.lead"]
        places = {member.pool_id: member for member in members}
        found, before = Domain.FALSE, Domain.TRUE
        for rule in self.env["lead.distribution.rule"].search([("active", "=", True)]):
            try:
                domain = rule._lead_domain()
                domain.validate(Lead)
            except UNUSABLE:  # a field it names has gone, or is another one now
                _logger.warning("distribution rule %s can't be used", rule.id)
                continue
            member = places.get(rule.pool_id)
            if member:
                found |= before & domain & self._fits(rule, member)
            before &= ~domain
        return found

    @api.model
    def _fits(self, rule, member):
        domain = Domain.TRUE
        if rule.must_skill:
            if rule.skill_ids - member.skill_ids:
                return Domain.FALSE
            lacks = Domain("id", "not in", member.skill_ids.ids)
            domain &= ~Domain("skill_ids", "any", lacks)
        if rule.must_language and member.lang_ids:
            domain &= Domain("lang_id", "in", [False, *member.lang_ids.ids])
        if rule.must_country and member.country_ids:
            domain &= Domain("country_id", "in", [False, *member.country_ids.ids])
        return domain

    @api.model
    def _lock_best(self, domain, user):
        """:return: the best lead of a domain that this user may take and nobody else is
        taking at this moment, as a locked ``Row``; None: there is none"""
        had_it = Domain("user_id", "=", user.id) & (
            Domain("rejected_at", "!=", False) | Domain("missed_at", "!=", False)
        )
        domain &= (
            self._ready_domain()
            & Domain("user_id", "=", False)
            & Domain("company_id", "in", [False, *user.company_ids.ids])
            & ~Domain("assignment_ids", "any", had_it)
        )
        Lead = self.env["crm.lead"].with_context(active_test=False)
        looked_at = []
        while True:
            best = Lead.search(
                domain & Domain("id", "not in", looked_at), order=BEST, limit=LOOK
            ).ids
            looked_at += best
            # user_id again: it is read anew when the row is locked
            locked = self.env.execute_query(
                SQL(
                    "SELECT id FROM crm_lead WHERE id = ANY(%s) AND user_id IS NULL"
                    " ORDER BY array_position(%s::int[], id) LIMIT 1"
                    " FOR NO KEY UPDATE SKIP LOCKED",
                    best,
                    best,
                )
            )
            for (lead_id,) in locked:
                for row in self._lock_leads([lead_id], owned=False, wait=True):
                    return row
            if len(best) < LOOK:
                return None
