# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

from .crm_lead_nurture import INTERESTS


class CrmLostReason(models.Model):
    """What a reason proposes for the time after."""

    _inherit = "crm.lost.reason"

    nurture_interest = fields.Selection(
        INTERESTS, "Interest", help="What the reason tells of the lead's interest."
    )
    nurture_track_id = fields.Many2one(
        "lead.nurture.track",
        domain="[('version', '=', 1)]",
        ondelete="set null",
        help="Proposed when a lead is lost for this reason; it runs in whichever "
        "version is in use.",
    )
    nurture_cool_off_days = fields.Integer(
        "Leave Alone (days)", help="Proposed as the date until which we are silent."
    )
