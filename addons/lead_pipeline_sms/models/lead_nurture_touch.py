# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from .lead_nurture import SMS_QUEUE


class LeadNurtureTouch(models.Model):
    _inherit = "lead.nurture.touch"

    channel = fields.Selection(
        selection_add=[("sms", "SMS")], ondelete={"sms": "cascade"}
    )
    reason = fields.Selection(
        selection_add=[
            ("phone_blacklist", "The number is on the blacklist"),
            ("sms", "The SMS provider refused it"),
        ],
        ondelete={"phone_blacklist": "set null", "sms": "set null"},
    )
    # the SMS itself goes when it is sent
    sms_uuid = fields.Char("SMS", index="btree_not_null", readonly=True)
    sms_at = fields.Datetime(
        "SMS Waits Until", index="btree_not_null", readonly=True, copy=False
    )

    @api.depends("sms_uuid")
    def _compute_can_send_again(self):
        result = super()._compute_can_send_again()
        for touch in self.filtered(lambda one: one.reason == "sms"):
            touch.can_send_again = touch._has_message()
        return result

    def _has_message(self):
        if not self.sms_uuid:
            return super()._has_message()
        return bool(self._sms())

    def _sms(self):
        uuids = list(filter(None, self.mapped("sms_uuid")))
        # sudo: what waits is the system's
        messages = self.env["sms.sms"].sudo()
        return messages.search([("uuid", "in", uuids), ("to_delete", "!=", True)])

    def _send_again(self):
        messages, now = self._sms(), fields.Datetime.now()
        if messages:
            messages.write({"state": "outgoing", "failure_type": False})
            # from when on it is tried for some days
            self.filtered("sms_uuid").write({"at": now})
            self.env["lead.nurture"]._trigger_queue([now], SMS_QUEUE)
        return super()._send_again()

    def _cancel(self, reason):
        waiting = self._sms() if any(self.mapped("sms_uuid")) else None
        if waiting:
            waiting.filtered(
                lambda sms: sms.state in ("outgoing", "error")
            ).action_set_canceled()
        return super()._cancel(reason)
