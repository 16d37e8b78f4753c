# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, Query
from odoo.tools.safe_eval import safe_eval

from ..engine.scoring import most_points, quality_shown
from .lead_scoring import SCORE_COLUMNS

_logger = logging.getLogger(__name__)

#: leads named one by one in each condition; batches of more go by their ids' range
MOST_LISTED = 500
#: what a score must not read, as it would have to be scored again and again
SCORE_FIELDS = {*SCORE_COLUMNS, "engagement_score"}


class LeadScoring(models.AbstractModel):
    """Quality: which model a lead fits, and which options hold, found by the database
    for all leads at once."""

    _inherit = "lead.scoring"

    @api.model
    def _find_options(self, states, score_models):
        """Give each lead its model and quality.

        One statement finds the model, one for each model all its options.

        :return: {lead id: ids of the options that count}
        """
        by_model = self._find_models([state.id for state in states], score_models)
        options, found = {}, {}  # found: {lead id: (id of the first version, quality)}
        for model in score_models:
            lead_ids = by_model.get(model.id)
            if not lead_ids:
                continue
            options_of = self._options_of(model, lead_ids)
            options.update(options_of)
            criteria, origin_id = model._criteria(), model.origin_id.id
            most = most_points(criteria)
            points = {None: 0.0}
            for one in criteria:
                points.update({ref.ref: one.weight * ref.points for ref in one.options})
            for lead_id, held in options_of.items():
                shown = quality_shown([points[option] for option in held], most)
                found[lead_id] = origin_id, shown
        for state in states:
            origin_id, shown = found.get(state.id, (None, 0.0))
            state.score_model_id, state.quality_model_score = origin_id, shown
            if not state.quality_overridden:
                state.quality_score = state.quality_model_score
        return options

    @api.model
    def _find_changed(self, leads):
        """Of these leads, those whose model or quality is another by the models in
        use. The database compares, with a little doubt where a number is rounded; the
        others are neither read nor locked.
        """
        query = self._lead_query(leads.ids)
        scores = leads._join_scores("crm_lead", query)
        model_id = SQL.identifier(scores, "score_model_id")
        quality = SQL.identifier(scores, "quality_model_score")
        cases = []
        for model in self._in_use():
            most = most_points(model._criteria())
            points = [
                SQL(
                    "%s::float8 * COALESCE(%s::float8, 0)",
                    criterion.weight,
                    self._option_case(
                        [(o.points, o._lead_domain) for o in criterion.option_ids],
                        query,
                        leads.ids,
                    ),
                )
                for criterion in model.criterion_ids
                if criterion.option_ids
            ]
            total = SQL(" + ").join(points) if points and most else SQL("0::float8")
            cases.append(
                SQL(
                    """
                    WHEN %(fits)s THEN
                        %(model_id)s IS DISTINCT FROM %(origin)s
                        OR abs(
                            LEAST(100, GREATEST(0,
                                100 * (%(total)s) / %(most)s::float8))
                            - COALESCE(%(quality)s, 0)
                        ) > 0.0499
                    """,
                    model_id=model_id,
                    quality=quality,
                    fits=self._condition(model._lead_domain, query, near=leads.ids),
                    origin=model.origin_id.id,
                    total=total,
                    most=most or 1,
                )
            )
        unscored = SQL("%s IS NOT NULL", model_id)
        query.add_where(
            SQL("CASE %s ELSE %s END", SQL(" ").join(cases), unscored)
            if cases
            else unscored
        )
        rows = self.env.execute_query(query.select(SQL.identifier("crm_lead", "id")))
        return leads.browse(row[0] for row in rows)

    @api.model
    def _find_models(self, lead_ids, score_models):
        """:return: {model id: lead ids}, by the first model that fits"""
        if not score_models:
            return {}
        query = self._lead_query(lead_ids)
        cases = [
            SQL(
                "WHEN %s THEN %s",
                self._condition(model._lead_domain, query, near=lead_ids),
                model.id,
            )
            for model in score_models
        ]
        chosen = SQL("CASE %s END", SQL(" ").join(cases))
        found = {}
        for lead_id, model_id in self.env.execute_query(
            query.select(SQL.identifier("crm_lead", "id"), chosen)
        ):
            found.setdefault(model_id, []).append(lead_id)
        found.pop(None, None)
        return found

    @api.model
    def _options_of(self, model, lead_ids):
        """:return: {lead id: ids of the options that count, one a criterion or None}"""
        query = self._lead_query(lead_ids)
        columns = [
            self._option_case(
                [(option.id, option._lead_domain) for option in criterion.option_ids],
                query,
                lead_ids,
            )
            for criterion in model.criterion_ids
        ]
        rows = self.env.execute_query(
            query.select(SQL.identifier("crm_lead", "id"), *columns)
        )
        return {lead_id: tuple(options) for lead_id, *options in rows}

    @api.model
    def _option_case(self, options, query, near=None):
        """A column: the ref of the first option that holds for a row of a query.

        :param options: list of (number, Domain)
        :param near: see ``_condition``
        """
        cases = [
            SQL("WHEN %s THEN %s", self._condition(domain, query, near=near), ref)
            for ref, domain in options
        ]
        return SQL("CASE %s END", SQL(" ").join(cases)) if cases else SQL("NULL::int4")

    @api.model
    def _lead_query(self, lead_ids):
        query = Query(self.env, "crm_lead", SQL.identifier("crm_lead"))
        query.add_where(
            SQL("%s = ANY(%s)", SQL.identifier("crm_lead", "id"), list(lead_ids))
        )
        return query

    @api.model
    def _condition(self, domain, query, model="crm.lead", near=None):
        """A domain as a condition on the rows of a query. The domains of all options
        share one query, for which ``_search`` has no way.

        It says the same whoever caused the event, in whatever language. What was
        right when it was written and can't be searched any more, as its field went
        with an addon, holds for nothing: no lead may be lost by that.

        :param domain: a Domain, or a function that gives it
        :param near: ids of the records in question. Of what belongs to them, such as
            their answers, the database then reads no more than theirs.
        """
        # all that a search depends on but the domain
        env = self.env(
            user=SUPERUSER_ID,
            context={"active_test": False, "tz": "UTC", "allowed_company_ids": []},
        )
        records = env[model]
        try:
            wanted = domain() if callable(domain) else domain
            if near:
                wanted = self._near(Domain(wanted), records, near)
            optimized = Domain(wanted).optimize_full(records)
            if optimized.is_true():
                return SQL("TRUE")
            if optimized.is_false():
                return SQL("FALSE")
            return optimized._to_sql(records, records._table, query)
        except (KeyError, ValueError, ValidationError) as error:
            _logger.error("a condition of a score model can't be searched: %s", error)
            return SQL("FALSE")

    @api.model
    def _near(self, domain, records, ids):
        """A domain in which lines of these records alone are looked at."""
        few = len(ids) <= MOST_LISTED
        low, high = min(ids), max(ids)

        def near(condition):
            field = records._fields.get(condition.field_expr)
            if (
                not field
                or field.type != "one2many"
                or condition.operator not in ("any", "not any")
                or not isinstance(condition.value, Domain | list | tuple)
            ):
                return condition
            owner = field.inverse_name
            theirs = (
                Domain(owner, "in", list(ids))
                if few
                else Domain(owner, ">=", low) & Domain(owner, "<=", high)
            )
            lines = Domain(condition.value) & theirs
            return Domain(condition.field_expr, condition.operator, lines)

        return domain.map_conditions(near)

    # ------------------------------------------------------------
    # CHECKS
    # ------------------------------------------------------------

    @api.model
    def _check_domain(self, model_name, domain):
        """:raises ValidationError: the domain can't be read, or not be searched, or
        reads the score itself"""
        records = self.env[model_name].with_context(active_test=False)
        try:
            parsed = Domain(safe_eval(domain) if isinstance(domain, str) else domain)
            # a savepoint: what the database refuses must not break what goes on
            with self.env.cr.savepoint():
                records.search(parsed, limit=1)
        except Exception as error:
            raise ValidationError(
                self.env._(
                    "These conditions can't be used: %(domain)s\n%(error)s",
                    domain=domain,
                    error=error,
                )
            ) from error
        names = {
            name
            for condition in parsed.iter_conditions()
            for name in condition.field_expr.split(".")
        }
        if not names.isdisjoint(SCORE_FIELDS):
            raise ValidationError(
                self.env._("A score can't depend on a score: leave that condition out.")
            )
