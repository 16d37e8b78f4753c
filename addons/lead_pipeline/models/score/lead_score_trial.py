# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models
from odoo.tools import SQL

from ...engine.decay import Decay, Level
from ...engine.scoring import quality
from .crm_lead_trial import PastValues

#: what becomes of a lead, and what only work on it brings about: who reads these knows
#: the outcome
LATER_FIELDS = {
    "active",
    "automated_probability",
    "cools_at",
    "date_closed",
    "date_conversion",
    "date_first_response",
    "date_last_stage_update",
    "date_open",
    "day_close",
    "day_open",
    "is_automated_probability",
    "lead_grade",
    "lost_reason_id",
    "probability",
    "prorated_revenue",
    "recurring_revenue_monthly_prorated",
    "recurring_revenue_prorated",
    "sales_ready",
    "sales_ready_date",
    "score_model_id",
    "stage_id",
    "won_status",
    "write_date",
    "write_uid",
}
LATER_PREFIXES = ("quality_", "engagement_", "last_touch_")


class LeadScoreTrial(models.AbstractModel):
    """Leads whose outcome is known, as they were some days after they came in: scored
    by any version of a model, by the statements that score leads in earnest. Nothing
    is written. Why so, and what can't be known: docs/decisions/0004.

    ``rows`` is always SQL of rows (lead_id, at, won, early), as ``_outcomes`` makes it.
    """

    _name = "lead.score.trial"
    _description = "Lead Score Trial"

    # ------------------------------------------------------------
    # LEADS
    # ------------------------------------------------------------

    @api.model
    def _begin(self):
        """Bring the database up to date before a trial. Its statements are long: to
        compile one takes PostgreSQL ten times as long as to run it on a batch."""
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL jit = off")

    @api.model
    def _outcomes(self, domain, days, after=0, upto=None, limit=None):
        """Won and lost leads that the user may see, and the moment to look at.

        The moment is ``days`` after creation; for a lead closed by then, the second
        before it was closed, as what closing brought about must not count.

        :param after: ids above this one; ``upto``: up to this one
        :return: SQL of rows (lead_id, at: naive UTC, won, early: closed before its days
            were over), by id if there is a limit
        """
        leads = self.env["crm.lead"].with_context(active_test=False)
        query = leads._search([*domain, ("won_status", "in", ("won", "lost"))])
        query.add_where(SQL("crm_lead.id > %s", after))
        if upto is not None:
            query.add_where(SQL("crm_lead.id <= %s", upto))
        if limit:
            query.order, query.limit = SQL("crm_lead.id"), limit
        return query.select(
            SQL("crm_lead.id AS lead_id"),
            SQL(
                """
                GREATEST(crm_lead.create_date, LEAST(
                    crm_lead.create_date + %s * interval '1 day',
                    crm_lead.date_closed - interval '1 second')) AS at
                """,
                days,
            ),
            SQL("crm_lead.won_status = 'won' AS won"),
            SQL(
                "COALESCE(crm_lead.date_closed"
                " <= crm_lead.create_date + %s * interval '1 day', false) AS early",
                days,
            ),
        )

    @api.model
    def _names_read(self, domains):
        """Names of the leads' fields that domains read."""
        leads = self.env["crm.lead"]
        return {
            condition.field_expr.partition(".")[0]
            for domain in domains
            for form in (domain, domain.optimize_full(leads))
            for condition in form.iter_conditions()
        }

    @api.model
    def _later_names(self, names):
        """Those of these fields that tell of the outcome."""
        fields = self.env["crm.lead"]._fields
        return {
            name
            for name in names
            if name in LATER_FIELDS
            or name.startswith(LATER_PREFIXES)
            or (name != "answer_ids" and fields[name].type == "one2many")
        }

    @api.model
    def _fair_criteria(self, model):
        """:return: (criteria that may be tried, {criterion: names of its fields that
        tell of the outcome})"""
        unfair = {}
        for criterion in model.criterion_ids:
            read = self._names_read(o._lead_domain() for o in criterion.option_ids)
            if criterion.source == "field":
                read.add(criterion._field().name)
            later = self._later_names(read)
            if later:
                unfair[criterion] = later
        fair = model.criterion_ids.filtered(lambda one: one not in unfair)
        return fair, unfair

    # ------------------------------------------------------------
    # SCORES
    # ------------------------------------------------------------

    @api.model
    def _option_columns(self, options, query, within=None):
        """A column a criterion: the place (0, 1, ...) of the option that holds.

        :param options: for each criterion its options, which may be new records
        :param within: lowest and highest id of the query's leads
        """
        scoring = self.env["lead.scoring"]
        near = within and range(within[0], within[1] + 1)
        return [
            scoring._option_case(
                [(place, one._lead_domain) for place, one in enumerate(of_one)],
                query,
                near,
            )
            for of_one in options
        ]

    @api.model
    def _fitting(self, model, query):
        """Let a query have only the leads that a model is for."""
        fits = self.env["lead.scoring"]._condition(model._lead_domain(), query)
        query.add_where(fits)

    @api.model
    def _tally(self, model, options, rows):
        """How many leads that the model is for were won and lost, by what held: one
        statement, and as many rows as there are different leads.

        :param options: for each criterion its options
        :return: rows (places of the options that hold, won, lost), as
            ``engine.scorecard.propose`` takes them
        """
        domains = [one._lead_domain() for of_one in options for one in of_one]
        names = self._names_read([model._lead_domain(), *domains])
        query = self._past_query(rows, names)
        self._fitting(model, query)
        columns = [
            SQL("%s AS %s", column, SQL.identifier(f"c{place}"))
            for place, column in enumerate(self._option_columns(options, query))
        ]
        found = query.select(SQL("crm_lead.trial_won AS won"), *columns)
        keys = SQL(", ").join(SQL.identifier(f"c{n}") for n in range(len(columns)))
        counted = self.env.execute_query(
            SQL(
                "SELECT %(keys)s, count(*) FILTER (WHERE won),"
                " count(*) FILTER (WHERE NOT won) FROM (%(found)s) AS lead"
                " GROUP BY %(keys)s",
                keys=keys,
                found=found,
            )
        )
        return [(tuple(row[:-2]), row[-2], row[-1]) for row in counted]

    @api.model
    def _qualities(self, model, criteria, rows, *, fitting=True, within=None):
        """The quality of leads as they were, by some criteria of a model.

        :param fitting: only the leads that the model is for
        :param within: lowest and highest id of these leads, if they are a batch
        :return: {lead id: quality as it would have been shown}
        """
        options = [list(criterion.option_ids) for criterion in criteria]
        domains = [one._lead_domain() for of_one in options for one in of_one]
        if fitting:
            domains.append(model._lead_domain())
        query = self._past_query(rows, self._names_read(domains))
        if fitting:
            self._fitting(model, query)
        columns = self._option_columns(options, query, within)
        engine = [criterion._to_engine() for criterion in criteria]
        known = {}  # the same options make the same quality
        found = {}
        for lead_id, *places in self.env.execute_query(
            query.select(SQL("crm_lead.id"), *columns)
        ):
            key = tuple(places)
            if key not in known:
                holding = {
                    of_one[place].id
                    for of_one, place in zip(options, places, strict=True)
                    if place is not None
                }
                known[key] = quality(engine, holding).shown
            found[lead_id] = known[key]
        return found

    @api.model
    def _engagements(self, model, rows):
        """:return: {lead id: engagement by a model's activities, not rounded}; leads
        without touchpoints by then are absent"""
        moments = SQL("SELECT lead_id, at FROM (%s) AS outcome", rows)
        at = dict(self.env.execute_query(moments))
        rate = Decay(model.half_life)
        scoring = self.env["lead.scoring"]
        levels = scoring._count(model, scoring._touches_until(model, moments))
        return {
            lead_id: rate.score(Level(*level), at[lead_id])
            for lead_id, level in levels.items()
        }

    @api.model
    def _odoo_probabilities(self, rows):
        """Odoo's automated probability, by Odoo's own formula, of the leads as they
        were. Its counts are those of today: they know the outcome of these leads.

        :return: {lead id: 0 to 100}; empty where Odoo has too little to go by
        """
        leads = self.env["crm.lead"]
        names = ["stage_id", "team_id"]
        names += [name for name in leads._pls_get_safe_fields() if name != "tag_ids"]
        query = self._past_query(rows, set(names))
        found = self.env.execute_query(
            query.select(
                SQL("crm_lead.id"), *(SQL.identifier("crm_lead", n) for n in names)
            )
        )
        stages = self.env["crm.stage"].search([("id", "!=", False)])
        won = set(stages.filtered("is_won").ids)
        first = stages.filtered(lambda stage: not stage.is_won)[:1].id
        values = PastValues()
        for lead_id, stage, team, *others in found:
            # as core reads them; a lead that was open was in no won stage
            pairs = [("stage_id", first if not stage or stage in won else stage)]
            for name, value in zip(names[2:], others, strict=True):
                if value or name in ("email_state", "phone_state"):
                    pairs.append((name, value or False))
            values[lead_id] = {"values": pairs, "team_id": team or 0}
        if "tag_ids" in leads._pls_get_safe_fields():
            for lead_id, tag_id in self.env.execute_query(
                SQL(
                    "SELECT lead_id, tag_id FROM crm_tag_rel WHERE lead_id = ANY(%s)",
                    list(values),
                )
            ):
                values[lead_id]["values"].append(("tag_id", tag_id))
        if not values:
            return {}
        asked = leads.browse(values).with_context(lead_score_trial=values)
        return asked._pls_get_naive_bayes_probabilities(batch_mode=True)[0]
