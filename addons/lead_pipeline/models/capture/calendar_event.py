# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

#: what a touchpoint tells of a meeting
TOUCH_FIELDS = {"opportunity_id", "start", "stop", "duration", "name", "active"}
TOUCH_FIELDS |= {"start_date", "stop_date", "allday", "user_id"}


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        events._touch_leads()
        return events

    def write(self, vals):
        result = super().write(vals)
        if not TOUCH_FIELDS.isdisjoint(vals):
            self._touch_leads()
        return result

    def unlink(self):
        self._lead_touchpoints().unlink()
        return super().unlink()

    def _lead_touchpoints(self):
        # sudo: touchpoints are written by the system, never by hand
        return (
            self.env["lead.touchpoint"]
            .sudo()
            .search(
                [
                    ("channel_id", "=", False),
                    (
                        "external_id",
                        "in",
                        [f"calendar.event,{event_id}" for event_id in self.ids],
                    ),
                ]
            )
        )

    def _touch_leads(self):
        """Keep one touchpoint for each meeting with a lead."""
        known = {touch.external_id: touch for touch in self._lead_touchpoints()}
        to_create = []
        gone = self.env["lead.touchpoint"].sudo()
        for event in self:
            touch = known.get(f"calendar.event,{event.id}")
            # sudo: the lead may belong to another salesperson
            lead = event.sudo().opportunity_id
            if not event.active or not lead:
                gone |= touch or gone
                continue
            vals = {
                "lead_id": lead.id,
                "at": event.start or fields.Datetime.now(),
                "duration": int((event.duration or 0) * 3600),
                "title": event.name,
                "user_id": event.user_id.id,
            }
            if touch:
                previous = touch.lead_id
                touch.write(vals)
                if previous != lead:  # it never was a meeting with the other one
                    previous.date_first_response = False
                    previous._recompute_touches()
            else:
                to_create.append(
                    {
                        **vals,
                        "kind": "meeting",
                        "direction": "out",
                        "external_id": f"calendar.event,{event.id}",
                    }
                )
        gone.unlink()
        gone.create(to_create)
