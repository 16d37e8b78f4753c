# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, Query
from odoo.tools.safe_eval import safe_eval

from ...engine.decay import HALF_UP
from ...engine.scoring import percent_a_point
from ...tools import without_jit
from .crm_lead_score_events import domain_paths
from .lead_scoring_rows import SCORE_COLUMNS

_logger = logging.getLogger(__name__)

#: leads named one by one in each condition; batches of more go by their ids' range
MOST_LISTED = 500
#: operators that compare texts without regard to case, and their pattern of a value
PATTERNS = {"=ilike": "%s", "ilike": "%%%s%%"}
#: what a score must not read, as it would have to be scored again and again
SCORE_FIELDS = {*SCORE_COLUMNS, "engagement_score"}


class LeadScoring(models.AbstractModel):
    """Quality: which model a lead fits, and which options hold, found by the database
    for all leads at once."""

    _inherit = "lead.scoring"

    @api.model
    def _find_options(self, states):
        """Give each lead its model and quality, by one statement for all of them.

        :return: ids of the leads that are there (still)
        """
        lead_ids = [state.id for state in states]
        chosen = SQL("id = ANY(%s)", lead_ids)
        rows = self.env.execute_query(
            without_jit(
                SQL(
                    "WITH %s SELECT lead_id, score_model_id, quality, version_id,"
                    " option_ids, version_id IS NOT NULL"
                    " AND to_jsonb(COALESCE(option_ids, '{}')) IS DISTINCT FROM"
                    " (SELECT told.option_ids FROM lead_score_history AS told"
                    "   WHERE told.lead_id = found.lead_id"
                    "   ORDER BY told.at DESC, told.id DESC LIMIT 1) FROM found",
                    self._found(chosen, self._in_use(), lead_ids),
                )
            )
        )
        found = {lead_id: columns for lead_id, *columns in rows}
        for state in states:
            if state.id in found:
                (
                    state.score_model_id,
                    state.quality_model_score,
                    state.version_id,
                    state.option_ids,
                    state.told_otherwise,
                ) = found[state.id]
                if not state.quality_overridden:
                    state.quality_score = state.quality_model_score
        return set(found)

    @api.model
    def _found(self, chosen, score_models, lead_ids):
        """Parts of a statement, the last one called "found": for each of these leads
        the first model that fits (its first version), the version, the quality, and
        the ids of the options that count.

        As ``engine.scoring`` says it, to the last digit.

        :param chosen: which leads, as a condition on rows of ``crm_lead``
        """
        fits, qualities, options = [], [], []
        all_rules = [model._rules() for model in score_models]
        domains = [rules.domain for rules in all_rules]
        domains += [one[2] for rules in all_rules for of in rules.options for one in of]
        query, plain = self._query_with_plain_texts(chosen, domains)
        for place, rules in enumerate(all_rules, 1):
            # places of what holds: of the model, then of an option of each criterion
            places = [SQL("%s", place)]
            points, option_ids = [], []
            for criterion, of_one in zip(rules.criteria, rules.options, strict=True):
                if not of_one:
                    continue
                cases = [(n, option[2]) for n, option in enumerate(of_one, 1)]
                places.append(self._option_case(cases, query, lead_ids, plain))
                weighted = [criterion.weight * option[1] for option in of_one]
                held = SQL("held[%s]", len(places))
                points.append(SQL("COALESCE((%s::float8[])[%s], 0)", weighted, held))
                option_ids.append(
                    SQL("(%s::int4[])[%s]", [option[0] for option in of_one], held)
                )
            fitting = self._condition(rules.domain, query, near=lead_ids, plain=plain)
            case = SQL("WHEN %s THEN ARRAY[%s]", fitting, SQL(", ").join(places))
            fits.append(case)
            if points:
                case = SQL(
                    "WHEN %s THEN LEAST(100, GREATEST(0, %s::float8 * (%s)))",
                    place,
                    percent_a_point(rules.most),
                    SQL(" + ").join(points),
                )
                qualities.append(case)
                options.append(
                    SQL(
                        "WHEN %s THEN array_remove(ARRAY[%s], NULL)",
                        place,
                        SQL(", ").join(option_ids),
                    )
                )
        return SQL(
            """
            fit AS (%(fit)s OFFSET 0),
            found AS (
                SELECT lead_id,
                       (%(origins)s::int4[])[held[1]] AS score_model_id,
                       (%(versions)s::int4[])[held[1]] AS version_id,
                       floor(%(quality)s * 10 + %(half)s::float8) / 10 AS quality,
                       %(options)s AS option_ids
                  FROM fit
            )
            """,
            fit=query.select(
                SQL("crm_lead.id AS lead_id"),
                SQL("%s AS held", self._case(fits, SQL("NULL::int4[]"))),
            ),
            origins=[rules.origin_id for rules in all_rules],
            versions=[rules.id for rules in all_rules],
            quality=self._case(qualities, SQL("0::float8"), SQL("held[1]")),
            half=HALF_UP,
            options=self._case(options, SQL("NULL::int4[]"), SQL("held[1]")),
        )

    @api.model
    def _case(self, cases, otherwise, of=None):
        if not cases:
            return otherwise
        return SQL(
            "CASE %s %s ELSE %s END", of or SQL(), SQL(" ").join(cases), otherwise
        )

    @api.model
    def _query_with_plain_texts(self, chosen, domains):
        """A query on leads that knows their texts in lower case as well. To compare
        without regard to case turns both sides into lower case: here once for each
        text, not for each option that reads it.

        :return: (query, {name of a field: name of the column})
        """
        leads = self.env["crm.lead"]
        plain = {
            condition.field_expr: f"plain_{condition.field_expr}"
            for domain in domains
            for condition in domain.iter_conditions()
            if condition.operator in PATTERNS
            and (field := leads._fields.get(condition.field_expr))
            and field.store
            and field.type in ("char", "text")
            and not (field.translate or field.company_dependent)
        }
        columns = [
            SQL(
                ", lower(%s) AS %s",
                self.env.registry.unaccent(leads._fields[name].to_sql(leads, "lead")),
                SQL.identifier(column),
            )
            for name, column in plain.items()
        ]
        table = SQL(
            "(SELECT lead.* %s FROM crm_lead AS lead WHERE %s OFFSET 0)",
            SQL().join(columns),
            chosen,
        )
        return Query(self.env, "crm_lead", table), plain

    @api.model
    def _option_case(self, options, query, near=None, plain=None):
        """A column: the number of the first option that holds for a row of a query.

        :param options: list of (number or SQL, Domain)
        :param near: see ``_condition``
        :param plain: see ``_condition``
        """
        cases = [
            SQL(
                "WHEN %s THEN %s",
                self._condition(domain, query, near=near, plain=plain),
                ref,
            )
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
    def _condition(self, domain, query, model="crm.lead", near=None, plain=None):
        """A domain as a condition on the rows of a query. The domains of all options
        share one query, for which ``_search`` has no way.

        It says the same whoever caused the event, in whatever language. What was
        right when it was written and can't be searched any more, as its field went
        with an addon, holds for nothing: no lead may be lost by that.

        :param domain: a Domain, or a function that gives it
        :param near: ids of the records in question. Of what belongs to them, such as
            their answers, the database then reads no more than theirs.
        :param plain: columns of texts, as of ``_query_with_plain_texts``
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
            if plain:
                optimized = self._compare_plain(optimized, plain)
            return optimized._to_sql(records, records._table, query)
        except (KeyError, ValueError, ValidationError) as error:
            _logger.error("a condition of a score model can't be searched: %s", error)
            return SQL("FALSE")

    @api.model
    def _compare_plain(self, domain, plain):
        """A domain that compares texts with columns of them in lower case."""
        unaccent = self.env.registry.unaccent

        def compare(condition):
            column = plain.get(condition.field_expr)
            pattern = PATTERNS.get(condition.operator)
            if not column or not pattern or not isinstance(condition.value, str):
                return condition
            value = SQL("lower(%s)", unaccent(SQL("%s", pattern % condition.value)))
            return Domain.custom(
                to_sql=lambda _records, alias, _query: SQL(
                    "%s LIKE %s", SQL.identifier(alias, column), value
                )
            )

        return domain.map_conditions(compare)

    @api.model
    def _near(self, domain, records, ids):
        """A domain in which lines of these records alone are looked at."""
        few = len(ids) <= MOST_LISTED

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
                else Domain(owner, ">=", min(ids)) & Domain(owner, "<=", max(ids))
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
        names = {name for path in domain_paths(parsed) for name in path.split(".")}
        if not names.isdisjoint(SCORE_FIELDS):
            raise ValidationError(
                self.env._("A score can't depend on a score: leave that condition out.")
            )
        if "segment_ids" in names:
            raise ValidationError(
                self.env._(
                    "A score can't depend on a segment, as that may depend on scores: "
                    "ask for what the segment asks for."
                )
            )
