# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, str2bool

from ...engine.distribution import OWNER, Decision
from ...engine.members import COUNTRY, LANGUAGE, SKILL
from ...engine.members import Lead as Wish
from ...engine.replay import NO_RULE
from ...tools import gc_paused
from .lead_distribution_rule import UNUSABLE

_logger = logging.getLogger(__name__)

#: a lead of these events may have an owner, who does not get it again
PASSED_ON = frozenset(("reassigned", "rejected", "missed"))
#: columns of a lead that this file reads
READ = (
    *("user_id", "team_id", "type", "company_id", "lang_id", "country_id"),
    *("assignment_id", "waiting_since", "waiting_reason", "waiting_until"),
    *("date_routed", "date_captured"),
)
#: and by which it chooses
CHOSEN_BY = ("active", "won_status", "partner_id")


@dataclass(slots=True)
class Row:
    """A lead on its way to somebody."""

    id: int
    user_id: int | None
    team_id: int | None
    type: str
    company_id: int | None
    lang_id: int | None
    country_id: int | None
    assignment_id: int | None
    waiting_since: datetime | None
    waiting_reason: str | None
    waiting_until: datetime | None
    date_routed: datetime | None
    date_captured: datetime | None
    owner_id: int | None  # the customer's salesperson
    skills: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()  # users
    rule: Any = None  # lead.distribution.rule
    decision: Decision | None = None

    @property
    def chosen(self):
        """The member who gets it; None: nobody."""
        return self.decision.chosen if self.decision else None

    @property
    def reason(self):
        return self.decision.reason if self.decision else NO_RULE

    @property
    def until(self):
        return self.decision.until if self.decision else None


@dataclass(slots=True)
class Round:
    """Leads that are given out together, at one moment."""

    event: str
    at: datetime
    rows: list[Row] = field(default_factory=list)
    #: by pool, of engine.distribution
    worksheets: dict[int, Any] = field(default_factory=dict)
    #: user of a member; members of a user as (pool, member)
    users: dict[int, int] = field(default_factory=dict)
    places: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    #: companies of a user; members who may not see the leads of a company
    companies: dict[int, frozenset[int]] = field(default_factory=dict)
    strangers: dict[int | None, frozenset[int]] = field(default_factory=dict)

    def find_strangers(self):
        for company in {row.company_id for row in self.rows} - {None}:
            self.strangers[company] = frozenset(
                member
                for member, user in self.users.items()
                if company not in self.companies[user]
            )


class LeadDistribution(models.AbstractModel):
    """Gives leads to people: many at once, in a number of statements that does not
    depend on how many. Runs in superuser mode: who gets a lead does not depend on who
    happens to bring it.

    Pools are locked in the order of their ids, then the leads, so that nobody is given
    a lead twice and no turn is counted twice. Inside the transaction of somebody else
    nothing is waited for: if another one is at the same pools, the leads are given out
    as soon as that transaction has committed, in one of our own (see the file of
    what comes later).
    """

    _name = "lead.distribution"
    _description = "Lead Distribution"

    # ------------------------------------------------------------
    # SETTINGS
    # ------------------------------------------------------------

    @api.model
    def _is_on(self):
        """Whether leads are given out by rules in this database."""
        # sudo: whoever brings a lead may not read settings
        params = self.env["ir.config_parameter"].sudo()
        return str2bool(params.get_param("lead_pipeline.distribution") or "", False)

    @api.model
    def _ready_domain(self):
        """Leads that are ready to be given to somebody, if they have no owner."""
        domain = Domain("active", "=", True) & Domain("won_status", "=", "pending")
        if self._ready_when() == "sales_ready":
            domain &= Domain("sales_ready", "=", True)
        return domain

    @api.model
    def _ready_when(self):
        # sudo: whoever brings a lead may not read settings
        params = self.env["ir.config_parameter"].sudo()
        return params.get_param("lead_pipeline.distribution_ready")

    # ------------------------------------------------------------
    # GIVE OUT
    # ------------------------------------------------------------

    @api.model
    def _distribute(self, leads, event, owners=None, keep=False):
        """Give leads to people by the rules, the moment something happened to them.

        Leads that have an owner are left alone, but for the events of ``PASSED_ON``:
        then they go to somebody else.

        :param event: of ``lead.assignment``
        :param owners: {lead id: user id}: who shall have it if they are in the pool
            and free
        :param keep: a lead that nobody else can get stays with its owner
        :return: the leads that have got somebody; those that nobody can get wait
        """
        nobody = leads.browse()
        if not leads or not self._is_on():
            return nobody
        # sudo: see above
        service = self.sudo()
        options = {"owners": owners, "keep": keep}
        try:
            with self.env.cr.savepoint():
                return leads.browse(service._give_out(leads.ids, event, **options))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            _logger.info("others are at the pools; leads %s follow", leads.ids)
            service._distribute_later(leads.ids, event, options)
        except Exception:
            # whoever brings a lead must not suffer; it waits for the next sweep
            _logger.exception("leads %s could not be given out", leads.ids)
        service._let_wait(leads.ids)
        return nobody

    @api.model
    def _give_out(
        self, lead_ids, event, owners=None, keep=False, teams=None, wait=False
    ):
        """What ``_distribute`` does, in this transaction or not at all.

        :param teams: ids of teams: only leads that go to one of their pools
        :param wait: for others who are at the same pools; a lead that somebody is
            writing is left out then
        :return: {lead id: user id} of the leads that have got somebody
        :raises OperationalError: without ``wait``, others are at the same pools
        """
        with gc_paused():
            round_ = self._plan(lead_ids, event, owners, teams, wait)
            return self._write_round(round_, keep)

    @api.model
    def _write_round(self, round_, keep):
        if keep:
            round_.rows = [row for row in round_.rows if row.chosen]
        self._write_pools(round_)
        self._write_leads(round_)
        return {row.id: round_.users[row.chosen] for row in round_.rows if row.chosen}

    @api.model
    def _plan(self, lead_ids, event, owners=None, teams=None, wait=None):
        """Decide who gets leads, and write nothing.

        :param wait: as ``_give_out``; None: nothing is locked, to try something out
        :return: a Round whose rows are decided
        """
        self.env["crm.lead"].flush_model([*READ, *CHOSEN_BY])
        round_ = Round(event, fields.Datetime.now())
        rules = self._match(lead_ids, teams)
        pools = {rule.pool_id.id for rule in rules.values() if rule}
        methods = {rule.method for rule in rules.values() if rule}
        self._open(round_, pools, methods, wait)
        round_.rows = self._lock_leads(list(rules), event in PASSED_ON, wait)
        self._read_wishes(round_)
        hopeless = {}
        for row in round_.rows:
            row.rule = rules[row.id]
            if row.rule:
                self._decide(round_, row, (owners or {}).get(row.id), hopeless)
        return round_

    @api.model
    def _match(self, lead_ids, teams=None, rules=None):
        """The rule that takes each lead: one search a rule, the first match wins.

        :param rules: in their order; default: those in use
        :return: {lead id: rule, None if no rule takes it}, in the order of the ids
        """
        found = dict.fromkeys(lead_ids)
        pending = list(found)
        Lead = self.env["crm.lead"].with_context(active_test=False)
        if rules is None:
            rules = self.env["lead.distribution.rule"].search([("active", "=", True)])
        for rule in rules:
            if not pending:
                break
            try:
                domain = rule._lead_domain()
                taken = set(pending)
                if not domain.is_true():
                    domain &= Domain("id", "in", pending)
                    taken = set(Lead.search(domain, order="id").ids)
            except UNUSABLE:  # a field it names has gone, or is another one now
                _logger.warning("distribution rule %s can't be used", rule.id)
                continue
            found.update(dict.fromkeys(taken, rule))
            pending = [lead_id for lead_id in pending if lead_id not in taken]
        if teams is None:
            return found
        return {
            lead_id: rule
            for lead_id, rule in found.items()
            if rule and rule.pool_id.team_id.id in teams
        }

    @api.model
    def _lock_leads(self, lead_ids, owned, wait):
        """The leads that may be given out.

        :param owned: also those that have an owner
        """
        domain = Domain("id", "in", lead_ids)
        if owned:
            domain &= Domain("active", "=", True) & Domain("won_status", "=", "pending")
        else:
            domain &= self._ready_domain() & Domain("user_id", "=", False)
        return self._read_leads(domain, wait)

    @api.model
    def _read_leads(self, domain, wait=None):
        """:param wait: as ``_plan``
        :return: a Row for each lead, in the order they wait"""
        Lead = self.env["crm.lead"].with_context(active_test=False)
        query = Lead._search(domain, bypass_access=True)
        alias = query.table
        partner = SQL.identifier("customer")
        company = SQL.identifier("customer_company")
        columns = [SQL.identifier(alias, name) for name in ("id", *READ)]
        lock = SQL()
        if wait is not None:
            others = SQL("SKIP LOCKED") if wait else SQL("NOWAIT")
            lock = SQL("FOR NO KEY UPDATE OF %s %s", SQL.identifier(alias), others)
        self.env.cr.execute(
            SQL(
                """
                SELECT %(columns)s, COALESCE(%(partner)s.user_id, %(company)s.user_id)
                  FROM %(table)s
                  LEFT JOIN res_partner %(partner)s ON %(partner)s.id = %(partner_id)s
                  LEFT JOIN res_partner %(company)s
                         ON %(company)s.id = %(partner)s.commercial_partner_id
                 WHERE %(where)s
                 ORDER BY %(since)s NULLS LAST, %(id)s
                 %(lock)s
                """,
                columns=SQL(", ").join(columns),
                partner=partner,
                company=company,
                partner_id=SQL.identifier(alias, "partner_id"),
                table=query.from_clause,
                where=query.where_clause,
                since=SQL.identifier(alias, "waiting_since"),
                id=SQL.identifier(alias, "id"),
                lock=lock,
            ),
            log_exceptions=False,
        )
        return [Row(*values) for values in self.env.cr.fetchall()]

    @api.model
    def _read_wishes(self, round_):
        """What the leads ask for, and who must not get them (again)."""
        round_.find_strangers()
        ids = [row.id for row in round_.rows]
        if not ids:
            return
        skills = dict(
            self.env.execute_query(
                SQL(
                    "SELECT lead_id, array_agg(skill_id) FROM crm_lead_skill_rel"
                    " WHERE lead_id = ANY(%s) GROUP BY lead_id",
                    ids,
                )
            )
        )
        had_it = {}
        decided = [row.id for row in round_.rows if row.assignment_id]
        if decided:
            self.env["lead.assignment"].flush_model()
            had_it = dict(
                self.env.execute_query(
                    SQL(
                        "SELECT lead_id, array_agg(user_id) FROM lead_assignment"
                        " WHERE lead_id = ANY(%s) AND user_id IS NOT NULL"
                        "   AND (rejected_at IS NOT NULL OR missed_at IS NOT NULL"
                        "        OR (ended_at IS NULL AND %s))"
                        " GROUP BY lead_id",
                        decided,
                        round_.event in PASSED_ON,
                    )
                )
            )
        for row in round_.rows:
            row.skills = frozenset(skills.get(row.id, ()))
            row.excluded = frozenset(had_it.get(row.id, ()))
            if row.user_id:
                row.excluded |= {row.user_id}

    @api.model
    def _decide(self, round_, row, owner_id, hopeless):
        """Ask the pool of a lead's rule.

        :param owner_id: user who shall have it if possible
        :param hopeless: decisions for nobody, by what the leads want: in one round
            nobody comes back
        """
        pool = row.rule.pool_id.id
        worksheet = round_.worksheets[pool]
        method = OWNER if owner_id else row.rule.method
        wish = self._wish(round_, row, owner_id or row.owner_id)
        kind = (pool, wish.skills, wish.language, wish.country, wish.must)
        kind += wish.excluded, wish.strangers
        if kind in hopeless:
            row.decision = hopeless[kind]
            return
        row.decision = worksheet.decide(wish, round_.at, method)
        chosen = row.decision.chosen
        if not chosen:
            hopeless[kind] = row.decision
            return
        # the limits are a person's: what one pool gives counts in all of theirs
        for other, member in round_.places[round_.users[chosen]]:
            if other != pool:
                round_.worksheets[other].give(member, round_.at)

    @api.model
    def _wish(self, round_, row, owner_id):
        """A lead as the pool of its rule takes it."""
        rule, pool = row.rule, row.rule.pool_id.id
        owner = self._place(round_, pool, owner_id) if owner_id else None
        excluded = (self._place(round_, pool, user_id) for user_id in row.excluded)
        must = ((SKILL, rule.must_skill), (LANGUAGE, rule.must_language))
        must += ((COUNTRY, rule.must_country),)
        return Wish(
            row.id,
            row.skills.union(rule.skill_ids.ids),
            row.lang_id,
            row.country_id,
            frozenset(name for name, demanded in must if demanded),
            owner,
            frozenset(filter(None, excluded)),
            round_.strangers.get(row.company_id, frozenset()),
        )

    @api.model
    def _place(self, round_, pool, user_id):
        """:return: the user's member in a pool, None if they are not in it"""
        for place, member in round_.places.get(user_id, ()):
            if place == pool:
                return member
        return None
