# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import math

from odoo import api, fields, models

from ...engine import decay
from ...engine.decay import Decay, Level, Window

#: sums of the same contacts in another order differ by less
NOISE = 1e-6


class LeadTouchpoint(models.Model):
    _inherit = "lead.touchpoint"

    score_points = fields.Float(
        "Points",
        compute="_compute_score_points",
        digits=(16, 1),
        help="What this contact gives to the engagement of its lead now. It halves "
        "with time, and shares the limit of its activity with others. What no person "
        "did, such as a mail opened by a proxy, gives nothing.",
    )

    @api.depends("lead_id", "kind", "human", "at")
    def _compute_score_points(self):
        """In a number of queries that depends on the models, not on the contacts."""
        self.score_points = 0.0
        now = fields.Datetime.now()
        # sudo: whoever may read a contact may know what it counts
        touches = self.sudo().filtered(lambda touch: touch.human and touch.at <= now)
        scoring = touches.env["lead.scoring"]
        for model in scoring._in_use():
            rate = Decay(model.half_life)
            mine = touches.filtered(
                lambda touch, model=model: touch.lead_id.score_model_id
                == model.origin_id
            ).sorted("at")
            counted = [
                (
                    activity,
                    activity._to_engine(),
                    scoring._filter_touches(activity, mine),
                )
                for activity in (model.activity_ids if mine else ())
            ]
            given = [
                (touch, activity, engine)
                for touch in mine
                for activity, engine, ids in counted
                if touch.id in ids
            ]
            self._show_points(rate, given, now)

    def _show_points(self, rate, given, now):
        """:param given: (touch, activity, the engine's activity), oldest first"""
        windows = self.env["lead.scoring"]._load_windows(
            {
                (touch.lead_id.id, activity.key, engine.window_of(touch.at))
                for touch, activity, engine in given
                if engine.cap is not None
            }
        )
        by_lead = {}  # {lead: {activity: [(touch, what it gives)]}}
        for touch, activity, engine in given:
            place = touch.lead_id.id, activity.key, engine.window_of(touch.at)
            share = windows.get(place, Window()).share(engine.cap)
            value = rate.score(Level(engine.points * share, touch.at), now)
            of_lead = by_lead.setdefault(touch.lead_id, {})
            of_lead.setdefault(activity, []).append((touch, value))
        for lead, parts in by_lead.items():
            level = Level(lead.engagement_amount, lead.engagement_as_of or decay.EPOCH)
            for touch, points in self._round(parts, rate.score(level, now)):
                # one contact may be counted by several activities
                touch.with_env(self.env).score_points += points

    def _round(self, parts, score):
        """Rounded as by ``explain_score``, where these are all contacts of a lead that
        count: then they sum to the engagement as shown. Else each for itself."""
        sums = [math.fsum(value for _touch, value in part) for part in parts.values()]
        complete = abs(math.fsum(sums) - score) < NOISE
        shown = decay.share_out(sums)
        for part, total in zip(parts.values(), shown, strict=True):
            values = [value for _touch, value in part]
            rounded = (
                decay.share_out(values, total)
                if complete
                else [decay.shown(value) for value in values]
            )
            for (touch, _value), points in zip(part, rounded, strict=True):
                yield touch, points
