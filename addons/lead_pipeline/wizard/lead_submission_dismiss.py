# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadSubmissionDismiss(models.TransientModel):
    _name = "lead.submission.dismiss"
    _description = "Dismiss Submissions"

    submission_ids = fields.Many2many(
        "lead.submission",
        required=True,
        default=lambda self: self.env.context.get("active_ids"),
    )
    submission_count = fields.Integer(compute="_compute_submission_count")
    reason = fields.Char(
        required=True, help="Why these will never be leads. It is kept with them."
    )

    @api.depends("submission_ids")
    def _compute_submission_count(self):
        for wizard in self:
            wizard.submission_count = len(wizard.submission_ids)

    def action_dismiss(self):
        self.ensure_one()
        self.submission_ids._dismiss(self.reason)
        return {"type": "ir.actions.act_window_close"}
