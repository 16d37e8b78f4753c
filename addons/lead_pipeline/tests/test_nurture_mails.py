# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from .common_nurture import FRIDAY, NurtureCase

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@freeze_time(FRIDAY)
@tagged("post_install", "-at_install")
class TestNurtureMails(NurtureCase):
    """A mail is looked at again when it leaves Odoo's queue."""

    def setUp(self):
        super().setUp()
        self.track = self.new_track({}, {"channel": "task"})
        self.lead = self.new_lead()
        self.journey = self.enrol(self.lead, self.track)
        self.run_at(FRIDAY)
        self.touch = self.touches(self.lead)

    def test_the_hours_are_over(self):
        evening = FRIDAY.replace(hour=18)
        self.assertFalse(self.send_at(evening))
        self.assertEqual(self.touch.state, "queued")
        self.assertEqual(str(self.touch.mail_id.scheduled_date), "2026-11-23 08:00:00")
        self.assertEqual(len(self.send_at(FRIDAY + 3 * DAY)), 1)
        self.assertEqual(self.touch.sent_at, FRIDAY + 3 * DAY)

    def test_the_cap_counts_what_really_went_out(self):
        self.company.lead_nurture_cap = 1
        other = self.new_track({}, name="Prices", on_holidays=True)
        journey = self.enrol(self.lead, other)
        self.send_at(FRIDAY + MINUTE)
        # made before the cap was lowered, say: it waits in Odoo's queue
        steps = {journey.id: self.nurture._judge(journey, FRIDAY)[journey.id]}
        self.assertEqual(steps[journey.id].kind, "wait")
        self.company.lead_nurture_cap = 0
        self.run_at(FRIDAY + MINUTE)
        self.company.lead_nurture_cap = 1
        self.assertFalse(self.send_at(FRIDAY + 2 * MINUTE))
        self.assertTrue(self.send_at(FRIDAY + 7 * DAY + MINUTE))

    def test_the_address_was_taken_away(self):
        self.lead.email_from = False
        self.assertFalse(self.send_at(FRIDAY))
        self.assertEqual(
            (self.touch.state, self.touch.reason), ("cancelled", "no_email")
        )

    def test_paused_it_waits_and_what_ends_it_ends_it(self):
        """A pause keeps nothing alive: who is blacklisted meanwhile is not written to
        when it is over."""
        self.track.action_pause()
        self.assertFalse(self.send_at(FRIDAY))
        touch = self.touches(self.lead)
        self.assertEqual(touch.state, "queued")
        self.assertEqual(touch.mail_id.scheduled_date, FRIDAY + timedelta(hours=1))
        self.lead.email_from = False
        self.assertFalse(self.send_at(FRIDAY + timedelta(hours=1)))
        self.assertEqual((touch.state, touch.reason), ("cancelled", "no_email"))

    def test_the_blacklist_was_written_by_sql(self):
        self.env.cr.execute(
            "INSERT INTO mail_blacklist (email, active) VALUES (%s, true)",
            [self.lead.email_normalized],
        )
        self.assertFalse(self.send_at(FRIDAY))
        self.assertEqual(self.journey.end_reason, "blacklisted")
        self.assertEqual(self.touch.state, "cancelled")

    def test_no_server_is_no_loss(self):
        mail = self.touch.mail_id
        mail.write({"state": "exception", "failure_reason": "No route to host"})
        mail._postprocess_sent_message([], [], failure_type="mail_smtp")
        self.assertEqual(self.touch.state, "queued")
        # the database writes when that was
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_mail SET write_date = %s WHERE id = %s", [FRIDAY, mail.id]
        )
        self.env.invalidate_all()
        self.run_at(FRIDAY + 5 * MINUTE)
        self.assertEqual(mail.state, "exception")
        self.run_at(FRIDAY + 11 * MINUTE)
        self.assertEqual(mail.state, "outgoing")
        self.assertEqual(len(self.send_at(FRIDAY + 12 * MINUTE)), 1)
        self.assertEqual(self.touch.state, "sent")

    def test_a_server_that_is_away_for_days_is_given_up(self):
        mail = self.touch.mail_id
        mail.write({"state": "exception"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_mail SET write_date = %s WHERE id = %s", [FRIDAY, mail.id]
        )
        self.env.invalidate_all()
        self.run_at(FRIDAY + 4 * DAY)
        self.assertEqual((self.touch.state, self.touch.reason), ("failed", "smtp"))

    def test_a_mail_that_the_server_refuses(self):
        mail = self.touch.mail_id
        mail._postprocess_sent_message([], [], failure_type="mail_email_invalid")
        self.assertEqual((self.touch.state, self.touch.reason), ("failed", "smtp"))

    def in_doubt(self):
        """As a kill leaves it between the claim and the note that it was taken."""
        self.touch.mail_id._claim(False)
        self.touch.mail_id.state = "exception"
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((self.touch.state, self.touch.reason), ("sent", "stopped"))

    def test_in_doubt_it_is_sent_again_by_a_person_alone(self):
        self.in_doubt()
        self.run_at(FRIDAY + DAY)
        self.assertFalse(self.send_at(FRIDAY + 3 * DAY))
        with freeze_time(FRIDAY + 3 * DAY):
            self.track.invalidate_recordset()
            self.assertEqual(self.track.unsure_count, 1)
            action = self.track.action_view_unsure()
            listed = self.env["lead.nurture.touch"].search(action["domain"])
            self.assertEqual(listed, self.touch)
            with self.assertRaises(AccessError):
                self.touch.with_user(self.salesman).action_send_again()
            with self.assertRaises(AccessError):
                self.touch.with_user(self.salesman).action_went_out()
            self.touch.with_user(self.manager).action_send_again()
            with self.assertRaises(UserError):  # a second press
                self.touch.with_user(self.manager).action_send_again()
        self.assertEqual(len(self.send_at(FRIDAY + 3 * DAY)), 1)
        self.assertFalse(self.touch.reason)
        self.assertFalse(self.send_at(FRIDAY + 3 * DAY + MINUTE))

    def test_in_doubt_a_person_knows_that_it_went_out(self):
        self.in_doubt()
        self.touch.with_user(self.manager).action_went_out()
        self.assertEqual((self.touch.state, self.touch.reason), ("sent", False))
        self.assertEqual(self.touch.trace_id.trace_status, "sent")
        self.assertFalse(self.touch.mail_id.exists())
        self.assertFalse(self.send_at(FRIDAY + 3 * DAY))
        with self.assertRaises(UserError):
            self.touch.with_user(self.manager).action_send_again()

    def test_in_doubt_the_lead_opens_it(self):
        self.in_doubt()
        self.touch.trace_id.set_replied()
        self.assertEqual((self.touch.state, self.touch.reason), ("answered", False))

    def test_in_doubt_nobody_else_can_send_it(self):
        """Not by the button of Odoo's own list of mails that failed."""
        self.in_doubt()
        mail = self.touch.mail_id
        mail.mark_outgoing()
        self.assertFalse(self.send_at(FRIDAY))
        self.assertEqual(mail.state, "cancel")

    def test_sent_again_after_the_lead_left_the_track(self):
        self.in_doubt()
        self.journey._end("hand")
        self.touch.with_user(self.manager).action_send_again()
        self.assertFalse(self.send_at(FRIDAY))
        self.assertEqual((self.touch.state, self.touch.reason), ("cancelled", "exit"))

    def test_odoo_looks_when_the_hours_begin(self):
        """Its queue runs every hour, and hours may be as short as half of one."""
        queue = self.env.ref("mail.ir_cron_mail_scheduler_action")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", queue.id)])
        self.assertIn(FRIDAY, triggers.mapped("call_at"))
        self.send_at(FRIDAY.replace(hour=18))
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", queue.id)])
        self.assertIn(datetime(2026, 11, 23, 8), triggers.mapped("call_at"))

    def test_the_plain_text_has_the_way_out_too(self):
        [mail] = self.send_at(FRIDAY)
        text = mail["body_alternative"]
        self.assertIn("Hello Lena Vogt,", text)
        self.assertRegex(text, r"/mailing/\d+/confirm_unsubscribe\?.*hash_token=")
        self.assertNotIn("/unsubscribe_from_list", text)
        self.assertNotIn("blank.gif", text)
        self.assertIn("blank.gif", mail["body"])
        headers = mail["headers"]
        self.assertIn("/unsubscribe_oneclick?", headers["List-Unsubscribe"])
        self.assertEqual(headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")

    def test_an_answer_comes_to_us(self):
        """Else nobody would know that the lead answered."""
        self.company.alias_domain_id = self.env["mail.alias.domain"].create(
            {
                "name": "nordlicht.example.com",
                "bounce_alias": "bounce",
                "catchall_alias": "catchall",
                "default_from": "notifications",
            }
        )
        lead = self.new_lead("Ida Holm")
        lead.action_set_lost()
        journey = self.enrol(lead, self.track)
        self.run_at(FRIDAY)
        [mail] = [one for one in self.send_at(FRIDAY) if "ida" in str(one["email_to"])]
        self.assertIn("@nordlicht.example.com", mail["reply_to"])
        answer = (
            f"From: Ida Holm <ida.holm@example.com>\nTo: {mail['reply_to']}\n"
            "Subject: Re: How others did it\nMessage-Id: <yes@example.com>\n"
            f"In-Reply-To: {mail['message_id']}\nContent-Type: text/plain\n\nYes"
        )
        self.env["mail.thread"].message_process("crm.lead", answer)
        self.assertEqual(journey.end_reason, "answered")
        self.assertTrue(lead.active)
        self.assertEqual(self.touches(lead).state, "answered")

    def test_the_mails_that_are_ready(self):
        """They say nothing silly where a name is missing, and read from the right in
        languages that do."""
        self.env["res.lang"]._activate_lang("ar_001")
        arabic = self.env["res.lang"]._lang_get("ar_001")
        name = "عبد الرحمن بن محمد بن عبد العزيز الحداد"
        named = self.new_lead(
            "Haddad", contact_name=name, lang_id=arabic.id, user_id=False
        )
        nameless = self.new_lead("Nobody", contact_name=False, user_id=False)
        ready = ("not_now", "silent", "price")
        for track in (
            self.env.ref(f"lead_pipeline.lead_nurture_track_{one}") for one in ready
        ):
            stages = track.stage_ids.filtered(lambda one: one.channel == "email")
            self.assertTrue(stages)
            stages._ensure_mailings()
            for stage in stages:
                texts = self.nurture._render(stage, named | nameless)
                with_name = str(texts[named.id]["body_html"])
                without = str(texts[nameless.id]["body_html"])
                self.assertIn(f"Hello {name},", with_name)
                self.assertIn("Hello,", without)
                self.assertIn('dir="rtl"', with_name)
                self.assertIn('dir="ltr"', without)
                for text in (with_name, without):
                    self.assertIn("/unsubscribe_from_list", text)
                    for silly in (">False<", "None", "Hello ,", "{{", "t-out"):
                        self.assertNotIn(silly, text)

    def test_mails_of_others_go_as_before(self):
        self.env["mail.mail"].create(
            {
                "email_to": "ida@example.com",
                "subject": "Hello",
                "body_html": "<p>Hi</p>",
            }
        )
        self.touch._cancel("exit")
        [mail] = self.send_at(FRIDAY)
        self.assertEqual(mail["subject"], "Hello")

    def test_one_touch_for_a_stage_for_ever(self):
        """The row itself makes sure that nothing is sent twice."""
        from psycopg2 import IntegrityError

        from odoo.tools import mute_logger

        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            with self.env.cr.savepoint():
                self.touch.copy()
                self.env.flush_all()


@tagged("post_install", "-at_install")
class TestNurtureUnsubscribe(NurtureCase, HttpCase):
    """The links in the mail, as a stranger follows them."""

    def test_one_click(self):
        track = self.new_track({}, days="all", hour_from=0, hour_to=24)
        lead = self.new_lead()
        journey = self.enrol(lead, track)
        mailing = track.stage_ids.mailing_id
        link = mailing._get_unsubscribe_oneclick_url(lead.email_normalized, lead.id)
        answer = self.url_open(
            link.removeprefix(mailing.get_base_url()),
            method="POST",
        )
        self.assertEqual(answer.status_code, 200)
        self.env.invalidate_all()
        self.assertEqual(journey.end_reason, "unsubscribed")
        self.assertEqual(lead.interest, "disinterested")
