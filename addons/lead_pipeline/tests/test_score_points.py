# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..engine.scorecard import propose
from ..wizard.lead_score_points import common, ranges
from .common_score_past import ScorePastCase


@tagged("post_install", "-at_install")
class TestScorePoints(ScorePastCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.germany, cls.france = cls.env.ref("base.de"), cls.env.ref("base.fr")
        for country, job, won, lost in (
            (cls.germany, "Chief", 18, 4),
            (cls.germany, "Intern", 6, 6),
            (cls.france, "Intern", 4, 14),
            (cls.env["res.country"], "Chief", 2, 2),
        ):
            for number in range(won + lost):
                cls._past_lead(number < won, country_id=country.id, function=job)

    def _propose(self, model, **vals):
        wizard = self._wizard("lead.score.points", model, **vals)
        wizard.action_propose()
        return wizard

    def _lines(self, wizard, criterion):
        lines = wizard.option_ids.filtered(lambda one: one.criterion_id == criterion)
        return [(one.label, one.points, one.won, one.lost) for one in lines]

    def test_proposal_is_the_engine_s_with_its_counts(self):
        model = self._new_model(
            [
                self._field_criterion(
                    "Country",
                    "country_id",
                    [("equals", "Germany", 1), ("equals", "France", 1)],
                ),
                self._field_criterion("Job", "function", [("equals", "Chief", 1)]),
            ]
        )
        wizard = self._propose(model)
        self.assertEqual((wizard.won, wizard.lost), (30, 26))
        expected = propose(
            {"country": (0, 1), "job": (0,)},
            [((0, 0), 18, 4), ((0, None), 6, 6), ((1, None), 4, 14), ((None, 0), 2, 2)],
        )
        for criterion, one in zip(model.criterion_ids, expected.criteria, strict=True):
            self.assertEqual(
                [row[1:] for row in self._lines(wizard, criterion)],
                [(o.points, o.won, o.lost) for o in one.options],
            )
        self.assertEqual(
            wizard.criterion_ids.mapped("weight"),
            [one.weight for one in expected.criteria],
        )
        few = wizard.option_ids.mapped("few")
        self.assertEqual(few, [False, True, True, True, False])
        # nothing is in the draft yet
        self.assertEqual(set(model.criterion_ids.option_ids.mapped("points")), {1})

    def test_accept_writes_what_the_person_made_of_it(self):
        model = self._new_model(
            [self._field_criterion("Country", "country_id", [("equals", "DE", 1)])]
        )
        wizard = self._propose(model)
        with Form(wizard) as form:
            with form.option_ids.edit(0) as line:
                line.points = 77
            with form.criterion_ids.edit(0) as line:
                line.weight = 0.5
        wizard.action_accept()
        criterion = model.criterion_ids
        self.assertEqual(criterion.weight, 0.5)
        self.assertEqual(criterion.option_ids.mapped("operator"), ["equals", "other"])
        self.assertEqual(criterion.option_ids[0].points, 77)

    def test_other_is_not_added_twice(self):
        model = self._new_model(
            [
                self._field_criterion(
                    "Country", "country_id", [("equals", "DE", 1), ("other", False, 1)]
                )
            ]
        )
        wizard = self._propose(model)
        self.assertEqual(len(wizard.option_ids), 2)
        wizard.action_accept()
        self.assertEqual(len(model.criterion_ids.option_ids), 2)
        other = model.criterion_ids.option_ids[-1]
        self.assertEqual((other.operator, other.points), ("other", 0))

    def test_values_of_a_criterion_without_options(self):
        model = self._new_model([self._field_criterion("Country", "country_id")])
        wizard = self._propose(model)
        labels = [row[0] for row in self._lines(wizard, model.criterion_ids)]
        self.assertEqual(labels[:2], ["Germany", "France"])
        self.assertEqual(len(labels), 3)
        line = wizard.option_ids[1]
        line.unlink()
        wizard.action_accept()
        options = model.criterion_ids.option_ids
        self.assertEqual(
            [(o.operator, o.value) for o in options],
            [("equals", "Germany"), ("other", False)],
        )
        self.assertEqual(model.state, "draft")

    def test_ranges_of_a_number_without_options(self):
        leads = self.env["crm.lead"].with_context(active_test=False)
        for lead in leads.search([("name", "=", "Roof")]):
            pages = 7 if lead.won_status == "won" else 1
            self.env.cr.execute(
                "UPDATE crm_lead SET page_count = %s WHERE id = %s", [pages, lead.id]
            )
        leads.invalidate_model(["page_count"])
        model = self._new_model([self._field_criterion("Pages", "page_count")])
        wizard = self._propose(model)
        rows = self._lines(wizard, model.criterion_ids)
        self.assertEqual(
            [(label, won, lost) for label, _points, won, lost in rows],
            [("..1", 0, 26), ("2..", 30, 0)],
        )
        self.assertEqual(rows[0][1], 0)
        self.assertGreater(rows[1][1], 50)
        wizard.action_accept()
        self.assertEqual(
            model.criterion_ids.option_ids.mapped("operator"), ["between", "between"]
        )

    def test_answers_without_options(self):
        leads = self.env["crm.lead"].with_context(active_test=False)
        leads = leads.search([("name", "=", "Roof")])
        for lead in leads:
            answer = "Student" if lead.won_status == "won" else "Unemployed"
            self.env["lead.answer"]._remember(
                [(lead.id, [{"key": "job", "value": answer}])]
            )
        model = self._new_model(
            [{"name": "Answer", "source": "answer", "answer_key": "Job"}]
        )
        wizard = self._propose(model)
        found = {row[0]: row[2:] for row in self._lines(wizard, model.criterion_ids)}
        self.assertEqual(found["student"], (30, 0))
        self.assertEqual(found["unemployed"], (0, 26))

    def test_outcomes_are_no_criteria(self):
        model = self._new_model(
            [
                self._field_criterion("Cheat", "stage_id"),
                self._field_criterion("Job", "function"),
            ]
        )
        wizard = self._propose(model)
        self.assertEqual(wizard.criterion_ids.criterion_id.name, "Job")
        self.assertIn("“Cheat” is left out", wizard.notes_text)

    def test_too_few_is_said(self):
        criteria = [
            self._field_criterion(str(n), "function", [("equals", "Chief", 1)])
            for n in range(3)
        ]
        self.assertTrue(self._propose(self._new_model(criteria)).too_few)
        self.assertFalse(self._propose(self._new_model(criteria[:2])).too_few)

    def test_what_can_not_be(self):
        with self.assertRaises(UserError):  # nothing to give points to
            self._propose(self._new_model())
        with self.assertRaises(UserError):  # no lost leads
            self._propose(self.model, domain="[('won_status', '=', 'won')]")
        self.model.action_activate()
        with self.assertRaises(UserError):  # not a draft
            self._propose(self.model)
        with self.assertRaises(AccessError):
            self._wizard("lead.score.points", self.model, user=self.salesman)

    def test_ranges_and_values(self):
        self.assertEqual(ranges([2, 8], True), ["..2", "3..8", "9.."])
        self.assertEqual(ranges([0.5, 2.0], False), ["..0.5", "0.5..2", "2.."])
        self.assertEqual(ranges([], True), [])
        self.assertEqual(common([("a", 3), ("b", 20), ("c", 30)]), ["c", "b"])
