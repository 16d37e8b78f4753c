# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

from ...engine.decay import Activity
from ..capture.lead_touchpoint import KINDS
from .lead_score_model import MOST_DAYS, in_reach


class LeadScoreActivity(models.Model):
    _name = "lead.score.activity"
    _description = "Lead Score Activity"
    _order = "model_id, sequence, id"

    model_id = fields.Many2one(
        "lead.score.model", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    kind = fields.Selection(KINDS, required=True)
    domain = fields.Char(
        "Only Those",
        required=True,
        default="[]",
        help="Which touchpoints of this kind, such as visits of the price page.",
    )
    points = fields.Float(
        required=True, default=5, help="What one counts; less than 0 takes away."
    )
    capped = fields.Boolean("Limit")
    cap = fields.Float(
        "At Most",
        default=10,
        help="Points that this activity can give within the time. Above it, all "
        "touches of that time count less, in equal parts.",
    )
    window_days = fields.Float("Within (days)", default=1)
    key = fields.Integer(
        readonly=True,
        help="The same in every version where the activity is the same, so that what "
        "was counted goes on being counted.",
    )

    @api.constrains("domain", "kind")
    def _check_domain(self):
        for activity in self:
            self.env["lead.scoring"]._check_domain("lead.touchpoint", activity.domain)

    @api.constrains("capped", "cap", "window_days", "points")
    def _check_engine(self):
        for activity in self:
            # windows are numbered: those of a second would soon outgrow the column
            days = 1 / 1440 <= activity.window_days <= MOST_DAYS
            points = in_reach(activity.points, activity.cap) and activity.cap >= 0
            if not days or not points:
                raise ValidationError(
                    self.env._(
                        "“%(activity)s” gives up to a million points, its limit is not "
                        "negative, and its time a minute (0.0007 days) to a century.",
                        activity=activity.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        activities = super().create(vals_list)
        activities.model_id._check_editable()
        for activity in activities:
            if not activity.key:
                activity.key = activity.id
        return activities

    def write(self, vals):
        if set(vals) - {"name", "sequence", "key"}:
            self.model_id._check_editable()
            # another activity from now on, with windows of its own
            result = super().write(vals)
            self.model_id._check_editable()  # it may have moved
            for activity in self:
                activity.key = activity._next_key()
            return result
        return super().write(vals)

    def _next_key(self):
        """A key that no version has used; ids of this table are never used twice."""
        self.env.cr.execute("SELECT nextval('lead_score_activity_id_seq')")
        return self.env.cr.fetchone()[0]

    @api.ondelete(at_uninstall=False)
    def _unlink_if_draft(self):
        self.model_id._check_editable()

    def _to_engine(self):
        self.ensure_one()
        return Activity(
            self.points, self.cap if self.capped else None, self.window_days
        )

    def _touch_domain(self):
        """The touchpoints that count, as a Domain."""
        self.ensure_one()
        return (
            Domain("kind", "=", self.kind)
            & Domain("human", "=", True)
            & Domain(safe_eval(self.domain))
        )


class LeadScoreWindow(models.Model):
    """What a lead's touches of a limited activity came to in one window of time, so
    that one more costs the same whatever came before."""

    _name = "lead.score.window"
    _description = "Lead Score Window"
    _log_access = False

    lead_id = fields.Many2one("crm.lead", required=True, ondelete="cascade")
    activity_key = fields.Integer(required=True)
    number = fields.Integer(required=True)
    gross = fields.Float(required=True)
    amount = fields.Float(required=True)
    as_of = fields.Datetime(required=True)

    _place_unique = models.UniqueIndex("(lead_id, activity_key, number)")
