# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import ast
from datetime import timedelta

from freezegun import freeze_time
from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from .common import LeadPipelineCase, without_selfie


@tagged("post_install", "-at_install")
class TestScoreScreens(LeadPipelineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.models = cls.env["lead.score.model"]
        cls.models.search([("state", "=", "active")]).state = "archived"
        cls.model = cls.models.create(
            {
                "name": "Bakers",
                "criterion_ids": [
                    Command.create(
                        {
                            "name": "Job title",
                            "field_name": "function",
                            "option_ids": [
                                Command.create(
                                    {"operator": "word", "value": "CEO", "points": 20}
                                ),
                                Command.create({"operator": "filled", "points": 5}),
                            ],
                        }
                    )
                ],
                "activity_ids": [
                    Command.create(
                        {"name": "Form", "kind": "form_submit", "points": 30}
                    ),
                    Command.create(
                        {
                            "name": "Page",
                            "kind": "page_view",
                            "points": 4,
                            "capped": True,
                            "cap": 10,
                            "window_days": 1,
                        }
                    ),
                ],
            }
        )
        cls.model.action_activate()
        cls.lead = cls._lead("Ovens", function="CEO")

    @classmethod
    def _lead(cls, name, **vals):
        return cls.env["crm.lead"].create(
            {
                "name": name,
                "company_id": cls.company.id,
                "user_id": cls.salesman.id,
                **vals,
            }
        )

    def _touch(self, kind, days=0.0, lead=None, **vals):
        return self.env["lead.touchpoint"].create(
            {
                "lead_id": (lead or self.lead).id,
                "kind": kind,
                "at": fields.Datetime.now() - timedelta(days=days),
                **vals,
            }
        )

    def _as(self, user, record):
        return record.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    # ------------------------------------------------------------
    # THE MODEL'S FORM
    # ------------------------------------------------------------

    def test_manager_writes_a_model(self):
        """A sales manager, who may not see the lists of fields, makes a whole model."""
        self.assertFalse(self.manager.has_group("base.group_erp_manager"))
        form = Form(self._as(self.manager, self.models))
        form.name = "Hotels"
        with form.criterion_ids.new() as criterion:
            criterion.name = "Town"
            criterion.field_name = "city"
            with criterion.option_ids.new() as option:
                option.operator = "contains"
                option.value = "Wien"
                option.points = 8
        with form.activity_ids.new() as activity:
            activity.name = "Form"
            activity.kind = "form_submit"
        model = form.save()
        self.assertEqual(model.sudo().criterion_ids.field_id.name, "city")
        self.assertEqual(model.criterion_ids.most_points, 8)
        model.action_activate()
        with self.assertRaises(AccessError):
            self._as(self.salesman, model).write({"name": "Mine"})

    def test_field_labels_are_told_apart(self):
        labels = [
            label
            for _name, label in self.env["lead.score.criterion"]._selection_field_name()
        ]
        self.assertEqual(len(labels), len(set(labels)))

    def test_leads_scored(self):
        self._lead("Bread")
        draft = self.models.browse(self.model.action_new_version()["res_id"])
        ours = [("score_model_id", "=", self.model.origin_id.id)]
        self.assertEqual(self.model.lead_count, self.env["crm.lead"].search_count(ours))
        self.assertGreaterEqual(self.model.lead_count, 2)
        self.assertEqual(draft.lead_count, 0)
        action = self.model.action_view_leads()
        self.assertEqual(action["domain"], ours)

    def test_ready_made_models(self):
        """Both can be activated as they are, and tell leads apart."""
        for name, vals, best in (
            ("b2b", {"partner_name": "Panadería Sol", "function": "CEO"}, "Job title"),
            ("b2c", {"phone": "+34 655 11 22 33"}, "Phone"),
        ):
            model = self.env.ref(f"lead_pipeline.lead_score_model_{name}")
            if model.state != "draft":
                model = self.models.browse(model.action_new_version()["res_id"])
            model.sequence = 1
            model.action_activate()
            lead = self._lead("Ready made", **vals)
            score = lead.explain_score()
            self.assertEqual(score["model"], model.name)
            parts = {
                part["criterion"]: part["shown"] for part in score["quality"]["parts"]
            }
            self.assertEqual(max(parts, key=parts.get), best)
            before = lead.engagement_score
            self._touch("page_view", lead=lead, url="https://www.example.com/prices")
            self.assertEqual(lead.engagement_score, before + 8)

    def test_explained_as_soon_as_it_is_there(self):
        """Its score is found when somebody asks, and the clock goes on meanwhile."""
        with freeze_time(fields.Datetime.now(), auto_tick_seconds=1):
            lead = self._lead("Just now", function="CEO")
            score = lead.explain_score()
            self.assertEqual(score["model"], "Bakers")
            self.assertEqual(score["quality"]["shown"], 100)
            other = self._lead("Just now, too", function="CEO")
            self.assertEqual(other.score_chart()[-1]["quality"], 100)

    # ------------------------------------------------------------
    # THE SCORE CARD
    # ------------------------------------------------------------

    def test_chart_says_what_explain_says(self):
        lead, now = self.lead, fields.Datetime.now()
        start = now - timedelta(days=200)
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s WHERE id = %s", [start, lead.id]
        )
        lead.invalidate_recordset()
        self.model.activated_at = now - timedelta(days=70)
        history = self.env["lead.score.history"].search([("lead_id", "=", lead.id)])
        history.at = now - timedelta(days=70)
        for days in (100, 69, 40, 40, 40, 40, 12, 0):
            self._touch("page_view", days=days)
        self._touch("form_submit", days=33)
        self._touch("form_submit", days=20, human=False)
        lead._override_quality(60, "Met the owner")
        chart = self._as(self.salesman, lead).score_chart()
        self.assertLessEqual(len(chart), 30)
        self.assertGreaterEqual(chart[-1]["at"], fields.Datetime.to_string(now))
        self.assertEqual(chart[-1]["quality"], 60)
        before = [point for point in chart if point["quality"] is None]
        self.assertTrue(before)
        for point in chart:
            score = lead.explain_score(point["at"])
            if not score["model"]:
                self.assertIn(point, before)
                continue
            self.assertEqual(point["quality"], score["quality"]["shown"])
            self.assertEqual(point["engagement"], score["engagement"]["shown"])

    def test_chart_of_a_lead_without_model(self):
        self.model.action_archive_model()
        lead = self._lead("No model")
        self.assertEqual({point["quality"] for point in lead.score_chart()}, {None})

    def test_chart_is_for_who_may_read_the_lead(self):
        with self.assertRaises(AccessError):
            self._as(self.colleague, self.lead).score_chart()

    # ------------------------------------------------------------
    # THE TIMELINE
    # ------------------------------------------------------------

    def test_points_of_contacts(self):
        """They say what each gives now, and sum to the engagement."""
        form = self._touch("form_submit", days=14)
        pages = self.env["lead.touchpoint"].union(
            *(self._touch("page_view") for _number in range(4))
        )
        proxy = self._touch("page_view", human=False)
        other = self._touch("note")
        ahead = self._touch("form_submit", days=-1)
        shown = self._as(self.salesman, form + pages + proxy + other + ahead)
        self.assertEqual(
            shown.mapped("score_points"), [15.0, 2.5, 2.5, 2.5, 2.5, 0, 0, 0]
        )
        self.assertAlmostEqual(sum(shown.mapped("score_points")), 25.0)
        self.assertEqual(self.lead.engagement_score, 25.0)

    def test_points_are_rounded_as_the_score_card_does(self):
        for days in (3, 3.3, 5, 8, 9, 11, 13):
            self._touch("form_submit", days=days)
            self._touch("page_view", days=days)
        touches = self.lead.touchpoint_ids
        self.assertAlmostEqual(
            sum(touches.mapped("score_points")), self.lead.engagement_score
        )
        shown = {
            part["activity"]: part["shown"]
            for part in self.lead.explain_score()["engagement"]["parts"]
        }
        for name, kind in (("Form", "form_submit"), ("Page", "page_view")):
            points = touches.filtered(lambda touch, kind=kind: touch.kind == kind)
            self.assertAlmostEqual(sum(points.mapped("score_points")), shown[name])

    def test_points_cost_the_same_for_many(self):
        def queries(touches):
            self.env.flush_all()
            self.env.invalidate_all()
            self.env["lead.score.model"]._in_use().activity_ids.mapped("key")
            touches.mapped("kind")
            before = self.env.cr.sql_log_count
            touches.mapped("score_points")
            return self.env.cr.sql_log_count - before

        few = self._touch("page_view")
        many = few.union(*(self._touch("page_view", days=day) for day in range(30)))
        self.assertEqual(queries(few), queries(many))

    # ------------------------------------------------------------
    # BY HAND
    # ------------------------------------------------------------

    def test_override_and_give_back(self):
        lead = self._as(self.salesman, self.lead)
        self._touch("form_submit")
        form = Form(
            self._as(self.salesman, self.env["lead.quality.override"]).with_context(
                default_lead_id=lead.id
            )
        )
        self.assertEqual((form.model_quality, form.value, form.grade), (100, 100, "A2"))
        form.value = 30
        self.assertEqual(form.grade, "C2")
        form.reason = "No budget before summer"
        form.save().action_apply()
        self.assertEqual((lead.quality_score, lead.lead_grade), (30, "C2"))
        said = lead.explain_score()["quality"]["overridden"]
        self.assertEqual(said["user"], self.salesman.name)
        self.assertEqual(said["reason"], "No budget before summer")
        lead.action_give_back_quality()
        self.assertEqual((lead.quality_score, lead.lead_grade), (100, "A2"))

    def test_override_needs_a_reason_and_the_lead(self):
        wizards = self.env["lead.quality.override"]
        vals = {"lead_id": self.lead.id, "value": 5, "reason": " "}
        with self.assertRaises(ValidationError):
            self._as(self.salesman, wizards).create(vals).action_apply()
        with self.assertRaises(AccessError):
            self._as(self.colleague, wizards).create(
                {**vals, "reason": "Not mine"}
            ).action_apply()

    # ------------------------------------------------------------
    # LISTS
    # ------------------------------------------------------------

    def test_lists_begin_with_what_to_work_first(self):
        quiet = self._lead("Quiet, fits", function="CEO", priority="3")
        ready = self._lead("Ready", function="CEO")
        busy = self._lead("Busier", function="CEO")
        worse = self._lead("Busy, hardly fits")
        for lead, times in ((ready, 1), (busy, 2), (worse, 3)):
            for _time in range(times):
                self._touch("form_submit", lead=lead)
        mine = quiet + ready + busy + worse
        for view in ("crm_case_tree_view_leads", "crm_case_tree_view_oppor"):
            arch = etree.fromstring(
                self.env["crm.lead"].get_view(self.env.ref(f"crm.{view}").id)["arch"]
            )
            found = self.env["crm.lead"].search(
                [("id", "in", mine.ids)], order=arch.get("default_order")
            )
            self.assertEqual(found, busy + ready + quiet + worse)
        self.assertEqual(
            self.env["crm.lead"].search(
                [("id", "in", mine.ids)], order="engagement_score desc, id"
            )[:2],
            worse + busy,
        )

    def test_filters(self):
        """Each filter of ours finds what its name says."""
        ready = self._lead("Ready", function="CEO")
        self._touch("form_submit", lead=ready)
        soon = self._lead("Soon cooler", function="baker")
        # 30 points 8 days ago are 20.2 now, and 20 in a few hours
        self._touch("form_submit", days=8, lead=soon)
        hand = self._lead("By hand")
        hand._override_quality(55, "I know them")
        mine = ready + soon + hand
        expected = {
            "sales_ready": ready,
            "grade_a": ready,
            "grade_b": hand,
            "cooling": soon,
            "quality_overridden": hand,
        }
        for view in (
            "view_crm_case_leads_filter",
            "view_crm_case_opportunities_filter",
        ):
            arch = etree.fromstring(
                self.env["crm.lead"].get_view(self.env.ref(f"crm.{view}").id)["arch"]
            )
            for name, leads in expected.items():
                [node] = arch.xpath(f"//filter[@name='{name}']")
                domain = ast.literal_eval(node.get("domain"))
                found = self.env["crm.lead"].search([("id", "in", mine.ids), *domain])
                self.assertEqual(found, leads, f"{view}: {name}")


@tagged("post_install", "-at_install")
class TestScoreTour(HttpCase):
    """From nothing to a grade, by clicks, as a sales manager."""

    def test_first_model(self):
        without_selfie(self.env)
        self.env["lead.score.model"].search(
            [("state", "=", "active")]
        ).state = "archived"
        manager = new_test_user(
            self.env, "t_score_manager", groups="sales_team.group_sale_manager"
        )
        lead = self.env["crm.lead"].create(
            {"name": "Oven of the bakery", "type": "opportunity", "user_id": manager.id}
        )
        self.start_tour("/odoo/crm", "lead_pipeline_score", login="t_score_manager")
        model = self.env["lead.score.model"].search([("name", "=", "Bakers of ours")])
        self.assertEqual(model.state, "active")
        self.assertEqual((lead.quality_score, lead.quality_overridden), (100, False))
        history = self.env["lead.score.history"].search([("lead_id", "=", lead.id)])
        self.assertIn("Met the owner", history.mapped("reason"))
