# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class LeadNurtureTouch(models.Model):
    _inherit = "lead.nurture.touch"

    channel = fields.Selection(
        selection_add=[("sms", "SMS")], ondelete={"sms": "cascade"}
    )
    reason = fields.Selection(
        selection_add=[("phone_blacklist", "The number is on the blacklist")],
        ondelete={"phone_blacklist": "set null"},
    )
    # the SMS itself goes when it is sent
    sms_uuid = fields.Char("SMS", index="btree_not_null", readonly=True)

    def _cancel(self, reason):
        uuids = list(filter(None, self.mapped("sms_uuid")))
        if uuids:
            # sudo: what waits is the system's
            waiting = (
                self.env["sms.sms"]
                .sudo()
                .search([("uuid", "in", uuids), ("state", "=", "outgoing")])
            )
            waiting.action_set_canceled()
        return super()._cancel(reason)
