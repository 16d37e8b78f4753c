# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import json
from unittest.mock import patch

from psycopg2 import OperationalError

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time
from odoo.tools import mute_logger

from .common import NOW, LeadPipelineCase

CAPTURE_LOG = "odoo.addons.lead_pipeline.models.capture.lead_capture"
GARBAGE = [
    None,
    17,
    "text",
    [],
    {},
    {"channel": "t-meta"},
    {"external_id": "no-channel"},
    {"channel": ["t-meta"], "external_id": {"a": 1}},
    {"channel": "t-meta", "external_id": "g1", "contact": "not an object"},
    {"channel": "t-meta", "external_id": "g2", "contact": {"email": ["a@b.c"]}},
    {"channel": "t-meta", "external_id": "g3", "contact": {"email": "@@@"}},
    {"channel": "t-meta", "external_id": "g4", "answers": "x", "consents": 3},
    {"channel": "t-meta", "external_id": "g5", "submitted_at": "yesterday"},
    {"channel": "t-meta", "external_id": "g6\x00\ud800", "message": "a\x00b"},
    {"channel": "t-meta", "external_id": "x" * 10_000},
    {"channel": "t-meta", "external_id": True, "payload": {"a": "\x00"}},
]


@freeze_time(NOW)
class TestIngest(LeadPipelineCase):
    def test_new_person_makes_a_lead(self):
        result, lead = self.ingest_one(
            contact={
                "first_name": "Nguyễn",
                "last_name": "Thị Minh Khai",
                "email": "Minh.Khai@Example.com",
                "phone": "0151 23456789",
                "company": "Sông Hồng GmbH",
                "job_title": "Head of Sales",
                "city": "Köln",
                "state": "Nordrhein-Westfalen",
                "country": "DE",
            },
            subject="Demo",
            message="Bitte <b>anrufen</b>",
            answers=[{"key": "size", "label": "Company size", "value": "50"}],
        )
        self.assertEqual(result["status"], "created")
        self.assertFalse(result["reason"])
        self.assertEqual(lead.name, "Nguyễn Thị Minh Khai: Demo")
        self.assertEqual(lead.email_normalized, "minh.khai@example.com")
        self.assertEqual(lead.phone_sanitized, "+4915123456789")
        self.assertEqual(lead.partner_name, "Sông Hồng GmbH")
        self.assertEqual(lead.function, "Head of Sales")
        self.assertEqual(lead.country_id.code, "DE")
        self.assertIn("&lt;b&gt;anrufen", lead.description)
        self.assertIn("Company size: 50", lead.description)
        self.assertEqual(lead.channel_id, self.meta)
        self.assertEqual(lead.company_id, self.company)
        self.assertFalse(lead.user_id, "a new lead starts unassigned")
        self.assertTrue(lead.stage_id)
        self.assertEqual(lead.touchpoint_ids.kind, "form_submit")
        self.assertEqual(str(lead.touchpoint_ids.at), "2026-11-20 09:00:00")
        self.assertEqual(lead.submission_ids, self.submission(result))

    def test_owner_and_team_of_the_channel(self):
        team = self.env["crm.team"].create(
            {"name": "Web", "company_id": self.company.id, "use_leads": True}
        )
        self.meta.write({"team_id": team.id, "user_id": self.salesman.id})
        _result, lead = self.ingest_one()
        self.assertEqual(lead.user_id, self.salesman)
        self.assertEqual(lead.team_id, team)
        self.assertEqual(lead.type, "lead")
        self.assertIn(self.salesman.partner_id, lead.message_partner_ids)

    def test_same_external_id_is_a_duplicate(self):
        first, lead = self.ingest_one()
        again, _lead = self.ingest_one(contact={"email": "somebody.else@example.com"})
        self.assertEqual(again["status"], "duplicate")
        self.assertEqual(again["submission_id"], first["submission_id"])
        self.assertEqual(again["lead_id"], first["lead_id"])
        self.assertEqual(lead.email_from, "lena.vogt@example.com")
        self.assertEqual(len(lead.touchpoint_ids), 1)
        # the same id in another channel is another submission
        other, _lead = self.ingest_one(channel="t-form")
        self.assertEqual(other["status"], "matched")

    def test_twice_in_one_call(self):
        results = self.ingest(
            self.item("a"),
            self.item("a"),
            self.item("b", channel="none"),
            self.item("b", channel="none"),
        )
        self.assertEqual(
            [result["status"] for result in results],
            ["created", "duplicate", "quarantined", "duplicate"],
        )
        self.assertEqual(results[0]["submission_id"], results[1]["submission_id"])
        self.assertEqual(results[2]["submission_id"], results[3]["submission_id"])

    def test_same_person_twice_in_one_call(self):
        results = self.ingest(
            self.item("a"),
            self.item("b", channel="t-form"),
            self.item(
                "c", contact={"email": "ali@example.com", "phone": "+4915111111111"}
            ),
            self.item("d", contact={"name": "Ali", "phone": "0049 1511 1111111"}),
        )
        self.assertEqual(
            [result["status"] for result in results],
            ["created", "matched", "created", "matched"],
        )
        self.assertEqual(results[0]["lead_id"], results[1]["lead_id"])
        self.assertEqual(results[2]["lead_id"], results[3]["lead_id"])

    def test_results_keep_the_order(self):
        items = [
            self.item(str(n), contact={"email": f"p{n % 7}@example.com"})
            for n in range(30)
        ]
        results = self.ingest(*items)
        self.assertEqual(
            [result["external_id"] for result in results],
            [item["external_id"] for item in items],
        )

    def test_a_test_makes_no_lead(self):
        result, lead = self.ingest_one(test=True, contact={})
        self.assertEqual(result["status"], "test")
        self.assertFalse(lead)
        self.assertEqual(self.submission(result).state, "test")
        truthy, lead = self.ingest_one("2", test="yes")
        self.assertEqual(truthy["status"], "created", "only a plain true is a test")

    def test_quarantine(self):
        for external_id, values, words in (
            ("a", {"channel": "unknown"}, "unknown"),
            ("b", {"contact": {"name": "Nobody"}}, "neither"),
            ("c", {"contact": {"email": "not-an-address"}}, "can't be used"),
        ):
            with self.subTest(external_id):
                result, lead = self.ingest_one(external_id, **values)
                self.assertEqual(result["status"], "quarantined")
                self.assertIn(words, result["reason"])
                self.assertFalse(lead)
                self.assertEqual(self.submission(result).state, "quarantined")
                again, _lead = self.ingest_one(external_id, **values)
                self.assertEqual(again["status"], "duplicate")

    def test_a_phone_nobody_can_parse_is_still_a_lead(self):
        result, lead = self.ingest_one(contact={"phone": "12345 ask for Ayşe"})
        self.assertEqual(result["status"], "created")
        self.assertEqual(lead.phone, "12345 ask for Ayşe")

    def test_garbage_ends_as_one_row_each(self):
        results = self.ingest(*GARBAGE, self.item("good"))
        self.assertEqual(len(results), len(GARBAGE) + 1)
        self.assertEqual(results[-1]["status"], "created")
        rows = self.env["lead.submission"].browse(
            result["submission_id"] for result in results
        )
        self.assertEqual(len(rows.exists()), len(results))
        json.dumps(results)  # plain JSON comes back
        again = self.ingest(*GARBAGE, self.item("good"))
        self.assertEqual({result["status"] for result in again}, {"duplicate"})
        self.assertEqual(
            [result["submission_id"] for result in again],
            [result["submission_id"] for result in results],
        )

    def test_a_call_of_the_wrong_shape(self):
        for wrong in ({"a": 1}, "text", None, [self.item(str(n)) for n in range(501)]):
            with self.assertRaises(ValidationError):
                self.submissions.ingest(wrong)
        self.assertEqual(self.submissions.ingest([]), [])

    def test_huge_texts_are_cut(self):
        result, lead = self.ingest_one(
            contact={"name": "N" * 5000, "email": "big@example.com"},
            subject="S" * 5000,
            message="M" * 200_000,
            answers=[{"key": str(n), "value": "V" * 10_000} for n in range(2000)],
            payload={"blob": "B" * 3_000_000},
        )
        self.assertEqual(result["status"], "created")
        self.assertLessEqual(len(lead.contact_name), 250)
        self.assertIn("cut", self.submission(result).payload[-100:])

    def test_times(self):
        late, lead = self.ingest_one("a", submitted_at="2026-11-20T12:30:00+05:00")
        self.assertEqual(str(self.submission(late).submitted_at), "2026-11-20 07:30:00")
        future, _lead = self.ingest_one("b", submitted_at="2031-01-01T00:00:00Z")
        self.assertEqual(str(self.submission(future).submitted_at), NOW)
        missing, _lead = self.ingest_one("c", submitted_at=None)
        self.assertEqual(str(self.submission(missing).submitted_at), NOW)

    def test_consents_are_kept_as_given(self):
        _result, lead = self.ingest_one(
            consents=[
                {
                    "purpose": "email",
                    "granted": True,
                    "text": "Yes, write me",
                    "version": "3",
                    "at": "2026-11-20T08:59:00Z",
                },
                {"purpose": "phone", "granted": False},
                {"purpose": "sms", "granted": "true"},
                {"purpose": "", "granted": True},
            ]
        )
        self.assertEqual(
            [(c.purpose, c.granted) for c in lead.consent_ids.sorted("id")],
            [("email", True), ("phone", False), ("sms", False)],
        )
        given = lead.consent_ids.filtered("granted")
        self.assertEqual(given.text, "Yes, write me")
        self.assertEqual(str(given.at), "2026-11-20 08:59:00")
        self.assertEqual(given.email_normalized, "lena.vogt@example.com")

    def test_one_bad_item_harms_no_other(self):
        """Something inside fails for one person: only their item suffers."""
        leads = type(self.env["lead.capture.leads"])
        original = leads._contact_vals

        def poisoned(model, entry, lookup):
            if entry.person.name == "Poison":
                raise ZeroDivisionError("secret of the customer")
            return original(model, entry, lookup)

        items = [
            self.item(str(n), contact={"email": f"n{n}@example.com", "name": f"N{n}"})
            for n in range(9)
        ]
        items[4]["contact"]["name"] = "Poison"
        with patch.object(leads, "_contact_vals", poisoned), mute_logger(CAPTURE_LOG):
            results = self.ingest(*items)
        self.assertEqual(
            [result["status"] for result in results],
            ["created"] * 4 + ["quarantined"] + ["created"] * 4,
        )
        self.assertIn("ZeroDivisionError", results[4]["reason"])
        self.assertNotIn("secret", results[4]["reason"])
        self.assertEqual(
            self.env["crm.lead"].search_count([("contact_name", "=like", "N_")]), 8
        )
        # once mended, a replay brings it to its lead
        self.submission(results[4]).with_user(self.manager).action_replay()
        self.assertEqual(self.submission(results[4]).state, "created")
        self.assertEqual(self.submission(results[4]).lead_id.contact_name, "Poison")

    def test_trouble_of_the_database_is_not_the_items_fault(self):
        leads = type(self.env["lead.capture.leads"])
        with (
            patch.object(leads, "_contact_vals", side_effect=OperationalError("gone")),
            self.assertRaises(OperationalError),
            self.env.cr.savepoint(),
        ):
            self.ingest(self.item())
        result, _lead = self.ingest_one()
        self.assertEqual(result["status"], "created", "sent again, it has its end")

    def test_who_may_ingest(self):
        for user in (self.salesman, self.env.ref("base.public_user")):
            with self.assertRaises(AccessError):
                self.env["lead.submission"].with_user(user).ingest([self.item()])
        results = self.env["lead.submission"].with_user(self.manager).ingest([])
        self.assertEqual(results, [])

    def test_owner_is_told_once_for_all(self):
        self.meta.user_id = self.salesman
        self.ingest(
            *(
                self.item(str(n), contact={"email": f"p{n}@example.com"})
                for n in range(5)
            )
        )
        messages = self.env["mail.message"].search(
            [
                ("message_type", "=", "user_notification"),
                ("partner_ids", "in", self.salesman.partner_id.ids),
            ]
        )
        self.assertEqual(len(messages), 1)
        self.assertEqual(messages.subject, "5 leads for you")
        self.assertEqual(messages.body.count("data-oe-model"), 5)

    def _count_queries(self, number, start):
        items = [
            self.item(
                f"q{start + n}",
                contact={
                    "name": f"Person {start + n}",
                    "email": f"q{start + n}@example.com",
                    "phone": f"+4915112{start + n:05d}",
                    "country": "DE",
                    "lang": "de",
                },
                attribution={"utm_source": "facebook", "utm_campaign": "Spring"},
                consents=[{"purpose": "email", "granted": True}],
            )
            for n in range(number)
        ]
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        results = self.ingest(*items)
        self.env.flush_all()
        self.assertEqual({result["status"] for result in results}, {"created"})
        return self.env.cr.sql_log_count - before

    def test_queries_do_not_grow_with_the_batch(self):
        """The ORM writes a hundred rows a statement; nothing else may grow."""
        self.meta.user_id = self.salesman
        self._count_queries(10, 0)  # warm up: caches, the source and the campaign
        few = self._count_queries(20, 1000)
        many = self._count_queries(200, 2000)
        self.assertLess(many, few + 40, "a query per lead in the capture")
