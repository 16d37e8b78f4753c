# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common_nurture import FRIDAY, NurtureCase

DAY = timedelta(days=1)


@freeze_time(FRIDAY)
@tagged("post_install", "-at_install")
class TestNurtureExits(NurtureCase):
    """What ends a journey does so at once, and what waits to be sent is not."""

    def setUp(self):
        super().setUp()
        self.track = self.new_track({}, {"channel": "task"})
        self.reason = self.env["crm.lost.reason"].create({"name": "No budget"})
        self.lead = self.new_lead()
        self.lead.action_set_lost(lost_reason_id=self.reason.id)
        self.journey = self.enrol(self.lead, self.track)
        self.run_at(FRIDAY)
        self.touch = self.touches(self.lead)
        self.assertEqual(self.touch.state, "queued")

    def touchpoint(self, kind, **vals):
        return self.env["lead.touchpoint"].create(
            {"lead_id": self.lead.id, "kind": kind, "at": fields.Datetime.now(), **vals}
        )

    def assert_ended(self, reason):
        self.assertEqual(self.journey.end_reason, reason)
        self.assertIn(self.journey.state, ("exited", "finished"))
        self.assertEqual(self.touch.state, "cancelled")
        sent = self.send_at(FRIDAY + timedelta(minutes=5))
        self.assertNotIn("lena.vogt", str([mail["email_to"] for mail in sent]))
        self.run_at(FRIDAY + 5 * DAY)
        self.assertEqual(len(self.touches(self.lead)), 1)

    def test_answered(self):
        self.touchpoint("email_reply")
        self.assert_ended("answered")
        self.assertTrue(self.journey.is_back)
        # back to sales, with the person it had, who learns what happened
        self.assertTrue(self.lead.active)
        self.assertFalse(self.lead.lost_reason_id)
        self.assertEqual(self.lead.original_lost_reason_id, self.reason)
        self.assertEqual(self.lead.interest, "interested")
        activity = self.lead.activity_ids
        self.assertEqual(activity.user_id, self.salesman)
        self.assertIn("answered", activity.summary)
        self.assertIn("No budget", activity.note)

    def test_an_answer_overrides_the_cool_off_date(self):
        self.lead.cool_off_until = "2027-03-01"
        self.touchpoint("form_submit")
        self.assertFalse(self.lead.cool_off_until)
        self.assertTrue(self.lead.active)

    def test_the_same_person_enquires_again(self):
        _result, lead = self.ingest_one(
            "9", contact={"name": "Lena Vogt", "email": "lena.vogt@example.com"}
        )
        self.assertEqual(lead, self.lead)
        self.assert_ended("answered")

    def test_reading_is_no_answer(self):
        self.touchpoint("page_view")
        self.touchpoint("email_open")
        self.touchpoint("form_submit", human=False)
        self.touchpoint("call_out", direction="out")
        self.assertEqual(self.journey.state, "active")

    def test_what_was_long_before_is_no_answer(self):
        self.touchpoint("form_submit", at=FRIDAY - 30 * DAY)
        self.assertEqual(self.journey.state, "active")

    def test_a_meeting_is_booked(self):
        self.env["calendar.event"].create(
            {
                "name": "Demo",
                "opportunity_id": self.lead.id,
                "start": FRIDAY + 7 * DAY,
                "stop": FRIDAY + 7 * DAY + timedelta(hours=1),
            }
        )
        self.assert_ended("meeting")

    def test_unsubscribed(self):
        self.env["mail.blacklist"].with_context(lead_unsubscribes=True)._add(
            "Lena.Vogt@example.com"
        )
        self.assert_ended("unsubscribed")
        self.assertEqual(self.lead.interest, "disinterested")
        self.assertFalse(self.lead.active)
        self.assertFalse(self.enrol(self.lead, self.new_track({}, name="Other")))

    def test_blacklisted(self):
        self.env["mail.blacklist"]._add("lena.vogt@example.com")
        self.assert_ended("blacklisted")

    def test_sales_ready(self):
        self.lead._on_sales_ready()
        self.assert_ended("sales_ready")
        self.assertTrue(self.lead.active)

    def test_won(self):
        self.lead.action_set_won()
        self.assertIn(self.journey.end_reason, ("won", "restored"))
        self.assertEqual(self.touch.state, "cancelled")
        self.assertTrue(self.journey.is_back)
        # one that was never lost
        lead = self.new_lead("Ida Holm")
        journey = self.enrol(lead, self.track)
        lead.action_set_won()
        self.assertEqual(journey.end_reason, "won")

    def test_taken_back_by_sales(self):
        self.lead.action_restore()
        self.assert_ended("restored")
        self.assertFalse(self.lead.activity_ids)

    def test_erased(self):
        self.lead.unlink()
        self.assertEqual(self.journey.end_reason, "erased")
        self.assertFalse(self.journey.lead_id)
        self.assertFalse(self.send_at(FRIDAY))

    def test_a_goal(self):
        track = self.new_track({}, name="City", goal_domain="[('city', '=', 'Kiel')]")
        lead = self.new_lead("Ida Holm")
        journey = self.enrol(lead, track)
        lead.city = "Bonn"
        self.assertEqual(journey.state, "active")
        lead.city = "Kiel"
        self.assertEqual(journey.end_reason, "goal")
        self.assertTrue(lead.activity_ids)

    def test_a_goal_of_the_score(self):
        track = self.new_track(
            {}, name="Score", goal_domain="[('quality_score', '>=', 80)]"
        )
        lead = self.new_lead("Ida Holm")
        journey = self.enrol(lead, track)
        lead._override_quality(90, "Met the owner")
        self.assertEqual(journey.end_reason, "goal")

    def test_merged(self):
        other = self.new_lead("Lena V", email_from="lena@example.org")
        other.action_set_lost(lost_reason_id=self.reason.id)
        theirs = self.enrol(other, self.track)
        (self.lead | other).with_context(active_test=False).merge_opportunity()
        left = (self.lead | other).exists()
        self.assertEqual(len(left), 1)
        journeys = self.journey | theirs
        self.assertEqual(journeys.lead_id, left)
        self.assertEqual(len(journeys.filtered(lambda one: one.state == "active")), 1)

    def test_back_after_the_last_stage_still_counts(self):
        self.run_at(FRIDAY + 3 * DAY)
        self.assertEqual(self.journey.end_reason, "last")
        with freeze_time(FRIDAY + 30 * DAY):
            self.touchpoint("form_submit")
        self.assertTrue(self.journey.is_back)
        self.assertTrue(self.lead.active)

    def test_archiving_a_track_ends_all(self):
        self.track.action_archive_track()
        self.assert_ended("archived")

    def test_a_paused_track_is_silent(self):
        self.track.action_pause()
        self.run_at(FRIDAY + 5 * DAY)
        self.assertFalse(self.send_at(FRIDAY + 5 * DAY))
        self.assertEqual(len(self.touches(self.lead)), 1)
        self.track.action_resume()
        self.run_at(FRIDAY + 5 * DAY)
        self.assertEqual(len(self.touches(self.lead)), 2)
