# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.lead_pipeline.tests.common_nurture import FRIDAY, NurtureCase
from odoo.addons.sms.tests.common import SMSCase


@freeze_time(FRIDAY)
@tagged("post_install", "-at_install")
class TestNurtureSms(NurtureCase, SMSCase):
    def setUp(self):
        super().setUp()
        template = self.env["sms.template"].create(
            {
                "name": "Still interested?",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body": "Hello {{ object.contact_name }}, still interested?",
            }
        )
        self.env["sms.sms"].search([]).write({"state": "canceled"})
        self.track = self.new_track(
            {"channel": "sms", "sms_template_id": template.id}, {"channel": "task"}
        )
        self.lead = self.new_lead()
        self.consent(self.lead, "SMS", True)
        self.journey = self.enrol(self.lead, self.track)

    def consent(self, lead, purpose, granted):
        self.ingest_one(
            f"{lead.id}{purpose}{granted}",
            contact={"email": lead.email_from},
            consents=[{"purpose": purpose, "granted": granted}],
        )

    def recover_at(self, at):
        """The job, an hour and more after the provider was asked."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE sms_sms SET write_date = %s", [FRIDAY])
        self.env.invalidate_all()
        with freeze_time(at):
            self.nurture._recover()
        self.env.invalidate_all()

    def run_at(self, at):
        """What the job does in a batch; its commits are not for this test case."""
        with freeze_time(at):
            due = [("state", "=", "active"), ("next_at", "<=", at)]
            self.nurture._run(self.env["lead.nurture.enrolment"].search(due))
        self.env.invalidate_all()

    def send(self, at, **gateway):
        with freeze_time(at), self.mockSMSGateway(**gateway):
            self.env["sms.sms"].search([("state", "=", "outgoing")]).send()
        self.env.invalidate_all()
        return self._sms

    def test_an_sms_goes_out(self):
        self.run_at(FRIDAY)
        touch = self.touches(self.lead)
        self.assertEqual((touch.state, touch.message), ("queued", True))
        [sms] = self.send(FRIDAY)
        self.assertEqual(sms["number"], "+4915112345678")
        self.assertEqual(sms["body"], "Hello Lena Vogt, still interested?")
        self.assertEqual((touch.state, touch.reason), ("sent", False))
        self.assertFalse(self.send(FRIDAY))

    def test_the_number_is_blacklisted(self):
        self.env["phone.blacklist"].create({"number": "+4915112345678"})
        self.run_at(FRIDAY)
        self.assertEqual(self.touches(self.lead).reason, "phone_blacklist")

    def test_the_lead_answers_first(self):
        self.run_at(FRIDAY)
        self.env["lead.touchpoint"].create({"lead_id": self.lead.id, "kind": "call_in"})
        self.assertEqual(self.touches(self.lead).state, "cancelled")
        self.assertFalse(self.send(FRIDAY))

    def test_the_hours_are_over(self):
        self.run_at(FRIDAY)
        touch = self.touches(self.lead)
        self.assertFalse(self.send(FRIDAY + timedelta(hours=9)))
        self.assertEqual(touch.state, "queued")
        # it stands in nobody's way
        waiting = [("uuid", "=", touch.sms_uuid), ("state", "=", "outgoing")]
        self.assertFalse(self.env["sms.sms"].search(waiting))
        self.assertEqual(str(touch.sms_at), "2026-11-23 08:00:00")
        self.recover_at(touch.sms_at - timedelta(minutes=1))
        self.assertFalse(self.send(touch.sms_at - timedelta(minutes=1)))
        at = touch.sms_at
        self.recover_at(at)
        self.assertEqual(len(self.send(at)), 1)
        self.assertEqual((touch.state, touch.sms_at), ("sent", False))

    def test_paused_it_waits_and_what_ends_it_ends_it(self):
        """As a mail does."""
        self.run_at(FRIDAY)
        self.track.action_pause()
        self.assertFalse(self.send(FRIDAY))
        touch = self.touches(self.lead)
        hour = FRIDAY + timedelta(hours=1)
        self.assertEqual((touch.state, touch.sms_at), ("queued", hour))
        self.env["phone.blacklist"].create({"number": "+4915112345678"})
        self.recover_at(hour)
        self.assertFalse(self.send(hour))
        self.assertEqual((touch.state, touch.reason), ("cancelled", "phone_blacklist"))

    def test_the_lead_answers_while_it_waits(self):
        self.run_at(FRIDAY)
        self.send(FRIDAY + timedelta(hours=9))
        at = self.touches(self.lead).sms_at
        self.env["lead.touchpoint"].create({"lead_id": self.lead.id, "kind": "call_in"})
        self.recover_at(at)
        self.assertFalse(self.send(at))
        self.assertEqual(self.touches(self.lead).state, "cancelled")

    def test_consent_to_mails_is_none_to_sms(self):
        asked, refused, never = (self.new_lead(name) for name in ("Mail", "No", "Nie"))
        self.consent(asked, "email", True)
        self.consent(refused, "sms", False)
        leads = asked | refused | never
        self.enrol(leads, self.track)
        self.run_at(FRIDAY)
        reasons = [self.touches(lead).reason for lead in (asked, refused, never)]
        self.assertEqual(reasons, ["no_consent", "refused", "no_consent"])
        # a company may do without, but never against a refusal
        self.company.lead_nurture_sms_consent_required = False
        again = self.new_track(
            {
                "channel": "sms",
                "sms_template_id": self.track.stage_ids[0].sms_template_id.id,
            },
            name="Again",
        )
        self.enrol(leads, again)
        self.run_at(FRIDAY)
        states = [self.touches(lead)[-1].state for lead in (asked, refused, never)]
        self.assertEqual(states, ["queued", "skipped", "queued"])

    def test_consent_is_taken_back_in_the_last_moment(self):
        self.run_at(FRIDAY)
        with freeze_time(FRIDAY + timedelta(minutes=1)):
            submission = self.env["lead.consent"].search([], limit=1).submission_id
            self.env["lead.consent"].create(
                {
                    "lead_id": self.lead.id,
                    "submission_id": submission.id,
                    "purpose": "sms",
                    "granted": False,
                    "at": FRIDAY + timedelta(minutes=1),
                }
            )
        self.assertFalse(self.send(FRIDAY + timedelta(minutes=2)))
        touch = self.touches(self.lead)
        self.assertEqual((touch.state, touch.reason), ("cancelled", "refused"))

    def test_an_empty_text_is_not_sent(self):
        self.track.stage_ids[0].sms_template_id.body = "{{ object.city or '' }}"
        self.run_at(FRIDAY)
        touch = self.touches(self.lead)
        self.assertEqual((touch.state, touch.reason), ("skipped", "render"))

    def test_no_credit_is_no_loss(self):
        self.run_at(FRIDAY)
        touch = self.touches(self.lead)
        self.send(FRIDAY, sim_error="credit")
        self.assertEqual((touch.state, touch.note), ("queued", "insufficient_credit"))
        self.recover_at(FRIDAY + timedelta(minutes=30))
        self.assertFalse(self.send(FRIDAY + timedelta(minutes=31)))
        self.recover_at(FRIDAY + timedelta(hours=2))
        self.assertEqual(len(self.send(FRIDAY + timedelta(hours=2))), 1)
        self.assertEqual((touch.state, touch.reason), ("sent", False))

    def test_no_credit_for_days_is_given_up_and_sent_again_by_hand(self):
        self.run_at(FRIDAY)
        touch = self.touches(self.lead)
        self.send(FRIDAY, sim_error="credit")
        self.recover_at(FRIDAY + timedelta(days=4))
        self.assertEqual((touch.state, touch.reason), ("failed", "sms"))
        self.assertTrue(touch.can_send_again)
        with self.assertRaises(AccessError):
            touch.with_user(self.salesman).action_send_again()
        touch.with_user(self.manager).action_send_again()
        self.assertEqual(len(self.send(FRIDAY + timedelta(days=4))), 1)
        self.assertEqual(touch.state, "sent")

    def test_the_provider_refuses(self):
        self.run_at(FRIDAY)
        self.send(FRIDAY, sim_error="wrong_number_format")
        touch = self.touches(self.lead)
        self.assertEqual((touch.state, touch.reason), ("failed", "sms"))
        self.assertEqual(touch.note, "wrong_number_format")

    def test_the_provider_does_not_answer(self):
        """It may have it: nothing is sent twice, and a person settles it."""
        self.run_at(FRIDAY)
        self.send(FRIDAY, sim_error="jsonrpc_exception")
        touch = self.touches(self.lead)
        self.assertEqual((touch.state, touch.reason), ("sent", "stopped"))
        self.recover_at(FRIDAY + timedelta(hours=2))
        self.assertFalse(self.send(FRIDAY + timedelta(hours=2)))
        with freeze_time(FRIDAY + timedelta(hours=2)):
            self.track.invalidate_recordset()
            self.assertEqual(self.track.unsure_count, 1)
            touch.with_user(self.manager).action_send_again()
        self.assertEqual(len(self.send(FRIDAY + timedelta(hours=2))), 1)
        self.assertEqual((touch.state, touch.reason), ("sent", False))
