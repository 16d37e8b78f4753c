# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

from .lead_assignment import WAITING_REASONS


class CrmLead(models.Model):
    _inherit = "crm.lead"

    skill_ids = fields.Many2many(
        "lead.skill",
        "crm_lead_skill_rel",
        "lead_id",
        "skill_id",
        string="Skills",
        help="What the lead asks of whoever works it.",
    )
    assignment_id = fields.Many2one(
        "lead.assignment",
        "Current Assignment",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    assignment_ids = fields.One2many(
        "lead.assignment", "lead_id", "Assignments", readonly=True
    )
    waiting_since = fields.Datetime(
        readonly=True, copy=False, help="Since when it waits to be given to somebody."
    )
    waiting_reason = fields.Selection(WAITING_REASONS, readonly=True, copy=False)
    waiting_until = fields.Datetime(
        readonly=True,
        copy=False,
        help="When somebody may be free. Empty: when something changes.",
    )
    date_captured = fields.Datetime(
        "Captured",
        readonly=True,
        copy=False,
        default=fields.Datetime.now,
        help="When the person reached us first.",
    )
    date_routed = fields.Datetime(
        "Routed", readonly=True, copy=False, help="When it was first given to somebody."
    )
    date_told = fields.Datetime(
        "Owner Told", readonly=True, copy=False, help="When its first owner was told."
    )
    _waiting_idx = models.Index(
        "(waiting_until, waiting_since) WHERE waiting_since IS NOT NULL"
    )

    def _init_column(self, column_name):
        """Leads that are there already were captured when they were made."""
        if column_name == "date_captured":
            self.env.cr.execute("UPDATE crm_lead SET date_captured = create_date")
            return None
        return super()._init_column(column_name)
