# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

from ..kept_many2one import KeptMany2one

GRADES = [(f"{fit}{pull}", f"{fit}{pull}") for fit in "ABCD" for pull in "1234"]


class LeadScore(models.Model):
    """The scores of a lead: one narrow row, written by ``lead.scoring`` in plain SQL
    and shown as fields of the lead. Beside the lead, as to write a row of crm_lead
    with all its indexes costs ten times as much, and would wait for whoever edits the
    lead. Why so: docs/decisions/0006."""

    _name = "lead.score"
    _description = "Lead Score"
    _log_access = False

    lead_id = fields.Many2one("crm.lead", required=True, ondelete="cascade")
    score_model_id = KeptMany2one("lead.score.model")
    quality_model_score = fields.Float()
    quality_score = fields.Float()
    quality_overridden = fields.Boolean()
    engagement_amount = fields.Float()
    engagement_as_of = fields.Datetime()
    engagement_key = fields.Float()
    cools_at = fields.Datetime()
    lead_grade = fields.Selection(GRADES)
    sales_ready = fields.Boolean()
    sales_ready_date = fields.Datetime()

    _lead_unique = models.UniqueIndex("(lead_id)")
    # few indexes: each would cost every touch
    _cools_at_idx = models.Index("(cools_at) WHERE cools_at IS NOT NULL")
