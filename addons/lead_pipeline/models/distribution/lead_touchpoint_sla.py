# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models

from ..capture.lead_touchpoint import RESPONSE_KINDS


class LeadTouchpoint(models.Model):
    """A touch by a person stops the clock of the lead's owner."""

    _inherit = "lead.touchpoint"

    def _refresh_leads(self, leads):
        result = super()._refresh_leads(leads)
        answers = self.filtered(
            lambda touch: touch.human
            and touch.kind in RESPONSE_KINDS
            and (touch.direction == "out" or touch.kind == "meeting")
        )
        # sudo: the clock is the system's, whoever touched the lead
        self.env["lead.assignment"].sudo()._stop_clocks(answers)
        return result
