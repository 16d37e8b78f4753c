# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL, Query

from ...engine import decay
from ...engine.decay import Decay, Level, Window

DAYS = 90
POINTS = 30
#: of a touch so many half-lives ago, and be it a million points, nothing is shown
FORGOTTEN = 40


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def score_chart(self):
        """Both scores over the last 90 days, for the score card.

        :return: at most 30 points, oldest first: {"at" (UTC, as text), "quality",
            "engagement"}, the scores None before the lead had any. Each is what
            ``explain_score`` says for its moment.
        """
        self.ensure_one()
        self.check_access("read")
        # sudo: models and history are read for whoever may read the lead
        lead = self.sudo()
        self.env.flush_all()
        history = lead.env["lead.score.history"].search(
            [("lead_id", "=", lead.id)], order="at, id"
        )
        moments = lead._chart_moments(history)
        held = lead._chart_rows(history, moments)
        engagement = lead._chart_engagement(held, moments)
        return [
            {
                "at": fields.Datetime.to_string(moment),
                "quality": row.quality if row.model_id else None,
                "engagement": engagement.get(moment),
            }
            for moment, row in zip(moments, held, strict=True)
        ]

    def _chart_moments(self, history):
        """From the lead's beginning, or 90 days ago, to now, at equal distances."""
        now = fields.Datetime.now()
        known = [self.create_date, *history[:1].mapped("at")]
        start = max(min(known), now - timedelta(days=DAYS))
        step = (now - start) / (POINTS - 1)
        moments = [start + step * i for i in range(POINTS - 1)]
        return list(
            dict.fromkeys(one.replace(microsecond=0) for one in [*moments, now])
        )

    def _chart_rows(self, history, moments):
        """:return: the row of the history that held at each of the moments"""
        rows = list(history)
        held, row = [], history.browse()
        for moment in moments:
            while rows and rows[0].at <= moment:
                row = rows.pop(0)
            held.append(row)
        return held

    def _chart_engagement(self, held, moments):
        """:return: {moment: engagement as shown}, of those at which a model held"""
        versions = self.env["lead.score.model"].search(
            [
                ("origin_id", "in", {row.model_id.origin_id.id for row in held}),
                ("activated_at", "!=", False),
            ],
            order="activated_at desc, version desc",
        )
        by_model = {}
        for row, moment in zip(held, moments, strict=True):
            if row.model_id:
                model = next(
                    (
                        version
                        for version in versions
                        if version.origin_id == row.model_id.origin_id
                        and version.activated_at <= moment
                    ),
                    row.model_id,
                )
                by_model.setdefault(model, []).append(moment)
        found = {}
        for model, when in by_model.items():
            found.update(self._replay_until(model, when))
        return found

    def _replay_until(self, model, moments):
        """The engagement by a model at moments (rising), from all touches up to each,
        which are read once.

        :return: {moment: engagement as shown}
        """
        rate = Decay(model.half_life)
        activities = {one.id: one._to_engine() for one in model.activity_ids}
        oldest = moments[0] - timedelta(days=FORGOTTEN * model.half_life)
        touches = self._touches_of(model, oldest, moments[-1])
        level, windows, found, place = Level(), {}, {}, 0
        for moment in moments:
            while place < len(touches) and touches[place][1] <= moment:
                name, at = touches[place]
                activity, place = activities[name], place + 1
                key = name, activity.cap is not None and activity.window_of(at)
                level, windows[key] = rate.touch(
                    level, activity, at, windows.get(key, Window())
                )
            found[moment] = decay.shown(rate.score(level, moment))
        return found

    def _touches_of(self, model, start, end):
        """:return: [(activity id, at)] of the touches that count, oldest first"""
        touches = []
        scoring = self.env["lead.scoring"]
        for activity in model.activity_ids:
            query = Query(
                self.env, "lead_touchpoint", SQL.identifier("lead_touchpoint")
            )
            query.add_where(
                SQL(
                    "lead_touchpoint.lead_id = %s AND lead_touchpoint.at > %s"
                    " AND lead_touchpoint.at <= %s",
                    self.id,
                    start,
                    end,
                )
            )
            query.add_where(
                scoring._condition(activity._touch_domain(), query, "lead.touchpoint")
            )
            touches.append(
                query.select(
                    SQL("%s AS activity", activity.id), SQL("lead_touchpoint.at")
                )
            )
        if not touches:
            return []
        return self.env.execute_query(
            SQL(
                "SELECT activity, at FROM (%s) AS touch ORDER BY at",
                SQL(" UNION ALL ").join(touches),
            )
        )
