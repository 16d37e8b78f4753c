# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class LeadReject(models.TransientModel):
    """The owner of a lead hands it back and says why."""

    _name = "lead.reject"
    _description = "Reject a Lead"

    lead_id = fields.Many2one("crm.lead", required=True, readonly=True)
    reason_id = fields.Many2one("lead.reject.reason", "Why", required=True)
    note = fields.Char("In Your Words")

    def action_reject(self):
        """:raises UserError: the lead is not the user's (any more)"""
        self.ensure_one()
        name = self.lead_id.display_name
        self.lead_id._reject(self.reason_id, self.note)
        owner = self.lead_id.sudo().user_id  # its name is no secret to who had it
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": name,
                "type": "success",
                "message": self.env._("It went to %(user)s.", user=owner.name)
                if owner != self.env.user and owner
                else self.env._(
                    "It goes to somebody else as soon as somebody is free."
                ),
                "next": {"type": "ir.actions.client", "tag": "lead_pipeline.leave"},
            },
        }
