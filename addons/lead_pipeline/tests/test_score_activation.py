# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError

from ..models.score import lead_scoring
from ..models.score.lead_scoring_rows import SCORE_COLUMNS
from ..wizard import lead_score_activate
from .test_score_engagement import ScoreClock


class Killed(Exception):
    pass


class TestScoreActivation(ScoreClock):
    def test_a_new_version_scores_those_that_are_there(self):
        leads = self.env["crm.lead"]
        for function in ("CEO", "Sales", "Intern", "x") * 5:
            leads |= self.new_lead(function=function)
        self.touch(leads[0], "call_in")
        before = self.row_versions(leads)
        draft = self.model._new_version()
        draft.criterion_ids[0].option_ids[1].points = 10
        draft.action_activate()
        self.assertEqual(draft.rescored_percent, 0)
        self.assertEqual(leads[1].quality_score, 50, "not yet")
        self.rescore_all(batch=3)
        self.assertEqual(draft.rescored_percent, 100)
        self.assertEqual(leads[1].quality_score, 25)
        after = self.row_versions(leads)
        changed = {lead_id for lead_id in before if before[lead_id] != after[lead_id]}
        self.assertEqual(changed, set(leads[1::4].ids), "only those that changed")
        self.assertEqual(leads[0].score_model_id, self.model, "the line of versions")
        self.assertEqual(leads[1].explain_score()["version"], 2)
        self.assertEqual(leads[0].engagement_score, 30)

    def test_a_version_is_called_the_same_in_every_language(self):
        self.env["res.lang"]._activate_lang("de_DE")
        self.model.with_context(lang="de_DE").name = "Firmen"
        draft = self.model._new_version()
        self.assertEqual(draft.name, "Businesses")
        self.assertEqual(draft.with_context(lang="de_DE").name, "Firmen")

    def test_only_leads_that_change_are_written(self):
        """The database finds them; the result is that of scoring each of them."""
        self.rescore_all(batch=100)  # of the model in use
        titles = ("CEO", "Head of Sales", "Intern", "Baker", False)
        leads = self.env["crm.lead"].create(
            [{"name": f"Lead {n}", "function": titles[n % 5]} for n in range(25)]
        )
        other = self.env["crm.lead"].create({"name": "Other", "function": "CEO"})
        other._override_quality(12.5, "A friend")
        draft = self.model._new_version()
        option = draft.criterion_ids.option_ids.filtered(lambda one: one.points)[0]
        option.points /= 2
        draft.action_activate()
        self.assertFalse(draft.recounts or draft.regrades)
        everyone = leads | other
        before = {lead.id: lead.quality_model_score for lead in everyone}
        rows = self.row_versions(everyone)
        of_these = [("lead_id", "in", everyone.ids)]
        history = self.env["lead.score.history"].search_count(of_these)
        self.rescore_all(batch=100)
        changed = everyone.filtered(
            lambda one: one.quality_model_score != before[one.id]
        )
        self.assertTrue(changed)
        written = self.row_versions(everyone)
        self.assertEqual(
            {lead_id for lead_id in rows if rows[lead_id] != written[lead_id]},
            set(changed.ids),
        )
        self.assertEqual(
            self.env["lead.score.history"].search_count(of_these) - history,
            len(changed),
        )
        self.assertEqual(other.quality_score, 12.5)
        scores = everyone.mapped("quality_model_score")
        self.env["lead.scoring"]._rescore(everyone)
        self.assertEqual(everyone.mapped("quality_model_score"), scores)
        self.assertEqual(self.row_versions(everyone), written)

    def test_batches_are_as_scoring_one_by_one(self):
        """Leads of two models with limited activities, counted in one statement and
        by the events of each."""
        other = self.new_model(
            name="Partners", sequence=1, domain="[('function', 'ilike', 'partner')]"
        )
        other.action_activate()
        titles = ("CEO", "Partner", "Sales partner", "Intern", False)
        leads = self.env["crm.lead"]
        for number in range(15):
            lead = self.new_lead(function=titles[number % 5])
            for days in range(number % 4):
                self.touch(lead, "page_view", days, url="/pricing")
                self.touch(lead, "call_in", 3 * days)
            leads |= lead
        leads[3]._override_quality(61, "Knows everybody")
        self.env.flush_all()
        names = ", ".join(SCORE_COLUMNS[:-1])  # but since when they are sales-ready
        by_events = f"SELECT lead_id, {names} FROM lead_score WHERE lead_id = ANY(%s)"
        windows = (
            "SELECT lead_id, activity_key, number, gross, amount FROM lead_score_window"
            " WHERE lead_id = ANY(%s)"
        )
        found = []
        for _again in range(2):
            for statement in (by_events, windows):
                self.env.cr.execute(statement, [leads.ids])
                found.append(sorted(self.env.cr.fetchall()))
            self.env.cr.execute("DELETE FROM lead_score WHERE NOT quality_overridden")
            self.env["lead.scoring"]._score_batch(leads, recount=True, regrade=True)
        self.assertTrue(all(found))
        for events, batch in zip(found[:2], found[2:], strict=True):
            self.assertEqual(len(events), len(batch))
            for one, two in zip(events, batch, strict=True):
                for before, after in zip(one, two, strict=True):
                    if isinstance(before, float):
                        self.assertAlmostEqual(before, after, 9)
                    else:
                        self.assertEqual(before, after)

    def test_leads_that_cross_the_line_are_told_of(self):
        leads = self.new_lead(function="Intern") | self.new_lead(function="CEO")
        for lead in leads:
            self.touch(lead, "call_in")
        self.env.cr.flush()
        draft = self.model._new_version()
        ready = leads.filtered("sales_ready")
        draft.write({"ready_quality": 0, "ready_engagement": 1})
        draft.action_activate()
        told = []
        with patch.object(
            type(leads), "_on_sales_ready", lambda leads: told.extend(leads.ids)
        ):
            self.rescore_all()
            self.env.cr.flush()
        self.assertEqual(set(told) & set(leads.ids), set((leads - ready).ids))
        self.assertTrue(leads - ready)
        self.assertTrue(all(leads.mapped("sales_ready_date")))

    def test_other_grades_look_at_all_leads(self):
        lead = self.env["crm.lead"].create({"name": "Lead", "function": "CEO"})
        grade = lead.lead_grade
        draft = self.model._new_version()
        draft.write({"quality_a": 99.9, "quality_b": 99.8, "quality_c": 99.7})
        draft.action_activate()
        self.assertTrue(draft.regrades)
        self.rescore_all(batch=100)
        self.assertNotEqual(lead.lead_grade, grade)

    def test_stopped_it_goes_on_where_it_was(self):
        leads = self.env["crm.lead"].browse()
        for _number in range(10):
            leads |= self.new_lead(function="Sales")
        draft = self.model._new_version()
        draft.criterion_ids[0].option_ids[1].points = 10
        draft.action_activate()

        scored = []
        Scoring = type(self.env["lead.scoring"])
        score_batch = Scoring._score_batch

        def until_killed(scoring, leads, **options):
            if len(scored) == 2:
                raise Killed
            scored.append(leads.ids)
            return score_batch(scoring, leads, **options)

        with patch.object(Scoring, "_score_batch", until_killed), suppress(Killed):
            self.rescore_all(batch=3)  # not assertRaises: it would roll back
        self.assertEqual(leads.mapped("quality_score"), [50] * 4 + [25] * 6)
        self.assertLess(draft.rescored_until, leads[4].id)
        # the interrupted batch, then the others; none twice
        left = []

        def remember(scoring, leads, **options):
            left.extend(leads.ids)
            return score_batch(scoring, leads, **options)

        with patch.object(Scoring, "_score_batch", remember):
            self.rescore_all(batch=3)
        self.assertEqual(leads.mapped("quality_score"), [25] * 10)
        self.assertEqual(left[:4], leads[3::-1].ids)
        self.assertEqual(draft.rescored_until, 0)
        left.clear()
        with patch.object(Scoring, "_score_batch", remember):
            self.rescore_all(batch=3)
        self.assertFalse(left, "done is done")

    def test_a_batch_in_which_another_worker_was_first_is_run_again(self):
        lead = self.new_lead(function="Sales")
        draft = self.model._new_version()
        draft.criterion_ids[0].option_ids[1].points = 10
        draft.action_activate()
        Scoring = type(self.env["lead.scoring"])
        score_batch = Scoring._score_batch
        tries = []

        def second_first(scoring, leads, **options):
            tries.append(leads.ids)
            if len(tries) == 1:
                raise UniqueViolation
            return score_batch(scoring, leads, **options)

        with (
            patch.object(Scoring, "_score_batch", second_first),
            patch.object(lead_scoring.time, "sleep"),
        ):
            self.rescore_all()
        self.assertEqual(lead.quality_score, 25)
        self.assertEqual(tries[0], tries[1])
        self.assertFalse(draft.rescored_until)

    def test_what_began_before_it_is_mended(self):
        """A request that read the model before it was replaced scores a lead by that,
        after the job has passed it."""
        lead, other = self.new_lead(function="Sales"), self.new_lead(function="Sales")
        self.touch(lead, "form_submit")
        draft = self.model._new_version()
        draft.criterion_ids[0].option_ids[1].points = 10
        draft.activity_ids[0].points = 8
        with freeze_time("2026-11-20 10:00:00"):
            draft.action_activate()
            self.rescore_all()
            self.assertEqual(lead.quality_score, 25)
        self.env.cr.execute(
            "UPDATE lead_score SET quality_score = 50, quality_model_score = 50,"
            " engagement_amount = 1 WHERE lead_id = %s",
            [lead.id],
        )
        self.env.cr.execute("SELECT ctid FROM lead_score WHERE lead_id = %s", other.ids)
        place = self.env.cr.fetchone()
        lead.invalidate_recordset()
        with freeze_time("2026-11-20 10:14:00"):
            self.rescore_all()
            self.assertEqual(lead.quality_score, 50, "not yet")
        with freeze_time("2026-11-20 10:15:00"):
            self.rescore_all(batch=1)
            self.assertEqual(lead.quality_score, 25)
            self.assertGreater(lead.engagement_score, 7)
        self.env.cr.execute("SELECT ctid FROM lead_score WHERE lead_id = %s", other.ids)
        self.assertEqual(self.env.cr.fetchone(), place, "written without need")
        self.assertFalse(draft.recheck_at or draft.rescored_until)

    def test_another_activation_meanwhile(self):
        """The second one scores all; nothing that the first had to do is lost."""
        leads = self.new_lead(function="Sales") | self.new_lead(function="CEO")
        for lead in leads:
            self.touch(lead, "form_submit")
        first = self.model._new_version()
        first.activity_ids[0].points = 8
        first.action_activate()
        second = first._new_version()
        second.criterion_ids[0].option_ids[0].points = 40
        second.action_activate()
        self.rescore_all()
        self.assertEqual(leads.mapped("engagement_score"), [8, 8])
        self.assertEqual(leads[1].quality_score, 80)
        self.assertFalse(
            self.env["lead.score.model"].search([("rescored_until", ">", 0)])
        )

    def test_one_half_life_for_all(self):
        other = self.new_model(
            name="Partners", sequence=1, domain="[('function', 'ilike', 'partner')]"
        )
        other.action_activate()
        lead = self.new_lead(function="Partner")
        mine = self.new_lead()
        for one in lead | mine:
            self.touch(one, "call_in", 20)
        self.assertEqual(lead.engagement_score, 7.5)
        draft = self.model._new_version()
        draft.half_life = 20
        draft.action_activate()
        self.rescore_all()
        in_use = self.env["lead.score.model"]._in_use()
        self.assertEqual(set(in_use.mapped("half_life")), {20})
        self.assertEqual(len(in_use), 2)
        self.assertEqual(other.state, "archived")
        self.assertEqual(lead.score_model_id, other)
        self.assertEqual((lead | mine).mapped("engagement_score"), [15, 15])

    def test_what_can_not_be_activated(self):
        with self.assertRaises(UserError):
            self.model.action_activate()
        empty = self.env["lead.score.model"].create({"name": "Nothing"})
        with self.assertRaises(UserError):
            empty.action_activate()

    def test_archived_leads_go_to_the_next_model(self):
        general = self.new_model(name="General", sequence=90)
        general.action_activate()
        lead = self.new_lead(function="CEO", active=False)
        self.touch(lead, "call_in")
        self.assertEqual(lead.score_model_id, self.model)
        self.model.action_archive_model()
        self.rescore_all()
        self.assertEqual(lead.score_model_id, general)
        general.action_archive_model()
        self.rescore_all()
        self.assertFalse(lead.score_model_id)
        self.assertFalse(lead.lead_grade)
        self.assertFalse(lead.engagement_score)
        self.assertFalse(lead.cools_at)
        at = fields.Datetime.now() - timedelta(seconds=1)
        self.assertEqual(lead.explain_score(at)["model"], False)

    def test_models_in_another_order(self):
        other = self.new_model(name="Others", sequence=90)
        other.action_activate()
        lead, outside = self.new_lead(function="CEO"), self.new_lead(active=False)
        self.touch(lead, "call_in")
        self.assertEqual((lead | outside).score_model_id, self.model)
        (self.model | other).write({"rescored_until": 0})
        other.sequence = 1
        self.assertEqual(other.rescored_percent, 0)
        self.rescore_all()
        self.assertEqual((lead | outside).score_model_id, other)
        self.assertEqual(lead.engagement_score, 30)
        before = self.row_versions(lead | outside)
        other.sequence = 2
        self.rescore_all()
        self.assertEqual(self.row_versions(lead | outside), before)

    def row_versions_of_all(self):
        self.env.flush_all()
        found = {}
        for name in ("crm_lead", "lead_score", "lead_score_model", "lead_score_window"):
            self.env.cr.execute(f"SELECT id, ctid FROM {name}")
            found[name] = self.env.cr.fetchall()
        self.env.cr.execute("SELECT count(*) FROM lead_score_history")
        return found, self.env.cr.fetchone()

    def test_preview(self):
        for number in range(6):
            self.new_lead(name=f"Sales {number}", function="Sales")
            self.new_lead(name=f"Chief {number}", function="CEO")
            self.touch(self.new_lead(name=f"Warm {number}", function="x"), "call_in")
        draft = self.model._new_version()
        draft.criterion_ids[0].option_ids[1].points = 8  # sales: 20 % of 40, was 50 %
        draft.criterion_ids[0].option_ids[2].write({"value": "x", "points": 30})
        draft.activity_ids[2].points = 10  # calls
        before = self.row_versions_of_all()
        action = draft.with_user(self.manager).action_preview_activation()
        self.assertEqual(self.row_versions_of_all(), before, "nothing is written")
        self.assertEqual(draft.state, "draft")
        preview = self.env["lead.score.activate"].browse(action["res_id"])
        moves = {
            (move.grade_before, move.grade_after): (move.direction, move.lead_count)
            for move in preview.move_ids
        }
        self.assertEqual(moves[("B4", "D4")], ("down", 6))
        self.assertEqual(moves[("D2", "A3")], ("mixed", 6))
        self.assertNotIn(("A4", "A4"), moves)
        down = preview.move_ids.filtered(lambda move: move.direction == "down")
        self.assertEqual(preview.down_count, sum(down.mapped("lead_count")))
        self.assertEqual(
            preview.changed_count, sum(preview.move_ids.mapped("lead_count"))
        )
        names = preview.move_ids.example_ids.mapped("name")
        self.assertLessEqual(len(names), 10)
        self.assertIn("Sales 5", names)
        self.assertFalse(preview.other_model_ids)
        predicted = {
            grade: count
            for grade, count in self.env["crm.lead"]
            .with_context(active_test=False)
            ._read_group([], ["lead_grade"], ["__count"])
        }
        for move in preview.move_ids:
            for grade, sign in ((move.grade_before, -1), (move.grade_after, 1)):
                predicted[grade] = predicted.get(grade, 0) + sign * move.lead_count
        preview.with_user(self.manager).action_activate()
        self.assertEqual(draft.state, "active")
        self.rescore_all()
        came = dict(
            self.env["crm.lead"]
            .with_context(active_test=False)
            ._read_group([], ["lead_grade"], ["__count"])
        )
        predicted = {grade: count for grade, count in predicted.items() if count}
        self.assertEqual(came, predicted, "as the preview said")
        with self.assertRaises(UserError):
            preview.action_activate()

    def test_preview_of_another_half_life(self):
        other = self.new_model(
            name="Partners", sequence=1, domain="[('function', 'ilike', 'partner')]"
        )
        other.action_activate()
        lead = self.new_lead(name="Abebe Bekele", function="Partner")
        self.touch(lead, "call_in", 20)  # 7.5 points now, 15 with twice the half-life
        draft = self.model._new_version()
        draft.write({"half_life": 20, "engagement_2": 10})
        wizard = self.env["lead.score.activate"].create({"model_id": draft.id})
        self.assertEqual(wizard.other_model_ids, other)
        self.assertEqual(wizard.half_life_before, 10)
        self.assertEqual(other.half_life, 10)
        self.assertNotIn(
            "Abebe Bekele",
            wizard.move_ids.example_ids.mapped("name"),
            "the other model's bands are its own: 15 is still a 3",
        )
        draft.half_life = 200  # 28 points
        wizard = self.env["lead.score.activate"].create({"model_id": draft.id})
        moved = wizard.move_ids.filtered(lambda move: lead in move.example_ids)
        self.assertEqual((moved.grade_before, moved.grade_after), ("D3", "D2"))

    def test_preview_counts_the_newest(self):
        for number in range(5):
            self.new_lead(name=f"Lead {number}", function="Sales")
        draft = self.model._new_version()
        draft.criterion_ids[0].option_ids[1].points = 8
        with patch.object(lead_score_activate, "MOST_LEADS", 2):
            wizard = self.env["lead.score.activate"].create({"model_id": draft.id})
        self.assertEqual((wizard.lead_count, wizard.changed_count), (2, 2))
        self.assertGreater(wizard.total_count, 4)

    def test_preview_of_what_can_not_be_activated(self):
        with self.assertRaises(UserError):
            self.model.action_preview_activation()
        with self.assertRaises(AccessError):
            self.model._new_version().with_user(
                self.salesman
            ).action_preview_activation()
