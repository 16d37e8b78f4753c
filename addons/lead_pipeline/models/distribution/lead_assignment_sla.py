# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter, defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_datetime

from ..capture.lead_touchpoint import RESPONSE_KINDS
from .crm_lead_sla import SLA_FIELDS

#: how many clocks are looked at between two commits
BATCH = 200
#: a missed lead that nobody else can get is offered again after so long, and then
#: whenever it has been late for as long again
RETRY = timedelta(minutes=15)


class LeadAssignment(models.Model):
    """The clock of an owner, from when they got the lead to the first touch by a
    person: it reminds, and what follows when it runs out."""

    _inherit = "lead.assignment"

    sla_next_at = fields.Datetime(
        "Clock Looked At",
        readonly=True,
        help="When the clock is looked at next: to remind, at its end, or to find "
        "somebody else.",
    )

    _sla_next_idx = models.Index("(sla_next_at) WHERE sla_next_at IS NOT NULL")

    # ------------------------------------------------------------
    # TOUCH
    # ------------------------------------------------------------

    @api.model
    def _stop_clocks(self, touchpoints):
        """A person touched these leads. Counts for whoever had the lead at that moment,
        also if we learn of it later (a call tracker may take its time).

        One statement, however many there are.
        """
        if not touchpoints:
            return
        touchpoints.flush_model()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                WITH touch AS (
                    -- a meeting ahead: the contact was the one that arranged it
                    SELECT lead_id, LEAST(at, %(now)s) AS at
                      FROM lead_touchpoint
                     WHERE id = ANY(%(ids)s) AND human AND kind = ANY(%(kinds)s)
                       AND (direction = 'out' OR kind = 'meeting')
                ), stopped AS (
                    SELECT clock.id, min(touch.at) AS at
                      FROM lead_assignment AS clock JOIN touch USING (lead_id)
                     WHERE clock.user_id IS NOT NULL AND touch.at >= clock.at
                       AND (clock.ended_at IS NULL OR touch.at <= clock.ended_at)
                       AND (clock.first_touch_at IS NULL
                         OR touch.at < clock.first_touch_at)
                     GROUP BY clock.id
                )
                UPDATE lead_assignment AS clock
                   SET first_touch_at = stopped.at,
                       sla_next_at = NULL,
                       missed_at = CASE WHEN stopped.at > clock.due_at
                                        THEN COALESCE(clock.missed_at, clock.due_at) END
                  FROM stopped
                 WHERE clock.id = stopped.id
             RETURNING clock.id, clock.lead_id, clock.user_id,
                       clock.due_at IS NOT NULL AND clock.missed_at IS NULL
                """,
                now=fields.Datetime.now(),
                ids=touchpoints.ids,
                kinds=list(RESPONSE_KINDS),
            )
        )
        if not rows:
            return
        ids, leads, users, kept = zip(*rows, strict=True)
        names = ["first_touch_at", "sla_next_at", "missed_at"]
        self.browse(ids).invalidate_recordset(names, flush=False)
        self.env["crm.lead"].browse(leads).invalidate_recordset(SLA_FIELDS, flush=False)
        in_time = {user for user, was in zip(users, kept, strict=True) if was}
        if in_time:  # so many missed in a row: this ends the row
            members = self.env["lead.pool.member"].with_context(active_test=False)
            members.search(
                [("user_id", "in", list(in_time)), ("missed_count", ">", 0)]
            ).missed_count = 0

    # ------------------------------------------------------------
    # TIME
    # ------------------------------------------------------------

    @api.model
    def _cron_watch_clocks(self, batch=BATCH):
        """Remind owners, and do what the policies say of leads that nobody touched."""
        due = [("sla_next_at", "<=", fields.Datetime.now())]
        run = self.env["lead.scoring"]._run_batch
        progress = self.env["ir.cron"]._commit_progress
        progress(remaining=self.search_count(due))
        while done := run(self._watch_some, due, batch):
            if not progress(done):
                return

    @api.model
    def _watch_some(self, domain, limit):
        """:return: how many clocks were looked at"""
        now = fields.Datetime.now()
        found = self.search(domain, limit=limit, order="sla_next_at, id")
        found = found.try_lock_for_update(allow_referencing=True)
        running = found.filtered(lambda one: one._is_running())
        (found - running).sla_next_at = False
        late = running.filtered(lambda one: one.due_at <= now)
        (running - late)._remind(now)
        missed = late.filtered(lambda one: not one.missed_at)
        missed._count_missed(now)
        late._pass_on(now)
        missed._escalate(now)
        return len(found)

    def _is_running(self):
        """Not where it has no end (its owner works for a while, and never again), nor
        where the lead went to somebody else while the rules were switched off."""
        self.ensure_one()
        lead = self.lead_id
        return (
            self.due_at
            and self.user_id == lead.user_id
            and not self.ended_at
            and not self.first_touch_at
            and lead.active
            and lead.won_status == "pending"
        )

    def _remind(self, now):
        """Tell owners that their time is nearly over."""
        if not self:
            return
        self.reminded_at = now
        self.flush_model()
        self.env.cr.execute(
            "UPDATE lead_assignment SET sla_next_at = due_at WHERE id = ANY(%s)",
            [self.ids],
        )
        self.invalidate_recordset(["sla_next_at"], flush=False)
        service = self.env["lead.distribution"]
        for user, clocks in self.grouped("user_id").items():
            leads, env = clocks.lead_id, self.with_context(lang=user.lang).env
            subject = (
                env._("Due soon: %(lead)s", lead=leads.display_name)
                if len(leads) == 1
                else env._(
                    "%(count)s leads wait for your first touch", count=len(leads)
                )
            )
            notes = {one.lead_id.id: one._due_text(user) for one in clocks}
            service._message(user, subject, leads, notes)

    def _due_text(self, user):
        """When the first touch is due, in the user's own time and language."""
        self.ensure_one()
        env = self.with_context(lang=user.lang, tz=user.tz).env
        return env._(
            "due %(moment)s",
            moment=format_datetime(env, self.due_at, dt_format="short"),
        )

    def _count_missed(self, now):
        """Count what people missed in a row, and set offline who missed too many: they
        are not there, whatever their calendar says."""
        if not self:
            return
        self.missed_at = now
        limits = defaultdict(list)
        for one in self:
            if one.sla_policy_id.misses_to_offline:
                limits[one.user_id].append(one.sla_policy_id.misses_to_offline)
        missed = Counter(one.user_id for one in self)
        for user, members in self.user_id._lead_members().grouped("user_id").items():
            count = max(members.mapped("missed_count")) + missed[user]
            members.missed_count = count
            if user in limits and count >= min(limits[user]):
                mine = self.filtered(lambda one, user=user: one.user_id == user)
                user._set_lead_offline(count, mine)

    def _bosses(self):
        """:return: {whom to tell: the leads that were missed}"""
        found = defaultdict(self.env["crm.lead"].browse)
        for one in self:
            boss = one.sla_policy_id.escalate_to_id or one.lead_id.team_id.user_id
            if boss and boss != one.user_id:
                found[boss] |= one.lead_id
        return found

    def _pass_on(self, now):
        """Give leads to somebody else whose owner missed them, where the policy says
        so. Where nobody else can get one, it stays, and is offered again later."""
        again = self.filtered("sla_policy_id.reassign")
        (self - again).sla_next_at = False
        if not again:
            return
        self.flush_model()
        self.env.cr.execute(
            "UPDATE lead_assignment SET sla_next_at = %s + GREATEST(%s, %s - due_at)"
            " WHERE id = ANY(%s)",
            [now, RETRY, now, again.ids],
        )
        again.invalidate_recordset(["sla_next_at"], flush=False)
        passed = self.env["lead.distribution"]._distribute(
            again.lead_id, "missed", keep=True
        )
        lost = again.filtered(lambda one: one.lead_id in passed)
        for user, theirs in lost.grouped("user_id").items():
            leads, env = theirs.lead_id, self.with_context(lang=user.lang).env
            subject = (
                env._(
                    "Too late, given to somebody else: %(lead)s",
                    lead=leads.display_name,
                )
                if len(leads) == 1
                else env._(
                    "Too late: %(count)s leads were given to somebody else",
                    count=len(leads),
                )
            )
            self.env["lead.distribution"]._message(user, subject, leads)

    def _escalate(self, now):
        """Tell the managers what was missed, and who has it now."""
        missed_by = {one.lead_id.id: one.user_id for one in self}
        for boss, leads in self._bosses().items():
            env = self.with_context(lang=boss.lang).env
            subject = (
                env._("Not touched in time: %(lead)s", lead=leads.display_name)
                if len(leads) == 1
                else env._("%(count)s leads were not touched in time", count=len(leads))
            )
            notes = {}
            for lead in leads:
                names = {"user": missed_by[lead.id].name, "now": lead.user_id.name}
                notes[lead.id] = (
                    env._("%(user)s, who still has it", **names)
                    if lead.user_id == missed_by[lead.id]
                    else env._("%(user)s; %(now)s has it now", **names)
                )
            self.env["lead.distribution"]._message(boss, subject, leads, notes)
            self.filtered(
                lambda one, leads=leads: one.lead_id in leads
            ).escalated_at = now
