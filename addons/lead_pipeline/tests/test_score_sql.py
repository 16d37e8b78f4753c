# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import random
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tools import SQL

from ..engine.scoring import quality
from ..models.score.lead_scoring_rows import UNSCORED, State
from .common_score import LeadScoreCase


class TestScoreSql(LeadScoreCase):
    """What the database makes of leads in batches is what Python makes of each of them
    by the engine, to the last digit and second."""

    @freeze_time("2026-11-22 10:00:00")
    def test_what_follows(self):
        now = fields.Datetime.now()
        dice = random.Random(20261122)
        bands = [
            {},
            {"engagement_1": 80, "engagement_2": 1, "engagement_3": 0},
            {"quality_a": 99.9, "quality_b": 33.3, "quality_c": 0, "ready_quality": 0},
            {"ready_engagement": 0, "engagement_1": 1e6, "engagement_2": 1e-6,
             "engagement_3": 1e-12},
            {"ready_engagement": 0.3, "ready_quality": 99.9},
        ]  # fmt: skip
        drafts = self.env["lead.score.model"].create(
            [{"name": f"Draft {number}", **vals} for number, vals in enumerate(bands)]
        )
        scoring = self.env["lead.scoring"]
        for half_life in (0.04, 1, 13.7, 365.25, 36500):
            drafts.half_life = half_life
            states = [
                self.random_state(dice, drafts, half_life, now, number)
                for number in range(1500)
            ]
            found = self.followed(states, drafts)
            before = dict.fromkeys(range(len(states)), UNSCORED)
            scoring._follow(states, before, drafts)
            for state, row in zip(states, found, strict=True):
                expected = (
                    state.engagement_key,
                    state.cools_at,
                    state.lead_grade,
                    state.sales_ready,
                    state.sales_ready_date,
                )
                self.assertEqual(row, expected, (state, half_life))

    def random_state(self, dice, drafts, half_life, now, number):
        """Any, and those at which something changes."""
        model = dice.choice([*drafts, self.env["lead.score.model"]])
        bands = model._bands() if model else drafts[0]._bands()
        lines = [*bands.engagement, (model or drafts[0]).ready_engagement]
        passed = dice.choice([0, 1, 2, 10])  # half-lives
        amount = dice.choice(
            [
                0,
                dice.uniform(-100, 200),
                dice.uniform(0, 1e-8),
                -(10 ** dice.uniform(-12, 6)),
                10 ** dice.uniform(-12, 9),
                dice.choice(lines) * 2**passed,
                dice.choice(lines) * 2**passed * (1 - 1e-15),
                dice.choice(lines) * (1 + 1e-15),
                round(dice.uniform(0, 100), 1),
            ]
        )
        as_of = dice.choice(
            [
                now,
                now - timedelta(days=passed * half_life),
                now - timedelta(seconds=dice.randrange(10**9)),
                datetime(1970, 1, 1) + timedelta(seconds=dice.randrange(10**6)),
                datetime(1960, 5, 6, 7, 8, 9),
                None,
            ]
        )
        if as_of:
            as_of = max(as_of, datetime(1900, 1, 1)).replace(microsecond=0)
        lines = [*bands.quality, (model or drafts[0]).ready_quality]
        fit = dice.choice([*lines, 0, 100, round(dice.uniform(0, 100), 1)])
        if not model:
            amount = 0  # it was not counted
        return State(
            number,
            score_model_id=model.id or None,
            quality_score=fit,
            engagement_amount=amount,
            engagement_as_of=as_of,
        )

    def followed(self, states, drafts):
        given = SQL(
            """
            given AS (
                SELECT new.*, NULL::lead_score AS old
                  FROM unnest(%s::int4[], %s::int4[], %s::float8[], %s::float8[],
                              %s::timestamp[]) AS new(lead_id, score_model_id,
                              quality_score, engagement_amount, engagement_as_of)
            )
            """,
            [state.id for state in states],
            [state.score_model_id for state in states],
            [state.quality_score for state in states],
            [state.engagement_amount for state in states],
            [state.engagement_as_of for state in states],
        )
        return self.env.execute_query(
            SQL(
                "WITH %s, %s SELECT engagement_key, cools_at, lead_grade, sales_ready,"
                " sales_ready_date FROM followed ORDER BY lead_id",
                given,
                self.env["lead.scoring"]._followed(drafts),
            )
        )

    def test_quality(self):
        """Of all leads and many models: each digit, also where it is rounded."""
        dice = random.Random(22112026)
        leads = self.env["crm.lead"]
        for _number in range(40):
            leads |= self.new_lead(
                function=dice.choice(["CEO", "Head of Sales", "Intern", "x", False]),
                city=dice.choice(["Kiel", "Đà Nẵng", "القاهرة", "上海", False]),
                expected_revenue=dice.choice([0, 5, 50, 500]),
                color=dice.randrange(11),
            )
        scoring = self.env["lead.scoring"]
        chosen = SQL("id = ANY(%s)", leads.ids)
        for number in range(30):
            model = self.random_model(dice, number)
            criteria = model._criteria()
            rows = self.env.execute_query(
                SQL(
                    "WITH %s SELECT lead_id, score_model_id, version_id, quality,"
                    " option_ids FROM found",
                    scoring._found(chosen, model, leads.ids),
                )
            )
            self.assertEqual({row[0] for row in rows}, set(leads.ids))
            for _lead_id, origin_id, version_id, found, option_ids in rows:
                self.assertEqual((origin_id, version_id), (model.id, model.id))
                scored = quality(criteria, set(option_ids or ()))
                self.assertEqual(found, scored.shown, model.criterion_ids)
            for lead in leads:
                held = next(row[-1] for row in rows if row[0] == lead.id) or []
                wanted = [
                    next(
                        (
                            option.id
                            for option in criterion.option_ids
                            if lead.filtered_domain(option._lead_domain())
                        ),
                        None,
                    )
                    for criterion in model.criterion_ids
                ]
                self.assertEqual(held, [one for one in wanted if one])

    def test_quality_where_it_is_rounded(self):
        """0.1 + 0.7 of 12.8 points are 6.25 %, less what adding doubles loses."""
        lead = self.new_lead(function="Cook", color=1)
        model = self.env["lead.score.model"].create(
            {
                "name": "Rounded",
                "sequence": 0,
                "criterion_ids": [
                    self.new_criterion("function", ("filled", False, 0.1)),
                    self.new_criterion("color", ("other", False, 0.7)),
                    self.new_criterion("city", ("filled", False, 12)),
                ],
            }
        )
        model.action_activate()
        self.rescore_all()
        self.assertEqual(lead.score_model_id, model)
        self.assertEqual(lead.quality_score, 6.3)
        self.assertEqual(self.shown(lead)["quality"]["shown"], 6.3)
        lead.function = "Chef"  # by the event
        self.assertEqual(lead.quality_score, 6.3)

    def random_model(self, dice, number):
        def points():
            return dice.choice(
                [dice.randrange(-20, 40), dice.uniform(-5, 40), 1 / 3, 0, 0.1, 1e6]
            )

        fields_and_options = [
            ("function", [("word", "CEO"), ("contains", "sales"), ("filled", False)]),
            (
                "city",
                [("equals", "đà nẵng"), ("in", "上海, القاهرة"), ("missing", False)],
            ),
            ("expected_revenue", [("between", "100.."), ("between", "10..")]),
            ("color", [("between", "0..4"), ("other", False)]),
            ("function", []),
        ]
        return self.env["lead.score.model"].create(
            {
                "name": f"Random {number}",
                "criterion_ids": [
                    self.new_criterion(
                        field,
                        *((*option, points()) for option in options),
                        weight=dice.choice([0, 0.5, 1, 1.3, dice.random()]),
                    )
                    for field, options in dice.sample(
                        fields_and_options, dice.randrange(6)
                    )
                ],
            }
        )
