# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict
from datetime import datetime, timedelta

from odoo import api, fields, models

#: how long a mail server may be away before a touch is given up
GIVE_UP = timedelta(days=3)
#: how often mails are tried again that met no server
TRY_AGAIN = timedelta(minutes=10)
#: how often what waits is looked at while its journey is paused
PAUSED = timedelta(hours=1)
#: moments at which mails may go out are rounded up to these
TOGETHER = timedelta(minutes=5)


class LeadNurture(models.AbstractModel):
    """Mails between the batch that made them and the server that takes them."""

    _inherit = "lead.nurture"

    @api.model
    def _check_mails(self, mails):
        """:return: those of these mails that go out now; of the others some wait for
        their time, some never go"""
        touches = self.env["lead.nurture.touch"].search(
            [("mail_id", "in", mails.ids), ("state", "=", "queued")]
        )
        ready, later = self._look_again(touches, self._skip_email)
        for touch, at in later.items():
            touch.mail_id.scheduled_date = at
        self._trigger_queue(later.values())
        gone = mails - touches.mail_id
        # between the claim and the end another worker may have one of them
        gone.invalidate_recordset(["state"])
        gone.filtered(lambda mail: mail.state == "outgoing").write({"state": "cancel"})
        return ready.mail_id

    @api.model
    def _look_again(self, touches, skip):
        """Which of these queued messages go out now. Minutes or days may have passed
        since they were queued: everything is looked at again, and what never goes is
        cancelled.

        :param skip: ``_skip_email`` or its like of another channel
        :return: (touches that go out now, {touch: when to look at it again})
        """
        now = fields.Datetime.now()
        journeys = touches.enrolment_id
        journeys.invalidate_recordset()
        facts = self._facts(journeys, now)
        # what waits to be sent does not count against itself
        facts.sent = self._really_sent(journeys.lead_id, now)
        ready, later = touches.browse(), {}
        stopped = defaultdict(touches.browse)
        for touch in touches:
            journey, lead, stage = touch.enrolment_id, touch.lead_id, touch.stage_id
            if not lead or journey.state == "exited":
                stopped["exit"] |= touch
            elif reason := self._exit_reason(journey, facts):
                journey._end(reason)
                stopped["exit"] |= touch.exists().filtered(
                    lambda one: one.state == "queued"
                )
            elif reason := skip(lead, stage, facts):
                stopped[reason] |= touch
            elif journey.state == "paused":
                later[touch] = now + PAUSED
            elif step := self._wait(lead, stage, facts, now):
                later[touch] = step.at
            else:
                facts.sent.setdefault(lead.id, []).append(now)
                ready |= touch
        for reason, some in stopped.items():
            some._cancel(reason)
        return ready, later

    @api.model
    def _trigger_queue(self, moments, queue="mail.ir_cron_mail_scheduler_action"):
        """Odoo's queues run every hour; the hours of a stage may be over by then.

        :param moments: when it shall look
        """
        # a few for all of them: where there is a cap each has a moment of its own
        at = {one + (datetime.min - one) % TOGETHER for one in moments}
        if at:
            self.env.ref(queue)._trigger(at=at)

    @api.model
    def _really_sent(self, leads, now):
        sent = defaultdict(list)
        for touch in self.env["lead.nurture.touch"].search(
            [
                ("lead_id", "in", leads.ids),
                ("message", "=", True),
                ("sent_at", ">", now - timedelta(days=7)),
            ],
            order="sent_at",
        ):
            sent[touch.lead_id.id].append(touch.sent_at)
        return dict(sent)

    @api.model
    def _recover(self):
        """Odoo gives up a mail when it meets no server, or is disturbed while it sends.
        A touch that still waits was not claimed, so the server never had it: its mail
        is tried again, for some days."""
        now = fields.Datetime.now()
        waiting = self.env["lead.nurture.touch"].search(
            [
                ("state", "=", "queued"),
                ("mail_id.state", "=", "exception"),
                ("mail_id.write_date", "<=", now - TRY_AGAIN),
            ],
            limit=5000,
        )
        late = waiting.filtered(
            lambda touch: max(touch.at, touch.mail_id.scheduled_date or touch.at)
            <= now - GIVE_UP
        )
        late.write({"state": "failed", "reason": "smtp"})
        again = waiting - late
        self._trigger_queue([now] if again else [])
        again.mail_id.write({"state": "outgoing", "failure_reason": False})
        again.trace_id.write({"trace_status": "outgoing", "failure_type": False})
