# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from markupsafe import Markup

from odoo import fields, models


class LeadNurtureEnrolment(models.Model):
    """What sales learns about a lead that comes back."""

    _inherit = "lead.nurture.enrolment"

    def _return_to_sales(self, reason):
        """Leads of these journeys go back to sales, each with its brief."""
        briefs, owners = {}, {}
        for journey in self.sorted("enrolled_at"):  # the newest says it
            lead_id = journey.lead_id.id
            briefs[lead_id] = journey._brief(reason)
            if journey.previous_user_id.active:
                owners[lead_id] = journey.previous_user_id.id
        self.lead_id.with_context(active_test=False)._return_to_sales(briefs, owners)

    def _brief(self, reason):
        """:return: (summary, HTML)"""
        self.ensure_one()
        reasons = dict(self._fields["end_reason"]._description_selection(self.env))
        days = (fields.Datetime.now() - self.enrolled_at).days
        went = self.touch_ids.filtered("sent_at")
        lines = [
            self.env._(
                "%(days)s days on “%(track)s”.", days=days, track=self.track_id.name
            )
        ]
        if self.lost_reason_id:
            lines.append(self.env._("Lost before: %s", self.lost_reason_id.name))
        if self.held_out:
            lines.append(self.env._("Held out: it got nothing from us."))
        for touch in went.sorted("sent_at"):
            states = dict(touch._fields["state"]._description_selection(self.env))
            lines.append(f"“{touch.stage_id.name}”: {states[touch.state].lower()}")
        summary = self.env._("Back from nurture: %s", reasons[reason].lower())
        body = Markup("<p>%s</p><ul>%s</ul>") % (
            summary,
            Markup("").join(Markup("<li>%s</li>") % line for line in lines),
        )
        return summary, body
