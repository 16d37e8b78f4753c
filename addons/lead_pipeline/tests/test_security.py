# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError
from odoo.tests import freeze_time

from .common import NOW, LeadPipelineCase

MODELS = (
    "lead.channel",
    "lead.channel.mapping",
    "lead.channel.count",
    "lead.submission",
    "lead.touchpoint",
    "lead.consent",
)


@freeze_time(NOW)
class TestSecurity(LeadPipelineCase):
    """Who sees and does what, role by role."""

    def _lead_of(self, external_id, user):
        result, lead = self.ingest_one(
            external_id,
            contact={"email": f"{external_id}@example.com"},
            consents=[{"purpose": "email", "granted": True}],
        )
        lead.user_id = user
        return self.submission(result), lead

    def test_connector_reads_nothing(self):
        """No lead, no partner, no submission, no user; only the door is open."""
        self._lead_of("1", False)
        for model in (*MODELS, "crm.lead", "res.partner", "res.users", "mail.message"):
            for operation in ("read", "write", "create", "unlink"):
                self.assertFalse(
                    self.env[model].with_user(self.connector).has_access(operation)
                    and not (model == "res.users" and operation == "read"),
                    f"{model} {operation}",
                )
            if model not in ("res.users", "mail.message"):
                with self.assertRaises(AccessError):
                    self.env[model].with_user(self.connector).search_read([], ["id"])
        self.assertTrue(self.connector.share)
        self.assertEqual(
            self.connector.all_group_ids,
            self.env.ref("lead_pipeline.group_lead_pipeline_connector"),
        )

    def test_answers_tell_the_connector_no_personal_data(self):
        [result] = self.ingest(self.item())
        self.assertEqual(
            set(result),
            {"channel", "external_id", "status", "submission_id", "lead_id", "reason"},
        )
        self.assertNotIn("lena", str(result).lower())

    def test_ingest_info(self):
        info = self.submissions.ingest_info()
        self.assertEqual(info["login"], self.connector.login)
        self.assertTrue(info["can_ingest"])
        self.assertEqual(info["batch_limit"], 500)
        self.assertEqual(info["extra_rights"], [])
        self.assertIn(
            {"code": "t-meta", "name": "Meta", "company": "Nordlicht"}, info["channels"]
        )
        self.assertIsNone(info["api_key_expires_at"])
        rights = (self.env["lead.submission"].with_user(self.manager).ingest_info())[
            "extra_rights"
        ]
        self.assertTrue(rights, "a manager has more rights than a connector needs")
        with self.assertRaises(AccessError):
            self.env["lead.submission"].with_user(self.salesman).ingest_info()

    def test_salesman_sees_own_and_unassigned(self):
        own, _lead = self._lead_of("own", self.salesman)
        free, _lead = self._lead_of("free", False)
        foreign, _lead = self._lead_of("foreign", self.colleague)
        quarantined, _lead = self.ingest_one("q", contact={})
        rows = own | free | foreign | self.submission(quarantined)
        visible = (
            self.env["lead.submission"]
            .with_user(self.salesman)
            .search([("id", "in", rows.ids)])
        )
        self.assertEqual(visible, own | free)
        for model in ("lead.touchpoint", "lead.consent"):
            records = self.env[model].search([("lead_id", "in", rows.lead_id.ids)])
            seen = (
                self.env[model]
                .with_user(self.salesman)
                .search([("id", "in", records.ids)])
            )
            self.assertEqual(seen.lead_id, (own | free).lead_id, model)
        all_leads = self._new_user("all", "sales_team.group_sale_salesman_all_leads")
        seen = (
            self.env["lead.submission"]
            .with_user(all_leads)
            .search([("id", "in", rows.ids)])
        )
        self.assertEqual(seen, own | free | foreign)
        seen = (
            self.env["lead.submission"]
            .with_user(self.manager)
            .search([("id", "in", rows.ids)])
        )
        self.assertEqual(seen, rows)

    def test_salesman_changes_nothing(self):
        own, lead = self._lead_of("own", self.salesman)
        for record in (own, lead.touchpoint_ids, lead.consent_ids, self.meta):
            for operation in ("write", "unlink", "create"):
                self.assertFalse(
                    record.with_user(self.salesman).has_access(operation), record
                )

    def test_nobody_rewrites_what_came(self):
        own, lead = self._lead_of("own", self.manager)
        for record in (own, lead.touchpoint_ids, lead.consent_ids):
            for operation in ("write", "unlink", "create"):
                self.assertFalse(
                    record.with_user(self.manager).has_access(operation), record
                )

    def test_companies_are_apart(self):
        here, _lead = self._lead_of("here", False)
        there, _lead = self.ingest_one("there", channel="t-fr")
        there = self.submission(there)
        seen = (
            self.env["lead.submission"]
            .with_user(self.manager)
            .search([("id", "in", (here | there).ids)])
        )
        self.assertEqual(seen, here)
        for model in ("lead.touchpoint", "lead.consent", "lead.channel"):
            records = self.env[model].with_user(self.manager).search([])
            companies = (
                records.company_id
                if "company_id" in records
                else records.lead_id.company_id
            )
            self.assertNotIn(self.other_company, companies, model)
