# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

#: what core's tracking says, as columns of a touch
MOMENTS = {
    "opened": "opened_at",
    "clicked": "clicked_at",
    "answered": "answered_at",
    "bounced": "bounced_at",
}
RANK = ("queued", "sent", "bounced", "opened", "clicked", "answered")


class LeadNurtureTouch(models.Model):
    """What became of a touch, as core's tracking tells it."""

    _inherit = "lead.nurture.touch"

    def _had(self, event):
        """Whether the stage that follows this one may run."""
        self.ensure_one()
        if self.state not in RANK or self.state == "bounced":
            return False
        return {
            "done": True,
            "opened": bool(self.opened_at or self.clicked_at or self.answered_at),
            "clicked": bool(self.clicked_at),
            "not_opened": not (self.opened_at or self.clicked_at or self.answered_at),
            "not_clicked": not self.clicked_at,
        }[event]

    def _cancel(self, reason):
        """These wait to be sent: they are not."""
        mails, traces = self.mail_id, self.trace_id
        self.write({"state": "cancelled", "reason": reason, "mail_id": False})
        traces.set_canceled()
        mails.filtered(lambda mail: mail.state != "sent").write({"state": "cancel"})

    # ------------------------------------------------------------
    # SENT, OR NOT?
    # ------------------------------------------------------------

    def action_send_again(self):
        """Nobody but a person can know whether these arrived; or they were refused, and
        what was wrong is put right. They pass the gate once more.

        :raises UserError: one of them is neither, or its text is gone
        """
        touches = self._settled()
        if not all(touches.mapped("can_send_again")):
            raise UserError(
                self.env._("Only what was stopped or refused can be sent again.")
            )
        touches._wait_for_server()
        touches._send_again()

    def action_went_out(self):
        """A person knows that these arrived.

        :raises UserError: of one of them there is no doubt
        """
        touches = self._settled()
        if set(touches.mapped("reason")) != {"stopped"}:
            raise UserError(self.env._("There is no doubt about one of these."))
        touches._know_sent()

    def _know_sent(self):
        """It is known that these went out."""
        self.reason = False
        self.trace_id.set_sent()
        self.mail_id.unlink()

    def _settled(self):
        """These, locked: two people may settle the same at once.

        :raises UserError: somebody else does
        """
        self.env["lead.nurture.track"].check_access("write")
        self.check_access("read")
        # sudo: checked; touches are the system's to write
        touches = self.sudo().try_lock_for_update()
        if len(touches) < len(self):
            raise UserError(self.env._("Somebody else is busy with one of these."))
        touches.invalidate_recordset()
        return touches

    def _wait_for_server(self):
        """These were not sent: they wait to be."""
        self.write(
            {"state": "queued", "reason": False, "note": False, "sent_at": False}
        )

    def _send_again(self):
        now = fields.Datetime.now()
        # from when on it is tried for some days
        mails = self.mail_id
        mails.write({"state": "outgoing", "scheduled_date": now})
        self.trace_id.write({"trace_status": "outgoing", "failure_type": False})
        if mails:
            self.env["lead.nurture"]._trigger_queue([now])

    @api.model
    def _note(self, traces, event):
        """Core's tracking learned of something: opened, clicked, answered, bounced."""
        if not traces or not self.env["lead.nurture.track"]._ever_started():
            return
        column = SQL.identifier(MOMENTS[event])
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE lead_nurture_touch
                   SET %(column)s = COALESCE(%(column)s, %(now)s),
                       state = CASE WHEN array_position(%(rank)s::text[], state::text)
                                       < array_position(%(rank)s::text[], %(event)s)
                                    THEN %(event)s ELSE state END,
                       reason = NULL
                 WHERE trace_id = ANY(%(traces)s) AND state = ANY(%(rank)s)
                """,
                column=column,
                now=fields.Datetime.now(),
                rank=list(RANK),
                event=event,
                traces=traces.ids,
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _note_sent(self, traces):
        if not traces or not self.env["lead.nurture.track"]._ever_started():
            return
        self.flush_model()
        self.env.cr.execute(
            """
            UPDATE lead_nurture_touch
               SET state = 'sent', reason = NULL, sent_at = COALESCE(sent_at, %s)
             WHERE trace_id = ANY(%s) AND state IN ('queued', 'sent', 'failed')
            """,
            [fields.Datetime.now(), traces.ids],
        )
        self.invalidate_model(flush=False)

    @api.model
    def _note_failed(self, traces, failure_type):
        """The mail server did not take it. Where it could not even be reached the touch
        goes on waiting: the job tries again."""
        if not traces or not self.env["lead.nurture.track"]._ever_started():
            return
        if failure_type == "mail_smtp":
            return
        self.flush_model()
        self.env.cr.execute(
            """
            UPDATE lead_nurture_touch
               SET state = 'failed', reason = 'smtp', note = %s, sent_at = NULL
             WHERE trace_id = ANY(%s) AND state IN ('queued', 'sent')
            """,
            [failure_type or None, traces.ids],
        )
        self.invalidate_model(flush=False)


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    def set_sent(self, domain=None):
        traces = super().set_sent(domain)
        self.env["lead.nurture.touch"].sudo()._note_sent(traces)
        return traces

    def set_replied(self, domain=None):
        traces = super().set_replied(domain)
        self.env["lead.nurture.touch"].sudo()._note(traces, "answered")
        return traces

    def set_bounced(self, domain=None, bounce_message=False):
        traces = super().set_bounced(domain, bounce_message)
        self.env["lead.nurture.touch"].sudo()._note(traces, "bounced")
        return traces

    def set_failed(self, domain=None, failure_type=False):
        traces = super().set_failed(domain, failure_type)
        self.env["lead.nurture.touch"].sudo()._note_failed(traces, failure_type)
        return traces

    def _touch_leads(self, kind, direction, human=True, robot=""):
        result = super()._touch_leads(kind, direction, human=human, robot=robot)
        # what robots open or follow tells nothing of the person
        if human and kind in ("email_open", "email_click"):
            event = "opened" if kind == "email_open" else "clicked"
            self.env["lead.nurture.touch"].sudo()._note(self, event)
        return result
