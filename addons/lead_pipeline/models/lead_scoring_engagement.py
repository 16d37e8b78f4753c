# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools import SQL, Query

from ..engine.decay import Decay, Level, Window

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
        if not states:
            return
        lead_ids = [state.id for state in states]
        self.env.cr.execute(
            "DELETE FROM lead_score_window WHERE lead_id = ANY(%s)", [lead_ids]
        )
        # those whose time has come are counted now, not once more by the job
        now = fields.Datetime.now()
        self.env["lead.touchpoint"].flush_model(["awaited", "at", "lead_id"])
        self.env.cr.execute(
            "UPDATE lead_touchpoint SET awaited = false"
            " WHERE awaited AND at <= %s AND lead_id = ANY(%s)",
            [now, lead_ids],
        )
        self.env["lead.touchpoint"].invalidate_model(["awaited"], flush=False)
        self._count_all(states, self._in_use())

    @api.model
    def _count_all(self, states, score_models, half_life=None, tried_at=None):
        """Engagement of leads from all their touchpoints by these models, in SQL: a
        lead may have a hundred thousand.

        :param half_life: in days, if it is another than that of the models
        :param tried_at: for a trial: the moment up to which touchpoints count; no
            windows are kept
        """
        for state in states:
            state.engagement_amount, state.engagement_as_of = 0.0, None
            state.engagement_key = 0.0
        for model in score_models:
            of_model = {
                state.id: state
                for state in states
                if state.score_model_id == model.origin_id.id
            }
            if not of_model:
                continue
            lead_ids = list(of_model)
            moments = tried_at and SQL(
                "SELECT unnest(%s::int[]) AS lead_id, %s::timestamp AS at",
                lead_ids,
                tried_at,
            )
            for lead_id, amount, as_of in self._replay_model(
                model, lead_ids, moments, half_life
            ):
                of_model[lead_id].engagement_amount = amount
                of_model[lead_id].engagement_as_of = as_of

    @api.model
    def _replay_model(self, model, lead_ids, moments=None, half_life=None):
        """Count all touchpoints of these leads by a model's activities; the formulas
        are those of ``engine.decay``. Keeps the windows of limited activities.

        :param moments: rows (lead_id, at) as SQL, for a trial: touchpoints of these
            leads up to these moments; ``lead_ids`` is not used and nothing is kept
        :param half_life: in days, if it is another than the model's
        :return: rows (lead id, amount, as_of); leads without touchpoints are absent
        """
        if not model.activity_ids:
            return []
        touches = []
        for activity in model.activity_ids:
            query = Query(
                self.env, "lead_touchpoint", SQL.identifier("lead_touchpoint")
            )
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
                self._condition(activity._touch_domain, query, "lead.touchpoint")
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
                    SQL(
                        "%s AS number", number if activity.capped else SQL("NULL::int4")
                    ),
                    SQL("%s::float8 AS points", activity.points),
                    SQL("%s::float8 AS cap", activity.cap if activity.capped else None),
                    # as the engine: what was before 1970 counts as of 1970
                    SQL("GREATEST(lead_touchpoint.at, '1970-01-01') AS at"),
                )
            )
        days = SQL("(86400.0 * %s)::float8", half_life or model.half_life)
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
