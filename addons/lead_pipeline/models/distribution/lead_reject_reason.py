# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadRejectReason(models.Model):
    """Why a person passes a lead on."""

    _name = "lead.reject.reason"
    _description = "Lead Reject Reason"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    gives_turn_back = fields.Boolean(
        help="What was given was no lead, such as spam: it does not count as a turn of "
        "its owner."
    )
    reject_count = fields.Integer("Rejections", compute="_compute_reject_count")

    @api.depends_context("uid")
    def _compute_reject_count(self):
        """Of the leads that the user may see."""
        counts = dict(
            self.env["lead.assignment"]._read_group(
                [("reject_reason_id", "in", self.ids)],
                ["reject_reason_id"],
                ["__count"],
            )
        )
        for reason in self:
            reason.reject_count = counts.get(reason, 0)
