# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ..engine import decay
from ..engine.decay import Decay, Level, Touch
from ..engine.scoring import quality

GRADES = [(f"{fit}{pull}", f"{fit}{pull}") for fit in "ABCD" for pull in "1234"]
#: a lead whose score is explained may have a hundred thousand touchpoints
EXPLAINED_TOUCHES = 5000


class CrmLead(models.Model):
    _inherit = "crm.lead"

    # Written by lead.scoring in plain SQL. Few indexes: each would cost every touch.
    score_model_id = fields.Many2one(
        "lead.score.model",
        "Score Model",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="The first version of the model that scores this lead.",
    )
    quality_model_score = fields.Float(
        "Quality by Model", readonly=True, copy=False, aggregator="avg"
    )
    quality_score = fields.Float(
        "Quality",
        readonly=True,
        copy=False,
        aggregator="avg",
        help="How well the lead fits, 0 to 100.",
    )
    quality_overridden = fields.Boolean("Quality Set by Hand", readonly=True, copy=False)
    engagement_amount = fields.Float(readonly=True, copy=False, aggregator=None)
    engagement_as_of = fields.Datetime(readonly=True, copy=False)
    engagement_key = fields.Float(readonly=True, copy=False, aggregator=None)
    engagement_score = fields.Float(
        "Engagement",
        compute="_compute_engagement_score",
        search="_search_engagement_score",
        help="How much the lead did with us lately. It halves with time by itself.",
    )
    cools_at = fields.Datetime(
        readonly=True, copy=False, help="When the engagement falls into the next band."
    )
    lead_grade = fields.Selection(
        GRADES,
        "Grade",
        readonly=True,
        copy=False,
        help="A to D: how well it fits. 1 to 4: how much it did lately.",
    )
    sales_ready = fields.Boolean(readonly=True, copy=False)
    sales_ready_date = fields.Datetime("Sales-ready Since", readonly=True, copy=False)
    answer_ids = fields.One2many("lead.answer", "lead_id", readonly=True)

    _cools_at_idx = models.Index("(cools_at) WHERE cools_at IS NOT NULL")

    # ------------------------------------------------------------
    # ENGAGEMENT AS A FIELD
    # ------------------------------------------------------------

    @api.depends_context("lead_score_at")
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
        """The key tells the score at any moment, so an index-friendly comparison."""
        if operator not in ("<", "<=", ">", ">=", "=", "!=", "in", "not in"):
            return NotImplemented
        if operator in ("in", "not in"):
            found = Domain.OR(
                Domain("engagement_score", "=", one or 0) for one in value
            )
            return ~found if operator == "not in" else found
        half_life = next(iter(self._half_lives().values()), None)
        if not half_life:
            return Domain.TRUE if operator in ("<=", ">=", "=") and not value else Domain.FALSE
        now = fields.Datetime.now()
        if operator in ("=", "!="):  # what is shown as this number
            low = Decay(half_life).key_of((value or 0) - 0.05, now)
            high = Decay(half_life).key_of((value or 0) + 0.05, now)
            same = Domain("engagement_key", ">=", low) & Domain(
                "engagement_key", "<", high
            )
            return same if operator == "=" else ~same
        return Domain("engagement_key", operator, Decay(half_life).key_of(value, now))

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if field_name == "engagement_score":
            key = self._field_to_sql(alias, "engagement_key", query)
            return SQL("COALESCE(%s, 0) %s %s", key, direction, nulls)
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

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
        """Quality again, unless the capture does it for all its leads at once."""
        if not self.env.context.get("lead_scoring_later"):
            # sudo: a score is everybody's, whoever changed the lead
            self.env["lead.scoring"].sudo()._rescore(self.sudo())

    @api.model
    @ormcache()
    def _scored_fields(self):
        """Fields of a lead whose change may change its model or its quality: those the
        domains name, and those they are computed from."""
        names = set()
        # sudo: everybody's leads are scored, whoever may see how
        for model in self.env["lead.score.model"]._in_use():
            domains = [model._lead_domain()]
            domains += [o._lead_domain() for o in model.criterion_ids.option_ids]
            for domain in domains:
                for condition in domain.iter_conditions():
                    names.add(condition.field_expr.partition(".")[0])
        if names:
            names.add("company_id")
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
        domain = [("cools_at", "<=", now)]
        leads = self.with_context(active_test=False)
        progress = self.env["ir.cron"]._commit_progress
        progress(remaining=leads.search_count(domain))
        while found := leads.search(domain, limit=batch, order="cools_at"):
            self.env["lead.scoring"]._cool(found)
            if not progress(len(found)):
                return
        touchpoints = self.env["lead.touchpoint"]
        domain = [("awaited", "=", True), ("at", "<=", now)]
        while due := touchpoints.search(domain, limit=batch, order="at"):
            due.awaited = False
            self.env["lead.scoring"]._touch(due)
            if not progress(len(due)):
                return

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
        value = decay.shown(value)
        self._write_override(
            {"quality_score": value, "quality_overridden": True}, reason.strip()
        )

    def action_give_back_quality(self):
        """Let the model say the quality again."""
        self.check_access("write")
        for lead in self.filtered("quality_overridden"):
            lead._write_override(
                {
                    "quality_score": lead.quality_model_score,
                    "quality_overridden": False,
                },
                self.env._("Given back to the model"),
            )

    def _write_override(self, vals, reason):
        # sudo: scores are written by the system, and history is nobody's to write
        leads = self.sudo()
        leads.write(vals)
        in_use = {m.origin_id: m for m in self.env["lead.score.model"]._in_use()}
        latest = leads._latest_history(fields.Datetime.now())
        leads.env["lead.score.history"].create(
            [
                {
                    "lead_id": lead.id,
                    "at": fields.Datetime.now(),
                    "model_id": in_use[lead.score_model_id].id
                    if lead.score_model_id in in_use
                    else False,
                    "option_ids": latest[lead.id].option_ids
                    if lead.id in latest
                    else [],
                    "model_quality": lead.quality_model_score,
                    "quality": lead.quality_score,
                    "overridden": lead.quality_overridden,
                    "user_id": self.env.uid,
                    "reason": reason,
                }
                for lead in leads
            ]
        )
        leads.env["lead.scoring"]._cool(leads)

    def _latest_history(self, at):
        """:return: {lead id: the row that held at this moment}"""
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

    # ------------------------------------------------------------
    # EXPLAIN
    # ------------------------------------------------------------

    def explain_score(self, at=None):
        """Why the score is what it is, or was.

        :param at: a moment (naive UTC datetime, or its text as RPC gives it); default:
            now
        :return: {"at", "model", "version", "grade", "quality": {"shown", "parts":
            [{"criterion", "option", "points", "most", "shown"}], "limit",
            "overridden": False or {"user", "reason", "at", "model_quality"}},
            "engagement": {"shown", "parts": [{"activity", "shown", "count"}]}}. The
            ``shown`` of the parts (and ``limit``) sum to the ``shown`` above them.
        :raises UserError: the moment can't be read
        """
        self.ensure_one()
        self.check_access("read")
        try:
            moment = fields.Datetime.to_datetime(at) or fields.Datetime.now()
        except ValueError as error:
            raise UserError(self.env._("“%s” is no moment.", at)) from error
        # sudo: models and history are read for whoever may read the lead
        lead = self.sudo()
        self.env.flush_all()
        row = lead._latest_history(moment).get(lead.id)
        model = lead._model_at(moment, row)
        result = {
            "at": fields.Datetime.to_string(moment),
            "model": model.name or False,
            "version": model.version,
            "grade": False,
            "quality": lead._explain_quality(model, row),
            "engagement": {"shown": 0.0, "parts": []},
        }
        if model:
            result["engagement"] = lead._explain_engagement(model, moment)
            result["grade"] = model._bands().grade(
                result["quality"]["shown"], result["engagement"]["shown"]
            )
        return result

    def _model_at(self, moment, row):
        """The version by which touches counted at a moment."""
        self.ensure_one()
        if not row or not row.model_id:
            return self.env["lead.score.model"]
        versions = self.env["lead.score.model"].search(
            [
                ("origin_id", "=", row.model_id.origin_id.id),
                ("activated_at", "!=", False),
                ("activated_at", "<=", moment),
            ],
            order="activated_at desc, version desc",
            limit=1,
        )
        return versions or row.model_id

    def _explain_quality(self, model, row):
        """By the version that gave the number that was shown."""
        if not row:
            return {"shown": 0.0, "parts": [], "limit": 0.0, "overridden": False}
        scored = quality(row.model_id._criteria(), set(row.option_ids or ()))
        criteria = {c.id: c for c in row.model_id.criterion_ids}
        options = {o.id: o for o in row.model_id.criterion_ids.option_ids}
        return {
            "shown": row.quality,
            "parts": [
                {
                    "criterion": criteria[part.criterion].name,
                    "option": part.option and options[part.option].name,
                    "points": part.points,
                    "most": part.most,
                    "shown": part.shown,
                }
                for part in scored.parts
            ],
            "limit": scored.limit,
            "overridden": row.overridden
            and {
                "user": row.user_id.name,
                "reason": row.reason,
                "at": fields.Datetime.to_string(row.at),
                "model_quality": row.model_quality,
            },
        }

    def _explain_engagement(self, model, moment):
        touches = []
        activities = {}
        for activity in model.activity_ids:
            activities[activity.id] = activity._to_engine()
            found = self.env["lead.touchpoint"].search_fetch(
                activity._touch_domain()
                & Domain("lead_id", "=", self.id)
                & Domain("at", "<=", moment),
                ["at"],
            )
            touches += [Touch(touch.id, activity.id, touch.at) for touch in found]
        explained = Decay(model.half_life).explain(touches, activities, moment)
        names = {activity.id: activity.name for activity in model.activity_ids}
        return {
            "shown": explained.shown,
            "parts": [
                {
                    "activity": names[part.activity],
                    "shown": part.shown,
                    "count": len(part.touches),
                }
                for part in explained.parts
            ],
        }
