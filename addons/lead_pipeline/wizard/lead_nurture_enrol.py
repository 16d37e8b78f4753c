# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError


class LeadNurtureEnrol(models.TransientModel):
    """Enrol leads by hand."""

    _name = "lead.nurture.enrol"
    _description = "Nurture Leads"

    lead_ids = fields.Many2many("crm.lead", context={"active_test": False})
    lead_count = fields.Integer(compute="_compute_lead_count")
    track_id = fields.Many2one(
        "lead.nurture.track",
        required=True,
        domain="[('state', '=', 'running')]",
    )
    cool_off_until = fields.Date("Leave Alone Until")

    @api.depends("lead_ids")
    def _compute_lead_count(self):
        for wizard in self:
            wizard.lead_count = len(wizard.lead_ids)

    def action_enrol(self):
        """:raises UserError: none of them can be enrolled"""
        self.ensure_one()
        leads = self.lead_ids.with_context(active_test=False)
        leads.check_access("write")
        if self.cool_off_until:
            leads.write({"cool_off_until": self.cool_off_until})
        # sudo: journeys are the system's to write
        enrolled = self.env["lead.nurture"].sudo()._enrol(leads, self.track_id, "hand")
        if not enrolled:
            raise UserError(
                self.env._(
                    "None of these can start on “%(track)s”: they are or were on it, "
                    "are won, or want no mail.",
                    track=self.track_id.name,
                )
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(number)s of %(all)s leads are on “%(track)s” now.",
                    number=len(enrolled),
                    all=len(leads),
                    track=self.track_id.name,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
