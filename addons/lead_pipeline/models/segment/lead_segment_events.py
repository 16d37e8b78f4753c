# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ..capture.lead_touchpoint import KINDS
from ..score.lead_scoring_rows import SCORE_COLUMNS

EVERY_KIND = frozenset(dict(KINDS))


class LeadTouchpoint(models.Model):
    """Touchpoints that come, go or change move their lead between segments."""

    _inherit = "lead.touchpoint"

    @api.model_create_multi
    def create(self, vals_list):
        touchpoints = super().create(vals_list)
        touchpoints._notice_segments()
        return touchpoints

    def write(self, vals):
        if set(vals) <= {"awaited"}:
            return super().write(vals)
        before = self.lead_id
        result = super().write(vals)
        self._notice_leads(before | self.lead_id, EVERY_KIND)
        return result

    def unlink(self):
        leads, kinds = self.lead_id, frozenset(self.mapped("kind"))
        result = super().unlink()
        self._notice_leads(leads.exists(), kinds)
        return result

    def _notice_segments(self):
        """These happened; those ahead of us are told of when they have."""
        now = fields.Datetime.now()
        counted = self.filtered(lambda touch: touch.human and touch.at <= now)
        if not self.env.context.get("lead_scoring_later"):
            kinds = frozenset(counted.mapped("kind"))
            self._notice_leads(self.lead_id, kinds, counted)

    @api.model
    def _notice_leads(self, leads, kinds, touchpoints=None):
        # sudo: everybody's leads are members, whoever caused the contact
        leads = leads.sudo()
        self.env["lead.segment"]._notice(
            leads, leads._fields_of_touches(), kinds, touchpoints
        )


class LeadScoring(models.AbstractModel):
    """Scores, which are written past the ORM, move leads between segments too."""

    _inherit = "lead.scoring"

    @api.model
    def _rescore(self, leads, *, touchpoints=(), **how):
        result = super()._rescore(leads, touchpoints=touchpoints, **how)
        if touchpoints:  # a capture, at its end: whatever it did to them
            self.env["lead.segment"]._notice(leads, kinds=EVERY_KIND)
        return result

    @api.model
    def _touch(self, touchpoints):
        result = super()._touch(touchpoints)
        touchpoints._notice_segments()
        return result

    @api.model
    def _on_saved(self, leads):
        result = super()._on_saved(leads)
        self.env["lead.segment"]._notice(leads, {*SCORE_COLUMNS, "engagement_score"})
        return result
