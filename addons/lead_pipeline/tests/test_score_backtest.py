# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import random
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import SQL

from ..engine.decay import Decay, Level, shown
from ..wizard import lead_score_backtest
from .common_score_past import ScorePastCase

VIEW = {"name": "Visit", "kind": "page_view", "points": 8}
LIMITED = {**VIEW, "capped": True, "cap": 10, "window_days": 1}


def pairwise(scored):
    """The AUC as it is defined: every won lead against every lost one."""
    won = [score for score, outcome in scored if outcome]
    lost = [score for score, outcome in scored if not outcome]
    points = sum((a > b) + (a == b) / 2 for a in won for b in lost)
    return points / len(won) / len(lost)


@tagged("post_install", "-at_install")
class TestScoreBacktest(ScorePastCase):
    def _rows(self, days=7, **bounds):
        self.env.flush_all()
        domain = [("name", "=", "Roof")]
        return self.env["lead.score.trial"]._outcomes(domain, days, **bounds)

    def _qualities(self, model, days=7):
        trial = self.env["lead.score.trial"]
        return trial._qualities(model, model.criterion_ids, self._rows(days))

    def _engagements(self, model, days=7):
        return self.env["lead.score.trial"]._engagements(model, self._rows(days))

    def _score(self, result, key="model"):
        [score] = [one for one in result["scores"] if one["key"] == key]
        return score

    # ------------------------------------------------------------
    # AS THEY WERE
    # ------------------------------------------------------------

    def test_later_touchpoints_do_not_count(self):
        model = self._new_model(activities=[VIEW], half_life=10)
        lead = self._past_lead(True)
        self._touch(lead, days=2)
        self._touch(lead, days=7)
        alone = self._engagements(model)[lead.id]
        self.assertAlmostEqual(alone, 8 * 2**-0.5 + 8, 6)
        self._touch(lead, days=7.01)
        self._touch(lead, days=15)
        self.assertAlmostEqual(self._engagements(model)[lead.id], alone, 6)
        self.assertGreater(self._engagements(model, days=8)[lead.id], alone)

    def test_limited_activity(self):
        model = self._new_model(activities=[LIMITED], half_life=10)
        lead = self._past_lead(False)
        moments = [1, 1.01, 1.02, 3, 7.5]
        for days in moments:
            self._touch(lead, days=days)
        activity = model.activity_ids
        came = lead.create_date
        level, _windows = Decay(10).replay(
            [(activity, came + timedelta(days=days)) for days in moments[:4]],
            {activity: activity._to_engine()},
        )
        self.assertAlmostEqual(
            self._engagements(model)[lead.id],
            Decay(10).score(level, came + timedelta(days=7)),
            6,
        )
        self.assertFalse(
            self.env["lead.score.window"].search([("lead_id", "=", lead.id)])
        )

    def test_what_closing_brought_about_does_not_count(self):
        model = self._new_model(activities=[VIEW], half_life=10)
        lead = self._past_lead(True, closed=2)
        self._touch(lead, days=1)
        self._touch(lead, days=2)
        self._touch(lead, days=3)
        at = lead.date_closed - timedelta(seconds=1)
        level = Level(8, lead.create_date + timedelta(days=1))
        self.assertAlmostEqual(
            self._engagements(model)[lead.id], Decay(10).score(level, at), 6
        )
        result = self._backtest(model)
        self.assertEqual(result["early"], 1)

    def test_tracked_fields_are_turned_back(self):
        """A text, a relation and a selection, changed after the moment and before."""
        partner = self.env["res.partner"].create({"name": "Vogt GmbH"})
        model = self._new_model(
            [
                self._field_criterion("Firm", "partner_name", [("filled", False, 50)]),
                self._field_criterion("Known", "partner_id", [("filled", False, 30)]),
                self._field_criterion("Type", "type", [("equals", "lead", 20)]),
            ]
        )
        lead = self._past_lead(True, type="lead")
        before = self._qualities(model)
        self.assertEqual(before, {lead.id: 20})
        self.env.cr.precommit.run()
        tracked = lead.with_context(tracking_disable=False)
        tracked.write(
            {"partner_name": "Vogt", "partner_id": partner.id, "type": "opportunity"}
        )
        self.env.flush_all()
        self.env.cr.precommit.run()
        values = self.env["mail.tracking.value"].search(
            [("mail_message_id.res_id", "=", lead.id)]
        )
        self.assertTrue(
            {"partner_name", "partner_id", "type"}.issubset(
                values.field_id.mapped("name")
            )
        )
        self.assertEqual(self._qualities(model), before)
        # the same changes, but before the moment
        values.mail_message_id.date = lead.create_date + timedelta(days=3)
        self.assertEqual(self._qualities(model), {lead.id: 80})
        self.assertEqual(self._qualities(model, days=2), before)

    def test_first_change_after_the_moment_tells(self):
        model = self._new_model(
            [self._field_criterion("Firm", "partner_name", [("equals", "Vogt", 10)])]
        )
        lead = self._past_lead(True, partner_name="Vogt")
        tracked = lead.with_context(tracking_disable=False)
        for name in ("Aurora", "Nordlicht"):
            self.env.cr.precommit.run()
            tracked.write({"partner_name": name})
            self.env.flush_all()
            self.env.cr.precommit.run()
        self.assertEqual(self._qualities(model), {lead.id: 100})

    def test_totals_of_the_site_without_later_views(self):
        """Also when a visit that began before the moment went on after it."""
        names = ("visit_count", "page_count", "site_seconds")
        lead = self._past_lead(True)
        for days in (1, 1.01, 6.999):
            self._touch(lead, days=days, duration=60)
        early = [lead[name] for name in names]
        seen = lead.last_seen_at
        self.assertEqual(early, [2, 3, 180])
        for days in (7.001, 7.01, 9):
            self._touch(lead, days=days, duration=30)
        self.assertEqual([lead[name] for name in names], [3, 6, 270])
        query = self.env["lead.score.trial"]._past_query(
            self._rows(), {*names, "last_seen_at"}
        )
        columns = [SQL.identifier(name) for name in (*names, "last_seen_at")]
        [found] = self.env.execute_query(query.select(*columns))
        self.assertEqual(list(found), [*early, seen])

    def test_outcome_as_criterion_is_left_out(self):
        model = self._new_model(
            [
                self._field_criterion("Cheat", "stage_id", [("filled", False, 90)]),
                self._field_criterion("Odds", "probability", [("between", "50..", 90)]),
                {
                    "name": "Talks",
                    "source": "domain",
                    "option_ids": [
                        (0, 0, {"domain": "[('touchpoint_ids', '!=', False)]"})
                    ],
                },
                self._field_criterion("Job", "function", [("contains", "chief", 5)]),
            ]
        )
        self._past_lead(True, function="Chief")
        self._past_lead(False, function="Intern")
        result = self._backtest(model)
        self.assertEqual(self._score(result)["auc"]["value"], 1)
        for name in ("Cheat", "Odds", "Talks"):
            self.assertTrue(
                any(f"“{name}” is left out" in note for note in result["notes"]), name
            )
        self.assertTrue(
            any("Job Position" in note and "now" in note for note in result["notes"])
        )

    # ------------------------------------------------------------
    # NUMBERS
    # ------------------------------------------------------------

    def _many(self, count, seed=1):
        """Leads of some kinds, won more often the better they are."""
        dice = random.Random(seed)
        countries = [self.env.ref(f"base.{code}").id for code in ("de", "fr", "be")]
        for _number in range(count):
            kind = dice.randrange(3)
            won = dice.random() < (0.7, 0.4, 0.2)[kind]
            lead = self._past_lead(
                won,
                came=dice.randrange(40, 90),
                country_id=countries[kind],
                function=dice.choice(["Chief", "Intern", False]),
            )
            for _touch in range(dice.choice([0, 0, 1, 4])):
                self._touch(lead, days=dice.uniform(0, 9))

    def _rich_model(self, **vals):
        return self._new_model(
            [
                self._field_criterion(
                    "Country",
                    "country_id",
                    [("equals", "Germany", 10), ("equals", "FR", 4)],
                ),
                self._field_criterion("Job", "function", [("equals", "Chief", 7)]),
            ],
            [VIEW],
            **vals,
        )

    def test_auc_equals_an_independent_computation(self):
        self._many(60)
        model = self._rich_model()
        result = self._backtest(model)
        expected = []
        leads = self.env["crm.lead"].with_context(active_test=False)
        for lead in leads.search([("name", "=", "Roof")]):
            points = {"Germany": 10, "France": 4}.get(lead.country_id.name, 0)
            points += 7 if lead.function == "Chief" else 0
            fit = shown(100 * points / 17)
            at = lead.create_date + timedelta(days=7)
            pull = sum(
                8 * 2 ** (-((at - touch.at).total_seconds() / 86400) / model.half_life)
                for touch in lead.touchpoint_ids
                if touch.at <= at
            )
            pull = shown(pull)
            ready = fit >= 50 and pull >= 20
            letter = sum(fit >= line for line in (75, 50, 25))
            number = sum(pull >= line for line in (50, 20, 5))
            order = (ready, letter, number, pull, fit)
            expected.append((order, fit, pull, lead.won_status == "won"))
        self.assertEqual(result["won"], sum(row[-1] for row in expected))
        self.assertEqual(result["won"] + result["lost"], 60)
        for place, key in enumerate(("model", "model_quality", "model_engagement")):
            self.assertAlmostEqual(
                self._score(result, key)["auc"]["value"],
                pairwise([(row[place], row[-1]) for row in expected]),
                9,
                key,
            )
        above = [row[-1] for row in expected if row[0][0]]
        line = self._score(result)["line"]
        self.assertEqual((line["leads"], line["won"]), (len(above), sum(above)))

    def test_batches_change_nothing(self):
        self._many(20)
        model = self._rich_model()
        whole = self._backtest(model)
        with patch.object(lead_score_backtest, "BATCH", 3):
            self.assertEqual(self._backtest(model), whole)

    def test_statements_do_not_depend_on_the_number_of_leads(self):
        model = self._rich_model()

        def statements():
            wizard = self._wizard("lead.score.backtest", model)
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            wizard._run()
            return self.env.cr.sql_log_count - before

        self._many(5)
        statements()
        few = statements()
        self._many(30, seed=2)
        self.assertEqual(statements(), few)

    def test_beside_the_version_in_use(self):
        self._many(60)
        self.model.action_activate()
        draft = self._new_model([], [VIEW])
        draft.origin_id = self.model.origin_id
        draft.version = 2
        wizard = self._wizard("lead.score.backtest", draft)
        self.assertEqual(wizard.compare_id, self.model)
        result = self._backtest(draft)
        ours, theirs = self._score(result), self._score(result, "compare")
        difference = result["differences"][0]
        self.assertEqual(difference["label"], self.model.display_name)
        self.assertAlmostEqual(
            difference["value"], ours["auc"]["value"] - theirs["auc"]["value"], 9
        )
        self.assertEqual(len(result["compare_deciles"]), 10)

    def test_odoo_probability_is_that_of_an_open_lead(self):
        self._many(20)
        self.env["crm.lead"]._cron_update_automated_probabilities()
        chances = self.env["lead.score.trial"]._odoo_probabilities(self._rows())
        self.assertEqual(len(chances), 20)
        # the stage that says "won", and the 0 of lost leads, would tell it all
        self.assertFalse({0, 100} & set(chances.values()))
        result = self._backtest(self._rich_model())
        self.assertLess(self._score(result, "odoo")["auc"]["value"], 0.95)
        self.assertTrue(any("flatters" in note for note in result["notes"]))

    def test_context_from_outside_changes_no_probability(self):
        self._many(4)
        lead = self.env["crm.lead"].create({"name": "Gutter"})
        forged = {lead.id: {"values": [("stage_id", 1)], "team_id": 0}}
        self.assertNotEqual(
            lead.with_context(lead_score_trial=forged)._pls_get_lead_pls_values(),
            forged,
        )

    def test_too_few_is_said(self):
        self.assertEqual(self._backtest(self.model)["verdict"], "too_few")
        self._past_lead(True)
        result = self._backtest(self.model)
        self.assertEqual(result["verdict"], "too_few")
        self.assertIsNone(self._score(result)["auc"])

    def test_nothing_is_written(self):
        self.model.action_activate()
        self._many(10)
        leads = self.env["crm.lead"].with_context(active_test=False)
        leads = leads.search([("name", "=", "Roof")])
        tables = ("lead.score.history", "lead.score.window", "lead.touchpoint")

        def everything():
            self.env.flush_all()
            leads.invalidate_recordset()
            return (
                leads.read(
                    ["write_date", "quality_score", "engagement_key", "message_ids"]
                ),
                [self.env[name].search_count([]) for name in tables],
            )

        before = everything()
        self._backtest(self._rich_model())
        self.assertEqual(everything(), before)

    # ------------------------------------------------------------
    # WHICH LEADS
    # ------------------------------------------------------------

    def test_leads_of_the_period_the_model_and_the_company(self):
        germany = self.env.ref("base.de").id
        kept = self._past_lead(True, country_id=germany)
        self._past_lead(True, country_id=germany, came=500)
        self._past_lead(True)
        self._past_lead(True, country_id=germany, company_id=self.other_company.id)
        self.env["crm.lead"].create({"name": "Roof", "country_id": germany})
        model = self._new_model(domain="[('country_id.code', '=', 'DE')]")
        result = self._backtest(model, months=6)
        self.assertEqual((result["won"], result["lost"]), (1, 0))
        self.assertEqual(self._backtest(model, months=24)["won"], 2)
        came_before = self._backtest(model, months=1, date_basis="created")
        self.assertEqual(came_before["won"], 0)
        self.assertTrue(kept)

    def test_period_is_checked(self):
        for wrong in ({"months": 0}, {"days": -1}, {"domain": "[('nothing', '=', 1)]"}):
            with self.assertRaises(ValidationError):
                self._wizard("lead.score.backtest", self.model, **wrong)

    def test_managers_only(self):
        with self.assertRaises(AccessError):
            self._wizard("lead.score.backtest", self.model, user=self.salesman)
