# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time

from .common import NOW, LeadPipelineCase


@freeze_time(NOW)
class TestChannel(LeadPipelineCase):
    def _submission_every(self, channel, hours, days, until):
        self.env["lead.submission"].create(
            [
                {
                    "channel_id": channel.id,
                    "channel_code": channel.code,
                    "company_id": channel.company_id.id,
                    "external_id": f"s{number}",
                    "state": "created",
                    "submitted_at": until - timedelta(hours=hours * number),
                    "received_at": until - timedelta(hours=hours * number),
                }
                for number in range(days * 24 // hours)
            ]
        )

    def _watch(self):
        with self.enter_registry_test_mode():
            self.env.ref("lead_pipeline.ir_cron_watch_silence").method_direct_trigger()

    def test_silent_channel_raises_one_activity(self):
        self.meta.responsible_id = self.manager
        now = datetime.fromisoformat(NOW)
        self._submission_every(self.meta, 2, 28, now - timedelta(hours=20))
        self._watch()
        self.assertTrue(self.meta.is_silent)
        activity = self.meta.activity_ids
        self.assertEqual(activity.user_id, self.manager)
        self.assertIn("about 10", activity.note)
        self._watch()
        self.assertEqual(len(self.meta.activity_ids), 1, "once per silence")
        self.ingest_one()
        self._watch()
        self.assertFalse(self.meta.is_silent)
        self.assertFalse(self.meta.activity_ids)

    def test_rhythm_knows_a_quiet_channel(self):
        """Two leads a week: half a day without one is nothing."""
        now = datetime.fromisoformat(NOW)
        self._submission_every(self.meta, 84, 100, now - timedelta(hours=12))
        self._watch()
        self.assertFalse(self.meta.is_silent)

    def test_fixed_limit_and_switch(self):
        now = datetime.fromisoformat(NOW)
        self._submission_every(self.meta, 1, 1, now - timedelta(hours=5))
        self.meta.silence_hours = 4
        self._submission_every(self.form, 1, 1, now - timedelta(hours=5))
        self.form.write({"silence_hours": 4, "watch_silence": False})
        self._watch()
        self.assertTrue(self.meta.is_silent)
        self.assertFalse(self.form.is_silent)
        with self.assertRaises(ValidationError):
            self.meta.silence_hours = -1

    def test_counts_on_the_card(self):
        self.manager.tz = "Pacific/Auckland"  # 23:00 on the 20th
        now = datetime.fromisoformat(NOW)
        self._submission_every(self.meta, 6, 10, now - timedelta(hours=3))
        self.ingest_one("q", contact={})
        channel = self.meta.with_user(self.manager)
        # the day began at 11:00 UTC on the 19th: 13, 19, 1, 7 and the new one
        self.assertEqual(channel.submissions_today, 5)
        self.assertEqual(channel.quarantine_count, 1)
        self.assertEqual(channel.silent_since, "less than an hour")
        self.assertEqual(self.form.silent_since, "never")

    def test_report_counts(self):
        self.ingest(
            *(
                self.item(
                    str(n),
                    submitted_at=f"2026-11-1{n % 3}T23:30:00Z",
                    contact={"email": f"r{n}@example.com"},
                )
                for n in range(7)
            )
        )
        report = self.env["lead.channel"].with_user(self.connector).report_counts
        rows = [
            {"channel": "t-meta", "day": "2026-11-10", "count": 3},
            {"channel": "t-meta", "day": "2026-11-11", "count": 5},
            {"channel": "none", "day": "2026-11-11", "count": 5},
            {"channel": "t-meta", "day": "2026-13-45", "count": 5},
            {"channel": "t-meta", "day": None, "count": 5},
            {"channel": "t-meta", "day": "2026-11-12", "count": "5"},
            {"channel": ["t-meta"], "day": "2026-11-12", "count": 5},
            "text",
        ]
        answers = report(rows)
        self.assertEqual(
            [(a["day"], a["platform"], a["ours"], a["difference"]) for a in answers],
            [("2026-11-10", 3, 3, 0), ("2026-11-11", 5, 2, 3)],
        )
        self.assertEqual(answers, report(rows), "told again, it is the same")
        self.assertEqual(len(self.meta.count_ids), 2)
        self.assertEqual(sum(self.meta.count_ids.mapped("difference")), 3)
        for wrong in ("x", {}, [rows[0]] * 2001):
            with self.assertRaises(ValidationError):
                report(wrong)
        with self.assertRaises(AccessError):
            self.env["lead.channel"].with_user(self.salesman).report_counts([])

    def test_old_payloads_are_removed(self):
        old, _lead = self.ingest_one("old", payload={"raw": 1})
        young, _lead = self.ingest_one("young", payload={"raw": 2})
        stuck, _lead = self.ingest_one("stuck", contact={}, payload={"raw": 3})
        rows = self.env["lead.submission"].browse(
            result["submission_id"] for result in (old, stuck)
        )
        rows.received_at = "2026-01-01 00:00:00"
        self.company.lead_payload_days = 30
        with self.enter_registry_test_mode():
            self.env.ref("lead_pipeline.ir_cron_trim_payloads").method_direct_trigger()
        self.assertFalse(self.submission(old).payload)
        self.assertTrue(self.submission(old).payload_removed)
        self.assertTrue(self.submission(old).content, "the contact stays")
        self.assertIn("2", self.submission(young).payload)
        self.assertIn("3", self.submission(stuck).payload)
        self.company.lead_payload_days = 0
        self.submission(young).received_at = "2020-01-01 00:00:00"
        with self.enter_registry_test_mode():
            self.env.ref("lead_pipeline.ir_cron_trim_payloads").method_direct_trigger()
        self.assertTrue(self.submission(young).payload, "0 days: for ever")

    def test_code(self):
        with self.assertRaises(ValidationError):
            self.meta.code = " blank "
        self.assertEqual(self.meta.copy().code, "t-meta-copy")

    def test_channel_with_leads_is_not_deleted(self):
        self.ingest_one()
        with self.assertRaises(ValidationError):
            self.meta.with_user(self.manager).unlink()
        self.form.with_user(self.manager).unlink()

    def test_archived_channel_still_takes_leads(self):
        self.meta.active = False
        result, _lead = self.ingest_one()
        self.assertEqual(result["status"], "created")

    def test_core_channel_is_made_once_per_company(self):
        channels = self.env["lead.channel"].with_user(self.salesman)
        first = channels._get_core_channel("website", self.company)
        self.assertEqual(channels._get_core_channel("website", self.company), first)
        other = channels._get_core_channel("website", self.other_company)
        self.assertNotEqual(other, first)
        self.assertEqual(other.company_id, self.other_company)
