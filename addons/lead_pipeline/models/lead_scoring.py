# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from dataclasses import dataclass, replace
from datetime import datetime

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, Query
from odoo.tools.safe_eval import safe_eval

from ..engine import decay
from ..engine.decay import Decay, Level, Window
from ..engine.scoring import held_threshold, quality

#: columns of a lead that this file writes, in plain SQL
SCORE_COLUMNS = (
    "score_model_id",
    "quality_model_score",
    "quality_score",
    "engagement_amount",
    "engagement_as_of",
    "engagement_key",
    "cools_at",
    "lead_grade",
    "sales_ready",
    "sales_ready_date",
)
COLUMN_TYPES = {
    "score_model_id": "int4",
    "engagement_as_of": "timestamp",
    "cools_at": "timestamp",
    "lead_grade": "varchar",
    "sales_ready": "bool",
    "sales_ready_date": "timestamp",
}
#: a part of the statement that counts all touchpoints
KEEP_WINDOWS = SQL(
    """
    kept AS (
        INSERT INTO lead_score_window
               (lead_id, activity_key, number, gross, amount, as_of)
        SELECT lead_id, key, number, gross, amount, as_of
          FROM part WHERE number IS NOT NULL
    ),
    """
)


@dataclass(slots=True)
class State:
    """A lead's scores as they are in its row, and as they become."""

    id: int
    score_model_id: int | None
    quality_model_score: float
    quality_score: float
    engagement_amount: float
    engagement_as_of: datetime | None
    engagement_key: float
    cools_at: datetime | None
    lead_grade: str | None
    sales_ready: bool
    sales_ready_date: datetime | None
    quality_overridden: bool

    def level(self):
        return Level(self.engagement_amount, self.engagement_as_of or decay.EPOCH)

    def columns(self):
        return tuple(getattr(self, name) for name in SCORE_COLUMNS)


class LeadScoring(models.AbstractModel):
    """Quality and engagement of many leads at once, in a number of statements that
    does not depend on how many. Runs in superuser mode: scores are of all leads,
    whoever caused the event."""

    _name = "lead.scoring"
    _description = "Lead Scoring"

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    @api.model
    def _rescore(self, leads, *, replay=False, touchpoints=()):
        """Model, quality and what follows from them, from scratch.

        :param replay: engagement as well, from all touchpoints
        :param touchpoints: new ones of these leads, to be counted on the way
        """
        if not leads or not (self._in_use() or leads.score_model_id):
            return
        states = self._load(leads.ids)
        before = {state.id: replace(state) for state in states}
        options = self._find_options(states, self._in_use())
        moved = [
            state.id
            for state in states
            if state.score_model_id != before[state.id].score_model_id
        ]
        replayed = {state.id for state in states} if replay else set(moved)
        # a replay finds new touchpoints by itself
        self._replay([state for state in states if state.id in replayed])
        kept = [state for state in states if state.id not in replayed]
        if touchpoints and kept:
            self._add_touches(kept, self._countable(touchpoints))
        self._finish(states, before)
        self._write_history(states, before, options)

    @api.model
    def _touch(self, touchpoints):
        """Count new touchpoints, in O(1) each.

        Those ahead of us, such as a meeting of tomorrow, count when they happen.
        """
        if not self._in_use():
            return
        counted = self._countable(touchpoints)
        states = self._load(counted.lead_id.ids)
        if not any(state.score_model_id for state in states):
            return
        before = {state.id: replace(state) for state in states}
        self._add_touches(states, counted)
        self._finish(states, before)

    @api.model
    def _countable(self, touchpoints):
        now = fields.Datetime.now()
        return touchpoints.filtered(lambda touch: touch.human and touch.at <= now)

    @api.model
    def _recount(self, leads):
        """Engagement from all touchpoints again: after a merge, or when one was
        changed or taken back."""
        states = self._load(leads.ids)
        before = {state.id: replace(state) for state in states}
        self._replay(states)
        self._finish(states, before)

    @api.model
    def _cool(self, leads):
        """Grades of leads whose engagement fell below a threshold by now."""
        states = self._load(leads.ids)
        self._finish(states, {state.id: replace(state) for state in states})

    # ------------------------------------------------------------
    # ROWS
    # ------------------------------------------------------------

    @api.model
    def _load(self, lead_ids):
        """The scores of these leads, locked until the end of the transaction."""
        if not lead_ids:
            return []
        Lead = self.env["crm.lead"]
        names = [*SCORE_COLUMNS, "quality_overridden"]
        Lead.flush_model(names)
        columns = SQL(", ").join(SQL.identifier(name) for name in names)
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %s FROM crm_lead WHERE id = ANY(%s)"
                " ORDER BY id FOR NO KEY UPDATE",
                columns,
                list(lead_ids),
            )
        )
        zeros = ("quality_model_score", "quality_score")
        zeros += ("engagement_amount", "engagement_key")
        states = []
        for lead_id, *values in rows:
            state = State(lead_id, *values)
            for name in zeros:
                setattr(state, name, getattr(state, name) or 0.0)
            state.sales_ready = bool(state.sales_ready)
            state.quality_overridden = bool(state.quality_overridden)
            states.append(state)
        return states

    @api.model
    def _finish(self, states, before):
        """What follows from quality and engagement, and write the rows that changed."""
        now = fields.Datetime.now()
        in_use = {model.origin_id.id: model for model in self._in_use()}
        rates = {}
        for state in states:
            model = in_use.get(state.score_model_id)
            if not model:
                state.lead_grade, state.cools_at, state.sales_ready = None, None, False
                continue
            if model.id not in rates:
                rates[model.id] = (
                    Decay(model.half_life),
                    model._bands(),
                    model._ready_line(),
                    model._thresholds(),
                )
            rate, bands, line, thresholds = rates[model.id]
            level = state.level()
            score = rate.score(level, now)
            held = held_threshold(thresholds, score)
            state.engagement_key = rate.key(level)
            state.cools_at = held and rate.cools_at(level, held)
            state.lead_grade = bands.grade(state.quality_score, score)
            state.sales_ready = line.reached(state.quality_score, score)
            if state.sales_ready and not before[state.id].sales_ready:
                state.sales_ready_date = now
        changed = [s for s in states if s.columns() != before[s.id].columns()]
        self._write_rows(changed)
        ready = [s.id for s in changed if s.sales_ready and not before[s.id].sales_ready]
        if ready:
            self.env["crm.lead"].browse(ready)._on_sales_ready()

    @api.model
    def _in_use(self):
        return self.env["lead.score.model"]._in_use()

    @api.model
    def _write_rows(self, states):
        if not states:
            return
        arrays = [[state.id for state in states]] + [
            [getattr(state, name) for state in states] for name in SCORE_COLUMNS
        ]
        types = ["int4"] + [COLUMN_TYPES.get(name, "float8") for name in SCORE_COLUMNS]
        names = [SQL.identifier(name) for name in SCORE_COLUMNS]
        self.env.cr.execute(
            SQL(
                "UPDATE crm_lead AS lead SET %(sets)s"
                " FROM unnest(%(values)s) AS new(id, %(names)s)"
                " WHERE lead.id = new.id",
                sets=SQL(", ").join(SQL("%s = new.%s", n, n) for n in names),
                values=SQL(", ").join(
                    SQL("%s::" + kind + "[]", array)
                    for array, kind in zip(arrays, types, strict=True)
                ),
                names=SQL(", ").join(names),
            )
        )
        leads = self.env["crm.lead"].browse(state.id for state in states)
        leads.invalidate_recordset([*SCORE_COLUMNS, "engagement_score"], flush=False)

    # ------------------------------------------------------------
    # QUALITY
    # ------------------------------------------------------------

    @api.model
    def _find_options(self, states, score_models):
        """Give each lead its model and quality.

        One statement finds the model, one for each model all its options.

        :return: {lead id: ids of the options that count}
        """
        by_model = self._find_models([state.id for state in states], score_models)
        options = {}
        for model in score_models:
            lead_ids = by_model.get(model.id)
            if lead_ids:
                options.update(self._options_of(model, lead_ids))
        found = {
            lead_id: model
            for model in score_models
            for lead_id in by_model.get(model.id, ())
        }
        qualities = {}  # the same options make the same quality
        for state in states:
            model = found.get(state.id)
            state.score_model_id = model.origin_id.id if model else None
            if not model:
                state.quality_model_score = 0.0
            else:
                key = model.id, options[state.id]
                if key not in qualities:
                    scored = quality(model._criteria(), set(options[state.id]))
                    qualities[key] = scored.shown
                state.quality_model_score = qualities[key]
            if not state.quality_overridden:
                state.quality_score = state.quality_model_score
        return options

    @api.model
    def _find_models(self, lead_ids, score_models):
        """:return: {model id: lead ids}, by the first model that fits"""
        if not score_models:
            return {}
        query = self._lead_query(lead_ids)
        cases = [
            SQL("WHEN %s THEN %s", self._condition(model._lead_domain(), query), model.id)
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
                [(option.id, option._lead_domain()) for option in criterion.option_ids],
                query,
            )
            for criterion in model.criterion_ids
        ]
        rows = self.env.execute_query(
            query.select(SQL.identifier("crm_lead", "id"), *columns)
        )
        return {lead_id: tuple(options) for lead_id, *options in rows}

    @api.model
    def _option_case(self, options, query):
        """A column: the ref of the first option that holds for a row of a query.

        :param options: list of (whole number, Domain)
        """
        cases = [
            SQL("WHEN %s THEN %s", self._condition(domain, query), ref)
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
    def _condition(self, domain, query, model="crm.lead"):
        """A domain as a condition on the rows of a query. The domains of all options
        share one query, for which ``_search`` has no way."""
        records = self.env[model]
        optimized = Domain(domain).optimize_full(records)
        if optimized.is_true():
            return SQL("TRUE")
        if optimized.is_false():
            return SQL("FALSE")
        return optimized._to_sql(records, records._table, query)

    # ------------------------------------------------------------
    # ENGAGEMENT
    # ------------------------------------------------------------

    @api.model
    def _add_touches(self, states, touchpoints):
        in_use = {model.origin_id.id: model for model in self._in_use()}
        by_lead = {}
        for touch in touchpoints.sorted("at"):
            by_lead.setdefault(touch.lead_id.id, []).append(touch)
        given = []  # (state, rate, activity record, engine's activity, moment)
        matching = {}
        for state in states:
            model = in_use.get(state.score_model_id)
            for activity in model.activity_ids if model else ():
                if activity not in matching:
                    matching[activity] = self._filter_touches(activity, touchpoints)
                rate = Decay(model.half_life)
                given += [
                    (state, rate, activity, activity._to_engine(), touch.at)
                    for touch in by_lead.get(state.id, ())
                    if touch.id in matching[activity]
                ]
        places = {
            (state.id, activity.key, engine.window_of(at))
            for state, _rate, activity, engine, at in given
            if engine.cap is not None
        }
        windows = self._load_windows(places)
        for state, rate, activity, engine, at in given:
            place = (
                (state.id, activity.key, engine.window_of(at))
                if engine.cap is not None
                else None
            )
            level, window = rate.touch(
                state.level(), engine, at, windows.get(place, Window())
            )
            state.engagement_amount, state.engagement_as_of = level.amount, level.as_of
            if place:
                windows[place] = window
        self._write_windows(windows)

    @api.model
    def _filter_touches(self, activity, touchpoints):
        """:return: set of ids of the touchpoints that count for an activity"""
        of_kind = touchpoints.filtered(lambda touch: touch.kind == activity.kind)
        if not of_kind or activity.domain == "[]":
            return set(of_kind.ids)
        return set(of_kind.filtered_domain(activity._touch_domain()).ids)

    @api.model
    def _load_windows(self, places):
        if not places:
            return {}
        leads, keys, numbers = zip(*places, strict=True)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT lead_id, activity_key, number, gross, amount, as_of
                  FROM lead_score_window
                 WHERE (lead_id, activity_key, number) IN (
                    SELECT * FROM unnest(%s::int[], %s::int[], %s::int[]))
                """,
                list(leads),
                list(keys),
                list(numbers),
            )
        )
        return {
            (lead, key, number): Window(gross, Level(amount, as_of))
            for lead, key, number, gross, amount, as_of in rows
        }

    @api.model
    def _write_windows(self, windows):
        if not windows:
            return
        leads, keys, numbers = zip(*windows, strict=True)
        self.env.cr.execute(
            """
            INSERT INTO lead_score_window
                   (lead_id, activity_key, number, gross, amount, as_of)
            SELECT * FROM unnest(%s::int[], %s::int[], %s::int[],
                                 %s::float8[], %s::float8[], %s::timestamp[])
            ON CONFLICT (lead_id, activity_key, number) DO UPDATE SET
                gross = excluded.gross, amount = excluded.amount,
                as_of = excluded.as_of
            """,
            [
                list(leads),
                list(keys),
                list(numbers),
                [window.gross for window in windows.values()],
                [window.level.amount for window in windows.values()],
                [window.level.as_of for window in windows.values()],
            ],
        )

    @api.model
    def _replay(self, states):
        """Engagement and windows of leads from all their touchpoints, in SQL: a lead
        may have a hundred thousand."""
        if not states:
            return
        for state in states:
            state.engagement_amount, state.engagement_as_of = 0.0, None
            state.engagement_key = 0.0
        self.env.cr.execute(
            "DELETE FROM lead_score_window WHERE lead_id = ANY(%s)",
            [[state.id for state in states]],
        )
        for model in self._in_use():
            of_model = {
                state.id: state
                for state in states
                if state.score_model_id == model.origin_id.id
            }
            if not of_model or not model.activity_ids:
                continue
            for lead_id, amount, as_of in self._replay_model(model, list(of_model)):
                of_model[lead_id].engagement_amount = amount
                of_model[lead_id].engagement_as_of = as_of

    @api.model
    def _replay_model(self, model, lead_ids, moments=None):
        """Count all touchpoints of these leads by a model's activities; the formulas
        are those of ``engine.decay``. Keeps the windows of limited activities.

        :param moments: rows (lead_id, at) as SQL, for a trial: touchpoints of these
            leads up to these moments; ``lead_ids`` is not used and nothing is kept
        :return: rows (lead id, amount, as_of); leads without touchpoints are absent
        """
        if not model.activity_ids:
            return []
        touches = []
        for activity in model.activity_ids:
            query = Query(self.env, "lead_touchpoint", SQL.identifier("lead_touchpoint"))
            if moments:
                query.add_join(
                    "JOIN",
                    "moment",
                    SQL("(%s)", moments),
                    SQL(
                        "lead_touchpoint.lead_id = moment.lead_id"
                        " AND lead_touchpoint.at <= moment.at"
                    ),
                )
            else:
                query.add_where(SQL("lead_touchpoint.lead_id = ANY(%s)", lead_ids))
                query.add_where(SQL("lead_touchpoint.at <= %s", fields.Datetime.now()))
            query.add_where(
                self._condition(activity._touch_domain(), query, "lead.touchpoint")
            )
            seconds = round(activity.window_days * 86400)
            number = SQL(
                "FLOOR((EXTRACT(EPOCH FROM lead_touchpoint.at) - 345600) / %s)::int4",
                seconds,
            )
            touches.append(
                query.select(
                    SQL("lead_touchpoint.lead_id"),
                    SQL("%s AS key", activity.key),
                    SQL("%s AS number", number if activity.capped else SQL("NULL::int4")),
                    SQL("%s::float8 AS points", activity.points),
                    SQL("%s::float8 AS cap", activity.cap if activity.capped else None),
                    SQL("lead_touchpoint.at"),
                )
            )
        days = SQL("(86400.0 * %s)::float8", model.half_life)
        return self.env.execute_query(
            SQL(
                """
                WITH touch AS (%(touches)s),
                dated AS (
                    SELECT *, max(at) OVER (PARTITION BY lead_id, key, number) AS as_of
                      FROM touch
                ),
                part AS (
                    SELECT lead_id, key, number, as_of,
                           sum(abs(points)) AS gross,
                           sum(points * power(2.0::float8, GREATEST(-1000,
                               EXTRACT(EPOCH FROM at - as_of)::float8 / %(days)s
                           ))) AS amount,
                           min(cap) AS cap
                      FROM dated GROUP BY lead_id, key, number, as_of
                ),
                %(kept)s
                last AS (
                    SELECT *, max(as_of) OVER (PARTITION BY lead_id) AS lead_as_of
                      FROM part
                )
                SELECT lead_id,
                       sum(amount
                           * CASE WHEN gross > cap THEN cap / gross ELSE 1 END
                           * power(2.0::float8, GREATEST(-1000,
                               EXTRACT(EPOCH FROM as_of - lead_as_of)::float8
                               / %(days)s))),
                       lead_as_of
                  FROM last GROUP BY lead_id, lead_as_of
                """,
                touches=SQL(" UNION ALL ").join(touches),
                days=days,
                kept=SQL() if moments else KEEP_WINDOWS,
            )
        )

    # ------------------------------------------------------------
    # HISTORY
    # ------------------------------------------------------------

    @api.model
    def _write_history(self, states, before, options):
        """A row for each lead whose quality or model is another now."""
        now = fields.Datetime.now()
        in_use = {model.origin_id.id: model.id for model in self._in_use()}
        self.env["lead.score.history"].create(
            [
                {
                    "lead_id": state.id,
                    "at": now,
                    "model_id": in_use.get(state.score_model_id),
                    "option_ids": [one for one in options.get(state.id, ()) if one],
                    "model_quality": state.quality_model_score,
                    "quality": state.quality_score,
                    "overridden": state.quality_overridden,
                }
                for state in states
                if (state.score_model_id, state.quality_model_score, state.quality_score)
                != (
                    before[state.id].score_model_id,
                    before[state.id].quality_model_score,
                    before[state.id].quality_score,
                )
            ]
        )

    # ------------------------------------------------------------
    # CHECKS
    # ------------------------------------------------------------

    @api.model
    def _check_domain(self, model_name, domain):
        """:raises ValidationError: the domain can't be read, or not be searched"""
        records = self.env[model_name].with_context(active_test=False)
        try:
            parsed = safe_eval(domain) if isinstance(domain, str) else domain
            # a savepoint: what the database refuses must not break what goes on
            with self.env.cr.savepoint():
                records.search(Domain(parsed), limit=1)
        except Exception as error:
            raise ValidationError(
                self.env._(
                    "These conditions can't be used: %(domain)s\n%(error)s",
                    domain=domain,
                    error=error,
                )
            ) from error
