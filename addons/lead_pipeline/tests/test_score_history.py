# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import random

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError

from .test_score_engagement import ScoreClock


class TestScoreHistory(ScoreClock):
    def test_explained_with_reasons(self):
        lead = self.new_lead(function="CEO", country_id=self.env.ref("base.vn").id)
        self.touch(lead, "call_in")
        self.touch(lead, "page_view", 10, url="/pricing")
        explained = self.shown(lead)
        self.assertEqual(explained["model"], "Businesses")
        self.assertEqual((explained["version"], explained["grade"]), (1, "A2"))
        self.assertEqual(
            explained["quality"],
            {
                "shown": 82.5,
                "limit": 0,
                "overridden": False,
                "parts": [
                    {
                        "criterion": "function",
                        "option": "CEO",
                        "points": 30,
                        "most": 30,
                        "shown": 75,
                    },
                    {
                        "criterion": "country_id",
                        "option": "is filled in",
                        "points": 3,
                        "most": 10,
                        "shown": 7.5,
                    },
                ],
            },
        )
        self.assertEqual(
            explained["engagement"],
            {
                "shown": 32,
                "parts": [
                    {"activity": "Call", "shown": 30, "count": 1},
                    {"activity": "Price page", "shown": 2, "count": 1},
                ],
            },
        )

    def test_any_past_moment_as_it_was_stored_then(self):
        """Random events; after each, what is stored is noted. Later the explanation of
        that moment says the same, whatever came since: models, overrides, touches."""
        dice = random.Random(7)
        lead = self.new_lead()
        seen = []
        countries = [self.env.ref(f"base.{code}").id for code in ("de", "vn", "eg")]
        for _event in range(40):
            self.later(hours=dice.randint(1, 60))
            match dice.randint(0, 6):
                case 0:
                    lead.function = dice.choice(["CEO", "Sales", "Intern", False])
                case 1:
                    lead.country_id = dice.choice([*countries, False])
                case 2:
                    lead._override_quality(dice.randint(0, 1000) / 10, "I met them")
                case 3:
                    lead.action_give_back_quality()
                case 4:
                    self.new_version(dice)
                case _:
                    kind = dice.choice(["form_submit", "call_in", "note"])
                    self.touch(lead, kind)
            self.cool()
            seen.append(
                (
                    fields.Datetime.now(),
                    lead.quality_score,
                    lead.engagement_score,
                    lead.lead_grade,
                    lead.quality_overridden,
                )
            )
        for moment, quality, engagement, grade, overridden in seen:
            explained = self.shown(lead, at=fields.Datetime.to_string(moment))
            self.assertEqual(
                (
                    explained["quality"]["shown"],
                    explained["engagement"]["shown"],
                    explained["grade"],
                    bool(explained["quality"]["overridden"]),
                ),
                (quality, engagement, grade, overridden),
                moment,
            )
        before = self.shown(lead, at="2026-11-01 00:00:00")
        self.assertEqual((before["model"], before["grade"]), (False, False))

    def new_version(self, dice):
        model = self.env["lead.score.model"]._in_use()._new_version()
        model.criterion_ids[0].option_ids[0].points += dice.randint(1, 9)
        model.activity_ids[0].points = dice.randint(5, 30)
        if dice.random() < 0.5:
            model.half_life = dice.randint(5, 20)
        model.action_activate()
        self.rescore_all()

    def test_moments_that_are_none(self):
        lead = self.new_lead()
        for moment in ("tomorrow", "2026-13-01 00:00:00", ["x"], {"a": 1}, 12.5):
            with self.assertRaises(UserError):
                lead.explain_score(moment)

    def test_history_has_a_row_for_each_change_and_no_other(self):
        lead = self.new_lead()
        history = self.env["lead.score.history"]

        def qualities():
            rows = history.search([("lead_id", "=", lead.id)], order="id")
            return rows.mapped("quality")

        self.assertEqual(qualities(), [0])
        lead.function = "CEO"
        lead.function = "Founder and CEO"
        self.touch(lead)
        lead.description = "Wants a demo"
        self.assertEqual(qualities(), [0, 75])

    def test_other_options_of_the_same_points_are_told(self):
        model = self.new_model(
            sequence=0,
            criterion_ids=[
                self.new_criterion(
                    "function", ("word", "CEO", 10), ("word", "Owner", 10)
                )
            ],
        )
        model.action_activate()
        lead = self.new_lead(function="CEO")
        self.assertEqual(self.parts(lead), ["CEO"])
        before = fields.Datetime.to_string(fields.Datetime.now())
        self.later(hours=1)
        lead.function = "Owner"
        self.assertEqual(self.parts(lead), ["Owner"])
        self.assertEqual(self.parts(lead, at=before), ["CEO"])
        # a version that changes no number explains from the next event on
        model._new_version().action_activate()
        self.rescore_all()
        self.later(hours=1)
        lead.function = "CEO"
        self.assertEqual(self.parts(lead), ["CEO"])

    def parts(self, lead, **vals):
        quality = self.shown(lead, **vals)["quality"]
        return [part["option"] for part in quality["parts"]]

    def test_the_chart_forgets_nothing_that_is_shown(self):
        form = {"name": "Form", "kind": "form_submit", "points": 1e6}
        model = self.new_model(sequence=0, half_life=1, activity_ids=[(0, 0, form)])
        model.action_activate()
        lead = self.new_lead()
        self.touch(lead, days_ago=21)
        self.assertEqual(lead.engagement_score, 0.5)
        self.assertEqual(lead.score_chart()[-1]["engagement"], 0.5)

    def test_a_lead_that_fits_no_model_any_more(self):
        lead = self.new_lead(function="CEO")
        self.assertEqual(self.shown(lead)["quality"]["shown"], 75)
        before = fields.Datetime.to_string(fields.Datetime.now())
        self.later(hours=1)
        self.model.action_archive_model()
        self.rescore_all()
        explained = self.shown(lead)
        self.assertEqual((explained["model"], explained["grade"]), (False, False))
        self.assertEqual(explained["quality"]["shown"], 0)
        self.assertEqual(self.shown(lead, at=before)["quality"]["shown"], 75)
        self.assertIsNone(lead.score_chart()[-1]["quality"])
        lead._override_quality(40, "I know them")
        explained = self.shown(lead)
        self.assertEqual(explained["quality"]["shown"], 40)
        self.assertEqual(explained["quality"]["overridden"]["reason"], "I know them")

    def test_a_person_overrides_and_gives_back(self):
        lead = self.new_lead(function="CEO", user_id=self.salesman.id)
        self.touch(lead)
        self.assertTrue(lead.sales_ready)
        own = lead.with_user(self.salesman)
        own._override_quality(10.04, "  They sell what we sell ")
        self.assertEqual(
            (lead.quality_score, lead.quality_model_score, lead.lead_grade),
            (10, 75, "D2"),
        )
        self.assertFalse(lead.sales_ready)
        said = self.shown(own)["quality"]["overridden"]
        self.assertEqual(said["user"], self.salesman.name)
        self.assertEqual(said["reason"], "They sell what we sell")
        self.assertEqual(said["model_quality"], 75)
        when = said["at"]
        # the model goes on, and does not take it back; who said so stays known
        self.later(days=1)
        lead.country_id = self.env.ref("base.de")
        self.assertEqual((lead.quality_score, lead.quality_model_score), (10, 100))
        said = self.shown(own)["quality"]["overridden"]
        self.assertEqual((said["reason"], said["at"]), ("They sell what we sell", when))
        self.assertEqual(said["model_quality"], 100)
        own.action_give_back_quality()
        self.assertEqual((lead.quality_score, lead.lead_grade), (100, "A3"))
        self.assertFalse(self.shown(own)["quality"]["overridden"])

    def test_an_override_needs_a_value_a_reason_and_the_right(self):
        lead = self.new_lead(user_id=self.salesman.id)
        own = lead.with_user(self.salesman)
        for value, reason in ((101, "x"), (-1, "x"), (50, " "), (50, False)):
            with self.assertRaises(ValidationError):
                own._override_quality(value, reason)
        with self.assertRaises(ValidationError):
            own._override_quality(float("nan"), "x")
        with self.assertRaises(AccessError):
            lead.with_user(self.colleague)._override_quality(50, "x")

    def test_a_lead_may_have_very_many_touchpoints(self):
        lead = self.new_lead()
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO lead_touchpoint (lead_id, kind, at, direction, human, url)
            SELECT %s, 'page_view', %s - n * interval '1 minute', 'in', true, '/pricing'
              FROM generate_series(1, 20000) AS n
            """,
            [lead.id, fields.Datetime.now()],
        )
        self.env.invalidate_all()
        self.env["lead.scoring"]._recount(lead)
        with self.assertQueryCount(30):
            explained = self.shown(lead)
        self.assertEqual(explained["engagement"]["shown"], lead.engagement_score)
        self.assertEqual(explained["engagement"]["parts"][0]["count"], 20000)

    def test_deleting_a_lead_takes_its_history_along(self):
        lead = self.new_lead(function="CEO")
        for minute in range(3):
            self.touch(lead, "page_view", minute / 1440, url="/pricing")
        lead_id = lead.id
        lead.unlink()
        for name in ("lead.score.history", "lead.score.window", "lead.answer"):
            self.assertFalse(self.env[name].search([("lead_id", "=", lead_id)]), name)


class TestScoreRoles(ScoreClock):
    def test_connector_user_ingests_and_reads_nothing(self):
        result, lead = self.ingest_one(
            contact={"email": "yuki@example.com", "job_title": "CEO"},
            answers=[{"key": "size", "value": "50"}],
        )
        self.assertEqual(result["status"], "created")
        self.assertEqual(lead.lead_grade, "A3")
        self.assertEqual(lead.engagement_score, 19.9)
        again, _lead = self.ingest_one("2", contact={"email": "yuki@example.com"})
        self.assertEqual(again["status"], "matched")
        self.assertEqual(lead.engagement_score, 39.9)
        for name in (
            "lead.score.model",
            "lead.score.criterion",
            "lead.score.option",
            "lead.score.activity",
            "lead.score.history",
            "lead.score.window",
            "lead.answer",
        ):
            with self.assertRaises(AccessError, msg=name):
                self.env[name].with_user(self.connector).search([])
        with self.assertRaises(AccessError):
            lead.with_user(self.connector).explain_score()
        with self.assertRaises(AccessError):
            self.model.with_user(self.connector).action_activate()

    def test_salespeople_read(self):
        model = self.model.with_user(self.salesman)
        self.assertEqual(model.criterion_ids[0].option_ids[0].points, 30)
        own = self.new_lead(function="CEO", user_id=self.salesman.id)
        other = self.new_lead(function="CEO", user_id=self.colleague.id)
        self.assertEqual(own.with_user(self.salesman).explain_score()["grade"], "A4")
        with self.assertRaises(AccessError):
            other.with_user(self.salesman).explain_score()
        history = self.env["lead.score.history"].with_user(self.salesman)
        rows = history.search([("lead_id", "in", (own + other).ids)])
        self.assertEqual(rows.lead_id, own)
        draft = self.model._new_version().with_user(self.salesman)
        for call in (
            lambda: draft.write({"half_life": 3}),
            draft.unlink,
            draft.action_activate,
            model.action_archive_model,
            lambda: draft.criterion_ids[0].write({"weight": 2}),
            lambda: draft.activity_ids[0].unlink(),
        ):
            with self.assertRaises(AccessError):
                call()

    def test_their_own_writes_score(self):
        lead = self.new_lead(user_id=self.salesman.id)
        lead.with_user(self.salesman).function = "CEO"
        self.assertEqual(lead.quality_score, 75)
        history = self.env["lead.score.history"].search([("lead_id", "=", lead.id)])
        self.assertEqual(history[0].quality, 75)

    def test_a_manager_edits_drafts_and_activates(self):
        model = self.model.with_user(self.manager)
        action = model.action_new_version()
        draft = model.browse(action["res_id"])
        self.assertEqual(model.action_new_version()["res_id"], draft.id)
        draft.criterion_ids[0].option_ids[1].points = 15
        draft.activity_ids[0].unlink()
        draft.action_activate()
        self.assertEqual((self.model.state, draft.state), ("archived", "active"))
        self.assertEqual(self.new_lead(function="Sales").quality_score, 37.5)
        draft.action_archive_model()
        with self.assertRaises(UserError):
            draft.action_archive_model()

    def test_a_model_in_use_is_never_edited(self):
        manager = self.model.with_user(self.manager)
        draft = manager.browse(manager.action_new_version()["res_id"])
        option = manager.criterion_ids[0].option_ids[0]
        activity = manager.activity_ids[0]
        for call in (
            lambda: manager.write({"half_life": 3}),
            lambda: manager.write({"criterion_ids": [(5, 0, 0)]}),
            lambda: manager.criterion_ids[0].write({"weight": 2}),
            lambda: manager.criterion_ids[0].unlink(),
            lambda: option.write({"points": 2}),
            option.unlink,
            lambda: option.copy(),
            lambda: activity.write({"points": 2}),
            activity.unlink,
            lambda: activity.copy(),
            manager.unlink,
            lambda: draft.criterion_ids[0].write({"model_id": manager.id}),
            lambda: draft.activity_ids[0].write({"model_id": manager.id}),
            lambda: draft.criterion_ids[0]
            .option_ids[0]
            .write({"criterion_id": manager.criterion_ids[0].id}),
        ):
            with self.assertRaises(UserError):
                call()
        # nor by the back door
        for vals in (
            {"state": "draft"},
            {"version": 7},
            {"origin_id": draft.id},
            {"activated_at": False},
        ):
            with self.assertRaises(AccessError):
                manager.write(vals)
        with self.assertRaises(AccessError):
            manager.create({"name": "x", "state": "active"})
        # what no score depends on
        manager.write({"name": "Companies", "sequence": 3, "note": "Since November"})
        draft.unlink()


class TestScoreQueries(ScoreClock):
    """The number of statements does not depend on the number of leads."""

    def leads(self, count, **vals):
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": f"Lead {number}",
                    "company_id": self.company.id,
                    "user_id": False,
                    "function": ("CEO", "Sales", "Intern", False)[number % 4],
                    **vals,
                }
                for number in range(count)
            ]
        )
        self.env.flush_all()
        self.env.invalidate_all()
        return leads

    def statements(self, method, *args, **kwargs):
        self.env.flush_all()
        before = self.cr.sql_log_count
        method(*args, **kwargs)
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def test_rescore(self):
        scoring = self.env["lead.scoring"]
        few, many = self.leads(10), self.leads(200)
        scoring._rescore(few, replay=True)  # warms up caches
        counts = []
        for leads in (few, many):
            self.env.cr.execute(
                "UPDATE lead_score SET quality_model_score = 1 WHERE lead_id = ANY(%s)",
                [leads.ids],
            )
            counts.append(self.statements(scoring._rescore, leads, replay=True))
            self.assertIn(0.0, leads.mapped("quality_score"))
        self.assertEqual(counts[0], counts[1])
        self.assertLess(counts[0], 15)

    def test_touch(self):
        counts = []
        for leads in (self.leads(2), self.leads(10), self.leads(200)):
            touchpoints = self.env["lead.touchpoint"].with_context(
                lead_scoring_later=True
            )
            created = touchpoints.create(
                [
                    {"lead_id": lead.id, "kind": kind, "url": "/pricing"}
                    for lead in leads
                    for kind in ("page_view", "form_submit", "page_view")
                ]
            )
            self.env.flush_all()
            counts.append(self.statements(self.env["lead.scoring"]._touch, created))
            self.assertEqual(set(leads.mapped("engagement_score")), {28})
        _warm_up, few, many = counts
        self.assertEqual(few, many)
        self.assertLess(few, 10)

    def test_ingest(self):
        def items(start, count):
            return [
                self.item(
                    f"q{number}",
                    contact={
                        "name": f"Ahmed {number}",
                        "email": f"ahmed.{number}@example.com",
                        "job_title": "CEO",
                    },
                    answers=[{"key": "size", "value": str(number)}],
                )
                for number in range(start, start + count)
            ]

        self.ingest(*items(0, 5))
        few = self.statements(self.ingest, *items(100, 10))
        many = self.statements(self.ingest, *items(200, 100))
        # what core does for a lead, it does without scores as well
        self.model.action_archive_model()
        self.ingest(*items(300, 5))
        few -= self.statements(self.ingest, *items(400, 10))
        many -= self.statements(self.ingest, *items(500, 100))
        self.assertEqual(few, many)
        self.assertLess(few, 20)
