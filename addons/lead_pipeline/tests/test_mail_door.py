# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime
from email.message import EmailMessage
from unittest.mock import patch

from odoo.exceptions import ConcurrencyError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MailCommon

MODULE = "odoo.addons.lead_pipeline.models.capture"


@tagged("post_install", "-at_install")
class TestMailDoor(MailCommon):
    """Mails to a sales alias, through core's gateway."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owner = new_test_user(
            cls.env, "mail_door_owner", groups="sales_team.group_sale_salesman"
        )
        cls.owner.notification_type = "inbox"
        cls.leader = new_test_user(
            cls.env, "mail_door_leader", groups="sales_team.group_sale_manager"
        )
        cls.leader.notification_type = "inbox"
        cls.team = cls.env["crm.team"].create(
            {
                "name": "Inbound",
                "alias_name": "inbound",
                "user_id": cls.leader.id,
                "company_id": cls.env.company.id,
                "use_leads": True,
            }
        )
        cls.channel = cls.env["lead.channel"]._get_core_channel(
            "email", cls.env.company
        )

    def receive(self, sender='"Layla Haddad" <layla.haddad@example.com>', **headers):
        """Let the gateway take a mail.

        :return: the lead it went to
        """
        mail = EmailMessage()
        mail["From"] = sender
        mail["To"] = headers.pop("to", self.team.alias_email)
        mail["Subject"] = headers.pop("subject", "Price for forty seats")
        mail["Message-Id"] = headers.pop("message_id", "<one@mail.example.com>")
        mail["Date"] = "Fri, 20 Nov 2026 09:30:00 +0100"
        mail.set_content(headers.pop("text", "Good morning,\nwhat would it cost?"))
        for name, content in headers.pop("files", {}).items():
            mail.add_attachment(
                content, maintype="application", subtype="pdf", filename=name
            )
        for name, value in headers.items():
            mail[name] = value
        lead_id = self.env["mail.thread"].message_process(None, mail.as_bytes())
        return self.env["crm.lead"].browse(lead_id)

    def mails_of(self, lead):
        return lead.message_ids.filtered(
            lambda message: message.message_type == "email"
        )

    def known_lead(self, **vals):
        return self.env["crm.lead"].create(
            {
                "name": "Older enquiry",
                "email_from": "layla.haddad@example.com",
                "user_id": self.owner.id,
                "company_id": self.env.company.id,
                **vals,
            }
        )

    def test_new_person(self):
        lead = self.receive(files={"plan.pdf": b"%PDF-1.4 plan"})
        self.assertEqual(lead.name, "Price for forty seats")
        self.assertEqual(lead.contact_name, "Layla Haddad")
        self.assertEqual(lead.email_normalized, "layla.haddad@example.com")
        self.assertEqual(lead.channel_id, self.channel)
        self.assertEqual(lead.team_id, self.team)
        self.assertEqual(lead.user_id, self.leader, "core assigns the team's leader")
        submission = lead.submission_ids
        self.assertEqual(submission.state, "created")
        self.assertEqual(submission.external_id, "<one@mail.example.com>")
        self.assertEqual(submission.submitted_at, datetime(2026, 11, 20, 8, 30))
        self.assertIn("what would it cost?", submission.content["message"])
        self.assertFalse(lead.consent_ids)
        mail = self.mails_of(lead)
        self.assertEqual(mail.subtype_id, self.env.ref("crm.mt_lead_create"))
        self.assertEqual(mail.attachment_ids.mapped("name"), ["plan.pdf"])

    def test_one_mail_is_one_touchpoint(self):
        lead = self.receive()
        touchpoint = lead.touchpoint_ids
        self.assertEqual(len(touchpoint), 1)
        self.assertEqual(touchpoint.kind, "email_reply")
        self.assertEqual(touchpoint.direction, "in")
        self.assertEqual(lead.first_touch_at, touchpoint.at)
        self.assertEqual(
            lead.first_touch_medium_id, self.env.ref("utm.utm_medium_email")
        )

    def test_reply_on_the_thread_is_one_more_touchpoint(self):
        lead = self.receive()
        reply = self.receive(
            subject="Re: Price for forty seats",
            message_id="<two@mail.example.com>",
            **{"In-Reply-To": "<one@mail.example.com>"},
        )
        self.assertEqual(reply, lead)
        self.assertEqual(lead.touchpoint_ids.mapped("kind"), ["email_reply"] * 2)
        self.assertEqual(lead.submission_count, 1, "a reply is no new enquiry")

    def test_known_person(self):
        known = self.known_lead(contact_name="Layla H.")
        lead = self.receive(message_id="<new@mail.example.com>")
        self.assertEqual(lead, known)
        self.assertEqual(lead.name, "Older enquiry")
        self.assertEqual(lead.contact_name, "Layla H.", "never overwritten")
        self.assertEqual(lead.submission_ids.state, "matched")
        self.assertEqual(len(lead.touchpoint_ids), 1)
        mail = self.mails_of(lead)
        self.assertEqual(len(mail), 1, "the mail itself, and no note of it")
        self.assertEqual(mail.subtype_id, self.env.ref("mail.mt_comment"))

    def test_owner_of_a_known_person_hears_once(self):
        known = self.known_lead()
        known.message_unsubscribe(self.owner.partner_id.ids)
        self.receive()
        notifications = self.env["mail.notification"].search(
            [
                ("res_partner_id", "=", self.owner.partner_id.id),
                ("mail_message_id.model", "=", "crm.lead"),
                ("mail_message_id.res_id", "=", known.id),
                ("mail_message_id.message_type", "in", ("email", "user_notification")),
                ("mail_message_id.subject", "!=", False),
            ]
        )
        told = notifications.mail_message_id.filtered(
            lambda message: "assigned" not in (message.subject or "")
        )
        self.assertEqual(told, self.mails_of(known))

    def test_owner_of_a_new_lead_hears_once(self):
        lead = self.receive()
        told = self.env["mail.notification"].search(
            [
                ("res_partner_id", "=", self.leader.partner_id.id),
                ("mail_message_id.model", "=", "crm.lead"),
                ("mail_message_id.res_id", "=", lead.id),
                ("mail_message_id.message_type", "=", "user_notification"),
            ]
        )
        self.assertEqual(len(told), 1)

    def test_lost_person_is_back(self):
        known = self.known_lead()
        known.action_set_lost()
        lead = self.receive()
        self.assertEqual(lead, known)
        self.assertTrue(lead.active)
        self.assertEqual(len(self.mails_of(lead)), 1)

    def test_same_message_twice(self):
        lead = self.receive()
        again = self.receive()
        self.assertFalse(again, "core knows the Message-Id")
        self.assertEqual(lead.submission_count, 1)
        self.assertEqual(len(self.mails_of(lead)), 1)

    def test_one_mail_to_two_aliases_is_one_lead(self):
        other = self.team.copy({"alias_name": "tenders", "name": "Tenders"})
        lead = self.receive(to=f"{self.team.alias_email}, {other.alias_email}")
        leads = self.env["crm.lead"].search(
            [("email_normalized", "=", "layla.haddad@example.com")]
        )
        self.assertEqual(leads, lead)
        self.assertEqual(lead.submission_count, 1)
        self.assertEqual(len(lead.touchpoint_ids), 1)

    def test_mail_fetched_again_after_its_lead_was_deleted(self):
        self.receive().unlink()
        lead = self.receive()
        self.assertTrue(lead.exists())
        self.assertEqual(lead.channel_id, self.channel)

    def test_company_of_the_team(self):
        company = self.env["res.company"].create({"name": "Aurora"})
        self.team.user_id = False
        self.team.company_id = company
        elsewhere = self.known_lead()
        lead = self.receive()
        self.assertNotEqual(lead, elsewhere, "a person is matched inside a company")
        self.assertEqual(lead.company_id, company)
        self.assertEqual(lead.channel_id.company_id, company)
        self.assertEqual(lead.channel_id.channel_type, "email")

    def test_colleague_is_no_lead_to_match(self):
        colleague = new_test_user(
            self.env,
            "mail_door_colleague",
            groups="base.group_user",
            email="colleague@example.org",
        )
        known = self.known_lead(email_from=colleague.email)
        lead = self.receive(f'"{colleague.name}" <{colleague.email}>')
        self.assertNotEqual(lead, known)
        self.assertEqual(lead.channel_id, self.channel)
        self.assertEqual(lead.submission_ids.state, "created")
        self.assertFalse(lead.submission_ids.email_normalized)
        self.assertIn(colleague.email, lead.submission_ids.payload)

    def test_robots_are_nobody(self):
        senders = [
            "no-reply@forms.example.com",
            "noreply+77@forms.example.com",
            "WordPress <wordpress@shop.example.com>",
            "notifications@tool.example.com",
        ]
        for number, sender in enumerate(senders * 2):
            lead = self.receive(sender, message_id=f"<robot{number}@example.com>")
            self.assertEqual(lead.channel_id, self.channel, sender)
            self.assertEqual(len(self.mails_of(lead)), 1, "one lead for each mail")
            self.assertEqual(len(lead.touchpoint_ids), 1, sender)

    def test_our_own_address_is_nobody(self):
        self.env.company.email = "hello@nordlicht.example.com"
        one = self.receive("hello@nordlicht.example.com", message_id="<a@example.com>")
        two = self.receive("hello@nordlicht.example.com", message_id="<b@example.com>")
        self.assertTrue(one and two)
        self.assertNotEqual(one, two)

    def test_unreadable_sender(self):
        lead = self.receive("undisclosed")
        self.assertTrue(lead)
        self.assertEqual(lead.channel_id, self.channel)
        self.assertEqual(lead.submission_ids.state, "created")
        self.assertFalse(lead.submission_ids.reason)
        self.assertEqual(len(self.mails_of(lead)), 1)

    def test_names_of_many_countries(self):
        people = {
            "ليلى حداد": "layla@example.com",
            "Nguyễn Thị Minh Khai": "khai.nguyen@example.com",
            "王小明": "wang.xiaoming@example.com",
            "O'Brien, Séan": "sean.obrien@example.com",
        }
        for number, (name, email) in enumerate(people.items()):
            lead = self.receive(
                f'"{name}" <{email}>', message_id=f"<name{number}@example.com>"
            )
            self.assertEqual(lead.contact_name, name)
            self.assertEqual(lead.submission_ids.contact_name, name)
            self.assertEqual(lead.email_normalized, email)

    def test_failure_of_the_capture_loses_no_mail(self):
        for error in (ValueError("no"), ConcurrencyError("faster")):
            with (
                patch.object(
                    self.registry["lead.capture.rows"], "_write_submissions"
                ) as broken,
                self.assertLogs(f"{MODULE}.crm_lead", "ERROR"),
                mute_logger("odoo.sql_db"),
            ):
                broken.side_effect = error
                name = type(error).__name__
                lead = self.receive(message_id=f"<{name}@mail.example.com>")
            self.assertTrue(lead, name)
            self.assertEqual(lead.team_id, self.team)
            self.assertEqual(len(self.mails_of(lead)), 1)
            self.assertFalse(lead.submission_ids)
            self.assertNotEqual(self.team.alias_id.alias_status, "invalid")
            self.assertEqual(
                self.env["crm.lead"].search_count(
                    [("name", "=", "Price for forty seats")]
                ),
                1,
                "what the capture began is undone",
            )
            lead.unlink()

    def test_request_is_run_again_when_another_was_faster(self):
        with (
            patch.object(
                self.registry["lead.capture"],
                "_check_fresh",
                side_effect=ConcurrencyError("faster"),
            ),
            patch(f"{MODULE}.crm_lead.request", True),
            self.assertRaises(ConcurrencyError),
        ):
            self.receive()
        self.assertNotEqual(self.team.alias_id.alias_status, "invalid")
        self.assertFalse(
            self.env["mail.mail"].search([("email_to", "like", "layla.haddad")]),
            "no bounce: the mail is on its way",
        )

    def test_what_core_itself_refuses_bounces_as_ever(self):
        self.team.alias_defaults = "{'type': 'none'}"
        with (
            patch.object(
                self.registry["mail.alias"], "_alias_bounce_incoming_email"
            ) as bounce,
            mute_logger(f"{MODULE}.crm_lead", "odoo.sql_db"),
            self.assertRaises(ValueError),
        ):
            self.receive()
        self.assertEqual(bounce.call_count, 1)
