# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from freezegun import freeze_time

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
        self.journey = self.enrol(self.lead, self.track)

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
        self.assertFalse(self.send(FRIDAY + timedelta(hours=9)))
        self.assertEqual(self.touches(self.lead).state, "queued")
        self.assertEqual(len(self.send(FRIDAY + timedelta(days=3))), 1)

    def test_the_provider_refuses(self):
        self.run_at(FRIDAY)
        self.send(FRIDAY, sim_error="credit")
        self.assertEqual(self.touches(self.lead).state, "failed")
