# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import math

from odoo import api, fields, models
from odoo.tools import SQL

from ...engine import decay

#: from 1970 to the last second that a date can say
LAST_SECOND = 253402300799
LN2 = SQL("%s::float8", math.log(2))
#: what is left of a point after some days; something always is, as in the engine
LEFT = "power(2.0::float8, GREATEST(-1000, -GREATEST(0, %s) / half_life))"

#: Each step says once what the next ones need several times. ``OFFSET 0``: PostgreSQL
#: would put it in for each mention, and work it out as often.
FOLLOWED = f"""
    dated AS (
        SELECT given.*, rule.*, rule.origin_id IS NOT NULL AS is_scored,
               GREATEST(0, COALESCE(date_part('epoch', engagement_as_of), 0)
                   / 86400.0::float8) AS since
          FROM given LEFT JOIN (%(rules)s) AS rule
            ON rule.origin_id = given.score_model_id
        OFFSET 0
    ),
    weighed AS (
        SELECT *,
               CASE WHEN abs(engagement_amount) < %(nothing)s THEN 0
                    ELSE engagement_amount * {LEFT % "%(today)s - since"}
                END AS score,
               CASE WHEN abs(engagement_amount) < %(nothing)s THEN 0
                    WHEN NOT is_scored THEN COALESCE((old).engagement_key, 0)
                    ELSE sign(engagement_amount) * (%(offset)s
                        + ln(abs(engagement_amount)) / %(ln2)s + since / half_life)
                END AS engagement_key
          FROM dated
        OFFSET 0
    ),
    banded AS (
        SELECT *,
               GREATEST(
                   CASE WHEN score >= engagement_1 THEN engagement_1 END,
                   CASE WHEN score >= engagement_2 THEN engagement_2 END,
                   CASE WHEN score >= engagement_3 THEN engagement_3 END,
                   CASE WHEN score >= ready_engagement THEN ready_engagement END
               ) AS line,
               COALESCE(quality_score >= ready_quality AND score >= ready_engagement,
                   false) AS sales_ready
          FROM weighed
        OFFSET 0
    ),
    cooling AS (
        SELECT *,
               CASE WHEN line > 0 THEN floor(86400 * (since
                   + half_life * ((ln(engagement_amount) - ln(line)) / %(ln2)s)))
                END AS second
          FROM banded
        OFFSET 0
    ),
    cooled AS (
        -- the logarithm is right to the second before or after
        SELECT *, second
               + (engagement_amount
                   * {LEFT % "second / 86400.0::float8 - since"} >= line)::int
               + (engagement_amount
                   * {LEFT % "(second + 1) / 86400.0::float8 - since"} >= line)::int
               AS cool_second
          FROM cooling
        OFFSET 0
    ),
    followed AS (
        SELECT *,
               CASE WHEN cool_second <= %(last)s
                    THEN timestamp '1970-01-01' + cool_second * interval '1 second'
                END AS cools_at,
               CASE WHEN is_scored THEN
                    substr('ABCD', 1 + (quality_score < quality_a)::int
                        + (quality_score < quality_b)::int
                        + (quality_score < quality_c)::int, 1)
                    || (1 + (score < engagement_1)::int
                        + (score < engagement_2)::int + (score < engagement_3)::int)
                END AS lead_grade,
               CASE WHEN sales_ready AND (old).sales_ready IS NOT TRUE
                    THEN %(now)s ELSE (old).sales_ready_date
                END AS sales_ready_date
          FROM cooled
    )
"""


class LeadScoring(models.AbstractModel):
    """What follows from quality and engagement, for leads that stay in the database:
    grade, key, sales-readiness and the moment of the next change. ``_follow`` says the
    same of the leads of an event, where to plan such a statement would take longer than
    all else. Tests compare both, to the last digit and second."""

    _inherit = "lead.scoring"

    @api.model
    def _followed(self, score_models, half_life=None):
        """Parts of a statement, from one called "given" to one called "followed".

        :param half_life: in days, if it is another than that of the models
        :return: SQL; "given" has the columns that are not found here, and ``old``, the
            row of ``lead_score`` as it is
        """
        now = fields.Datetime.now()
        return SQL(
            FOLLOWED,
            rules=self._rule_rows(score_models, half_life),
            nothing=SQL("%s::float8", decay.NOTHING),
            offset=SQL("%s::float8", decay.KEY_OFFSET),
            today=SQL("%s::float8", decay.days(now)),
            now=SQL("%s::timestamp", now),
            last=LAST_SECOND,
            ln2=LN2,
        )

    @api.model
    def _rule_rows(self, score_models, half_life):
        """A row for each model, by the id of its first version."""
        all_rules = [model._rules() for model in score_models]
        columns = {
            "half_life": [half_life or rules.half_life for rules in all_rules],
            "ready_quality": [rules.ready_line.quality for rules in all_rules],
            "ready_engagement": [rules.ready_line.engagement for rules in all_rules],
        }
        for place in range(3):
            letter, number = "abc"[place], place + 1
            columns |= {
                f"quality_{letter}": [one.bands.quality[place] for one in all_rules],
                f"engagement_{number}": [
                    one.bands.engagement[place] for one in all_rules
                ],
            }
        return SQL(
            "SELECT * FROM unnest(%s::int4[], %s) AS rule(origin_id, %s)",
            [rules.origin_id for rules in all_rules],
            SQL(", ").join(SQL("%s::float8[]", values) for values in columns.values()),
            SQL(", ").join(map(SQL.identifier, columns)),
        )
