# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import base64
from datetime import timedelta

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common_nurture import FRIDAY, NurtureCase

DAY = timedelta(days=1)


def as_file(content):
    return base64.b64encode(content)


@freeze_time(FRIDAY)
@tagged("post_install", "-at_install")
class TestNurtureDoors(NurtureCase):
    """What people and strangers may hand in: nonsense, too much, twice, not theirs."""

    # ------------------------------------------------------------
    # TRACKS
    # ------------------------------------------------------------

    def test_nonsense_in_a_track(self):
        track = self.new_track({}, start=False)
        stage = track.stage_ids
        stage.own_window = True
        nonsense = (
            (track, "goal_domain", "[('no_such_field', '=', 1)]"),
            (track, "goal_domain", "__import__('os').getcwd()"),
            (track, "goal_domain", "[("),
            (stage, "domain", "[('city', 'like')]"),
            (track, "hour_to", 9.1),
            (track, "hour_from", -1),
            (stage, "hour_to", 25),
        )
        for record, name, value in nonsense:
            with self.subTest(name=name, value=value):
                with self.assertRaises(ValidationError):
                    record[name] = value
            self.env.invalidate_all()

    def test_numbers_that_are_none(self):
        track = self.new_track({}, start=False)
        numbers = (
            (track.stage_ids, "delay", -1),
            (track.stage_ids, "delay", 5000),
            (track, "holdout_percent", -1),
            (track, "holdout_percent", 100),
            (track, "observe_days", 0),
            (track, "reenrol_days", -3),
            (track, "entry_attempts", 0),
            (track, "entry_silent_days", 90),
        )
        for record, name, value in numbers:
            with self.subTest(name=name, value=value), mute_logger("odoo.sql_db"):
                with self.assertRaises(IntegrityError), self.env.cr.savepoint():
                    record[name] = value
                    self.env.flush_all()
            self.env.invalidate_all()

    def test_a_mail_without_words_does_not_start(self):
        empty = self.template.copy({"name": "Empty", "body_html": "<p><br></p>"})
        nameless = self.template.copy({"name": "No subject", "subject": False})
        for template in (empty, nameless):
            track = self.new_track({"template_id": template.id}, start=False)
            with self.assertRaisesRegex(UserError, "no subject or no text"):
                track.action_start()
            self.assertEqual(track.state, "draft")

    def test_a_stage_that_another_follows_is_not_removed(self):
        track = self.new_track({}, {"after_stage_id": 0}, start=False)
        with self.assertRaisesRegex(UserError, "follows"):
            track.stage_ids[0].unlink()
        track.stage_ids.unlink()

    def test_whoever_starts_a_track_without_a_responsible_is_it(self):
        track = self.new_track({"channel": "call"}, start=False, user_id=False)
        track.with_user(self.manager).action_start()
        self.assertEqual(track.user_id, self.manager)
        lead = self.new_lead(user_id=False)
        self.enrol(lead, track)
        self.run_at(FRIDAY)
        self.assertEqual(lead.activity_ids.user_id, self.manager)

    def test_nobody_held_out(self):
        track = self.new_track({}, holdout_percent=0)
        leads = self.env["crm.lead"].union(*(self.new_lead(f"L {n}") for n in range(9)))
        self.assertFalse(any(self.enrol(leads, track).mapped("held_out")))

    def test_a_stage_is_called_as_what_it_does(self):
        with Form(self.env["lead.nurture.track"].with_user(self.manager)) as form:
            form.name = "Fair"
            with form.stage_ids.new() as stage:
                stage.template_id = self.template
                self.assertEqual(stage.name, self.template.name)
            with form.stage_ids.new() as stage:
                stage.name = "Mine"
                stage.channel = "call"
                stage.summary = "Ask"
                self.assertEqual(stage.name, "Mine")
        form.record.action_start()

    def test_who_may_do_what(self):
        track = self.new_track({})
        theirs = self.new_lead(user_id=self.manager.id)
        journey = self.enrol(theirs, track)
        rep = self.env(user=self.salesman)
        as_rep = track.with_env(rep)
        self.assertEqual(as_rep.name, track.name)
        for call in (
            as_rep.action_pause,
            as_rep.action_archive_track,
            as_rep.action_new_version,
            lambda: as_rep.write({"name": "Mine"}),
            lambda: as_rep.stage_ids.write({"name": "Mine"}),
            journey.with_env(rep).action_end,
            lambda: rep["lead.nurture.test"].create({"track_id": track.id}),
            lambda: rep["lead.nurture.gift"].create({"name": "Mine"}),
            lambda: rep["lead.nurture.coupon"].search([]),
            lambda: rep["lead.nurture.start"].create({"track_id": track.id}),
            lambda: track.with_user(self.manager).write({"state": "paused"}),
        ):
            with self.assertRaises(AccessError):
                call()
        self.assertEqual((track.state, journey.state), ("running", "active"))

    def test_pressed_twice(self):
        track = self.new_track({})
        with self.assertRaises(UserError):
            track.action_start()
        track.action_pause()
        with self.assertRaises(UserError):
            track.action_pause()
        track.action_resume()
        version = track.browse(track.action_new_version()["res_id"])
        self.env.invalidate_all()
        self.assertEqual(track.action_new_version()["res_id"], version.id)
        self.enrol(self.new_lead(), track)
        wizard = self.env["lead.nurture.start"].create({"track_id": version.id})
        wizard.action_start()
        with self.assertRaises(UserError):
            wizard.action_start()
        self.assertEqual((track.state, version.state), ("archived", "running"))

    def test_another_company(self):
        stranger = new_test_user(
            self.env,
            login="lead_stranger",
            groups="sales_team.group_sale_manager",
            company_id=self.other_company.id,
            company_ids=[(6, 0, self.other_company.ids)],
        )
        track = self.new_track({}, company_id=self.company.id)
        lead = self.new_lead()
        journey = self.enrol(lead, track)
        foreign = self.new_lead(
            "Chloé Petit", company_id=self.other_company.id, user_id=False
        )
        self.assertFalse(self.enrol(foreign, track))
        theirs = self.env(
            user=stranger, context={"allowed_company_ids": self.other_company.ids}
        )
        self.assertNotIn(track, theirs["lead.nurture.track"].search([]))
        for model in ("lead.nurture.enrolment", "lead.nurture.touch"):
            self.assertNotIn(lead, theirs[model].search([]).lead_id)
        with self.assertRaises(AccessError):
            journey.with_env(theirs).action_end()
        with self.assertRaises(AccessError):
            track.with_env(theirs).action_pause()

    def test_what_one_company_was_told_does_not_bind_another(self):
        self.company.lead_nurture_consent_required = True
        self.ingest_one(
            "fr-1",
            channel=self.french.code,
            contact={"name": "Lena", "email": "lena.vogt@example.com"},
            consents=[{"purpose": "email", "granted": True}],
        )
        lead = self.new_lead()
        self.enrol(lead, self.new_track({}))
        self.run_at(FRIDAY)
        self.assertEqual(self.touches(lead).reason, "no_consent")

    # ------------------------------------------------------------
    # GIFTS
    # ------------------------------------------------------------

    def codes(self, gift):
        return gift.coupon_ids.mapped("code")

    def test_files_with_codes(self):
        Gift = self.env["lead.nurture.gift"].with_user(self.manager)
        gift = Gift.create({"name": "Spring", "codes": " A-1 \n\nA-2\nA-1\n"})
        self.assertEqual(self.codes(gift), ["A-1", "A-2"])
        content = '\ufeffCode;Value\r\nA-2;10\r\n"ÉTÉ-3";10\r\n春天-4;10\r\n'
        gift.code_file = as_file(content.encode())
        self.assertEqual(self.codes(gift), ["A-1", "A-2", "ÉTÉ-3", "春天-4"])
        as_rep = gift.with_user(self.salesman)
        self.assertEqual(as_rep.left_count, 4)
        with self.assertRaises(AccessError):
            self.codes(as_rep)
        # the same file once more
        gift.code_file = as_file(content.encode())
        self.assertEqual(gift.total_count, 4)
        for nonsense in (
            b"\x89PNG\r\n\x1a\n\0\0",
            "A-9\n".encode("utf-16"),
            b"A-9\0\n",
            b"",
            b"\n\n ; \n",
        ):
            with self.subTest(nonsense=nonsense), self.assertRaises(UserError):
                gift.code_file = as_file(nonsense or b"\n")
        self.assertEqual(len(self.codes(gift)), 4)

    def test_a_file_with_very_many_codes(self):
        content = "\n".join(f"MANY-{number:06}" for number in range(20_000))
        gift = self.env["lead.nurture.gift"].create(
            {"name": "Many", "code_file": as_file(content.encode())}
        )
        self.assertEqual((gift.total_count, gift.left_count), (20_000, 20_000))
        lead = self.new_lead()
        self.assertEqual(gift._hand_out(lead), {lead.id: "MANY-000000"})
        self.assertEqual(gift._hand_out(lead), {lead.id: "MANY-000000"})
        gift.invalidate_recordset()
        self.assertEqual(gift.left_count, 19_999)

    # ------------------------------------------------------------
    # ANSWERS AND BOUNCES
    # ------------------------------------------------------------

    def test_a_bounce_of_no_mail_of_ours(self):
        lead = self.new_lead()
        self.enrol(lead, self.new_track({}))
        self.run_at(FRIDAY)
        [mail] = self.send_at(FRIDAY)
        touch = self.touches(lead)
        forged = mail["message_id"].replace("-crm.lead@", "-crm.lead.forged@")
        for message_id, state in ((forged, "sent"), (mail["message_id"], "bounced")):
            self.env["mailing.trace"].set_bounced(
                domain=[("message_id", "in", [message_id])]
            )
            self.env.invalidate_all()
            self.assertEqual(touch.state, state)

    def test_an_answer_after_the_time_to_come_back(self):
        """It comes back to sales by itself: nurturing did not bring it."""
        track = self.new_track({}, observe_days=30)
        lead = self.new_lead()
        journey = self.enrol(lead, track)
        self.run_at(FRIDAY)
        self.assertEqual(journey.end_reason, "last")
        with freeze_time(FRIDAY + 31 * DAY):
            self.env["lead.touchpoint"].create(
                {"lead_id": lead.id, "kind": "call_in", "at": FRIDAY + 31 * DAY}
            )
        self.assertFalse(journey.is_back)
        self.assertFalse(lead.activity_ids)

    def test_answered_twice(self):
        lead = self.new_lead()
        journey = self.enrol(lead, self.new_track({}))
        for kind in ("call_in", "email_reply", "form_submit"):
            self.env["lead.touchpoint"].create({"lead_id": lead.id, "kind": kind})
        self.assertEqual(journey.end_reason, "answered")
        self.assertEqual(len(lead.activity_ids), 1)


@tagged("post_install", "-at_install")
class TestNurtureLinks(NurtureCase, HttpCase):
    """Links of mails, as strangers bend them."""

    def setUp(self):
        super().setUp()
        self.track = self.new_track({}, days="all", hour_from=0, hour_to=24)
        self.lead, self.other = self.new_lead(), self.new_lead("Ida Holm")
        self.journeys = self.enrol(self.lead | self.other, self.track)
        mailing = self.track.stage_ids.mailing_id
        link = mailing._get_unsubscribe_oneclick_url(
            "lena.vogt@example.com", self.lead.id
        )
        self.link = link.removeprefix(mailing.get_base_url())

    def post(self, link):
        answer = self.url_open(link, method="POST")
        self.env.invalidate_all()
        return answer.status_code

    def test_forged(self):
        token = self.link.partition("hash_token=")[2].partition("&")[0]
        for forged in (
            self.link.replace(token, "0" * len(token)),
            self.link.replace(token, ""),
            # the token of one lead for another one
            self.link.replace("lena.vogt", "ida.holm"),
            self.link.replace(
                f"document_id={self.lead.id}", f"document_id={self.other.id}"
            ),
        ):
            self.assertNotEqual(forged, self.link)
            self.assertGreaterEqual(self.post(forged), 400)
        self.assertEqual(set(self.journeys.mapped("state")), {"active"})

    def test_replayed(self):
        self.assertEqual(self.post(self.link), 200)
        self.assertEqual(self.journeys[0].end_reason, "unsubscribed")
        self.assertEqual(self.post(self.link), 200)
        self.assertEqual(self.journeys[1].state, "active")
        listed = [("email", "=", "lena.vogt@example.com")]
        self.assertEqual(self.env["mail.blacklist"].search_count(listed), 1)
