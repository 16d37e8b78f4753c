# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import random
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields

from .common import NOW
from .common_score import LeadScoreCase


class ScoreClock(LeadScoreCase):
    """Lets time pass: ``self.later(days=3)`` from the moment the tests begin."""

    def setUp(self):
        super().setUp()
        freezer = freeze_time(NOW)
        self.clock = freezer.start()
        self.addCleanup(freezer.stop)

    def later(self, **delta):
        self.clock.tick(timedelta(**delta))
        self.env.invalidate_all()

    def row_versions(self, leads):
        self.end_transaction()
        self.env.cr.execute(
            "SELECT lead_id, ctid FROM lead_score WHERE lead_id = ANY(%s)", [leads.ids]
        )
        return dict(self.env.cr.fetchall())

    def cool(self, batch=1000):
        with self.job() as env:
            env["crm.lead"]._cron_cool(batch)


class TestScoreEngagement(ScoreClock):
    def test_a_touch_counts_at_once_and_halves(self):
        lead = self.new_lead(function="CEO")
        self.touch(lead, "call_in")
        self.assertEqual(lead.engagement_score, 30)
        self.assertEqual(lead.lead_grade, "A2")
        self.later(days=10)
        self.assertEqual(lead.engagement_score, 15)
        self.touch(lead, "form_submit")
        self.assertEqual(lead.engagement_score, 35)

    def test_a_late_touch_counts_by_its_time(self):
        lead = self.new_lead()
        self.touch(lead, "call_in")
        self.touch(lead, "call_in", days_ago=10)
        self.assertEqual(lead.engagement_score, 45)

    def test_what_no_person_did_counts_nothing(self):
        lead = self.new_lead()
        touch = self.touch(lead, "call_in", human=False)
        self.touch(lead, "email_open")
        self.assertEqual(lead.engagement_score, 0)
        touch.human = True
        self.assertEqual(lead.engagement_score, 30)
        touch.human = False
        self.assertEqual(lead.engagement_score, 0)

    def test_the_limit_of_an_activity(self):
        lead = self.new_lead()
        for minutes in range(5):
            self.touch(
                lead, "page_view", minutes / 1440, url="https://x.example/Pricing"
            )
            self.touch(lead, "page_view", minutes / 1440, url="https://x.example/blog")
        self.assertEqual(lead.engagement_score, 10)
        self.touch(lead, "page_view", 1, url="https://x.example/pricing")
        self.assertAlmostEqual(lead.engagement_score, 10 + 4 * 0.5**0.1, delta=0.06)

    def test_any_order_equals_counting_all_again(self):
        """Late ones, limited ones, negative ones, those of no activity, several in one
        call: the row is the same as if all were counted from scratch."""
        dice = random.Random(20261122)
        kinds = ["form_submit", "page_view", "call_in", "note", "chat"]
        for _round in range(8):
            lead = self.new_lead(function="CEO")
            for _call in range(dice.randint(1, 12)):
                now = fields.Datetime.now()
                self.env["lead.touchpoint"].create(
                    [
                        {
                            "lead_id": lead.id,
                            "kind": dice.choice(kinds),
                            "at": now - timedelta(seconds=dice.randint(0, 40 * 86400)),
                            "url": dice.choice(
                                ["/pricing", "/PRICING?x=1", "/", False]
                            ),
                            "human": dice.random() < 0.9,
                        }
                        for _touch in range(dice.randint(1, 4))
                    ]
                )
                self.later(hours=dice.randint(0, 30))
            names = ["engagement_amount", "engagement_as_of", "engagement_key"]
            names += ["cools_at", "lead_grade", "engagement_score"]
            [kept] = lead.read(names)
            windows = self.windows(lead)
            self.env["lead.scoring"]._recount(lead)
            [counted] = lead.read(names)
            self.assertAlmostEqual(
                kept.pop("engagement_amount"), counted.pop("engagement_amount"), 6
            )
            self.assertAlmostEqual(
                kept.pop("engagement_key"), counted.pop("engagement_key"), 6
            )
            self.assertEqual(kept, counted)
            again = self.windows(lead)
            self.assertEqual(windows.keys(), again.keys())
            for place, values in windows.items():
                for one, other in zip(values, again[place], strict=True):
                    self.assertAlmostEqual(one, other, 6)
            self.shown(lead)
            self.assertEqual(
                lead.explain_score()["engagement"]["shown"], lead.engagement_score
            )

    def windows(self, lead):
        return {
            (window.activity_key, window.number): (window.gross, window.amount)
            for window in self.env["lead.score.window"].search(
                [("lead_id", "=", lead.id)]
            )
        }

    def test_removing_and_moving_touchpoints(self):
        one, other = self.new_lead(), self.new_lead()
        touch = self.touch(one, "call_in")
        self.touch(one, "form_submit")
        touch.lead_id = other
        self.assertEqual((one.engagement_score, other.engagement_score), (20, 30))
        touch.at -= timedelta(days=10)
        self.assertEqual(other.engagement_score, 15)
        touch.kind = "form_submit"
        self.assertEqual(other.engagement_score, 10)
        touch.unlink()
        self.assertEqual(other.engagement_score, 0)
        self.assertEqual(other.lead_grade, "D4")

    def test_merging_carries_and_counts_again(self):
        _result, one = self.ingest_one(
            "1",
            submitted_at="2026-11-20T10:00:00Z",
            answers=[{"key": "size", "value": "50"}],
        )
        lost = self.new_lead(function="CEO")
        for minutes in range(3):
            self.touch(one, "page_view", minutes / 1440, url="/pricing")
            self.touch(lost, "page_view", minutes / 1440, url="/pricing")
        self.assertEqual((one.engagement_score, lost.engagement_score), (30, 10))
        merged = (one | lost).merge_opportunity()
        self.assertEqual(merged.function, "CEO")
        self.assertEqual(merged.quality_score, 75)
        # one limit for the pages of both
        self.assertEqual(merged.engagement_score, 30)
        self.assertEqual(
            merged.answer_ids.filtered_domain([("key", "=", "size")]).text, "50"
        )
        self.shown(merged)

    def test_answers_of_merged_leads(self):
        answers = self.env["lead.answer"]
        one, other = self.new_lead(), self.new_lead()
        answers._remember(
            [
                (one.id, [{"key": "size", "value": "50"}]),
                (
                    other.id,
                    [{"key": "size", "value": "9"}, {"key": "budget", "value": "10"}],
                ),
            ]
        )
        self.touch(one)
        self.touch(other)
        merged = (one | other).merge_opportunity()
        merged_answers = {one.key: one.text for one in merged.answer_ids}
        self.assertEqual(merged_answers.keys(), {"size", "budget"})
        self.assertEqual(merged_answers["budget"], "10")

    def test_an_awaited_meeting_counts_when_it_happens(self):
        model = self.model._new_version()
        model.activity_ids = [(0, 0, {"name": "Met", "kind": "meeting", "points": 40})]
        model.action_activate()
        lead = self.new_lead()
        meeting = self.touch(lead, "meeting", days_ago=-2)
        self.assertTrue(meeting.awaited)
        self.cool()
        self.assertEqual(lead.engagement_score, 0)
        self.later(days=2, minutes=5)
        self.cool()
        self.assertFalse(meeting.awaited)
        self.assertEqual(lead.engagement_score, 40)
        self.cool()
        self.assertEqual(lead.engagement_score, 40)
        # put off: it is ahead of us again
        meeting.at += timedelta(days=3)
        self.assertTrue(meeting.awaited)
        self.assertEqual(lead.engagement_score, 0)
        self.later(days=4)
        # something else counts all touches again, before the job comes by
        self.touch(lead, "form_submit").unlink()
        shown = lead.engagement_score
        self.assertGreater(shown, 30)
        self.cool()
        self.assertEqual(lead.engagement_score, shown, "not counted twice")

    def test_cooling_moves_those_that_are_due_and_no_others(self):
        leads = self.env["crm.lead"]
        for days_ago in range(12):
            lead = self.new_lead(function="CEO")
            self.touch(lead, "call_in", days_ago)
            leads |= lead
        # 30 points fall below 20 after log2(1.5) * 10 days = 5.85 days
        self.assertEqual(leads.mapped("lead_grade"), ["A2"] * 6 + ["A3"] * 6)
        self.assertEqual(leads.mapped("sales_ready"), [True] * 6 + [False] * 6)
        before = self.row_versions(leads)
        self.later(days=2)
        self.cool(batch=1)
        self.assertEqual(leads.mapped("lead_grade"), ["A2"] * 4 + ["A3"] * 8)
        self.assertEqual(leads.mapped("sales_ready"), [True] * 4 + [False] * 8)
        after = self.row_versions(leads)
        moved = [
            lead_id for lead_id, place in before.items() if after[lead_id] != place
        ]
        self.assertEqual(sorted(moved), leads[4:6].ids)

    def test_it_cools_at_the_predicted_second(self):
        lead = self.new_lead()
        self.touch(lead, "call_in")
        due = lead.cools_at
        self.later(seconds=(due - fields.Datetime.now()).total_seconds() - 1)
        self.cool()
        self.assertEqual(lead.lead_grade, "D2")
        self.assertEqual(lead.explain_score()["grade"], "D2")
        self.later(seconds=1)
        self.cool()
        self.assertEqual(lead.lead_grade, "D3")
        self.assertEqual(lead.explain_score()["grade"], "D3")
        self.assertGreater(lead.cools_at, due)

    def test_a_threshold_of_zero(self):
        model = self.model._new_version()
        model.write({"ready_engagement": 0, "engagement_3": 0})
        model.action_activate()
        lead = self.new_lead(function="CEO")
        self.assertTrue(lead.sales_ready)
        self.touch(lead, "form_submit", 30)
        self.assertFalse(lead.cools_at)
        self.touch(lead, "note")
        self.assertFalse(lead.sales_ready)

    def test_sales_ready_is_an_event_once(self):
        crossed = []
        Lead = type(self.env["crm.lead"])

        def remember(leads):
            crossed.extend(leads.ids)

        with patch.object(Lead, "_on_sales_ready", remember):
            lead = self.new_lead(function="CEO")
            self.assertFalse(crossed)
            self.touch(lead)
            self.assertTrue(lead.sales_ready)
            self.end_transaction()
            self.assertEqual(crossed, [lead.id])
            self.assertEqual(str(lead.sales_ready_date), NOW)
            self.touch(lead, "call_in")
            lead.function = "CEO and chairwoman"
            self.rescore_all()
            self.end_transaction()
            self.assertEqual(crossed, [lead.id])
            # it cools and comes back: another crossing
            self.later(days=30)
            self.cool()
            self.assertFalse(lead.sales_ready)
            self.touch(lead, "call_in")
            self.end_transaction()
            self.assertEqual(crossed, [lead.id] * 2)
            self.assertGreater(str(lead.sales_ready_date), NOW)
            # by its quality
            poor = self.new_lead()
            self.touch(poor, "call_in")
            self.end_transaction()
            self.assertNotIn(poor.id, crossed)
            poor.function = "CEO"
            self.end_transaction()
            self.assertEqual(crossed[-1], poor.id)

    def test_a_criterion_that_reads_touches(self):
        self.new_model(
            sequence=1,
            criterion_ids=[self.new_criterion("has_touchpoints", ("equals", "yes", 5))],
        ).action_activate()
        lead = self.new_lead()
        self.assertEqual(lead.quality_score, 0)
        touch = self.touch(lead, "chat")
        self.assertEqual(lead.quality_score, 100)
        self.assertEqual(touch.lead_id.lead_grade, "A4")


class TestScoreFields(ScoreClock):
    """Search, sort and group."""

    def setUp(self):
        super().setUp()
        self.leads = self.env["crm.lead"]
        for days_ago, kinds in enumerate(
            [("call_in",), (), ("note",), ("form_submit", "note"), ("call_in",) * 3]
        ):
            lead = self.new_lead(function="CEO" if days_ago % 2 else "x")
            for kind in kinds:
                self.touch(lead, kind, days_ago)
            self.leads |= lead
        # one that was there before there were scores
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM lead_score WHERE lead_id = %s", [self.leads[1].id]
        )
        self.env.invalidate_all()
        self.domain = [("id", "in", self.leads.ids)]

    def test_searching_engagement(self):
        for wait in (0, 3.5, 40):
            self.later(days=wait)
            shown = {lead: lead.engagement_score for lead in self.leads}
            for value in (-5, 0, 1.2, 20, *shown.values()):
                for operator, holds in (
                    ("=", lambda one, other: one == other),
                    ("!=", lambda one, other: one != other),
                ):
                    self.assertEqual(
                        self.leads.search(
                            [*self.domain, ("engagement_score", operator, value)]
                        ),
                        self.leads.filtered(
                            lambda lead, holds=holds, value=value: holds(
                                lead.engagement_score, value
                            )
                        ).sorted(),
                        (wait, operator, value),
                    )
            for value in (-5.03, 0, 1.23, 20.07, 33):
                for operator, holds in (
                    ("<", lambda one, other: one < other),
                    ("<=", lambda one, other: one <= other),
                    (">", lambda one, other: one > other),
                    (">=", lambda one, other: one >= other),
                ):
                    self.assertEqual(
                        self.leads.search(
                            [*self.domain, ("engagement_score", operator, value)]
                        ),
                        self.leads.filtered(
                            lambda lead, holds=holds, value=value: holds(
                                lead.engagement_score, value
                            )
                        ).sorted(),
                        (wait, operator, value),
                    )
        self.assertEqual(
            self.leads.search([*self.domain, ("engagement_score", "in", [0, False])]),
            self.leads.filtered(lambda lead: not lead.engagement_score).sorted(),
        )

    def test_without_a_model_all_have_none(self):
        self.model.action_archive_model()
        search = self.leads.search_count
        for operator, value in ((">=", 0), ("<", 5), ("=", 0), ("!=", 3), (">", -1)):
            domain = [*self.domain, ("engagement_score", operator, value)]
            self.assertEqual(search(domain), 5, domain)
        for operator, value in ((">", 0), (">=", 1), ("=", 2), ("<", 0)):
            domain = [*self.domain, ("engagement_score", operator, value)]
            self.assertEqual(search(domain), 0, domain)

    def test_sorting(self):
        for wait in (0, 1, 100):
            self.later(days=wait)
            for name in ("engagement_score", "quality_score"):
                found = self.leads.search(self.domain, order=f"{name} desc, id")
                values = found.mapped(name)
                self.assertEqual(values, sorted(values, reverse=True), (name, wait))
        for name in ("engagement_score", "quality_score", "lead_grade", "cools_at"):
            self.assertTrue(self.leads.fields_get([name])[name]["sortable"], name)

    def test_grouping(self):
        for name in ("lead_grade", "sales_ready", "score_model_id", "quality_score"):
            groups = self.leads._read_group(self.domain, [name], ["__count"])
            self.assertEqual(sum(count for _value, count in groups), 5, name)
        groups = self.leads._read_group(
            self.domain, ["engagement_score"], ["id:recordset"]
        )
        self.assertEqual(sum(len(leads) for _value, leads in groups), 5)
        for value, leads in groups:
            self.assertEqual(set(leads.mapped("engagement_score")), {value})
        [[average]] = self.leads._read_group(self.domain, [], ["engagement_score:avg"])
        scores = self.leads.mapped("engagement_score")
        self.assertAlmostEqual(average, sum(scores) / 5, 6)
        self.later(days=40000)
        self.leads._read_group(self.domain, ["engagement_score"], ["__count"])
