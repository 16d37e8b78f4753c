# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...engine.business_time import local_date
from ...engine.distribution import LOAD, Pool
from ...engine.ledger import Ledger
from ...engine.members import Load
from ...engine.replay import Arrival, replay
from .lead_assignment import BY_HAND
from .lead_distribution import Round, Wish
from .lead_distribution_pools import LOOK_BACK


@dataclass(slots=True)
class Past:
    """What really became of a lead: who got it first (a user id), when, and until when
    it was to be touched; ``ready``: when somebody was first asked for."""

    ready: datetime
    user: int | None
    given: datetime | None
    due: datetime | None
    touched: datetime | None
    closed: datetime | None
    won: bool


class LeadDistribution(models.AbstractModel):
    """The leads of a past period given out anew, by draft rules. Writes nothing."""

    _inherit = "lead.distribution"

    @api.model
    def _past_leads(self, domain, start, end, by_hand=False, limit=None):
        """Leads that were ready in a period.

        :param domain: of those, with the caller's rights
        :param by_hand: also those that a person gave to somebody at once
        :param limit: at most so many, the first
        :return: {lead id: Past}
        """
        Lead = self.env["crm.lead"].with_context(active_test=False)
        self.env["lead.assignment"].flush_model()
        fresh = Domain("create_date", ">=", start)
        domain &= Domain("create_date", "<", end)
        query = Lead._search(domain & (fresh | Domain("assignment_id", "!=", False)))
        alias = query.table
        names = ("user_id", "date_first_response", "date_closed", "won_status")
        rows = self.env.execute_query(
            SQL(
                """
                SELECT lead.id, COALESCE(asked.at, lead.create_date) AS ready,
                       CASE WHEN asked.at IS NULL THEN lead.user_id
                            ELSE given.user_id END,
                       CASE WHEN asked.at IS NULL THEN lead.create_date
                            ELSE given.at END,
                       given.due_at, lead.date_first_response, lead.date_closed,
                       lead.won_status = 'won'
                  FROM (%(leads)s) lead
             LEFT JOIN LATERAL (
                           SELECT at, event FROM lead_assignment
                            WHERE lead_id = lead.id ORDER BY at, id LIMIT 1
                       ) asked ON TRUE
             LEFT JOIN LATERAL (
                           SELECT at, user_id, due_at FROM lead_assignment
                            WHERE lead_id = lead.id AND user_id IS NOT NULL
                            ORDER BY at, id LIMIT 1
                       ) given ON TRUE
                 WHERE COALESCE(asked.at, lead.create_date) >= %(start)s
                   AND COALESCE(asked.at, lead.create_date) < %(end)s
                   AND (%(by_hand)s OR asked.event IS DISTINCT FROM %(hand)s)
                 ORDER BY ready, lead.id LIMIT %(limit)s
                """,
                limit=limit,
                leads=query.select(
                    *(
                        SQL.identifier(alias, name)
                        for name in ("id", "create_date", *names)
                    )
                ),
                start=start,
                end=end,
                by_hand=by_hand,
                hand=BY_HAND,
            )
        )
        return {row[0]: Past(*row[1:]) for row in rows}

    @api.model
    def _replay(self, past, rules, start, end, as_today=False):
        """Give these leads out as rules would have.

        :param past: as ``_past_leads``
        :param rules: in their order: rules, or drafts with the same fields
        :param as_today: with the members, limits, hours and SLA of today; default: with
            those of then, as far back as they were kept
        :return: (engine ``Replay`` by pool and member ids, the Round it was computed
            with, {lead id: rule})
        """
        # sudo: as the distribution itself; what comes out are decisions
        service = self.sudo()
        round_ = Round("ready", start)
        matched = service._match(list(past), rules=rules.sudo())
        used = [rule for rule in rules.sudo() if rule.pool_id]
        pools = [rule.pool_id.id for rule in used]
        service._open(round_, pools, {rule.method for rule in used}, wait=None)
        round_.rows = service._read_leads(Domain("id", "in", list(past)))
        service._read_wishes(round_)
        times = service._past_times(rules.sudo().sla_policy_id, as_today)
        arrivals = []
        for row in round_.rows:
            row.rule, row.excluded = matched[row.id], frozenset()
            arrivals.append(service._arrival(round_, row, past[row.id], times))
        steps = service._past_members(round_, start, end, as_today)
        backlog = service._past_backlog(round_, past, start, steps)
        closings = [
            (closed, *round_.places[user][0])
            for user, closed in backlog
            if closed and closed < end
        ]
        opened = Counter(user for user, _closed in backlog)
        found = replay(
            arrivals,
            service._past_pools(round_, steps, opened, start),
            end,
            closings,
            people=[places for places in round_.places.values() if len(places) > 1],
            changes=[
                (at, key, member)
                for key, worksheet in round_.worksheets.items()
                for one in worksheet.members
                for at, member in steps[one.ref][1:]
            ],
        )
        return found, round_, matched

    @api.model
    def _arrival(self, round_, row, was, times):
        if not row.rule:
            return Arrival(was.ready, Wish(row.id), None)
        return Arrival(
            was.ready,
            self._wish(round_, row, row.owner_id),
            row.rule.pool_id.id,
            row.rule.method,
            was.closed,
            times.get(row.rule.sla_policy_id.id),
        )

    @api.model
    def _past_times(self, policies, as_today):
        """:return: {policy id: function of a moment: seconds to the first touch}"""
        history = self.env["lead.distribution.history"]
        kept = {} if as_today else history._steps("sla_policy_id", policies.ids)
        times = {}
        for policy, settings in policies._settings().items():
            steps = kept.get(policy) or [(datetime.min, settings)]
            times[policy] = partial(_seconds, steps)
        return times

    @api.model
    def _past_members(self, round_, start, end, as_today):
        """The settings of members in a period. Before the first that was kept they were
        the same, as far as is known, since the member came. A pool that gave out
        nothing yet counts as it was when it first did, or as it is today.

        :return: {member id: [(from when on, engine ``Member``)]}; the first one counts
            from the start on. Who is paused today need not have been then
        """
        members = self.env["lead.pool.member"].browse(round_.users)
        history = self.env["lead.distribution.history"]
        kept = {} if as_today else history._steps("member_id", members.ids)
        came, began = self._past_began(members)
        today = members._settings()
        steps = {}
        for member in members:
            pool = member.pool_id.id
            if as_today or began.get(pool, end) >= end or member.id not in kept:
                settings = {**today[member.id], "paused": False, "paused_until": False}
                steps[member.id] = [(start, settings)]
                continue
            # what an older version did not keep is as it is today
            known = [(at, {**today[member.id], **was}) for at, was in kept[member.id]]
            first = {**known[0][1], "paused": False, "paused_until": False}
            joined = min(known[0][0], member.create_date, came.get(member.id, end))
            all_steps = [
                (datetime.min, {**first, "active": False}),
                (joined, first),
                *known,
            ]
            steps[member.id] = _within(all_steps, max(start, began[pool]), end)
        pairs = [
            (member, at, settings)
            for member in members
            for at, settings in steps[member.id]
        ]
        calendars = members._lay_out(
            ((member, settings) for member, _at, settings in pairs), start - LOOK_BACK
        )
        found = defaultdict(list)
        for (member, at, settings), calendar in zip(pairs, calendars, strict=True):
            found[member.id].append(
                (at, self._engine_member(member.id, settings, calendar))
            )
        return found

    @api.model
    def _past_began(self, members):
        """:return: {member id: when they got their first lead}, {pool id: when it gave
        out its first}"""
        came, began = {}, {}
        for member, at in self.env["lead.assignment"]._read_group(
            [("member_id", "in", members.ids)], ["member_id"], ["at:min"]
        ):
            came[member.id] = at
            pool = member.pool_id.id
            began[pool] = min(at, began.get(pool, at))
        return came, began

    @api.model
    def _past_pools(self, round_, steps, opened, start):
        """The pools as they were when the period began: everybody level, with what they
        had got and had in work then.

        :param opened: {user id: leads in work}
        """
        given = self._past_given(list(round_.places), start)
        pools = {}
        for key, worksheet in round_.worksheets.items():
            members = []
            for one in worksheet.members:
                user = round_.users[one.ref]
                _at, member = steps[one.ref][0]
                load = Load()
                for at in given.get(user, ()):
                    load = load.one_more(local_date(at, member.calendar.tz))
                load = replace(load, open=opened[user])
                members.append(replace(member, load=load, ledger=Ledger()))
            pools[key] = Pool(members)
        return pools

    @api.model
    def _past_given(self, users, start):
        """:return: {user id: when they got leads in the month before}, in order"""
        self.env["lead.assignment"].flush_model()
        given = defaultdict(list)
        rows = self.env.execute_query(
            SQL(
                "SELECT user_id, at FROM lead_assignment"
                " WHERE user_id = ANY(%s) AND at >= %s AND at < %s"
                "   AND member_id IS NOT NULL ORDER BY at, id",
                users,
                start - timedelta(days=32),
                start,
            )
        )
        for user, at in rows:
            given[user].append(at)
        return given

    @api.model
    def _past_backlog(self, round_, past, start, steps):
        """Leads that were in work when the period began, by their owner of today.

        :return: [(user id, when it was closed)]
        """
        capped = any(
            member.max_open for of_one in steps.values() for _at, member in of_one
        )
        loads = any(row.rule and row.rule.method == LOAD for row in round_.rows)
        if not capped and not loads:
            return []
        rows = self.env.execute_query(
            SQL(
                "SELECT id, user_id, date_closed FROM crm_lead"
                " WHERE user_id = ANY(%s) AND create_date < %s"
                "   AND (won_status = 'pending' OR date_closed >= %s)",
                list(round_.places),
                start,
                start,
            )
        )
        return [(user, closed) for lead, user, closed in rows if lead not in past]


def _seconds(steps, at):
    """:param steps: [(from when on, settings of an SLA policy)]
    :return: seconds to the first touch at a moment"""
    nth = bisect_right(steps, at, key=itemgetter(0))
    return steps[max(0, nth - 1)][1]["first_touch_minutes"] * 60


def _within(steps, start, end):
    """:return: the last step that began until the start, and those until the end"""
    nth = bisect_right(steps, start, key=itemgetter(0))
    return [
        (start, steps[nth - 1][1]),
        *(step for step in steps[nth:] if step[0] < end),
    ]
