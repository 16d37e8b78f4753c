# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

#: of a member, by which people see whether they get leads
SHOWN = {"active", "paused", "paused_until", "offline_reason"}


class LeadPoolMember(models.Model):
    """Who comes back starts anew, and people see at once whether they get leads."""

    _inherit = "lead.pool.member"

    def write(self, vals):
        if vals.get("paused", True) is False:
            fresh = {"offline_since": False, "offline_reason": False, "missed_count": 0}
            vals = {**fresh, **vals}
        result = super().write(vals)
        if not SHOWN.isdisjoint(vals):
            self.user_id._tell_lead_availability()
        return result

    def _availability(self):
        """Of one person, in all of their pools; see ``res.users.lead_availability``."""
        now = fields.Datetime.now()
        paused = self.filtered(
            lambda one: one.paused or (one.paused_until and one.paused_until > now)
        )
        available = paused != self or not self
        ends = [one.paused_until for one in paused if not one.paused]
        return {
            "member": bool(self),
            "available": available,
            "until": not available
            and bool(ends)
            and fields.Datetime.to_string(min(ends)),
            "reason": not available and (paused[:1].offline_reason or False),
        }
