# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import json
from unittest.mock import patch

from odoo.exceptions import ConcurrencyError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

CONTROLLER = "odoo.addons.lead_pipeline_website.controllers.website_form"


@tagged("post_install", "-at_install")
class TestWebsiteForm(HttpCase):
    """The real form, posted by a stranger's browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env.ref("website.default_website")
        cls.company = cls.website.company_id
        cls.channel = cls.env["lead.channel"]._get_core_channel("website", cls.company)
        cls.owner = new_test_user(
            cls.env,
            "website_form_owner",
            groups="sales_team.group_sale_salesman",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.owner.notification_type = "inbox"

    def setUp(self):
        super().setUp()
        # core tracks no page it serves from a read-only replica
        self.set_registry_readonly_mode(False)
        self.new_browser()

    def new_browser(self):
        self.authenticate(None, None)

    def post(self, files=None, path="/website/form/crm.lead", **values):
        """Send the form of a contact page; the answer as the page reads it."""
        data = {
            "name": "Demo for two plants",
            "contact_name": "Thandiwe Nkosi",
            "email_from": "thandiwe.nkosi@example.com",
            "description": "Please call after two.",
            **values,
        }
        response = self.url_open(path, data=data, files=files)
        response.raise_for_status()
        return response.json()

    def leads(self, email="thandiwe.nkosi@example.com"):
        self.env.invalidate_all()
        return self.env["crm.lead"].search([("email_normalized", "=", email)])

    def known_lead(self, **vals):
        return self.env["crm.lead"].create(
            {
                "name": "Spring fair",
                "email_from": "thandiwe.nkosi@example.com",
                "contact_name": "T. Nkosi",
                "user_id": self.owner.id,
                "company_id": self.company.id,
                **vals,
            }
        )

    def test_new_person(self):
        self.assertEqual(
            self.post(phone="+27 11 555 0142", Budget="40 000"), {"id": True}
        )
        lead = self.leads()
        self.assertEqual(len(lead), 1)
        self.assertEqual(lead.name, "Demo for two plants")
        self.assertEqual(lead.channel_id, self.channel)
        self.assertEqual(lead.company_id, self.company)
        self.assertIn("Please call after two.", lead.description)
        self.assertTrue(lead.visitor_ids)
        submission = lead.submission_ids
        self.assertEqual(submission.state, "created")
        self.assertEqual(submission.email_normalized, "thandiwe.nkosi@example.com")
        self.assertEqual(submission.phone, "+27115550142")
        self.assertEqual(submission.content["message"], "Please call after two.")
        self.assertEqual(
            [(row["label"], row["value"]) for row in submission.content["answers"]],
            [("Budget", "40 000")],
        )
        self.assertEqual(lead.touchpoint_ids.mapped("kind"), ["form_submit"])
        self.assertEqual(
            lead.first_touch_medium_id, self.env.ref("utm.utm_medium_website")
        )

    def test_known_person_on_another_browser(self):
        known = self.known_lead()
        self.assertEqual(
            self.post(partner_name="Nkosi Mills", Budget="40 000"), {"id": True}
        )
        lead = self.leads()
        self.assertEqual(lead, known, "no second lead")
        self.assertEqual(lead.name, "Spring fair")
        self.assertEqual(lead.contact_name, "T. Nkosi", "never overwritten")
        self.assertEqual(lead.partner_name, "Nkosi Mills", "empty, so filled")
        self.assertEqual(lead.submission_ids.state, "matched")
        self.assertTrue(lead.visitor_ids)
        note = lead.message_ids.filtered(lambda message: "after two" in message.body)
        self.assertEqual(len(note), 1)
        self.assertIn("40 000", note.body)
        told = self.env["mail.notification"].search(
            [
                ("res_partner_id", "=", self.owner.partner_id.id),
                ("mail_message_id.res_id", "=", lead.id),
                ("mail_message_id.model", "=", "crm.lead"),
                ("mail_message_id.body", "like", "new enquiry"),
            ]
        )
        self.assertEqual(len(told), 1)

    def test_two_people_on_one_browser(self):
        self.post()
        self.post(contact_name="Søren Holm", email_from="soren.holm@example.com")
        first, second = self.leads(), self.leads("soren.holm@example.com")
        self.assertEqual((len(first), len(second)), (1, 1))
        self.assertEqual(first.contact_name, "Thandiwe Nkosi")
        self.assertEqual(second.contact_name, "Søren Holm")
        self.assertEqual(first.submission_count, 1)
        self.assertEqual(first.visitor_ids, second.visitor_ids)

    def test_same_person_twice(self):
        self.post()
        self.post(description="And a quote, please.")
        lead = self.leads()
        self.assertEqual(len(lead), 1)
        self.assertEqual(
            sorted(lead.submission_ids.mapped("state")), ["created", "matched"]
        )
        self.assertEqual(
            lead.touchpoint_ids.mapped("kind"), ["form_submit", "form_submit"]
        )

    def test_attachments_end_on_the_known_lead(self):
        known = self.known_lead()
        self.post(files={"Plan[0][0]": ("plan.txt", b"two floors", "text/plain")})
        attachment = self.env["ir.attachment"].search(
            [("res_model", "=", "crm.lead"), ("res_id", "=", known.id)]
        )
        self.assertEqual(attachment.name, "plan.txt")
        self.assertEqual(attachment.raw, b"two floors")

    def test_forged_fields(self):
        known = self.known_lead()
        before = known.read(["user_id", "team_id", "stage_id", "type", "channel_id"])
        self.post(
            user_id=str(self.env.ref("base.user_admin").id),
            stage_id="4",
            channel_id=str(self.channel.id),
            probability="100",
            first_touch_click_id="gclid:forged",
        )
        self.env.invalidate_all()
        self.assertEqual(
            known.read(["user_id", "team_id", "stage_id", "type", "channel_id"]),
            before,
        )
        self.assertFalse(known.first_touch_click_id)
        labels = [row["label"] for row in known.submission_ids.content["answers"]]
        self.assertIn("stage_id", labels, "kept as what was written in a form")

    def test_what_core_refuses_is_refused_to_everybody(self):
        self.known_lead()
        for values in ({"name": ""}, {"team_id": "999999"}, {"user_id": "x"}):
            answers = []
            for email in ("thandiwe.nkosi@example.com", "nobody@example.com"):
                with mute_logger("odoo.sql_db"):
                    answers.append(self.post(email_from=email, **values))
            self.assertEqual(answers[0], answers[1], values)

    def test_garbage(self):
        values = {
            "email_from": "not an address",
            "contact_name": "\u202e<script>alert(1)</script>",
            "description": "<img src=x onerror=alert(1)>" + "x" * 50_000,
            "Question : with : colons": "a : b\nc",
        }
        self.assertEqual(self.post(**values), {"id": True})
        lead = self.env["crm.lead"].search([("email_from", "=", "not an address")])
        self.assertEqual(len(lead), 1)
        self.assertEqual(lead.submission_ids.state, "created")
        self.assertEqual(self.post(**values), {"id": True})
        lead = self.env["crm.lead"].search([("email_from", "=", "not an address")])
        self.assertEqual(len(lead), 2, "nobody to match: each is a lead")
        self.assertNotIn("<img", lead[0].description)

    def test_note_of_a_known_person_is_safe(self):
        known = self.known_lead()
        self.post(description="<img src=x onerror=alert(1)>", Budget="<b>1</b>")
        self.env.invalidate_all()
        bodies = "".join(known.message_ids.mapped("body"))
        self.assertNotIn("<img", bodies)
        self.assertNotIn("<b>1", bodies)

    def test_names_of_many_countries(self):
        people = {
            "محمد الفيصل": "m.alfaisal@example.com",
            "Trần Thị Ánh": "anh.tran@example.com",
            "欧阳娜娜": "ouyang@example.com",
        }
        for name, email in people.items():
            self.new_browser()
            self.post(contact_name=name, email_from=email)
            self.assertEqual(self.leads(email).contact_name, name)
            self.assertEqual(self.leads(email).submission_ids.contact_name, name)

    def test_second_company(self):
        company = self.env["res.company"].create({"name": "Aurora"})
        self.env["website"].create(
            {
                "name": "Aurora",
                "company_id": company.id,
                "domain": self.base_url(),
                "crm_default_team_id": False,
            }
        )
        known = self.known_lead()
        self.post()
        lead = self.leads() - known
        self.assertEqual(len(lead), 1, "a person is matched inside a company")
        self.assertEqual(lead.company_id, company)
        self.assertEqual(lead.channel_id.company_id, company)
        self.assertEqual(lead.channel_id.channel_type, "website")
        self.assertEqual(
            lead.first_touch_medium_id, self.env.ref("utm.utm_medium_website")
        )

    def test_pages_before_and_after_the_form(self):
        self.url_open(
            "/?utm_source=Fair&utm_medium=Banner&utm_campaign=Autumn&gclid=Ab-1"
        )
        self.url_open("/contactus")
        self.post()
        lead = self.leads()
        views = lead.touchpoint_ids.filtered(lambda touch: touch.kind == "page_view")
        self.assertEqual(len(views), 2, "before the form")
        first = views.filtered("click_id")
        self.assertEqual(first.click_id, "gclid:Ab-1")
        self.assertEqual(first.source_id.name, "Fair")
        self.assertEqual(lead.first_touch_campaign_id.name, "Autumn")
        self.assertEqual(lead.first_touch_click_id, "gclid:Ab-1")
        form = lead.touchpoint_ids - views
        self.assertEqual(form.source_id.name, "Fair")
        self.assertEqual(lead.first_touch_at, first.at)
        self.assertEqual(lead.last_touch_at, form.at)
        attribution = lead.submission_ids.content["attribution"]
        self.assertEqual(attribution["utm_source"], "Fair")
        self.assertEqual(attribution["gclid"], "Ab-1")
        self.assertIn("utm_source=Fair", attribution["landing_page"])
        self.assertEqual(attribution["form_name"], self.website.name)
        self.assertNotIn("referrer", attribution)

        self.url_open("/contactus")
        self.env.invalidate_all()
        views = lead.touchpoint_ids.filtered(lambda touch: touch.kind == "page_view")
        self.assertEqual(len(views), 3, "and after it")

    def test_pages_of_a_known_person_before_the_form(self):
        known = self.known_lead()
        self.url_open("/contactus?utm_source=Fair")
        self.assertFalse(known.touchpoint_ids)
        self.post()
        self.env.invalidate_all()
        self.assertEqual(
            sorted(known.touchpoint_ids.mapped("kind")), ["form_submit", "page_view"]
        )

    def test_each_person_on_one_browser_has_their_own_pages(self):
        older = self.known_lead(email_from="soren.holm@example.com")
        self.post()
        self.url_open("/contactus")
        newer = self.leads()
        self.env.cr.execute(
            "UPDATE lead_submission SET received_at = received_at - interval '1 hour'"
            " WHERE lead_id = %s",
            [newer.id],
        )
        self.post(contact_name="Søren Holm", email_from="soren.holm@example.com")
        self.url_open("/contactus")
        self.env.invalidate_all()
        self.assertEqual(
            sorted(newer.touchpoint_ids.mapped("kind")), ["form_submit", "page_view"]
        )
        self.assertEqual(
            sorted(older.touchpoint_ids.mapped("kind")), ["form_submit", "page_view"]
        )

    def test_bots_leave_no_touchpoint(self):
        self.post()
        self.url_open("/contactus", headers={"User-Agent": "Googlebot/2.1"})
        self.assertEqual(self.leads().touchpoint_ids.mapped("kind"), ["form_submit"])

    def test_form_shown_by_another_site(self):
        self.url_open(
            "/website/form/crm.lead",
            data={
                "name": "Quote",
                "contact_name": "Thandiwe Nkosi",
                "email_from": "thandiwe.nkosi@example.com",
            },
            headers={"Referer": "https://partner.example.org/offers?utm_source=Ally"},
        )
        attribution = self.leads().submission_ids.content["attribution"]
        self.assertEqual(
            attribution["referrer"],
            "https://partner.example.org/offers?utm_source=Ally",
        )
        self.assertEqual(attribution["utm_source"], "Ally")

    def test_failure_of_the_capture_loses_no_form(self):
        with (
            patch.object(
                self.registry["lead.capture.rows"],
                "_write_submissions",
                side_effect=ValueError("no"),
            ),
            self.assertLogs(CONTROLLER, "ERROR"),
        ):
            self.assertEqual(
                self.post(files={"Plan[0][0]": ("plan.txt", b"x", "text/plain")}),
                {"id": True},
            )
        lead = self.leads()
        self.assertEqual(len(lead), 1, "what the capture began is undone")
        self.assertFalse(lead.submission_ids)
        self.assertTrue(lead.visitor_ids)

    def test_concurrent_caller_makes_odoo_try_again(self):
        capture = self.registry["lead.capture"]
        lock = capture._lock
        calls = []

        def lock_once_too_late(this, entries):
            calls.append(entries)
            if len(calls) == 1:
                raise ConcurrencyError("another was faster")
            return lock(this, entries)

        with (
            patch.object(capture, "_lock", lock_once_too_late),
            patch("odoo.service.model.time.sleep"),
        ):
            self.assertEqual(self.post(), {"id": True})
        self.assertEqual(len(calls), 2)
        self.assertEqual(len(self.leads()), 1)
        self.assertEqual(self.leads().submission_count, 1)

    def test_other_forms_are_left_alone(self):
        partners = self.env["ir.model"]._get("res.partner")
        partners.website_form_access = True
        self.env["ir.model.fields"].formbuilder_whitelist("res.partner", ["name"])
        response = self.url_open(
            "/website/form/res.partner", data={"name": "Amaru Quispe"}
        )
        answer = json.loads(response.text)
        partner = self.env["res.partner"].browse(answer["id"])
        self.assertEqual(partner.name, "Amaru Quispe")
