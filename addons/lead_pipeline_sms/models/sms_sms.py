# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models, modules

from .lead_nurture import PASSING


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """SMS of nurture are looked at again, and claimed before the provider can have
        them: whenever Odoo is killed, none goes out twice."""
        sending = self
        if self.env["lead.nurture.track"]._ever_started():
            sending = self._claim_nurture()
        if not sending:
            return None
        return super(SmsSms, sending)._send(
            unlink_failed=unlink_failed,
            unlink_sent=unlink_sent,
            raise_exception=raise_exception,
        )

    def _claim_nurture(self):
        """:return: those of these SMS that go out now"""
        # sudo: touches are the system's
        touches = self.env["lead.nurture.touch"].sudo()
        ours = touches.search([("sms_uuid", "in", self.mapped("uuid"))])
        if not ours:
            return self
        waiting = ours.filtered(lambda touch: touch.state == "queued")
        ready = self.env["lead.nurture"].sudo()._check_sms(waiting)
        ready.write(
            {"state": "sent", "reason": "stopped", "sent_at": fields.Datetime.now()}
        )
        theirs, going = set(ours.mapped("sms_uuid")), set(ready.mapped("sms_uuid"))
        claimed = self.filtered(lambda one: one.uuid in going)
        claimed.write({"state": "process"})
        if claimed and not modules.module.current_test:
            self.env.cr.commit()  # pylint: disable=invalid-commit
        return claimed | self.filtered(lambda one: one.uuid not in theirs)

    def _handle_call_result_hook(self, results):
        result = super()._handle_call_result_hook(results)
        if not self.env["lead.nurture.track"]._ever_started():
            return result
        # sudo: touches are the system's
        touches = self.env["lead.nurture.touch"].sudo()
        states = {one["uuid"]: one["state"] for one in results}
        failures = {sms.uuid: sms.failure_type for sms in self}
        for touch in touches.search([("sms_uuid", "in", list(states))]):
            state = states[touch.sms_uuid]
            if state in self.IAP_TO_SMS_STATE_SUCCESS:
                touch.reason = False
            elif failures.get(touch.sms_uuid) in PASSING:
                touch._wait_for_server()  # the job tries again
                touch.note = state
            elif state == "server_error":
                # no answer: the provider may have it
                touch.note = state
            else:
                refused = {"state": "failed", "reason": "sms", "note": state}
                touch.write({**refused, "sent_at": False})
        return result
