# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from freezegun import freeze_time

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
