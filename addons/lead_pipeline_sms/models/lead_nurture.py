# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.lead_pipeline.models.nurture.lead_nurture_mails import GIVE_UP

#: failures that somebody puts right, and by which surely nothing was sent
PASSING = ("sms_credit", "sms_acc", "sms_registration_needed")
#: SMS that go back to the queue in one run of the job
BATCH = 5000
SMS_QUEUE = "sms.ir_cron_sms_scheduler_action"
#: how often an SMS is tried again that failed so
TRY_AGAIN = timedelta(hours=1)


class LeadNurture(models.AbstractModel):
    _inherit = "lead.nurture"

    @api.model
    def _skip_alone(self, enrolment, stage, facts):
        return super()._skip_alone(enrolment, stage, facts) or (
            self._skip_sms(enrolment.lead_id, stage, facts)
            if stage.channel == "sms"
            else ""
        )

    @api.model
    def _skip_sms(self, lead, stage, facts):
        if not lead.phone_sanitized:
            return "no_phone"
        if lead.phone_sanitized_blacklisted:
            return "phone_blacklist"
        return self._skip_consent(lead, facts, "lead_nurture_sms")

    @api.model
    def _consent_settings(self):
        return [*super()._consent_settings(), "lead_nurture_sms"]

    @api.model
    def _touch_by_sms(self, stage, pairs, now):
        """Queue SMS; core's queue sends them, and asks again before it does."""
        leads = self.env["crm.lead"].browse(one.lead_id.id for one, _vals in pairs)
        bodies = stage.sms_template_id._render_field(
            "body", leads.ids, compute_lang=True
        )
        for enrolment, vals in pairs:
            if not bodies[enrolment.lead_id.id].strip():
                vals["reason"] = "render"
        pairs = [pair for pair in pairs if bodies[pair[0].lead_id.id].strip()]
        messages = self.env["sms.sms"].create(
            [
                {
                    "number": enrolment.lead_id.phone_sanitized,
                    "body": bodies[enrolment.lead_id.id],
                }
                for enrolment, _vals in pairs
            ]
        )
        for (_enrolment, vals), message in zip(pairs, messages, strict=True):
            vals.update(state="queued", reason=False, sms_uuid=message.uuid)

    @api.model
    def _check_sms(self, touches):
        """:return: those of these touches that go out now. Others never go, or wait
        outside of Odoo's queue: in it, which takes the oldest first, they would stand
        in the way of those whose time it is."""
        ready, later = self._look_again(touches, self._skip_sms)
        for touch, at in later.items():
            touch.sms_at = at
        touches.browse(touch.id for touch in later)._sms().write({"state": "canceled"})
        return ready

    @api.model
    def _recover(self):
        """What waited for its time, and what the provider did not take for reasons that
        pass, goes back to Odoo's queue."""
        result = super()._recover()
        now = fields.Datetime.now()
        touches = self.env["lead.nurture.touch"]
        due = touches.search(
            [("state", "=", "queued"), ("sms_at", "<=", now)], limit=BATCH
        )
        failed = self.env["sms.sms"].search(
            [
                ("state", "=", "error"),
                ("failure_type", "in", PASSING),
                ("write_date", "<=", now - TRY_AGAIN),
                ("to_delete", "!=", True),
            ],
            limit=BATCH,
        )
        refused = touches.search(
            [("sms_uuid", "in", failed.mapped("uuid")), ("state", "=", "queued")]
        )
        late = refused.filtered(lambda touch: touch.at <= now - GIVE_UP)
        late.write({"state": "failed", "reason": "sms"})
        again = due | (refused - late)
        if again:
            again.sms_at = False
            again._sms().write({"state": "outgoing", "failure_type": False})
            self._trigger_queue([now], SMS_QUEUE)
        return result
