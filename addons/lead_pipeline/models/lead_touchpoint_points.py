# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ..engine import decay
from ..engine.decay import Decay, Level, Window


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
        found = []  # (touch, rate, activity record, the engine's activity)
        for model in scoring._in_use():
            rate = Decay(model.half_life)
            mine = touches.filtered(
                lambda touch, model=model: touch.lead_id.score_model_id
                == model.origin_id
            )
            for activity in model.activity_ids if mine else ():
                counted = scoring._filter_touches(activity, mine)
                found += [
                    (touch, rate, activity.key, activity._to_engine())
                    for touch in mine
                    if touch.id in counted
                ]
        windows = scoring._load_windows(
            {
                (touch.lead_id.id, key, engine.window_of(touch.at))
                for touch, _rate, key, engine in found
                if engine.cap is not None
            }
        )
        points = dict.fromkeys(touches.ids, 0.0)
        for touch, rate, key, engine in found:
            share = 1.0
            if engine.cap is not None:
                place = touch.lead_id.id, key, engine.window_of(touch.at)
                share = windows.get(place, Window()).share(engine.cap)
            points[touch.id] += rate.score(Level(engine.points * share, touch.at), now)
        for touch in self:
            touch.score_points = decay.shown(points.get(touch._origin.id, 0.0))
