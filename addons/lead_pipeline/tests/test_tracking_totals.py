# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import importlib.util
import random
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.tools.misc import file_path

from ..models.score.crm_lead_tracking import TOTALS
from .common import NOW, LeadPipelineCase

MORNING = datetime(2026, 11, 18, 8, 0)


@freeze_time(NOW)
class TestTrackingTotals(LeadPipelineCase):
    def setUp(self):
        super().setUp()
        self.lead = self.new_lead()

    def new_lead(self, **vals):
        return self.env["crm.lead"].create({"name": "Thi Nguyen", **vals})

    def view(self, minutes, lead=None, **vals):
        """Values of a page view so many minutes after eight."""
        return {
            "lead_id": (lead or self.lead).id,
            "kind": "page_view",
            "at": MORNING + timedelta(minutes=minutes),
            "url": "https://shop.example.com/price",
            **vals,
        }

    def see(self, *views):
        return self.env["lead.touchpoint"].create(list(views))

    def totals(self, lead=None):
        lead = lead or self.lead
        return tuple(lead[name] for name in TOTALS)

    def counted(self, lead):
        """The totals, counted by hand."""
        views = self.env["lead.touchpoint"].search(
            [
                ("lead_id", "=", lead.id),
                ("kind", "=", "page_view"),
                ("human", "=", True),
            ],
            order="at, id",
        )
        times = [view.at for view in views]
        visits = sum(
            not i or times[i] - times[i - 1] > timedelta(minutes=30)
            for i in range(len(times))
        )
        return (
            visits,
            len(views),
            sum(views.mapped("duration")),
            times[-1] if times else False,
        )

    def test_a_visit_ends_after_half_an_hour(self):
        self.see(self.view(0), self.view(30), self.view(60.5), self.view(60.5))
        self.assertEqual(
            self.totals(), (2, 4, 0, MORNING + timedelta(minutes=60, seconds=30))
        )

    def test_a_late_view_joins_two_visits(self):
        self.see(self.view(0, duration=40))
        self.see(self.view(50, duration=20))
        self.assertEqual(self.totals()[:3], (2, 2, 60))
        self.see(self.view(25))
        self.assertEqual(self.totals()[:3], (1, 3, 60))

    def test_what_is_no_page_view_of_a_person(self):
        self.see(
            self.view(0, human=False),
            self.view(1, kind="email_click"),
            self.view(2, kind="call_in", duration=90),
        )
        self.assertEqual(self.totals(), (0, 0, 0, False))

    def test_taken_back_moved_and_corrected(self):
        first, between, last = self.see(
            self.view(0, duration=5), self.view(25), self.view(50, duration=7)
        )
        between.unlink()
        self.assertEqual(self.totals()[:3], (2, 2, 12))
        last.at = MORNING + timedelta(minutes=10)
        self.assertEqual(self.totals(), (1, 2, 12, MORNING + timedelta(minutes=10)))
        first.duration = 100
        self.assertEqual(self.totals()[2], 107)
        last.human = False
        self.assertEqual(self.totals(), (1, 1, 100, MORNING))

    def test_merged_leads_share_visits(self):
        other = self.new_lead()
        self.see(self.view(0, duration=30), self.view(20, other, duration=9))
        (self.lead + other).merge_opportunity(auto_unlink=True)
        [lead] = (self.lead + other).exists()
        self.assertEqual(self.totals(lead), (1, 2, 39, MORNING + timedelta(minutes=20)))

    def test_any_order_and_any_batches_make_what_counting_makes(self):
        """Adds, takes back and changes at random; exact after each step."""
        chance = random.Random(11)
        leads = self.lead + self.new_lead()
        for _step in range(60):
            views = self.env["lead.touchpoint"].search([("lead_id", "in", leads.ids)])
            action = chance.choice(["add", "add", "late", "drop", "move", "change"])
            if action in ("add", "late") or not views:
                self.see(
                    *(
                        self.view(
                            chance.randrange(0, 400, 5),
                            chance.choice(leads),
                            duration=chance.randrange(100),
                            human=chance.random() < 0.9,
                        )
                        for _one in range(chance.choice([1, 1, 3, 8]))
                    )
                )
            else:
                some = self.env["lead.touchpoint"].browse(
                    chance.sample(views.ids, min(len(views), chance.choice([1, 2, 4])))
                )
                if action == "drop":
                    some.unlink()
                elif action == "move":
                    some.lead_id = chance.choice(leads)
                else:
                    some.write(
                        {
                            "at": MORNING + timedelta(minutes=chance.randrange(400)),
                            "duration": chance.randrange(100),
                            "human": chance.random() < 0.8,
                        }
                    )
            for lead in leads:
                self.assertEqual(self.totals(lead), self.counted(lead), action)
        self.assertGreater(max(self.totals(lead)[1] for lead in leads), 10)

    def test_many_views_cost_as_many_statements_as_few(self):
        leads = self.env["crm.lead"].create([{"name": str(n)} for n in range(60)])
        leads.flush_recordset()

        def statements(of_leads):
            views = [self.view(n, lead) for lead in of_leads for n in range(5)]
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.see(*views)
            return self.env.cr.sql_log_count - before

        statements(leads[:2])
        self.assertLessEqual(statements(leads[10:]), statements(leads[2:10]) + 2)

    def test_in_order(self):
        never, once = self.lead, self.new_lead()
        often = self.new_lead()
        self.see(self.view(0, once), self.view(0, often), self.view(90, often))
        for name in TOTALS[:2] + TOTALS[3:]:
            found = self.env["crm.lead"].search(
                [("id", "in", (never + once + often).ids)], order=f"{name} desc"
            )
            self.assertEqual(found, often + once + never)
            backwards = found.search([("id", "in", found.ids)], order=f"{name} asc")
            self.assertEqual(backwards, never + once + often)

    def test_the_migration_counts_what_was_there(self):
        other = self.new_lead()
        self.see(
            self.view(0, duration=4), self.view(10), self.view(90), self.view(3, other)
        )
        expected = self.totals(), self.totals(other)
        self.env.cr.execute(
            "UPDATE crm_lead SET visit_count = NULL, page_count = 7,"
            " site_seconds = NULL, last_seen_at = NULL WHERE id = ANY(%s)",
            [[self.lead.id, other.id]],
        )
        path = file_path("lead_pipeline/migrations/19.0.2.0.0/post-tracking.py")
        spec = importlib.util.spec_from_file_location("post_tracking", path)
        migration = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(migration)
        migration.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        self.assertEqual((self.totals(), self.totals(other)), expected)

    def test_a_criterion_that_reads_a_total_scores_at_once(self):
        model = self.env["lead.score.model"].create(
            {
                "name": "By visits",
                "sequence": 0,
                "domain": "[('name', '=', 'Thi Nguyen')]",
                "half_life": 14,
                "criterion_ids": [
                    (
                        0,
                        0,
                        {
                            "name": "Visits",
                            "field_id": self.env["ir.model.fields"]
                            ._get("crm.lead", "visit_count")
                            .id,
                            "option_ids": [
                                (
                                    0,
                                    0,
                                    {
                                        "operator": "between",
                                        "value": "2..",
                                        "points": 9,
                                    },
                                ),
                            ],
                        },
                    )
                ],
            }
        )
        model.action_activate()
        lead = self.new_lead()
        self.see(self.view(0, lead))
        self.assertEqual(lead.quality_score, 0)
        second = self.see(self.view(60, lead))
        self.assertEqual(lead.quality_score, 100)
        second.at = MORNING
        self.assertEqual(lead.quality_score, 0)
