# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadNurture(models.AbstractModel):
    _inherit = "lead.nurture"

    @api.model
    def _skip_alone(self, enrolment, stage, facts):
        return super()._skip_alone(enrolment, stage, facts) or (
            self._skip_sms(enrolment.lead_id, facts) if stage.channel == "sms" else ""
        )

    @api.model
    def _skip_sms(self, lead, facts):
        if not lead.phone_sanitized:
            return "no_phone"
        if lead.phone_sanitized_blacklisted:
            return "phone_blacklist"
        return self._skip_consent(lead, facts)

    @api.model
    def _touch_by_sms(self, stage, pairs, now):
        """Queue SMS; core's queue sends them, and asks again before it does."""
        leads = self.env["crm.lead"].browse(one.lead_id.id for one, _vals in pairs)
        bodies = stage.sms_template_id._render_field(
            "body", leads.ids, compute_lang=True
        )
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
        """:return: those of these touches that go out now; others wait, or never go"""
        now = fields.Datetime.now()
        journeys = touches.enrolment_id
        facts = self._facts(journeys, now)
        facts.sent = self._really_sent(journeys.lead_id, now)
        ready = touches.browse()
        for touch in touches:
            journey, lead = touch.enrolment_id, touch.lead_id
            if not lead or journey.state == "exited":
                touch._cancel("exit")
            elif reason := self._exit_reason(journey, facts):
                journey._end(reason)
                touch.filtered(lambda one: one.state == "queued")._cancel("exit")
            elif reason := self._skip_sms(lead, facts):
                touch._cancel(reason)
            elif journey.state != "paused" and not self._wait(
                lead, touch.stage_id, facts, now
            ):
                facts.sent.setdefault(lead.id, []).append(now)
                ready |= touch
        return ready
