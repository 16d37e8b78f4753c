# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools import SQL, Query

from ...engine.decay import Decay, Level, Window

LEVELS = """
    touch AS (%(touches)s),
    dated_touch AS (
        SELECT *, max(at) OVER (PARTITION BY lead_id, key, number) AS as_of
          FROM touch
    ),
    part AS (
        SELECT lead_id, key, number, as_of,
               sum(abs(points)) AS gross,
               sum(points * power(2.0::float8, GREATEST(-1000,
                   date_part('epoch', at - as_of) / 86400 / %(days)s))) AS amount,
               min(cap) AS cap
          FROM dated_touch GROUP BY lead_id, key, number, as_of
    ),
    %(kept)s
    last_part AS (
        SELECT *, max(as_of) OVER (PARTITION BY lead_id) AS lead_as_of FROM part
    ),
    level AS (
        SELECT lead_id, lead_as_of AS as_of,
               sum(amount
                   * CASE WHEN gross > cap THEN cap / gross ELSE 1 END
                   * power(2.0::float8, GREATEST(-1000,
                       date_part('epoch', as_of - lead_as_of) / 86400 / %(days)s)))
               AS amount
          FROM last_part GROUP BY lead_id, lead_as_of
    )
"""
KEEP_WINDOWS = """
    kept_windows AS (
        INSERT INTO lead_score_window
               (lead_id, activity_key, number, gross, amount, as_of)
        SELECT lead_id, key, number, gross, amount, as_of
          FROM part WHERE number IS NOT NULL ORDER BY lead_id
    ),
"""
NO_LEVELS = """
    level AS (
        SELECT NULL::int4 AS lead_id, NULL::timestamp AS as_of, 0::float8 AS amount
         WHERE false
    )
"""


class LeadScoring(models.AbstractModel):
    """Engagement: touches counted one by one as they come, or all again."""

    _inherit = "lead.scoring"

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
        # by the database, as when all are counted again: Python compares otherwise
        query = Query(self.env, "lead_touchpoint", SQL.identifier("lead_touchpoint"))
        query.add_where(SQL("lead_touchpoint.id = ANY(%s)", of_kind.ids))
        query.add_where(
            self._condition(activity._touch_domain, query, "lead.touchpoint")
        )
        return {row[0] for row in self.env.execute_query(query.select())}

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
        """Engagement and windows of leads from all their touchpoints."""
        if states:
            self._forget_counts(
                SQL("lead_id = ANY(%s)", [state.id for state in states])
            )
            self._count_all(states)

    @api.model
    def _forget_counts(self, chosen):
        """Before all touchpoints of leads are counted again.

        :param chosen: which leads, as a condition on ``lead_id``
        """
        self.env.cr.execute(SQL("DELETE FROM lead_score_window WHERE %s", chosen))
        # those whose time has come are counted now, not once more by the job
        self.env["lead.touchpoint"].flush_model(["awaited", "at", "lead_id"])
        self.env.cr.execute(
            SQL(
                "UPDATE lead_touchpoint SET awaited = false"
                " WHERE awaited AND at <= %s AND %s",
                fields.Datetime.now(),
                chosen,
            )
        )
        self.env["lead.touchpoint"].invalidate_model(["awaited"], flush=False)

    @api.model
    def _count_all(self, states):
        """Engagement of leads from all their touchpoints, and the windows to keep."""
        touches = []
        for model in self._in_use():
            lead_ids = [s.id for s in states if s.score_model_id == model.origin_id.id]
            if lead_ids:
                moments = SQL(
                    "SELECT unnest(%s::int[]) AS lead_id, %s::timestamp AS at",
                    lead_ids,
                    fields.Datetime.now(),
                )
                touches += self._touches_until(model, moments)
        levels = self._count(self._in_use(), touches, keep=True)
        for state in states:
            state.engagement_amount, state.engagement_as_of = levels.get(
                state.id, (0.0, None)
            )
            state.engagement_key = 0.0

    @api.model
    def _count(self, score_models, touches, *, keep=False):
        """As ``_levels``, done. :return: {lead id: (amount, as of)}, without those that
        have no touchpoints"""
        if not touches:
            return {}
        rows = self.env.execute_query(
            SQL(
                "WITH %s SELECT lead_id, amount, as_of FROM level",
                self._levels(
                    SQL(" UNION ALL ").join(touches),
                    score_models[0].half_life,
                    keep=keep,
                ),
            )
        )
        return {lead_id: (amount, as_of) for lead_id, amount, as_of in rows}

    @api.model
    def _levels(self, touches, half_life, *, keep=False):
        """Parts of a statement, the last one called "level": the engagement of leads
        from all their touchpoints, of which one may have a hundred thousand. The
        formulas are those of ``engine.decay``.

        :param touches: rows as of ``_touches``, as SQL
        :param half_life: in days, as models in use have one in common
        :param keep: the windows of limited activities
        """
        return SQL(
            LEVELS,
            touches=touches,
            days=SQL("%s::float8", half_life),
            kept=SQL(KEEP_WINDOWS) if keep else SQL(),
        )

    @api.model
    def _touches_until(self, model, moments):
        """Touchpoints that count for a model.

        :param moments: rows (lead_id, at) as SQL: of which leads, and until when
        :return: list of SQL, rows as of ``_touches``
        """
        until = SQL(
            "lead_touchpoint.lead_id = moment.lead_id"
            " AND lead_touchpoint.at <= moment.at"
        )

        def choose(query):
            query.add_join("JOIN", "moment", SQL("(%s)", moments), until)

        return self._touches(model, choose)

    @api.model
    def _touches(self, model, choose):
        """Touchpoints that count for a model, with what they count.

        :param choose: a function that says to a query of which leads, and until when
        :return: list of SQL: rows (model's first version, lead, activity, window,
            points, cap, at); no windows and caps for activities without a limit
        """
        touches = []
        for activity in model.activity_ids:
            query = Query(
                self.env, "lead_touchpoint", SQL.identifier("lead_touchpoint")
            )
            choose(query)
            query.add_where(
                self._condition(activity._touch_domain(), query, "lead.touchpoint")
            )
            number = SQL(
                "floor((floor(date_part('epoch', lead_touchpoint.at)) - 345600) / %s)",
                round(activity.window_days * 86400),
            )
            capped = activity.capped
            touches.append(
                query.select(
                    SQL("%s AS score_model_id", model.origin_id.id),
                    SQL("lead_touchpoint.lead_id"),
                    SQL("%s AS key", activity.key),
                    SQL("%s::int4 AS number", number if capped else None),
                    SQL("%s::float8 AS points", activity.points),
                    SQL("%s::float8 AS cap", activity.cap if capped else None),
                    # as the engine: what was before 1970 counts as of 1970
                    SQL("GREATEST(lead_touchpoint.at, '1970-01-01') AS at"),
                )
            )
        return touches
