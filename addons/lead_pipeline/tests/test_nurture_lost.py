# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common_nurture import FRIDAY, NurtureCase

DAY = timedelta(days=1)


@freeze_time(FRIDAY)
@tagged("post_install", "-at_install")
class TestNurtureLost(NurtureCase):
    """How leads come in: lost, by segment, by quality; and whether it helped."""

    def setUp(self):
        super().setUp()
        self.track = self.new_track({}, {"channel": "task"})
        self.reason = self.env["crm.lost.reason"].create(
            {
                "name": "No budget until spring",
                "nurture_interest": "not_now",
                "nurture_track_id": self.track.id,
                "nurture_cool_off_days": 100,
            }
        )

    def lose(self, lead, reason, **vals):
        form = Form(
            self.env["crm.lead.lost"]
            .with_user(self.salesman)
            .with_context(default_lead_ids=lead.ids)
        )
        form.lost_reason_id = reason
        for name, value in vals.items():
            setattr(form, name, value)
        form.save().action_lost_reason_apply()
        self.env.invalidate_all()

    def test_the_dialog_proposes_what_comes_next(self):
        lead = self.new_lead()
        self.lose(lead, self.reason)
        self.assertFalse(lead.active)
        self.assertEqual(lead.interest, "not_now")
        self.assertEqual(str(lead.cool_off_until), "2027-02-28")
        journey = lead.enrolment_ids
        self.assertEqual((journey.entry, journey.lost_reason_id), ("lost", self.reason))
        self.assertEqual(journey.previous_user_id, self.salesman)
        self.assertEqual(str(journey.next_at), "2027-03-01 08:00:00")

    def test_a_person_may_choose_otherwise(self):
        lead = self.new_lead()
        nothing = self.env["lead.nurture.track"]
        self.lose(
            lead,
            self.reason,
            interest="disinterested",
            nurture_track_id=nothing,
            cool_off_until=False,
        )
        self.assertEqual(lead.interest, "disinterested")
        self.assertFalse(lead.cool_off_until)
        self.assertFalse(lead.enrolment_ids)

    def test_a_reason_proposes_the_version_in_use(self):
        action = self.track.action_new_version()
        version = self.env["lead.nurture.track"].browse(action["res_id"])
        version.action_start()
        lead = self.new_lead()
        self.lose(lead, self.reason)
        self.assertEqual(lead.enrolment_ids.track_id, version)
        version.action_archive_track()
        other = self.new_lead("Ida Holm")
        self.lose(other, self.reason)
        self.assertFalse(other.enrolment_ids)

    def test_without_a_reason_nothing_is_proposed(self):
        lead = self.new_lead()
        self.lose(lead, self.env["crm.lost.reason"])
        self.assertFalse(lead.interest)
        self.assertFalse(lead.enrolment_ids)

    def test_by_segment(self):
        segment = self.env["lead.segment"].create(
            {"name": "Kiel", "domain": "[('city', '=', 'Kiel')]"}
        )
        self.new_track({}, name="By segment", segment_id=segment.id)
        lead = self.new_lead()
        self.assertFalse(lead.enrolment_ids)
        lead.city = "Kiel"
        self.env.cr.precommit.run()
        self.assertEqual(lead.enrolment_ids.entry, "segment")

    def test_by_low_quality(self):
        track = self.new_track({}, name="D", entry_grade="D", entry_grade_days=14)
        old, new, called, good = (
            self.new_lead(name) for name in ("Old", "New", "Called", "Good")
        )
        leads = old | new | called | good
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = CASE WHEN id = %s THEN %s ELSE %s END"
            " WHERE id = ANY(%s)",
            [new.id, FRIDAY - 3 * DAY, FRIDAY - 20 * DAY, leads.ids],
        )
        self.env.cr.execute(
            "DELETE FROM lead_score WHERE lead_id = ANY(%s)", [leads.ids]
        )
        self.env["lead.score"].create(
            [
                {"lead_id": lead.id, "lead_grade": "A3" if lead == good else "D4"}
                for lead in leads
            ]
        )
        self.env.flush_all()
        self.env.invalidate_all()
        called.date_first_response = FRIDAY
        with self.enter_registry_test_mode():
            self.env.ref("lead_pipeline.ir_cron_nurture_enrol").method_direct_trigger()
        journeys = self.env["lead.nurture.enrolment"].search(
            [("track_id", "=", track.id), ("lead_id", "in", leads.ids)]
        )
        self.assertEqual(journeys.lead_id, old)
        self.assertEqual(journeys.entry, "grade")

    def try_to_reach(self, lead, *days, **vals):
        """Calls of ours, so many days ago."""
        self.env["lead.touchpoint"].create(
            [
                {
                    "lead_id": lead.id,
                    "kind": "call_out",
                    "direction": "out",
                    "at": FRIDAY - number * DAY,
                    **vals,
                }
                for number in days
            ]
        )

    def enrol_daily(self):
        with self.enter_registry_test_mode():
            self.env.ref("lead_pipeline.ir_cron_nurture_enrol").method_direct_trigger()
        self.env.invalidate_all()

    def test_who_could_not_be_reached(self):
        track = self.new_track({}, name="Silent", entry_unreached=True)
        leads = self.env["crm.lead"].union(
            *(self.new_lead(f"Lead {number}") for number in range(8))
        )
        silent, tried, lately, talked, called, robot, long, planned = leads
        self.try_to_reach(silent, 20, 15, 10)
        self.try_to_reach(tried, 20, 10)
        self.try_to_reach(lately, 20, 10, 2)
        self.try_to_reach(talked, 20, 15)
        self.try_to_reach(talked, 10, duration=240)
        self.try_to_reach(called, 20, 15, 10)
        self.try_to_reach(called, 12, kind="call_in", direction="in")
        self.try_to_reach(robot, 20, 15, 10, human=False)
        self.try_to_reach(long, 120, 115, 110)
        self.try_to_reach(planned, 20, 15, 10)
        planned.activity_schedule("mail.mail_activity_data_call")
        self.enrol_daily()
        journeys = track.enrolment_ids
        self.assertEqual(journeys.lead_id & leads, silent)
        self.assertEqual(silent.enrolment_ids.entry, "unreached")
        # it is silent here: nobody is enrolled again
        self.enrol_daily()
        self.assertEqual(len(silent.enrolment_ids), 1)
        # one more call without an answer
        self.try_to_reach(tried, 6)
        self.enrol_daily()
        self.assertEqual(tried.enrolment_ids.track_id, track)

    def test_whose_time_was_missed_and_nobody_touched_it(self):
        track = self.new_track({}, name="Silent", entry_unreached=True)
        missed, touched, passed = (self.new_lead(n) for n in ("Ida", "Ole", "Uma"))
        for lead in (missed, touched, passed):
            self.env["lead.assignment"].create(
                {
                    "lead_id": lead.id,
                    "event": "created",
                    "reason": "turn",
                    "at": FRIDAY - 8 * DAY,
                    "user_id": self.salesman.id,
                    "due_at": FRIDAY - 7 * DAY,
                    "missed_at": FRIDAY - 7 * DAY,
                    "ended_at": FRIDAY - 6 * DAY if lead == passed else False,
                }
            )
        self.try_to_reach(touched, 6)
        self.enrol_daily()
        self.assertEqual(track.enrolment_ids.lead_id, missed)

    def test_the_salesperson_left_meanwhile(self):
        lead = self.new_lead()
        self.lose(lead, self.reason)
        self.salesman.active = False
        self.env["lead.touchpoint"].create(
            {"lead_id": lead.id, "kind": "call_in", "at": FRIDAY}
        )
        self.assertTrue(lead.active)
        self.assertFalse(lead.user_id)
        self.assertIn("Back from nurture", str(lead.message_ids[:1].body))

    def test_what_nurturing_brings(self):
        track = self.new_track({}, name="Report", holdout_percent=50, observe_days=10)
        leads = self.env["crm.lead"].union(
            *(self.new_lead(f"Lead {number}") for number in range(60))
        )
        leads.action_set_lost(lost_reason_id=self.reason.id)
        journeys = self.enrol(leads, track)
        nurtured = journeys.filtered(lambda one: not one.held_out)
        for journey in nurtured[:12]:
            journey._end("answered")

        def result():
            self.env.flush_all()
            return self.env["lead.nurture.result"].search(
                [("origin_id", "=", track.id), ("is_total", "=", True)]
            )

        early = result()
        self.assertEqual((early.enrolled, early.nurtured), (60, 0))
        self.assertEqual(early.verdict, "early")
        with freeze_time(FRIDAY + 11 * DAY):
            self.env.invalidate_all()
            late = result()
            self.assertEqual(late.nurtured, len(nurtured))
            self.assertEqual(late.nurtured_back, 12)
            self.assertEqual(late.held, 60 - len(nurtured))
            self.assertEqual(late.verdict, "better")
            self.assertRegex(late.sentence, "It helps: of 100 leads, .* more come back")
            by_reason = self.env["lead.nurture.result"].search(
                [("origin_id", "=", track.id), ("is_total", "=", False)]
            )
            self.assertEqual(by_reason.lost_reason_id, self.reason)
        with self.assertRaises(AccessError):
            self.env["lead.nurture.result"].with_user(self.salesman).search([])

    def test_a_test_run(self):
        lead = self.new_lead(city="Kiel")
        track = self.new_track(
            {"domain": "[('city', '=', 'Bonn')]"},
            {"after_stage_id": 0},
            {"delay": 1, "delay_unit": "weeks"},
            start=False,
        )
        wizard = (
            self.env["lead.nurture.test"]
            .with_user(self.manager)
            .create(
                {"track_id": track.id, "lead_id": lead.id, "email": "me@example.com"}
            )
        )
        with self.assertRaisesRegex(UserError, "no user's address"):
            wizard.action_send()
        wizard.email = self.salesman.email
        self.assertIn("Condition not met", wizard.plan)
        with self.mock_mail_gateway():
            wizard.action_send()
        [mail] = self._mails
        self.assertEqual(mail["email_to"], [self.salesman.email_normalized])
        self.assertIn("Lena Vogt, how others did it", mail["subject"])
        self.assertFalse(self.touches(lead))
