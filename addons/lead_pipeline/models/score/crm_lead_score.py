# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import operator as comparison

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...engine import decay
from ...engine.decay import Decay, Level
from .lead_score import GRADES
from .lead_scoring_rows import COLUMN_TYPES, SCORE_COLUMNS, UNSCORED

COMPARISONS = {
    "<": comparison.lt,
    "<=": comparison.le,
    ">": comparison.gt,
    ">=": comparison.ge,
    "=": comparison.eq,
    "!=": comparison.ne,
}


def search_by(name):
    """:return: a search method of a lead for a column of its scores"""

    def search_score(leads, operator, value):
        return leads._search_score(name, operator, value)

    return search_score


class CrmLead(models.Model):
    _inherit = "crm.lead"

    # All of these but engagement are columns of lead.score.
    score_model_id = fields.Many2one(
        "lead.score.model",
        compute="_compute_scores",
        search=search_by("score_model_id"),
        compute_sudo=True,
        help="The first version of the model that scores this lead.",
    )
    quality_model_score = fields.Float(
        "Quality by Model",
        compute="_compute_scores",
        search=search_by("quality_model_score"),
        compute_sudo=True,
        aggregator="avg",
    )
    quality_score = fields.Float(
        "Quality",
        compute="_compute_scores",
        search=search_by("quality_score"),
        compute_sudo=True,
        aggregator="avg",
        help="How well the lead fits, 0 to 100.",
    )
    quality_overridden = fields.Boolean(
        "Quality Set by Hand",
        compute="_compute_scores",
        search=search_by("quality_overridden"),
        compute_sudo=True,
    )
    engagement_amount = fields.Float(
        compute="_compute_scores",
        search=search_by("engagement_amount"),
        compute_sudo=True,
        aggregator=None,
    )
    engagement_as_of = fields.Datetime(
        compute="_compute_scores",
        search=search_by("engagement_as_of"),
        compute_sudo=True,
    )
    engagement_key = fields.Float(
        compute="_compute_scores",
        search=search_by("engagement_key"),
        compute_sudo=True,
        aggregator=None,
    )
    engagement_score = fields.Float(
        "Engagement",
        compute="_compute_engagement_score",
        search="_search_engagement_score",
        aggregator="avg",
        help="How much the lead did with us lately. It halves with time by itself.",
    )
    cools_at = fields.Datetime(
        compute="_compute_scores",
        search=search_by("cools_at"),
        compute_sudo=True,
        help="When the engagement falls into the next band.",
    )
    lead_grade = fields.Selection(
        GRADES,
        "Grade",
        compute="_compute_scores",
        search=search_by("lead_grade"),
        compute_sudo=True,
        help="A to D: how well it fits. 1 to 4: how much it did lately.",
    )
    sales_ready = fields.Boolean(
        compute="_compute_scores", search=search_by("sales_ready"), compute_sudo=True
    )
    sales_ready_date = fields.Datetime(
        "Sales-ready Since",
        compute="_compute_scores",
        search=search_by("sales_ready_date"),
        compute_sudo=True,
    )
    answer_ids = fields.One2many("lead.answer", "lead_id", readonly=True)

    # ------------------------------------------------------------
    # SCORES AS FIELDS
    # ------------------------------------------------------------

    def _compute_scores(self):
        """As they are in the rows beside the leads."""
        scoring = self.env["lead.scoring"]
        scoring._settle()
        rows = scoring._rows(self._origin.ids)
        for lead in self:
            row = rows.get(lead._origin.id, UNSCORED)
            for name, value in zip(SCORE_COLUMNS, row, strict=True):
                lead[name] = value

    def _search_score(self, name, operator, value):
        scores = self.env["lead.score"]
        condition = Domain(name, operator, value).optimize_full(scores)

        def to_sql(leads, alias, query):
            joined = leads._join_scores(alias, query)
            return condition._to_sql(scores, joined, query)

        return Domain.custom(to_sql=to_sql)

    def _join_scores(self, alias, query):
        """:return: the alias of the scores of the leads of a query"""
        # sudo: everybody's leads are scored, whoever asks
        self.env["lead.scoring"].sudo()._settle()
        joined = query.make_alias(alias, "score")
        query.add_join(
            "LEFT JOIN",
            joined,
            "lead_score",
            SQL(
                "%s = %s",
                SQL.identifier(alias, "id"),
                SQL.identifier(joined, "lead_id"),
            ),
        )
        return joined

    # ------------------------------------------------------------
    # ENGAGEMENT AS A FIELD
    # ------------------------------------------------------------

    @api.depends("engagement_amount", "engagement_as_of", "score_model_id")
    def _compute_engagement_score(self):
        """As of now; nothing has to be written for it to be right."""
        now = fields.Datetime.now()
        rates = self._half_lives()
        for lead in self:
            half_life = rates.get(lead.score_model_id.id)
            score = 0.0
            if half_life and lead.engagement_as_of:
                level = Level(lead.engagement_amount, lead.engagement_as_of)
                score = decay.shown(Decay(half_life).score(level, now))
            lead.engagement_score = score

    @api.model
    def _half_lives(self):
        """:return: {id of the first version: half-life in days} of the models in use"""
        in_use = self.env["lead.score.model"]._in_use()
        return {model.origin_id.id: model.half_life for model in in_use}

    def _search_engagement_score(self, operator, value):
        """The key tells the score at any moment: a comparison of one column. Equal is
        what is shown as the same number."""
        if operator in ("in", "not in"):
            found = Domain.OR(
                Domain("engagement_score", "=", one or 0) for one in value
            )
            return ~found if operator == "not in" else found
        if operator not in COMPARISONS:
            return NotImplemented
        value = value or 0
        half_life = next(iter(self._half_lives().values()), None)
        if not half_life:
            return Domain.TRUE if COMPARISONS[operator](0, value) else Domain.FALSE
        now = fields.Datetime.now()
        if operator in ("=", "!="):
            low = Decay(half_life).key_of(value - 0.05, now)
            high = Decay(half_life).key_of(value + 0.05, now)
            same = Domain("engagement_key", ">=", low) & Domain(
                "engagement_key", "<", high
            )
            return same if operator == "=" else ~same
        return Domain("engagement_key", operator, Decay(half_life).key_of(value, now))

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        column = {"engagement_score": "engagement_key"}.get(field_name, field_name)
        if column in ("engagement_key", "quality_score"):
            # leads that were never scored are not the best ones
            value = self._field_to_sql(alias, column, query)
            return SQL("COALESCE(%s, 0) %s %s", value, direction, nulls)
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    def _field_to_sql(self, alias, field_expr, query=None):
        """Scores from their rows, and engagement as of now from its key, so that they
        can be sorted and grouped by."""
        if field_expr in COLUMN_TYPES and query is not None:
            return SQL.identifier(self._join_scores(alias, query), field_expr)
        if field_expr != "engagement_score":
            return super()._field_to_sql(alias, field_expr, query)
        half_life = next(iter(self._half_lives().values()), None)
        if not half_life:
            return SQL("0.0::float8")
        key = self._field_to_sql(alias, "engagement_key", query)
        age = decay.KEY_OFFSET + decay.days(fields.Datetime.now()) / half_life
        return SQL(
            "ROUND((SIGN(COALESCE(%(key)s, 0))"
            " * POWER(2, GREATEST(-1000, ABS(COALESCE(%(key)s, 0)) - %(age)s::float8))"
            ")::numeric, 1)::float8",
            key=key,
            age=age,
        )
