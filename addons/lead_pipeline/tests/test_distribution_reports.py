# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError

from .common import NOW
from .common_distribution import DistributionCase

#: a Friday, 10:00 UTC; the company works in Berlin
START = datetime.fromisoformat(NOW)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@freeze_time(NOW)
class TestLedger(DistributionCase):
    switched_on = True

    def ledger(self, user=None):
        return self.pool.with_user(user or self.manager).ledger()

    def test_what_everybody_got_of_their_share(self):
        self.member(self.salesman).weight = 3
        self.new_leads(6)
        ledger = self.ledger()
        self.assertEqual(ledger["turns"], 6)
        mine, theirs = ledger["members"]
        self.assertEqual(mine["user_id"], self.salesman.id)
        self.assertAlmostEqual(mine["entitled"], 4.5, 6)
        self.assertAlmostEqual(theirs["entitled"], 1.5, 6)
        self.assertEqual(mine["turns"] + theirs["turns"], 6)
        self.assertEqual((mine["given"], mine["today"]), (mine["turns"],) * 2)
        self.assertAlmostEqual(mine["owed"] + theirs["owed"], 0, 6)
        self.assertAlmostEqual(mine["due_share"], 0.75, 6)
        self.assertEqual((mine["state"], mine["text"]), ("free", "Free"))

    def test_it_is_what_the_last_decision_said(self):
        lead = self.new_leads(3)[-1]
        said = {one["user"]: one["after"] for one in lead.assignment_id.candidates}
        for one in self.ledger()["members"]:
            self.assertAlmostEqual(one["owed"], said[one["user_id"]], 4)

    def test_who_is_not_free_and_until_when(self):
        self.member(self.salesman).paused_until = START + DAY
        self.member(self.colleague).per_day = 1
        self.new_leads(1)
        paused, capped = self.ledger()["members"]
        self.assertEqual(paused["text"], "Paused")
        self.assertEqual(paused["until"], "2026-11-21 10:00:00")
        self.assertEqual(capped["state"], "day_cap")
        self.assertEqual((capped["turns"], capped["given"]), (0, 1), "no turn to take")

    def test_before_the_first_lead(self):
        ledger = self.ledger(self.salesman)
        self.assertEqual(ledger["turns"], 0)
        self.assertEqual([one["share"] for one in ledger["members"]], [None, None])

    def test_not_of_other_companies(self):
        self.pool.company_id = self.other_company
        with self.assertRaises(AccessError):
            self.ledger()


@freeze_time(NOW)
class TestDistributionReports(DistributionCase):
    switched_on = True

    def sums(self, model, groupby, *aggregates):
        model = self.env[model].with_user(self.manager)
        return model._read_group(
            [("pool_id", "=", self.pool.id)], [groupby], list(aggregates)
        )

    def test_share_is_what_the_ledger_says(self):
        self.member(self.salesman).weight = 2
        self.new_leads(7)
        self.member(self.salesman).paused = True
        self.new_leads(2)  # nobody else is free: no turn
        found = self.sums(
            "lead.share.report", "user_id", "share:sum", "got:sum", "otherwise:sum"
        )
        ledger = {one["user_id"]: one for one in self.pool.ledger()["members"]}
        self.assertEqual(len(found), 2)
        for user, share, got, otherwise in found:
            kept = ledger[user.id]
            self.assertAlmostEqual(share, kept["entitled"], 2)
            self.assertEqual(got, kept["turns"])
            self.assertEqual(got + otherwise, kept["given"])
        self.assertEqual({row[0]: row[3] for row in found}[self.colleague], 2)

    def test_share_of_a_turn_that_was_given_back(self):
        leads = self.new_leads(3)
        leads[0].assignment_id._give_turn_back()
        found = self.sums("lead.share.report", "user_id", "share:sum", "got:sum")
        ledger = {one["user_id"]: one for one in self.pool.ledger()["members"]}
        self.assertEqual(sum(row[2] for row in found), 2)
        for user, share, got in found:
            self.assertAlmostEqual(share, ledger[user.id]["entitled"], 3)
            self.assertEqual(got, ledger[user.id]["turns"])

    def test_share_counts_decisions_without_candidates(self):
        self.env["lead.assignment"].create(
            {
                "lead_id": self.new_leads(1, user_id=self.manager.id).id,
                "at": START,
                "event": "taken",
                "reason": "by_hand",
                "pool_id": self.pool.id,
                "user_id": self.colleague.id,
            }
        )
        found = self.sums("lead.share.report", "user_id", "got:sum", "otherwise:sum")
        self.assertEqual(found, [(self.colleague, 0, 1)])

    def test_sla(self):
        leads = self.new_leads(6)
        kept, late, over, running, noted, passed = leads.assignment_id
        due = START + HOUR
        leads.assignment_id.due_at = due
        kept.first_touch_at = due
        late.first_touch_at = due + MINUTE
        over.due_at = START - MINUTE
        noted.missed_at = due
        passed.ended_at = START
        found = self.sums("lead.sla.report", "state", "__count", "kept_rate:avg")
        self.assertEqual(
            {state: (count, rate) for state, count, rate in found},
            {
                "kept": (1, 100.0),
                "missed": (3, 0.0),
                "running": (1, False),
                "ended": (1, False),
            },
        )
        self.assertTrue(running)

    def test_managers_only(self):
        for name in ("lead.share.report", "lead.sla.report"):
            with self.assertRaises(AccessError):
                self.env[name].with_user(self.salesman).search([])
        with self.assertRaises(AccessError):
            self.env["lead.speed.report"].with_user(self.salesman).create({})

    def test_not_of_other_companies(self):
        self.new_leads(2)
        self.env["crm.lead"].search([]).assignment_id.due_at = START
        self.env.flush_all()
        self.pool.company_id = False
        for name in ("lead.share.report", "lead.sla.report"):
            model = self.env[name].with_user(self.manager)
            ours = model.search_count([("pool_id", "=", self.pool.id)])
            self.assertTrue(ours)
            self.manager.sudo().company_ids = self.other_company + self.company
            other = model.with_context(allowed_company_ids=self.other_company.ids)
            if name == "lead.sla.report":
                self.assertFalse(other.search([("pool_id", "=", self.pool.id)]))


@freeze_time(NOW)
class TestSpeedReport(DistributionCase):
    switched_on = True

    def report(self, **vals):
        report = self.env["lead.speed.report"].with_user(self.manager)
        return report.create({"domain": f"[('id', 'in', {self.leads.ids})]", **vals})

    def setUp(self):
        super().setUp()
        self.leads = self.new_leads(4)
        friday = START
        rows = [
            # captured, routed, told, touched
            (friday, 0, 0, 10 * MINUTE),
            (friday, 0, MINUTE, 20 * MINUTE),
            # at 16:00 in Berlin; touched on Monday at 08:30 there
            (friday + 5 * HOUR, 0, 0, 2 * DAY + 16 * HOUR + 30 * MINUTE),
            (friday + HOUR, 0, 0, None),
        ]
        for lead, (captured, routed, told, touched) in zip(
            self.leads, rows, strict=True
        ):
            lead.date_captured = captured
            lead.date_routed = captured + (routed or timedelta())
            lead.date_told = captured + (told or timedelta())
            lead.date_first_response = touched and captured + touched
        calendar = self.env["resource.calendar"].create(
            {"name": "8 to 17", "tz": "Europe/Berlin", "company_id": self.company.id}
        )
        calendar.attendance_ids = [(5, 0)] + [
            (
                0,
                0,
                {"name": "Day", "dayofweek": str(n), "hour_from": 8, "hour_to": 17},
            )
            for n in range(5)
        ]
        self.pool.member_ids.resource_calendar_id = calendar
        self.env.flush_all()

    def test_steps(self):
        result = self.report().result
        self.assertEqual((result["leads"], result["untouched"]), (4, 1))
        steps = {step["step"]: step for step in result["steps"]}
        answer = steps["answer"]
        self.assertEqual(answer["raw"]["count"], 3)
        self.assertEqual(answer["raw"]["p50"], 1200)
        weekend = (2 * DAY + 16 * HOUR + 30 * MINUTE).total_seconds()
        self.assertEqual(answer["raw"]["p95"], weekend)
        # Friday 16:00 to 17:00 and Monday 08:00 to 08:30 in Berlin
        self.assertEqual(answer["business"]["p95"], 90 * 60)
        self.assertEqual(steps["tell"]["raw"]["p95"], 60)
        self.assertEqual(steps["route"]["raw"]["count"], 4)

    def test_by_salesperson(self):
        result = self.report(by="user_id").result
        rows = {row["label"]: row for row in result["rows"]}
        self.assertEqual(set(rows), {self.salesman.name, self.colleague.name})
        self.assertEqual(rows[self.colleague.name]["leads"], 2)
        self.assertEqual(rows[self.colleague.name]["untouched"], 1)
        self.assertEqual(rows[self.colleague.name]["raw"]["p50"], 1200)
        found = self.env["crm.lead"].search(rows[self.colleague.name]["domain"])
        self.assertEqual(found, self.leads[1] + self.leads[3])

    def test_by_hour_of_the_reader(self):
        self.manager.tz = "Asia/Ho_Chi_Minh"  # seven hours ahead
        result = self.report(by="hour").result
        rows = [(row["label"], row["leads"]) for row in result["rows"]]
        self.assertEqual(rows, [("17:00", 2), ("18:00", 1), ("22:00", 1)])

    def test_owners_in_no_pool_have_no_working_time(self):
        self.leads.with_context(lead_distribution_later=True).user_id = self.manager
        result = self.report().result
        self.assertEqual(result["outside"], 4)
        self.assertEqual(result["steps"][0]["business"]["count"], 0)
        self.assertEqual(result["steps"][0]["raw"]["count"], 3)

    def test_the_days_are_the_readers(self):
        self.manager.tz = "Asia/Ho_Chi_Minh"
        self.leads[0].date_captured = "2026-11-19 17:00:00"  # midnight there
        self.leads[1].date_captured = "2026-11-19 16:59:59"
        self.env.flush_all()
        found = self.report(date_from="2026-11-20", date_to="2026-11-20").result
        self.assertEqual(found["leads"], 3)

    def test_nothing_captured(self):
        result = self.report(date_from="2020-01-01", date_to="2020-01-02").result
        self.assertEqual((result["leads"], result["rows"]), (0, []))
