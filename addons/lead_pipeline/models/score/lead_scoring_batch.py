# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import without_jit
from .lead_scoring_engagement import NO_LEVELS
from .lead_scoring_rows import SCORE_COLUMNS

#: leads with what was found, and their rows as they are
COMPARED = """
    %(found)s,
    compared AS (
        SELECT found.*, old,
               %(recount)s
               OR found.score_model_id IS DISTINCT FROM (old).score_model_id
               AS counted
          FROM found LEFT JOIN lead_score AS old
            ON old.lead_id = found.lead_id AND %(within)s
    )
"""
#: what the rest follows from
GIVEN = """
    given AS (
        SELECT lead_id, score_model_id, version_id, option_ids,
               quality AS quality_model_score,
               CASE WHEN (old).quality_overridden THEN (old).quality_score
                    ELSE quality END AS quality_score,
               COALESCE((old).quality_overridden, false) AS quality_overridden,
               COALESCE(CASE WHEN counted THEN level.amount
                    ELSE (old).engagement_amount END, 0) AS engagement_amount,
               CASE WHEN counted THEN level.as_of
                    ELSE (old).engagement_as_of END AS engagement_as_of,
               old
          FROM compared LEFT JOIN level USING (lead_id)
         WHERE %s
    )
"""
#: read in one go, whatever the planner thinks of how many leads there are
TOUCHES_OF_COMPARED = """
    SELECT touch.* FROM (%s OFFSET 0) AS touch
      JOIN compared ON compared.lead_id = touch.lead_id
       AND compared.score_model_id = touch.score_model_id AND compared.counted
"""
#: from "followed" on: rows that change, with the history of their quality
SAVED = """
    changed AS MATERIALIZED (
        SELECT * FROM followed
         WHERE CASE WHEN (old).lead_id IS NULL
               THEN score_model_id IS NOT NULL OR quality_overridden
               ELSE ROW(%(names)s) IS DISTINCT FROM ROW(%(olds)s) END
    ),
    kept_history AS (
        INSERT INTO lead_score_history
               (lead_id, at, model_id, option_ids, model_quality, quality, overridden)
        SELECT lead_id, %(now)s, version_id, COALESCE(to_jsonb(option_ids), '[]'),
               quality_model_score, quality_score, quality_overridden
          FROM changed
         WHERE score_model_id IS DISTINCT FROM (old).score_model_id
            OR quality_model_score <> COALESCE((old).quality_model_score, 0)
            OR quality_score <> COALESCE((old).quality_score, 0)
         ORDER BY lead_id
    ),
    inserted AS (
        -- no upsert: to be ready for another worker's row costs as much as the row
        INSERT INTO lead_score (lead_id, %(names)s)
        SELECT lead_id, %(names)s FROM changed
         WHERE (old).lead_id IS NULL ORDER BY lead_id
    ),
    updated AS (
        UPDATE lead_score SET %(sets)s FROM changed
         WHERE lead_score.lead_id = changed.lead_id AND %(within)s
    )
    SELECT lead_id, sales_ready AND (old).sales_ready IS NOT TRUE FROM changed
"""
#: leads that go to another model
MOVED = "UNION ALL SELECT lead_id, NULL FROM compared WHERE counted"


class LeadScoring(models.AbstractModel):
    """The leads of an activation. They stay in the database, which finds their scores,
    compares them with their rows, and writes what changes."""

    _inherit = "lead.scoring"

    @api.model
    def _score_batch(self, leads, *, recount, regrade):
        """Score leads by the models in use, in one statement.

        :param leads: all that there are from the first to the last of them
        :param recount: engagement as well, from all touchpoints
        :param regrade: also where model and quality stay: grades may not
        :raises UniqueViolation: another worker scored one of them for the first time
        """
        self._settle()
        score_models = self._in_use()
        parts = [self._compared(leads, score_models, recount)]
        if recount:
            self._forget_counts(self._within(["lead_id"], leads))
            half_life = score_models[:1].half_life
            parts.append(
                self._levels_of_compared(leads, score_models, half_life, keep=True)
            )
            parts.append(SQL(GIVEN, SQL("true")))
        else:
            parts.append(SQL(NO_LEVELS))
            changed = SQL("quality <> COALESCE((old).quality_model_score, 0)")
            wanted = SQL("true") if regrade else changed
            parts.append(SQL(GIVEN, SQL("NOT counted AND %s", wanted)))
        rows = self.env.execute_query(
            without_jit(
                SQL(
                    "WITH %s, %s, %s %s",
                    SQL(", ").join(parts),
                    self._followed(score_models),
                    self._saved(leads),
                    SQL() if recount else SQL(MOVED),
                )
            )
        )
        saved = [lead_id for lead_id, ready in rows if ready is not None]
        if saved:
            self._on_saved(leads.browse(saved))
        self._expect_ready({lead_id for lead_id, ready in rows if ready})
        # few: their windows have to go before they are counted
        self._rescore(leads.browse(one for one, ready in rows if ready is None))

    @api.model
    def _try_on(self, leads, score_models, half_life, recount):
        """The scores of leads by other models than those in use. Nothing is written.

        :param leads: all that there are from the first to the last of them
        :param half_life: in days, of all these models
        :param recount: whether touches count otherwise than now
        :return: rows (lead id, grade as it is, as it would be, whether it is
            sales-ready, whether it would be), the newest lead first
        """
        if not leads:
            return []
        self._settle()
        return self.env.execute_query(
            without_jit(
                SQL(
                    "WITH %s, %s, %s, %s SELECT lead_id, (old).lead_grade, lead_grade,"
                    " COALESCE((old).sales_ready, false), sales_ready"
                    " FROM followed ORDER BY lead_id DESC",
                    self._compared(leads, score_models, recount),
                    self._levels_of_compared(leads, score_models, half_life),
                    SQL(GIVEN, SQL("true")),
                    self._followed(score_models, half_life),
                )
            )
        )

    @api.model
    def _compared(self, leads, score_models, recount):
        found = self._found(self._within(["id"], leads), score_models, leads.ids)
        return SQL(
            COMPARED,
            found=found,
            recount=recount,
            within=self._within(["old", "lead_id"], leads),
        )

    @api.model
    def _levels_of_compared(self, leads, score_models, half_life, keep=False):
        def choose(query):
            query.add_where(self._within(["lead_touchpoint", "lead_id"], leads))
            query.add_where(SQL("lead_touchpoint.at <= %s", fields.Datetime.now()))

        touches = [
            touch for model in score_models for touch in self._touches(model, choose)
        ]
        if not touches:
            return SQL(NO_LEVELS)
        theirs = SQL(TOUCHES_OF_COMPARED, SQL(" UNION ALL ").join(touches))
        return self._levels(theirs, half_life, keep=keep)

    @api.model
    def _saved(self, leads):
        names = [SQL.identifier(name) for name in SCORE_COLUMNS]
        return SQL(
            SAVED,
            names=SQL(", ").join(names),
            olds=SQL(", ").join(SQL("(old).%s", name) for name in names),
            sets=SQL(", ").join(SQL("%s = changed.%s", name, name) for name in names),
            now=SQL("%s::timestamp", fields.Datetime.now()),
            within=self._within(["lead_score", "lead_id"], leads),
        )

    @api.model
    def _within(self, column, leads):
        """A condition that names none of the leads, of which there are thousands."""
        low, high = min(leads.ids), max(leads.ids)
        return SQL("%s BETWEEN %s AND %s", SQL.identifier(*column), low, high)
