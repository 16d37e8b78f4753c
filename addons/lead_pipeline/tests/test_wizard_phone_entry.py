# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import LeadPipelineCase

PHONE = "+49 152 99887766"


@tagged("post_install", "-at_install")
class TestPhoneEntry(LeadPipelineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.entries = cls.env["lead.phone.entry"].with_user(cls.salesman)

    def _entry(self, **vals):
        return self.entries.create(
            {"phone": PHONE, "contact_name": "Lena Vogt", **vals}
        )

    def _lead(self, owner, **vals):
        return self.env["crm.lead"].create(
            {
                "name": "Roof of the bakery",
                "contact_name": "Lena Vogt",
                "phone": PHONE,
                "email_from": "lena.vogt@example.com",
                "company_id": self.company.id,
                "user_id": owner.id,
                **vals,
            }
        )

    def _leads(self):
        return self.env["crm.lead"].search([("phone_sanitized", "=", "+4915299887766")])

    # ------------------------------------------------------------
    # SAVING
    # ------------------------------------------------------------

    def test_new_lead_is_mine_and_opens(self):
        action = self._entry(
            email="lena.vogt@example.com",
            partner_name="Bäckerei Vogt",
            message="Solar for the bakery\nCall after 17:00",
        ).action_save()
        lead = self._leads()
        self.assertEqual((action["res_model"], action["res_id"]), ("crm.lead", lead.id))
        self.assertEqual(lead.user_id, self.salesman)
        self.assertEqual(lead.name, "Lena Vogt: Solar for the bakery")
        self.assertEqual(lead.partner_name, "Bäckerei Vogt")
        self.assertIn("Call after 17:00", lead.description)
        self.assertEqual(lead.channel_id.channel_type, "phone")
        self.assertEqual(lead.channel_id.company_id, self.company)
        self.assertEqual(lead.touchpoint_ids.kind, "call_in")
        self.assertEqual(lead.submission_ids.state, "created")

    def test_by_the_rules_leaves_the_owner_open(self):
        self._entry(assign_to="rules").action_save()
        self.assertFalse(self._leads().user_id)

    def test_for_a_colleague_tells_instead_of_opening(self):
        action = self._entry(
            assign_to="person", user_id=self.colleague.id
        ).action_save()
        self.assertEqual(self._leads().user_id, self.colleague)
        self.assertEqual(action["tag"], "display_notification")
        self.assertIn(self.colleague.name, action["params"]["message"])

    def test_somebody_else_needs_a_name(self):
        with self.assertRaises(UserError):
            self._entry(assign_to="person").action_save()

    def test_two_clicks_are_one_lead(self):
        entry = self._entry()
        first = entry.action_save()
        entry.action_save()
        self.assertEqual(self._leads().id, first["res_id"])
        self.assertEqual(len(self._leads().submission_ids), 1)

    def test_nobody_to_call_back_is_refused_and_kept_nowhere(self):
        before = self.env["lead.submission"].search_count([])
        with self.assertRaises(UserError):
            self._entry(phone="12").action_save()
        self.assertEqual(self.env["lead.submission"].search_count([]), before)

    def test_next_call_opens_an_empty_entry(self):
        action = self._entry().action_save_and_next()
        self.assertEqual(action["params"]["type"], "success")
        self.assertEqual(action["params"]["next"]["res_model"], "lead.phone.entry")
        self.assertTrue(self._leads())

    # ------------------------------------------------------------
    # WHO IS IT
    # ------------------------------------------------------------

    def test_own_lead_shows_while_typing(self):
        lead = self._lead(self.salesman)
        form = Form(self.entries)
        self.assertFalse(form.lead_ids)
        form.phone = "+49 152"
        self.assertFalse(form.lead_ids)
        form.phone = "0152 99887766"  # as people write it in the company's country
        self.assertEqual(form.lead_ids.ids, lead.ids)
        self.assertEqual(form.outcome, "add")
        self.assertIn(lead.name, form.outcome_note)
        form.phone = False
        self.assertFalse(form.lead_ids)
        form.email = "LENA.Vogt@example.com"
        self.assertEqual(form.lead_ids.ids, lead.ids)

    def test_known_person_gets_the_call(self):
        lead = self._lead(self.salesman)
        action = self._entry(message="Asks again").action_save()
        self.assertEqual(self._leads(), lead)
        self.assertEqual(action["params"]["next"]["res_id"], lead.id)
        self.assertEqual(lead.submission_ids.state, "matched")

    def test_lead_of_a_colleague_is_told_not_shown(self):
        lead = self._lead(self.colleague)
        form = Form(self.entries)
        form.phone = PHONE
        self.assertFalse(form.lead_ids)
        self.assertIn(self.colleague.name, form.hidden_note)
        self.assertIn(self.colleague.name, form.outcome_note)
        self.assertNotIn("bakery", form.outcome_note)
        action = form.save().action_save()
        self.assertEqual(lead.submission_ids.state, "matched")
        self.assertEqual(lead.user_id, self.colleague)
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIn(self.colleague.name, action["params"]["message"])

    def test_lead_of_nobody_becomes_mine(self):
        lead = self._lead(self.env["res.users"])
        self._entry().action_save()
        self.assertEqual(lead.user_id, self.salesman)

    def test_lost_lead(self):
        lead = self._lead(self.salesman)
        lead.action_set_lost()
        form = Form(self.entries)
        form.phone = PHONE
        self.assertEqual(form.lead_ids.ids, lead.ids)
        self.assertEqual(form.outcome, "restore")
        self.company.lead_lost_policy = "new"
        form = Form(self.entries)
        form.phone = PHONE
        self.assertEqual(form.lead_ids.ids, lead.ids)
        self.assertEqual(form.outcome, "new")

    def test_other_company_is_not_known(self):
        self._lead(
            self.env["res.users"],
            company_id=self.other_company.id,
            team_id=False,
        )
        form = Form(self.entries)
        form.phone = PHONE
        self.assertFalse(form.lead_ids)
        self.assertFalse(form.hidden_note)

    def test_contact_shows(self):
        partner = self.env["res.partner"].create(
            {
                "name": "Lena Vogt",
                "phone": PHONE,
                "country_id": self.company.country_id.id,
            }
        )
        form = Form(self.entries)
        form.phone = PHONE
        self.assertEqual(form.partner_ids.ids, partner.ids)

    # ------------------------------------------------------------
    # ROLES
    # ------------------------------------------------------------

    def test_other_company_s_channel_is_closed(self):
        channel = self.env["lead.channel"]._get_core_channel(
            "phone", self.other_company
        )
        entry = self._entry(channel_id=channel.id)
        with self.assertRaises(AccessError):
            entry.action_save()
        with self.assertRaises(AccessError):
            entry.read(["hidden_note"])

    def test_connector_has_no_entry(self):
        with self.assertRaises(AccessError):
            self.env["lead.phone.entry"].with_user(self.connector).create(
                {"phone": PHONE}
            )
