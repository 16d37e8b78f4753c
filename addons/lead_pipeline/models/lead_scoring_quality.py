# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, Query
from odoo.tools.safe_eval import safe_eval

from ..engine.scoring import quality_shown
from ..tools import without_jit
from .lead_scoring_rows import SCORE_COLUMNS

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
        """Give each lead its model and quality, by one statement for all of them.

        :return: {lead id: ids of the options that count, one a criterion or None};
            leads that are not there (any more) are absent
        """
        rules = [model._rules() for model in score_models]
        points = {None: 0.0}
        for model in rules:
            for criterion in model.criteria:
                points.update(
                    (o.ref, criterion.weight * o.points) for o in criterion.options
                )
        by_id = {model.id: model for model in rules}
        known = {}  # the same options make the same quality
        found = {}
        rows = self._find_rows([state.id for state in states], rules)
        for lead_id, model_id, *held in rows:
            key = model_id, *held
            if key not in known:
                model = by_id.get(model_id)
                known[key] = (
                    (None, 0.0, ())
                    if model is None
                    else (
                        model.origin_id,
                        quality_shown([points[one] for one in held], model.most),
                        tuple(held),
                    )
                )
            found[lead_id] = known[key]
        for state in states:
            state.score_model_id, state.quality_model_score, _held = found.get(
                state.id, (None, 0.0, ())
            )
            if not state.quality_overridden:
                state.quality_score = state.quality_model_score
        return {lead_id: held for lead_id, (_model, _score, held) in found.items()}

    @api.model
    def _find_rows(self, lead_ids, rules):
        """:return: for each lead (its id, the id of the first model that fits, ids of
        the options that hold, one a criterion of that model or None)"""
        query = self._lead_query(lead_ids)
        cases = [
            SQL(
                "WHEN %s THEN ARRAY[%s]::int4[]",
                self._condition(model.domain, query, near=lead_ids),
                SQL(", ").join(
                    [
                        SQL("%s", model.id),
                        *(
                            self._option_case(
                                [
                                    (option, domain)
                                    for option, _points, domain in of_one
                                ],
                                query,
                                lead_ids,
                            )
                            for of_one in model.options
                        ),
                    ]
                ),
            )
            for model in rules
        ]
        cases.append(SQL("WHEN TRUE THEN ARRAY[NULL]::int4[]"))
        chosen = SQL("CASE %s END", SQL(" ").join(cases))
        for lead_id, found in self.env.execute_query(
            without_jit(query.select(SQL.identifier("crm_lead", "id"), chosen))
        ):
            yield lead_id, *found

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
        for score_model in self._in_use():
            rules = score_model._rules()
            points = [
                SQL(
                    "%s::float8 * COALESCE(%s, 0)",
                    criterion.weight,
                    self._option_case(
                        [(SQL("%s::float8", o[1]), o[2]) for o in of_one],
                        query,
                        leads.ids,
                    ),
                )
                for criterion, of_one in zip(rules.criteria, rules.options, strict=True)
                if of_one
            ]
            total = SQL(" + ").join(points) if points and rules.most else SQL("0")
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
                    fits=self._condition(rules.domain, query, near=leads.ids),
                    origin=rules.origin_id,
                    total=total,
                    most=rules.most or 1,
                )
            )
        unscored = SQL("%s IS NOT NULL", model_id)
        query.add_where(
            SQL("CASE %s ELSE %s END", SQL(" ").join(cases), unscored)
            if cases
            else unscored
        )
        rows = self.env.execute_query(
            without_jit(query.select(SQL.identifier("crm_lead", "id")))
        )
        return leads.browse(row[0] for row in rows)

    @api.model
    def _option_case(self, options, query, near=None):
        """A column: the number of the first option that holds for a row of a query.

        :param options: list of (number or SQL, Domain)
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
