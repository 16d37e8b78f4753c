# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...engine.decay import Decay, Touch
from ...engine.scoring import quality


class CrmLead(models.Model):
    """Why a score is what it is, or was."""

    _inherit = "crm.lead"

    def explain_score(self, at=None):
        """Why the score is what it is, or was.

        :param at: a moment (naive UTC datetime, or its text as RPC gives it); default:
            now
        :return: {"at", "model", "version", "grade", "quality": {"shown", "parts":
            [{"criterion", "option", "points", "most", "shown"}], "limit",
            "overridden": False or {"user", "reason", "at", "model_quality"}},
            "engagement": {"shown", "parts": [{"activity", "shown", "count"}]}}. The
            ``shown`` of the parts (and ``limit``) sum to the ``shown`` above them; if
            a person set the quality, those of quality sum to ``model_quality``.
        :raises UserError: the moment can't be read
        """
        self.ensure_one()
        self.check_access("read")
        # before "now", which is later than what was written
        self.env.flush_all()
        self.env["lead.scoring"].sudo()._settle()
        try:
            moment = fields.Datetime.to_datetime(at) or fields.Datetime.now()
        except (TypeError, ValueError) as error:
            raise UserError(self.env._("“%s” is no moment.", at)) from error
        # sudo: models and history are read for whoever may read the lead
        lead = self.sudo()
        row = lead._latest_history(moment).get(lead.id)
        model = lead._model_at(moment, row)
        result = {
            "at": fields.Datetime.to_string(moment),
            "model": model.name or False,
            "version": model.version,
            "grade": False,
            "quality": lead._explain_quality(model, row),
            "engagement": {"shown": 0.0, "parts": []},
        }
        if model:
            result["engagement"], score = lead._explain_engagement(model, moment)
            result["grade"] = model._bands().grade(result["quality"]["shown"], score)
        return result

    def _model_at(self, moment, row):
        """The version by which touches counted at a moment."""
        self.ensure_one()
        if not row or not row.model_id:
            return self.env["lead.score.model"]
        versions = self.env["lead.score.model"].search(
            [
                ("origin_id", "=", row.model_id.origin_id.id),
                ("activated_at", "!=", False),
                ("activated_at", "<=", moment),
            ],
            order="activated_at desc, version desc",
            limit=1,
        )
        return versions or row.model_id

    def _explain_quality(self, model, row):
        """By the version that gave the number that was shown."""
        if not row:
            return {"shown": 0.0, "parts": [], "limit": 0.0, "overridden": False}
        override = row.overridden and self.env["lead.score.history"].search(
            [
                ("lead_id", "=", self.id),
                ("at", "<=", row.at),
                ("overridden", "=", True),
                ("reason", "!=", False),
            ],
            limit=1,
        )
        # without a model that fits, a person may still have said it
        criteria = row.model_id._criteria() if row.model_id else []
        scored = quality(criteria, set(row.option_ids or ()))
        criteria = {c.id: c for c in row.model_id.criterion_ids}
        options = {o.id: o for o in row.model_id.criterion_ids.option_ids}
        return {
            "shown": row.quality,
            "parts": [
                {
                    "criterion": criteria[part.criterion].name,
                    "option": part.option and options[part.option].name,
                    "points": part.points,
                    "most": part.most,
                    "shown": part.shown,
                }
                for part in scored.parts
            ],
            "limit": scored.limit,
            "overridden": override
            and {
                "user": override.user_id.name,
                "reason": override.reason,
                "at": fields.Datetime.to_string(override.at),
                "model_quality": row.model_quality,
            },
        }

    def _explain_engagement(self, model, moment):
        """:return: parts, and the score as thresholds see it"""
        touches = []
        activities = {}
        for activity in model.activity_ids:
            activities[activity.id] = activity._to_engine()
            found = self.env["lead.touchpoint"].search_fetch(
                activity._touch_domain()
                & Domain("lead_id", "=", self.id)
                & Domain("at", "<=", moment),
                ["at"],
            )
            touches += [Touch(touch.id, activity.id, touch.at) for touch in found]
        rate = Decay(model.half_life)
        explained = rate.explain(touches, activities, moment)
        level, _windows = rate.replay(
            ((touch.activity, touch.at) for touch in touches), activities
        )
        names = {activity.id: activity.name for activity in model.activity_ids}
        return {
            "shown": explained.shown,
            "parts": [
                {
                    "activity": names[part.activity],
                    "shown": part.shown,
                    "count": len(part.touches),
                }
                for part in explained.parts
            ],
        }, rate.standing(level, moment)
