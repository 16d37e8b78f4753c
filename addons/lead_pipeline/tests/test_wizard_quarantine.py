# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from .common import LeadPipelineCase


def answers(email, name):
    return [
        {"key": "Vor- und Nachname", "label": "", "value": name},
        {"key": "E-Mail", "label": "", "value": email},
        {"key": "Farbe", "label": "", "value": "rot"},
    ]


@tagged("post_install", "-at_install")
class TestQuarantineWizards(LeadPipelineCase):
    def _quarantined(self, *people, channel="winter"):
        results = self.ingest(
            *(
                self.item(
                    f"{channel}-{email}",
                    channel=channel,
                    contact={},
                    answers=answers(email, name),
                )
                for name, email in people
            )
        )
        found = self.env["lead.submission"].browse(
            [result["submission_id"] for result in results]
        )
        self.assertEqual(set(found.mapped("state")), {"quarantined"})
        return found

    def _fix(self, submission, user=None):
        return (
            self.env["lead.submission.fix"]
            .with_user(user or self.manager)
            .with_context(active_id=submission.id)
        )

    # ------------------------------------------------------------
    # FIX
    # ------------------------------------------------------------

    def test_unknown_code_becomes_a_channel_with_its_mapping(self):
        waiting = self._quarantined(
            ("Ida Nyberg", "ida@example.com"), ("陈伟", "chen.wei@example.com")
        )
        form = Form(self._fix(waiting[0]))
        self.assertTrue(form.needs_channel)
        self.assertEqual(form.new_name, "Winter")
        self.assertEqual(form.replay_count, 2)
        self.assertEqual(
            [line["target"] for line in form.line_ids._records],
            ["name", "email", False],
        )
        notification = form.save().action_apply()
        self.assertEqual(notification["params"]["type"], "success")
        channel = self.env["lead.channel"].search([("code", "=", "winter")])
        self.assertEqual(channel.company_id, self.company)
        self.assertEqual(waiting.channel_id, channel)
        self.assertEqual(waiting.mapped("state"), ["created", "created"])
        self.assertEqual(waiting.lead_id.mapped("contact_name"), ["Ida Nyberg", "陈伟"])
        self.assertEqual(set(channel.mapping_ids.mapped("target")), {"name", "email"})
        # from now on such a form needs nobody
        [result] = self.ingest(
            self.item(
                "next",
                channel="winter",
                contact={},
                answers=answers("omar@example.com", "Omar Said"),
            )
        )
        self.assertEqual(result["status"], "created")

    def test_code_can_belong_to_a_channel_that_is_there(self):
        waiting = self._quarantined(("Ida Nyberg", "ida@example.com"))
        form = Form(self._fix(waiting))
        form.channel_choice = "existing"
        form.existing_channel_id = self.form
        form.save().action_apply()
        self.assertEqual(self.form.code, "winter")
        self.assertEqual(waiting.channel_id, self.form)
        self.assertEqual(waiting.state, "created")

    def test_only_this_one(self):
        waiting = self._quarantined(
            ("Ida Nyberg", "ida@example.com"), ("Omar Said", "omar@example.com")
        )
        form = Form(self._fix(waiting[0]))
        form.replay = "one"
        self.assertEqual(form.replay_count, 1)
        form.save().action_apply()
        self.assertEqual(waiting.mapped("state"), ["created", "quarantined"])

    def test_only_the_same_reason(self):
        waiting = self._quarantined(
            ("Ida Nyberg", "ida@example.com"),
            ("Omar Said", "omar@example.com"),
            channel="t-form",
        )
        waiting[1].reason = "Something else"
        form = Form(self._fix(waiting[0]))
        self.assertFalse(form.needs_channel)
        form.replay = "reason"
        self.assertEqual(form.replay_count, 1)

    def test_known_mapping_shows_and_can_be_taken_back(self):
        self.env["lead.channel.mapping"].create(
            [
                {"channel_id": self.form.id, "key": "farbe", "target": "message"},
                {
                    "channel_id": self.form.id,
                    "key": "Vor- und Nachname",
                    "target": "company",
                },
            ]
        )
        waiting = self._quarantined(("Ida Nyberg", "ida@example.com"), channel="t-form")
        form = Form(self._fix(waiting))
        self.assertEqual(
            [line["target"] for line in form.line_ids._records],
            ["company", "email", "message"],
        )
        with form.line_ids.edit(2) as line:
            line.target = False
        form.save().action_apply()
        self.assertEqual(
            set(self.form.mapping_ids.mapped("target")), {"company", "email"}
        )
        self.assertEqual(waiting.lead_id.partner_name, "Ida Nyberg")

    # ------------------------------------------------------------
    # CORRECT
    # ------------------------------------------------------------

    def _mistyped(self, external_id="typo", **contact):
        result, _lead = self.ingest_one(
            external_id,
            contact={"name": "Lena Vogt", **contact},
            consents=[{"purpose": "email", "granted": True}],
            payload={"mail": contact.get("email")},
        )
        self.assertEqual(result["status"], "quarantined")
        return self.submission(result)

    def test_mistyped_email_is_corrected_beside_what_came(self):
        waiting = self._mistyped(email="lena.vogt(at)example.com")
        came = waiting.content, waiting.payload
        form = Form(self._fix(waiting))
        self.assertEqual(form.email, "lena.vogt(at)example.com")
        form.email = " lena.vogt@example.com "
        with freeze_time("2026-11-21 09:30:00"):
            form.save().action_apply()
        self.assertEqual(waiting.state, "created")
        self.assertEqual(waiting.email_normalized, "lena.vogt@example.com")
        self.assertEqual(waiting.lead_id.email_from, "lena.vogt@example.com")
        consent = waiting.lead_id.consent_ids
        self.assertEqual(consent.email_normalized, "lena.vogt@example.com")
        self.assertEqual((waiting.content, waiting.payload), came)
        self.assertEqual(waiting.corrected_email, "lena.vogt@example.com")
        self.assertFalse(waiting.corrected_phone)
        self.assertEqual(waiting.corrected_by_id, self.manager)
        self.assertEqual(str(waiting.corrected_at), "2026-11-21 09:30:00")

    def test_corrected_phone_finds_who_it_is(self):
        _result, known = self.ingest_one("known", contact={"phone": "+4915123456789"})
        waiting = self._mistyped(phone="0151")
        form = Form(self._fix(waiting))
        form.phone = "0151 23456789"
        form.save().action_apply()
        self.assertEqual((waiting.state, waiting.lead_id), ("matched", known))
        self.assertEqual(waiting.corrected_phone, "0151 23456789")

    def test_correction_counts_for_its_submission_alone(self):
        waiting = self._mistyped("one", email="@")
        other = self._mistyped("other", email="@")
        form = Form(self._fix(waiting))
        form.email = "lena.vogt@example.com"
        notification = form.save().action_apply()
        self.assertEqual(notification["params"]["type"], "warning")
        self.assertEqual((waiting.state, other.state), ("created", "quarantined"))
        self.assertFalse(other.corrected_at)

    def test_correction_that_is_none_can_be_corrected(self):
        waiting = self._mistyped(email="@")
        for email, state in (("@@", "quarantined"), ("lena@example.com", "created")):
            form = Form(self._fix(waiting))
            form.email = email
            form.save().action_apply()
            self.assertEqual((waiting.state, waiting.corrected_email), (state, email))

    def test_nothing_corrected_is_not_recorded(self):
        waiting = self._mistyped(email="@")
        Form(self._fix(waiting)).save().action_apply()
        self.assertEqual(waiting.state, "quarantined")
        self.assertFalse(waiting.corrected_by_id)

    def test_only_managers_correct_and_only_in_quarantine(self):
        waiting = self._mistyped(email="@")
        with self.assertRaises(AccessError):
            waiting.with_user(self.salesman)._correct(email="lena@example.com")
        waiting.with_user(self.manager)._dismiss("Spam")
        with self.assertRaises(UserError):
            waiting.with_user(self.manager)._correct(email="lena@example.com")

    def test_what_was_dismissed_meanwhile_is_left_alone(self):
        waiting = self._quarantined(("Ida Nyberg", "ida@example.com"))
        wizard = Form(self._fix(waiting)).save()
        waiting.state = "dismissed"
        with self.assertRaises(UserError):
            wizard.action_apply()

    # ------------------------------------------------------------
    # DISMISS
    # ------------------------------------------------------------

    def _dismiss(self, submissions, user=None):
        return (
            self.env["lead.submission.dismiss"]
            .with_user(user or self.manager)
            .with_context(active_ids=submissions.ids)
        )

    def test_dismiss_many_with_one_reason_and_reopen(self):
        waiting = self._quarantined(
            ("Ida Nyberg", "ida@example.com"), ("Omar Said", "omar@example.com")
        )
        form = Form(self._dismiss(waiting))
        self.assertEqual(form.submission_count, 2)
        with self.assertRaises(AssertionError):
            form.save()  # the reason is not optional
        form.reason = "Applications for a job"
        form.save().action_dismiss()
        self.assertEqual(set(waiting.mapped("state")), {"dismissed"})
        self.assertEqual(set(waiting.mapped("reason")), {"Applications for a job"})
        self.assertEqual(waiting.dismissed_by_id, self.manager)
        waiting.with_user(self.manager).action_reopen()
        self.assertEqual(set(waiting.mapped("state")), {"quarantined"})

    # ------------------------------------------------------------
    # ROLES
    # ------------------------------------------------------------

    def test_managers_only(self):
        waiting = self._quarantined(("Ida Nyberg", "ida@example.com"))
        for user in (self.salesman, self.connector):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self._fix(waiting, user).create({})
                with self.assertRaises(AccessError):
                    self._dismiss(waiting, user).create({"reason": "No"})
