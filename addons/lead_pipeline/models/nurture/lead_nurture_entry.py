# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, split_every

from ..capture.lead_touchpoint import RESPONSE_KINDS
from .lead_nurture_events import ANSWERS

#: a call that lasted so many seconds reached somebody
TALKED = 60
#: who was silent for longer is not taken up by itself: nobody would know why we write
TOO_LONG = timedelta(days=90)


class LeadNurtureTrack(models.Model):
    """The leads that come in by themselves, once a day: those of low quality that
    nobody worked, and those that nobody could reach."""

    _inherit = "lead.nurture.track"

    @api.model
    def _cron_enrol(self, batch=1000):
        Lead = self.env["crm.lead"]
        for track in self.browse(self._entry_ids("entry_grade")):
            found = Lead.search(track._low_grade_domain(), order="id")
            if not track._enrol_all("grade", found, batch):
                return
        for track in self.browse(self._entry_ids("entry_unreached")):
            found = track._unreached(Lead.search(track._entry_domain(), order="id"))
            if not track._enrol_all("unreached", found, batch):
                return

    def _enrol_all(self, entry, leads, batch):
        """Enrol leads, in batches that are committed.

        :return: whether there is time for more
        """
        left = len(leads)
        for ids in split_every(batch, leads.ids):
            self.env["lead.nurture"]._enrol(leads.browse(ids), self, entry)
            left -= len(ids)
            progress = self.env["ir.cron"]._commit_progress
            if not progress(len(ids), remaining=left):
                return False
        return True

    def _entry_domain(self):
        """Open leads that were never on this track, and for which nothing is
        planned."""
        self.ensure_one()
        domain = Domain("won_status", "=", "pending")
        domain &= Domain("activity_ids", "=", False)
        domain &= ~Domain(
            "enrolment_ids", "any", [("origin_id", "=", self.origin_id.id)]
        )
        if self.company_id:
            domain &= Domain("company_id", "in", [False, self.company_id.id])
        return domain

    def _low_grade_domain(self):
        """Those of the quality this track takes, whom nobody worked."""
        before = fields.Datetime.now() - timedelta(days=self.entry_grade_days)
        bands = list(self.entry_grade)
        domain = self._entry_domain()
        domain &= Domain("lead_grade", "in", [f"{b}{n}" for b in bands for n in "1234"])
        domain &= Domain("create_date", "<=", before)
        return domain & Domain("date_first_response", "=", False)

    def _unreached(self, leads):
        """Those that nobody could reach: our people tried so many times since they last
        heard of the lead, and it was silent since; or the time for the first touch was
        missed, and nobody touched it to this day."""
        self.ensure_one()
        if not leads:
            return leads
        now = fields.Datetime.now()
        self.env["lead.touchpoint"].flush_model()
        self.env["lead.assignment"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                WITH lead AS (
                    SELECT id, (
                        SELECT max(heard.at) FROM lead_touchpoint AS heard
                         WHERE heard.lead_id = crm_lead.id AND heard.human
                           AND (heard.kind = 'meeting'
                             OR heard.direction = 'in' AND heard.kind = ANY(%(answers)s)
                             OR heard.kind = 'call_out' AND heard.duration >= %(talked)s
                           )) AS heard_at
                      FROM crm_lead WHERE id = ANY(%(leads)s)
                )
                SELECT lead.id FROM lead JOIN lead_touchpoint AS attempt
                    ON attempt.lead_id = lead.id AND attempt.human
                   AND attempt.direction = 'out' AND attempt.kind = ANY(%(attempts)s)
                   AND attempt.at > COALESCE(lead.heard_at, '-infinity')
                 GROUP BY lead.id
                HAVING count(*) >= %(times)s
                   AND max(attempt.at) BETWEEN %(since)s AND %(until)s
                UNION
                SELECT clock.lead_id FROM lead_assignment AS clock
                  JOIN crm_lead ON crm_lead.id = clock.lead_id
                 WHERE clock.lead_id = ANY(%(leads)s) AND clock.ended_at IS NULL
                   AND clock.first_touch_at IS NULL
                   AND crm_lead.date_first_response IS NULL
                   AND clock.missed_at BETWEEN %(since)s AND %(until)s
                """,
                answers=list(ANSWERS),
                talked=TALKED,
                attempts=list(RESPONSE_KINDS),
                leads=leads.ids,
                times=self.entry_attempts,
                since=now - TOO_LONG,
                until=now - timedelta(days=self.entry_silent_days),
            )
        )
        return leads.browse(row[0] for row in rows)
