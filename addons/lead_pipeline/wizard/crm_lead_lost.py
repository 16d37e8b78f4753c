# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models

from ..models.nurture.crm_lead_nurture import INTERESTS


class CrmLeadLost(models.TransientModel):
    """A lead is lost, but not dead: the reason proposes what comes next."""

    _inherit = "crm.lead.lost"

    interest = fields.Selection(
        INTERESTS, compute="_compute_proposal", store=True, readonly=False
    )
    nurture_track_id = fields.Many2one(
        "lead.nurture.track",
        domain="[('state', '=', 'running')]",
        compute="_compute_proposal",
        store=True,
        readonly=False,
        help="Empty: nothing goes out.",
    )
    cool_off_until = fields.Date(
        "Leave Alone Until", compute="_compute_proposal", store=True, readonly=False
    )

    @api.depends("lost_reason_id")
    def _compute_proposal(self):
        today = fields.Date.context_today(self)
        for wizard in self:
            reason = wizard.lost_reason_id
            days = reason.nurture_cool_off_days
            wizard.interest = reason.nurture_interest
            wizard.nurture_track_id = reason.nurture_track_id._running()[:1].sudo(False)
            wizard.cool_off_until = today + timedelta(days=days) if days else False

    def action_lost_reason_apply(self):
        result = super().action_lost_reason_apply()
        leads = self.lead_ids.with_context(active_test=False)
        vals = {}
        if self.interest:
            vals["interest"] = self.interest
        if self.cool_off_until:
            vals["cool_off_until"] = self.cool_off_until
        if vals:
            leads.write(vals)
        if self.nurture_track_id:
            # sudo: journeys are the system's to write; the leads were the user's
            self.env["lead.nurture"].sudo()._enrol(leads, self.nurture_track_id, "lost")
        return result
