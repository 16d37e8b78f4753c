# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common_nurture import FRIDAY, NurtureCase

DAY = timedelta(days=1)
CALL = {"channel": "call", "note": "<p>Ask what changed.</p>"}
TASK = {"channel": "task"}


@freeze_time(FRIDAY)
@tagged("post_install", "-at_install")
class TestNurture(NurtureCase):
    """The journey of a lead: what is due, goes out, waits, is skipped."""

    def test_a_journey_from_mail_to_call(self):
        track = self.new_track({}, TASK, {**CALL, "delay": 1, "delay_unit": "weeks"})
        lead = self.new_lead()
        journey = self.enrol(lead, track)
        self.assertEqual(journey.next_at, FRIDAY)
        self.run_at(FRIDAY)
        touch = self.touches(lead)
        self.assertEqual((touch.state, touch.channel), ("queued", "email"))
        self.assertEqual(journey.stage_id.name, "Stage 2")
        # three days later it is Monday: the same hour
        self.assertEqual(journey.next_at, FRIDAY + 3 * DAY)
        [mail] = self.send_at(FRIDAY + timedelta(minutes=1))
        self.assertEqual(mail["subject"], "Lena Vogt, how others did it")
        self.assertEqual(touch.state, "sent")
        self.run_at(FRIDAY + 3 * DAY)
        activity = lead.activity_ids
        self.assertEqual(activity.user_id, self.salesman)
        self.assertEqual(activity.summary, "Ask what changed")
        self.run_at(FRIDAY + 10 * DAY)
        self.assertEqual(
            lead.activity_ids.mapped("activity_type_id.category"),
            ["default", "phonecall"],
        )
        self.assertEqual(journey.state, "finished")
        self.assertEqual(journey.end_reason, "last")
        self.assertEqual(len(self.touches(lead)), 3)

    def test_the_mail_is_tracked_and_has_a_way_out(self):
        track = self.new_track({})
        lead = self.new_lead()
        self.enrol(lead, track)
        self.run_at(FRIDAY)
        [mail] = self.send_at(FRIDAY)
        self.assertIn("unsubscribe_oneclick", mail["headers"]["List-Unsubscribe"])
        self.assertEqual(
            mail["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click"
        )
        self.assertIn(f"/mailing/{track.stage_ids.mailing_id.id}/", mail["body"])
        self.assertNotIn("/unsubscribe_from_list", mail["body"])
        trace = self.touches(lead).trace_id
        self.assertIn(f"/m/{trace.id}", mail["body"])
        self.assertNotIn("https://shop.example.com/cases", mail["body"])
        self.assertEqual(trace.trace_status, "sent")
        # its text stays with the lead, so that an answer finds it
        self.assertIn(trace.message_id, lead.message_ids.mapped("message_id"))

    def test_opens_clicks_answers_and_bounces(self):
        lead = self.new_lead()
        self.enrol(lead, self.new_track({}, TASK))
        self.run_at(FRIDAY)
        self.send_at(FRIDAY)
        touch = self.touches(lead)
        trace = touch.trace_id
        person = {
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/144.0",
            "method": "GET",
            "purpose": "",
        }
        later = FRIDAY + timedelta(hours=2)
        with freeze_time(later):
            trace.with_context(
                lead_fetch={**person, "user_agent": "GoogleImageProxy"}
            ).set_opened()
            self.assertEqual(touch.state, "sent")
            trace.with_context(lead_fetch=person).set_opened()
            self.assertEqual((touch.state, touch.opened_at), ("opened", later))
            trace.with_context(lead_fetch=person).set_clicked()
            self.assertEqual(touch.state, "clicked")
            trace.set_bounced()
            self.assertEqual(touch.state, "clicked")
            self.assertTrue(touch.bounced_at)
            trace.set_replied()
            self.assertEqual(touch.state, "answered")

    def test_hours_and_holidays_of_the_lead(self):
        track = self.new_track({})
        vietnam, usa = self.env.ref("base.vn"), self.env.ref("base.us")
        ann = self.new_lead("Ann Lee", phone="+12125551234", country_id=usa.id)
        anh = self.new_lead("Anh Tran", phone="+84912345678", country_id=vietnam.id)
        lena = self.new_lead()
        with freeze_time("2026-12-24 20:00:00"):
            journeys = self.enrol(ann | anh | lena, track)
        next_at = {one.lead_id: str(one.next_at) for one in journeys}
        # Christmas Day is a Friday; no holiday in Vietnam
        self.assertEqual(next_at[anh], "2026-12-25 02:00:00")
        self.assertEqual(next_at[ann], "2026-12-24 20:00:00")  # 15:00 in New York
        self.assertEqual(next_at[lena], "2026-12-28 08:00:00")

    def test_a_wait_says_what_for(self):
        track = self.new_track({})
        lead = self.new_lead()
        journey = self.enrol(lead, track)
        self.run_at("2026-11-20 20:00:00")
        self.assertEqual(journey.waits_for, "window")
        self.assertEqual(str(journey.next_at), "2026-11-23 08:00:00")
        self.assertFalse(self.touches(lead))

    def test_the_cap_counts_over_all_tracks(self):
        self.company.lead_nurture_cap = 2
        lead = self.new_lead()
        one = self.new_track({}, {"delay": 1, "delay_unit": "hours"})
        two = self.new_track({}, {"delay": 1, "delay_unit": "hours"}, name="Prices")
        self.enrol(lead, one)
        journey = self.enrol(lead, two)
        sent = self.run_until(FRIDAY + 16 * DAY)
        self.assertEqual(len(sent), 4)
        moments = [at for at, _mail in sent]
        for moment in moments:
            week = [at for at in moments if moment - 7 * DAY < at <= moment]
            self.assertLessEqual(len(week), 2)
        self.assertEqual(journey.state, "finished")

    def test_a_wait_for_the_cap_is_told(self):
        self.company.lead_nurture_cap = 1
        lead = self.new_lead()
        journey = self.enrol(lead, self.new_track({}, {"delay": 0}))
        self.run_at(FRIDAY)
        self.run_at(FRIDAY + timedelta(hours=1))
        self.assertEqual(journey.waits_for, "cap")
        self.assertEqual(journey.next_at, FRIDAY + 7 * DAY)

    def test_the_cool_off_date(self):
        lead = self.new_lead(cool_off_until="2027-03-01")
        journey = self.enrol(lead, self.new_track({}))
        self.assertEqual(str(journey.next_at), "2027-03-01 08:00:00")
        lead.cool_off_until = "2027-04-01"  # a Thursday
        self.run_at("2027-03-01 08:00:00")
        self.assertEqual(journey.waits_for, "cool_off")
        self.assertEqual(str(journey.next_at), "2027-04-01 07:00:00")

    def test_what_is_skipped_says_why(self):
        track = self.new_track({"domain": "[('city', '=', 'Kiel')]"}, TASK)
        away = self.new_lead("Omar Haddad", city="Aden")
        mute = self.new_lead("Mute", email_from=False, city="Kiel")
        there = self.new_lead("Ida Holm", city="Kiel")
        journeys = self.enrol(away | mute | there, track)
        self.run_at(FRIDAY)
        self.assertEqual(self.touches(away).reason, "condition")
        self.assertEqual(self.touches(mute).reason, "no_email")
        self.assertEqual(self.touches(there).state, "queued")
        self.assertEqual(set(journeys.stage_id.mapped("name")), {"Stage 2"})

    def test_a_lost_lead_meets_conditions_too(self):
        track = self.new_track({"domain": "[('city', '=', 'Kiel')]"})
        lead = self.new_lead(city="Kiel")
        lead.action_set_lost()
        self.enrol(lead, track)
        self.run_at(FRIDAY)
        self.assertEqual(self.touches(lead).state, "queued")

    def test_a_stage_that_follows_one_that_was_skipped_does_not_run(self):
        track = self.new_track(
            {"domain": "[('city', '=', 'Kiel')]"},
            {"after_stage_id": 0},
            {"after_stage_id": 1},
            TASK,
        )
        lead = self.new_lead()
        self.enrol(lead, track)
        self.run_until(FRIDAY + 12 * DAY, step=DAY)
        self.assertEqual(
            self.touches(lead).mapped(lambda one: one.reason or one.state),
            ["condition", "parent", "parent", "sent"],
        )

    def test_a_follow_up_of_whoever_did_not_open(self):
        track = self.new_track({}, {"after_stage_id": 0, "after_event": "not_opened"})
        reads, ignores = self.new_lead("Mei Lin"), self.new_lead("Jan Novak")
        self.enrol(reads | ignores, track)
        self.run_at(FRIDAY)
        self.send_at(FRIDAY)
        self.env["lead.nurture.touch"]._note(self.touches(reads).trace_id, "opened")
        self.run_at(FRIDAY + 3 * DAY)
        self.assertEqual(self.touches(reads)[1].reason, "parent")
        self.assertEqual(self.touches(ignores)[1].state, "queued")

    def test_consent(self):
        track = self.new_track({})
        refused, never, granted, other = (
            self.new_lead(name) for name in ("Nein", "Nie", "Ja", "Ohne")
        )
        for lead, purpose, consent in (
            (granted, "Email", False),
            (granted, "email", True),  # the newest counts
            (refused, "marketing", False),
            (other, "statistics", False),
        ):
            self.ingest_one(
                f"{lead.id}{purpose}{consent}",
                contact={"email": lead.email_from},
                consents=[{"purpose": purpose, "granted": consent}],
            )
        leads = refused | never | granted | other
        self.enrol(leads, track)
        self.run_at(FRIDAY)
        self.assertEqual(self.touches(refused).reason, "refused")
        for lead in never | granted | other:
            self.assertEqual(self.touches(lead).state, "queued")
        self.company.lead_nurture_consent_required = True
        self.send_at(FRIDAY)  # asked again in the moment of sending
        self.assertEqual(self.touches(never).reason, "no_consent")
        self.assertEqual(self.touches(other).reason, "no_consent")
        self.assertEqual(self.touches(granted).state, "sent")

    def test_who_bounced_gets_no_more_until_the_address_changes(self):
        lead = self.new_lead()
        self.enrol(lead, self.new_track({}, {}, {}))
        self.run_at(FRIDAY)
        self.send_at(FRIDAY)
        self.touches(lead).trace_id.set_bounced()
        self.assertEqual(self.touches(lead).state, "bounced")
        self.run_at(FRIDAY + 3 * DAY)
        self.assertEqual(self.touches(lead)[1].reason, "bounced")
        lead.email_from = "lena@example.org"
        self.run_at(FRIDAY + 6 * DAY)
        self.assertEqual(self.touches(lead)[2].state, "queued")

    def test_coupons_once_a_lead(self):
        gift = self.env["lead.nurture.gift"].create(
            {"name": "Spring", "codes": "A-1\nA-2\n\nA-1\n"}
        )
        self.assertEqual((gift.total_count, gift.left_count), (2, 2))
        self.template.body_html = '<p>Code <t t-out="object.nurture_coupon"/></p>'
        track = self.new_track({"gift_id": gift.id}, {"gift_id": gift.id})
        leads = self.new_lead("Eins") | self.new_lead("Zwei") | self.new_lead("Drei")
        self.enrol(leads, track)
        sent = self.run_until(FRIDAY + 4 * DAY, step=DAY)
        texts = sorted(mail["body"].partition("Code ")[2][:3] for _at, mail in sent)
        self.assertEqual(texts, ["A-1", "A-1", "A-2", "A-2"])
        skipped = self.touches(leads[2])
        self.assertEqual(skipped.mapped("reason"), ["no_coupon", "no_coupon"])
        self.assertEqual(gift.left_count, 0)

    def test_one_text_that_can_not_be_made_harms_nobody_else(self):
        self.template.body_html = '<p t-out="[1][object.color]"/>'
        track = self.new_track({})
        bad, good = self.new_lead("Bad", color=1), self.new_lead("Good", color=0)
        self.enrol(bad | good, track)
        with self.assertLogs("odoo.addons.lead_pipeline", "ERROR"):
            self.run_at(FRIDAY)
        self.assertEqual(self.touches(bad).reason, "render")
        self.assertEqual(self.touches(good).state, "queued")

    def test_an_audience_is_a_tag(self):
        tag = self.env["crm.tag"].create({"name": "Remarketing"})
        lead = self.new_lead()
        self.enrol(lead, self.new_track({"channel": "segment", "tag_id": tag.id}))
        self.run_at(FRIDAY)
        self.assertEqual(lead.tag_ids, tag)

    def test_some_are_held_out(self):
        track = self.new_track({}, holdout_percent=50)
        leads = self.env["crm.lead"].union(
            *(self.new_lead(f"Lead {number}") for number in range(40))
        )
        journeys = self.enrol(leads, track)
        held = journeys.filtered("held_out")
        self.assertTrue(8 <= len(held) <= 32)
        self.run_at(FRIDAY)
        self.assertFalse(held.touch_ids)
        self.assertEqual(len((journeys - held).touch_ids), 40 - len(held))
        self.run_at(FRIDAY + 90 * DAY)
        self.assertEqual(set(held.mapped("end_reason")), {"observed"})

    def test_nobody_is_enrolled_twice(self):
        track = self.new_track({})
        lead = self.new_lead()
        self.assertTrue(self.enrol(lead, track))
        self.assertFalse(self.enrol(lead, track))
        self.run_at(FRIDAY)
        self.assertFalse(self.enrol(lead, track))

    def test_again_after_some_days(self):
        track = self.new_track({}, reenrol_days=30)
        lead = self.new_lead()
        self.enrol(lead, track)
        self.run_at(FRIDAY)
        with freeze_time(FRIDAY + 29 * DAY):
            self.assertFalse(self.enrol(lead, track))
        with freeze_time(FRIDAY + 31 * DAY):
            self.assertTrue(self.enrol(lead, track))

    def test_enrol_by_hand_as_a_rep(self):
        track = self.new_track({})
        lead = self.new_lead()
        form = Form(
            self.env["lead.nurture.enrol"]
            .with_user(self.salesman)
            .with_context(default_lead_ids=lead.ids)
        )
        form.track_id = track
        form.save().action_enrol()
        journey = lead.enrolment_ids
        self.assertEqual((journey.entry, journey.state), ("hand", "active"))
        with self.assertRaises(UserError):
            form.save().action_enrol()
        with self.assertRaises(UserError):
            journey.with_user(self.salesman).write({"state": "finished"})
        journey.with_user(self.salesman).action_end()
        self.assertEqual(journey.end_reason, "hand")

    def test_a_rep_sees_the_journeys_of_own_leads(self):
        track = self.new_track({})
        own = self.enrol(self.new_lead(), track)
        theirs = self.enrol(self.new_lead("Jo", user_id=self.colleague.id), track)
        seen = self.env["lead.nurture.enrolment"].with_user(self.salesman).search([])
        self.assertIn(own, seen)
        self.assertNotIn(theirs, seen)
        with self.assertRaises(AccessError):
            theirs.with_user(self.salesman).action_end()
        with self.assertRaises(AccessError):
            track.with_user(self.salesman).write({"name": "Mine"})

    def test_a_lead_is_dragged_to_another_stage(self):
        track = self.new_track({}, {}, TASK)
        lead = self.new_lead()
        journey = self.enrol(lead, track)
        self.run_at(FRIDAY)
        first, _second, third = track.stage_ids
        with self.assertRaises(UserError):
            journey.with_user(self.salesman).stage_id = first
        journey.with_user(self.salesman).stage_id = third
        self.run_at(FRIDAY + 3 * DAY)
        self.assertEqual(self.touches(lead).mapped("channel"), ["email", "task"])
