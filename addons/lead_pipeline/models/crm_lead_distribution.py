# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

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
    sla_due_at = fields.Datetime(
        "First Touch Due",
        readonly=True,
        copy=False,
        help="The first touch by a person is due then.",
    )
    sla_state = fields.Selection(
        [
            ("running", "Running"),
            ("kept", "Kept"),
            ("missed", "Missed"),
            ("none", "No SLA"),
        ],
        "SLA",
        compute="_compute_sla_state",
        search="_search_sla_state",
    )

    _waiting_idx = models.Index(
        "(waiting_until, waiting_since) WHERE waiting_since IS NOT NULL"
    )
    _sla_due_idx = models.Index("(sla_due_at) WHERE sla_due_at IS NOT NULL")

    def _init_column(self, column_name):
        """Leads that are there already were captured when they were made."""
        if column_name == "date_captured":
            self.env.cr.execute("UPDATE crm_lead SET date_captured = create_date")
            return None
        return super()._init_column(column_name)

    @api.depends("sla_due_at", "date_first_response")
    def _compute_sla_state(self):
        now = fields.Datetime.now()
        for lead in self:
            due, touched = lead.sla_due_at, lead.date_first_response
            if not due:
                lead.sla_state = "none"
            elif (touched or now) > due:
                lead.sla_state = "missed"
            else:
                lead.sla_state = "kept" if touched else "running"

    def _search_sla_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        due = Domain("sla_due_at", "!=", False)
        untouched = Domain("date_first_response", "=", False)
        late = Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s > %s",
                model._field_to_sql(alias, "date_first_response", query),
                model._field_to_sql(alias, "sla_due_at", query),
            )
        )
        domains = {
            "none": ~due,
            "running": untouched & Domain("sla_due_at", ">=", now),
            "missed": (untouched & Domain("sla_due_at", "<", now)) | (due & late),
            "kept": due & ~untouched & ~late,
        }
        return Domain.OR(domains[one] for one in value if one in domains)
