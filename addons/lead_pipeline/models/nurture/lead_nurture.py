# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.tools import SQL, mute_logger

from ...engine.nurture import held_out, next_moment
from .lead_nurture_enrolment import BACK, RETURNS
from .lead_nurture_track import IN_FLIGHT

#: a connector that was down delivers late
LATE = timedelta(days=7)
#: journeys a transaction
BATCH = 500
COLUMNS = ("state", "stage_id", "next_at", "waits_for", "ended_at", "end_reason")


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a journey now: ``go``, ``skip`` the stage, ``pass`` one that an
    earlier version did, ``wait`` until ``at``, or ``exit``; with the reason, where it
    does not go."""

    kind: str
    reason: str = ""
    at: datetime | None = None


GO = Step("go")
PASS = Step("pass")


class LeadNurture(models.AbstractModel):
    """The engine room: who starts a journey, what is due, how a journey goes on and
    ends. All of it for many leads at once. Runs as superuser."""

    _name = "lead.nurture"
    _description = "Nurture"

    # ------------------------------------------------------------
    # ENROL
    # ------------------------------------------------------------

    @api.model
    def _enrol(self, leads, track, entry="hand", stage=None):
        """Start the journey of leads on the version of a track that runs.

        Left out are those that are on it already, were on it too lately, won, opted
        out, or belong to another company.

        :param track: any version of it
        :param entry: how they came, see ``lead.nurture.enrolment.entry``
        :param stage: where to start; the first one if none
        :return: the new enrolments, of those held out too
        """
        track = track._running()[:1]
        Enrolment = self.env["lead.nurture.enrolment"].sudo()
        if track and leads:
            found = leads.sudo().with_context(active_test=False)
            leads = self._enrollable(found, track)
        if not track or not leads:
            return Enrolment
        now = fields.Datetime.now()
        first = stage or track.stage_ids.sorted()[:1]
        places = self._places(leads)
        share = track.holdout_percent / 100
        vals_list = []
        for lead in leads:
            silent = held_out(share, track.origin_id.id, lead.id)
            start = max(now + first._delay(), lead._cool_off_ends(places[lead.id]))
            vals_list.append(
                {
                    "lead_id": lead.id,
                    "track_id": track.id,
                    "origin_id": track.origin_id.id,
                    "company_id": lead.company_id.id,
                    "held_out": silent,
                    "stage_id": False if silent else first.id,
                    "next_at": now + timedelta(days=track.observe_days)
                    if silent
                    else next_moment(start, first._window(), places[lead.id]),
                    "entry": entry,
                    "lost_reason_id": lead.original_lost_reason_id.id,
                    "previous_user_id": lead.user_id.id,
                    "enrolled_at": now,
                }
            )
        return self._create_once(vals_list)

    @api.model
    def _create_once(self, vals_list):
        """Somebody else may put the same leads on the track in this moment: theirs is
        as good as ours, and nothing else of what we do is lost."""
        Enrolment = self.env["lead.nurture.enrolment"].sudo()
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                return Enrolment.create(vals_list)
        except UniqueViolation:
            if len(vals_list) == 1:
                return Enrolment
            return Enrolment.union(*(self._create_once([one]) for one in vals_list))

    @api.model
    def _enrollable(self, leads, track):
        """Those of the leads that may start on this track."""
        earlier = self.env["lead.nurture.enrolment"].sudo()
        barred = earlier.search(
            [
                ("lead_id", "in", leads.ids),
                ("origin_id", "=", track.origin_id.id),
                "|",
                ("state", "in", IN_FLIGHT),
                *(
                    [
                        (
                            "ended_at",
                            ">",
                            fields.Datetime.now() - timedelta(days=track.reenrol_days),
                        )
                    ]
                    if track.reenrol_days
                    else [("id", "!=", False)]
                ),
            ]
        ).lead_id
        companies = (track.company_id | track.company_id.browse()).ids
        out = self._opted_out(leads)
        return (leads - barred).filtered(
            lambda lead: lead.id not in out
            and lead.won_status != "won"
            and (
                not companies or not lead.company_id or lead.company_id.id in companies
            )
        )

    # ------------------------------------------------------------
    # WHAT IS DUE
    # ------------------------------------------------------------

    @api.model
    def _cron_run(self, batch=BATCH):
        """Do what is due. Each batch is locked and committed with its place: killed at
        any moment, nothing is done twice and nothing is forgotten."""
        progress = self.env["ir.cron"]._commit_progress
        Enrolment = self.env["lead.nurture.enrolment"]
        self._recover()
        due = [("state", "=", "active"), ("next_at", "<=", fields.Datetime.now())]
        progress(remaining=Enrolment.search_count(due))
        while found := Enrolment.search(due, limit=batch, order="next_at, id"):
            locked = found.try_lock_for_update()
            if not locked:
                return
            self._run(locked)
            if not progress(len(locked)):
                return

    @api.model
    def _run(self, enrolments):
        """Look at these journeys now: each goes a step, waits, or ends."""
        now = fields.Datetime.now()
        # what was read before the rows were locked may be old
        enrolments.invalidate_recordset()
        steps = self._judge(enrolments, now)
        ended, touched = defaultdict(enrolments.browse), []
        rows = {}
        for enrolment in enrolments:
            step = steps[enrolment.id]
            if step.kind == "exit":
                ended[step.reason] |= enrolment
            elif step.kind == "wait":
                rows[enrolment.id] = {"next_at": step.at, "waits_for": step.reason}
            else:
                touched.append((enrolment, step))
        self._update(rows)
        touches = self._touch([one for one in touched if one[1] is not PASS], now)
        self.env["lead.nurture.touch"].create(touches)
        self._go_on(enrolments.browse(e.id for e, _step in touched), now)
        for reason, some in ended.items():
            some._end(reason)

    @api.model
    def _go_on(self, enrolments, now):
        """On to the stage after the one they had, or to the end."""
        following = {stage: stage._next() for stage in enrolments.stage_id}
        places = self._places(enrolments.lead_id)
        rows = {}
        for enrolment in enrolments:
            stage = following[enrolment.stage_id]
            if stage:
                at = next_moment(
                    now + stage._delay(), stage._window(), places[enrolment.lead_id.id]
                )
                rows[enrolment.id] = {"stage_id": stage.id, "next_at": at}
            else:
                rows[enrolment.id] = {
                    "state": "finished",
                    "next_at": None,
                    "ended_at": now,
                    "end_reason": "last",
                }
        self._update(rows)

    @api.model
    def _update(self, rows):
        """Write journeys, each its own values, in one statement; nobody waits for
        anything unless it is said.

        :param rows: {enrolment id: values of COLUMNS}
        """
        if not rows:
            return
        Enrolment = self.env["lead.nurture.enrolment"]
        Enrolment.flush_model()
        kept = Enrolment.browse(rows)
        values = []
        for enrolment in kept:
            old = {
                "state": enrolment.state,
                "stage_id": enrolment.stage_id.id or None,
                "next_at": enrolment.next_at or None,
                "waits_for": None,
                "ended_at": enrolment.ended_at or None,
                "end_reason": enrolment.end_reason or None,
            }
            new = {**old, **rows[enrolment.id]}
            values.append((enrolment.id, *(new[name] for name in COLUMNS)))
        columns = list(zip(*values, strict=True))
        self.env.cr.execute(
            SQL(
                """
                UPDATE lead_nurture_enrolment AS journey
                   SET state = row.state, stage_id = row.stage_id,
                       next_at = row.next_at, waits_for = row.waits_for,
                       ended_at = row.ended_at, end_reason = row.end_reason,
                       write_date = %s
                  FROM unnest(%s::int[], %s::text[], %s::int[], %s::timestamp[],
                              %s::text[], %s::timestamp[], %s::text[])
                    AS row(id, state, stage_id, next_at, waits_for, ended_at,
                           end_reason)
                 WHERE journey.id = row.id
                """,
                fields.Datetime.now(),
                *(list(column) for column in columns),
            )
        )
        kept.invalidate_recordset([*COLUMNS, "write_date"], flush=False)

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    @api.model
    def _leave(self, leads, reason, since=None):
        """Something happened to leads that ends their journeys, at once.

        :param since: {lead id: when it happened}; journeys that began long after that
            go on: somebody filled in the past
        """
        if not leads or not self.env["lead.nurture.track"]._ever_started():
            return
        # sudo: events are everybody's
        journeys = self.env["lead.nurture.enrolment"].sudo()
        found = journeys.search(
            [
                ("lead_id", "in", leads.ids),
                "|",
                ("state", "in", IN_FLIGHT),
                # over, but still compared with those held out
                "&",
                ("state", "=", "finished"),
                ("is_back", "=", False),
            ]
        )
        now = fields.Datetime.now()
        if since is not None:
            found = found.filtered(
                lambda one: since[one.lead_id.id] >= one.enrolled_at - LATE
            )
        late = found.filtered(
            lambda one: one.state == "finished"
            and one.enrolled_at + timedelta(days=one.track_id.observe_days) < now
        )
        (found - late)._end(reason)


class LeadNurtureEnrolment(models.Model):
    """How a journey ends or is moved, by people and events."""

    _inherit = "lead.nurture.enrolment"

    def _end(self, reason):
        """End these journeys now. What waits to be sent is not; who came back goes to
        sales, with a brief. A journey that was over may still turn out to be one that
        brought the lead back."""
        if not self:
            return
        now = fields.Datetime.now()
        flying = self.filtered(lambda one: one.state in IN_FLIGHT)
        final = reason in ("last", "observed")
        flying.write(
            {
                "state": "finished" if final else "exited",
                "next_at": False,
                "waits_for": False,
                "ended_at": now,
                "end_reason": reason,
            }
        )
        if reason in BACK:
            self.write({"is_back": True, "back_at": now})
        flying._cancel_waiting()
        if reason in RETURNS:
            self._return_to_sales(reason)
        elif reason in ("unsubscribed", "blacklisted"):
            self.lead_id._change_interest("disinterested")

    def _cancel_waiting(self):
        """What was queued for these journeys and is not sent yet is not sent."""
        touches = self.env["lead.nurture.touch"].search(
            [("enrolment_id", "in", self.ids), ("state", "=", "queued")]
        )
        if touches:
            touches._cancel("exit")

    def _move(self, stage):
        """Have this stage next, as if the one before it was had now."""
        nurture = self.env["lead.nurture"]
        now = fields.Datetime.now()
        places = nurture._places(self.lead_id)
        nurture._update(
            {
                one.id: {
                    "stage_id": stage.id,
                    "next_at": next_moment(
                        now + stage._delay(), stage._window(), places[one.lead_id.id]
                    ),
                }
                for one in self
            }
        )
