# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import operator as comparison

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ..engine import decay
from ..engine.decay import Decay, Level
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


def domain_paths(domain):
    """:return: all paths of fields in a domain, also those below "any" """
    for condition in domain.iter_conditions():
        yield condition.field_expr
        if condition.operator.removeprefix("not ").startswith("any"):
            if isinstance(condition.value, Domain):
                for path in domain_paths(condition.value):
                    yield f"{condition.field_expr}.{path}"


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
        _states, rows = scoring._load(self._origin.ids, lock=False)
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

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        leads._rescore()
        return leads

    def write(self, vals):
        result = super().write(vals)
        if not self._scored_fields().isdisjoint(vals):
            self._rescore()
        return result

    def _rescore(self):
        """Quality again, before anybody reads it, unless the capture does it."""
        if not self.env.context.get("lead_scoring_later"):
            self.env["lead.scoring"]._wait(self)

    def _merge_dependences(self, opportunities):
        """Carry answers along; the touchpoints that come along count by themselves."""
        result = super()._merge_dependences(opportunities)
        touched = opportunities.filtered("has_touchpoints")
        if touched and self.env["lead.answer"].sudo()._carry(touched, self):
            self._rescore()
        return result

    def _compute_field_value(self, field):
        """A field that is computed from records beside the lead, such as its customer,
        changes without a write to the lead."""
        result = super()._compute_field_value(field)
        if field.store and field.name in self._scored_fields():
            self._rescore()
        return result

    @api.model
    def _rescore_linked(self, field_name, records, vals):
        """Score leads again whose criteria read, through a many2one, what was written
        to these records."""
        read = {
            path.split(".")[1]
            for path in self._scored_paths()
            if path.startswith(f"{field_name}.")
        }
        if not read.isdisjoint(vals):
            leads = self.sudo().with_context(active_test=False)
            leads.search([(field_name, "in", records.ids)])._rescore()

    @api.model
    def _fields_of_touches(self):
        """Fields of a lead that change with its touchpoints, by plain SQL."""
        return {"touchpoint_ids", "has_touchpoints", *self._touch_field_names()}

    @api.model
    @ormcache()
    def _scored_paths(self):
        """Paths of fields that the domains of the models in use name."""
        paths = set()
        # sudo: everybody's leads are scored, whoever may see how
        for model in self.env["lead.score.model"]._in_use():
            paths.add("company_id")
            for record in (model, *model.criterion_ids.option_ids):
                try:
                    paths.update(domain_paths(record._lead_domain()))
                except ValidationError:
                    continue  # it holds for no lead, which the scoring logs
        return frozenset(paths)

    @api.model
    @ormcache()
    def _scored_fields(self):
        """Fields of a lead whose change may change its model or its quality: those the
        domains name, and those they are computed from."""
        return self._with_sources(
            {path.partition(".")[0] for path in self._scored_paths()}
        )

    @api.model
    def _with_sources(self, names):
        """Names of fields of a lead, and of those that they are computed from."""
        names = set(names)
        pending = list(names)
        while pending:
            field = self._fields.get(pending.pop())
            if field is None or not field.compute:
                continue
            for path in self.pool.field_depends[field]:
                name = path.partition(".")[0]
                if name in self._fields and name not in names:
                    names.add(name)
                    pending.append(name)
        return frozenset(names)

    def _on_sales_ready(self):
        """These leads crossed the sales-ready line just now. For others to extend."""

    @api.model
    def _cron_cool(self, batch=1000):
        """Move leads whose engagement fell below a threshold, and count touchpoints
        whose time has come. Only those rows are read and written."""
        now = fields.Datetime.now()
        leads = self.with_context(active_test=False)
        cooled = [("cools_at", "<=", now)]
        touchpoints = self.env["lead.touchpoint"]
        happened = [("awaited", "=", True), ("at", "<=", now)]
        run = self.env["lead.scoring"]._run_batch
        progress = self.env["ir.cron"]._commit_progress
        progress(
            remaining=leads.search_count(cooled) + touchpoints.search_count(happened)
        )
        while done := run(leads._cool_some, cooled, batch):
            if not progress(done):
                return
        while done := run(touchpoints._count_some, happened, batch):
            if not progress(done):
                return

    @api.model
    def _cool_some(self, domain, limit):
        found = self.search(domain, limit=limit, order="cools_at")
        self.env["lead.scoring"]._cool(found)
        return len(found)

    # ------------------------------------------------------------
    # OVERRIDE
    # ------------------------------------------------------------

    def _override_quality(self, value, reason):
        """A person's own judgement, until it is given back.

        :param value: 0 to 100
        :raises ValidationError: another value, or no reason
        """
        self.check_access("write")
        if not 0 <= value <= 100:
            raise ValidationError(self.env._("A quality is between 0 and 100."))
        if not (reason or "").strip():
            raise ValidationError(
                self.env._("Say why: whoever reads the score wants to know.")
            )
        # sudo: scores are written by the system, and history is nobody's to write
        self.env["lead.scoring"].sudo()._override(
            self.ids, decay.shown(value), reason.strip()
        )

    def action_give_back_quality(self):
        """Let the model say the quality again."""
        self.check_access("write")
        # sudo: as above
        self.env["lead.scoring"].sudo()._override(
            self.filtered("quality_overridden").ids,
            None,
            self.env._("Given back to the model"),
        )

    def _latest_history(self, at):
        """:return: {lead id: the row that held at this moment}"""
        # sudo: everybody's leads are scored, whoever asks
        self.env["lead.scoring"].sudo()._settle()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (lead_id) id FROM lead_score_history
                 WHERE lead_id = ANY(%s) AND at <= %s
                 ORDER BY lead_id, at DESC, id DESC
                """,
                self.ids,
                at,
            )
        )
        # sudo: whoever may read a lead may know its score
        history = self.env["lead.score.history"].sudo().browse(row[0] for row in rows)
        return {row.lead_id.id: row for row in history}
