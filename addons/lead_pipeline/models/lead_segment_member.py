# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadSegmentMember(models.Model):
    """A lead that is in a segment now. Also the relation behind
    ``crm.lead.segment_ids``. Written by ``lead.segment`` in plain SQL."""

    _name = "lead.segment.member"
    _description = "Lead Segment Member"
    _order = "since desc, id desc"
    _log_access = False
    _rec_name = "lead_id"

    segment_id = fields.Many2one("lead.segment", required=True, ondelete="cascade")
    lead_id = fields.Many2one("crm.lead", required=True, index=True, ondelete="cascade")
    since = fields.Datetime(required=True)
    check_at = fields.Datetime(
        help="Never later than the moment at which its touchpoints become too old."
    )
    user_id = fields.Many2one(related="lead_id.user_id")
    lead_grade = fields.Selection(related="lead_id.lead_grade")
    last_seen_at = fields.Datetime(related="lead_id.last_seen_at")

    _member_unique = models.UniqueIndex("(segment_id, lead_id)")
    _check_idx = models.Index("(check_at) WHERE check_at IS NOT NULL")

    @api.model
    def _search(self, *args, **kwargs):
        self.env["lead.segment"]._settle()
        return super()._search(*args, **kwargs)

    def action_open_lead(self):
        self.ensure_one()
        return self.lead_id.get_formview_action()


class LeadSegmentMove(models.Model):
    """Who joined or left a segment when; for charts, and to answer questions."""

    _name = "lead.segment.move"
    _description = "Lead Segment Movement"
    _order = "at desc, id desc"
    _log_access = False
    _rec_name = "lead_id"

    segment_id = fields.Many2one("lead.segment", required=True, ondelete="cascade")
    lead_id = fields.Many2one("crm.lead", index="btree_not_null", ondelete="set null")
    at = fields.Datetime("When", required=True)
    change = fields.Integer("Members", required=True, help="1: joined, -1: left.")
    direction = fields.Selection(
        [("joined", "Joined"), ("left", "Left")], required=True, readonly=True
    )

    _segment_at_idx = models.Index("(segment_id, at)")

    @api.model
    def _search(self, *args, **kwargs):
        self.env["lead.segment"]._settle()
        return super()._search(*args, **kwargs)
