# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL, escape_psql

from ..capture.lead_touchpoint import KINDS


class Condition(NamedTuple):
    """What a lead must have done, as the database is asked for it."""

    kind: str | bool
    text: str
    times: int
    days: int

    def until(self, now):
        """SQL for each row of ``crm_lead``: the moment until which the condition holds
        if nothing more happens, ``infinity`` where for ever; NULL: it does not hold.

        It goes back in time along the index of touchpoints of a lead.
        """
        where = [
            SQL("touch.lead_id = crm_lead.id"),
            SQL("touch.human"),
            SQL("touch.at <= %s", now),
        ]
        until = SQL("'infinity'::timestamp")
        if self.days:
            span = SQL("%s * interval '24 hours'", self.days)
            where.append(SQL("touch.at > %s::timestamp - %s", now, span))
            until = SQL("touch.at + %s", span)
        if self.kind:
            where.append(SQL("touch.kind = %s", self.kind))
        if self.text:
            pattern = f"%{escape_psql(self.text)}%"
            where.append(
                SQL("(touch.url ILIKE %s OR touch.title ILIKE %s)", pattern, pattern)
            )
        return SQL(
            "(SELECT %s FROM lead_touchpoint AS touch WHERE %s"
            " ORDER BY touch.at DESC LIMIT 1 OFFSET %s)",
            until,
            SQL(" AND ").join(where),
            self.times - 1,
        )


class LeadSegmentCondition(models.Model):
    """Something a lead did: so often, within so many days. Robots don't count."""

    _name = "lead.segment.condition"
    _description = "Lead Segment Condition"
    _order = "segment_id, sequence, id"

    segment_id = fields.Many2one(
        "lead.segment", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    kind = fields.Selection(KINDS, default="page_view", help="Leave empty for any.")
    text = fields.Char(
        "Contains", help="In the address or the title, such as: pricing. Empty: any."
    )
    times = fields.Integer("At Least (times)", required=True, default=1)
    days = fields.Integer(
        "Within (days)", required=True, default=14, help="0: at any time."
    )

    _times_positive = models.Constraint(
        "CHECK (times BETWEEN 1 AND 10000)", "Ask for 1 to 10000 times."
    )
    _days_positive = models.Constraint(
        "CHECK (days BETWEEN 0 AND 36500)", "Days are 0 (at any time) to 36500."
    )

    @api.depends("kind", "text", "times", "days")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for condition in self:
            what = kinds.get(condition.kind) or self.env._("Any contact")
            if condition.text:
                what = f"{what} “{condition.text}”"
            if condition.times > 1:
                what = self.env._(
                    "%(what)s, %(times)s times", what=what, times=condition.times
                )
            if condition.days:
                what = self.env._(
                    "%(what)s in %(days)s days", what=what, days=condition.days
                )
            condition.display_name = what

    @api.model_create_multi
    def create(self, vals_list):
        conditions = super().create(vals_list)
        conditions.segment_id._start_filling()
        return conditions

    def write(self, vals):
        before = self.segment_id
        result = super().write(vals)
        if set(vals) - {"sequence"}:
            (before | self.segment_id)._start_filling()
        return result

    def unlink(self):
        segments = self.segment_id
        result = super().unlink()
        segments.exists()._start_filling()
        return result

    def _values(self):
        return [
            Condition(one.kind, (one.text or "").strip(), one.times, one.days)
            for one in self
        ]
