# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.fields import Domain

#: of a lead, what is read through its assignment
SLA_FIELDS = ("sla_state", "sla_touched_at", "sla_promised_at", "sla_clock")


class CrmLead(models.Model):
    """How long the owner has to touch the lead, and whether they did."""

    _inherit = "crm.lead"

    sla_due_at = fields.Datetime(
        "First Touch Due",
        readonly=True,
        copy=False,
        help="By then a person has to have called, written to or met the lead.",
    )
    sla_touched_at = fields.Datetime(
        "Touched",
        related="assignment_id.first_touch_at",
        help="The first touch by a person since the lead was given to its owner.",
    )
    sla_promised_at = fields.Datetime(
        "Due Since Capture", related="assignment_id.promised_at"
    )
    sla_clock = fields.Json(
        compute="_compute_sla_clock",
        help="Of a clock that runs: left (seconds of the owner's working time), open "
        "(whether it is working time now), until (when that changes, UTC).",
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

    _sla_due_idx = models.Index("(sla_due_at) WHERE sla_due_at IS NOT NULL")

    @api.depends(
        "sla_due_at", "assignment_id.first_touch_at", "assignment_id.missed_at"
    )
    def _compute_sla_state(self):
        now = fields.Datetime.now()
        for lead in self:
            # sudo: whoever may read a lead may know whether it was answered in time
            current = lead.assignment_id.sudo()
            if not lead.sla_due_at:
                lead.sla_state = "none"
            elif current.missed_at:
                lead.sla_state = "missed"
            elif current.first_touch_at:
                lead.sla_state = "kept"
            else:
                lead.sla_state = "running" if now <= lead.sla_due_at else "missed"

    @api.depends("sla_due_at", "assignment_id.first_touch_at")
    def _compute_sla_clock(self):
        self.sla_clock = False
        now = fields.Datetime.now()
        # sudo: until when the owner works is no secret to whoever sees the lead
        running = self.sudo().filtered(
            lambda lead: lead.sla_due_at
            and lead.sla_due_at > now
            and lead.assignment_id.member_id
            and not lead.assignment_id.first_touch_at
        )
        calendars = running.assignment_id.member_id._calendars(now)
        for lead in running:
            calendar = calendars[lead.assignment_id.member_id.id]
            is_open, until = calendar.span(now)
            lead.sla_clock = {
                "left": calendar.business_seconds(now, lead.sla_due_at),
                "open": is_open,
                "until": fields.Datetime.to_string(until),
            }

    def _search_sla_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        due = Domain("sla_due_at", "!=", False)

        def current(domain):  # whoever may read a lead, as above
            return Domain("assignment_id", "any!", domain)

        missed = current([("missed_at", "!=", False)])
        touched = current([("first_touch_at", "!=", False)])
        domains = {
            "none": ~due,
            "missed": due & (missed | (~touched & Domain("sla_due_at", "<", now))),
            "kept": due & touched & ~missed,
            "running": Domain("sla_due_at", ">=", now) & ~touched & ~missed,
        }
        return Domain.OR(domains[one] for one in value if one in domains)

    def _touch_by_message(self, message):
        """What the owner logs of the lead stops the clock too."""
        result = super()._touch_by_message(message)
        author = message.author_id
        if (
            message.message_type != "comment"
            or not message.subtype_id.internal
            or message.partner_ids  # it is for a colleague
            or not author
        ):
            return result
        leads = self.filtered(
            lambda lead: lead.sla_due_at
            and lead.user_id.partner_id == author
            and not lead.sla_touched_at
        )
        # sudo: touchpoints are written by the system, never by hand
        self.env["lead.touchpoint"].sudo().create(
            [
                {
                    "lead_id": lead.id,
                    "kind": "note",
                    "direction": "out",
                    "at": fields.Datetime.now(),
                    "user_id": lead.user_id.id,
                    "external_id": f"mail.message,{message.id}",
                }
                for lead in leads
            ]
        )
        return result
