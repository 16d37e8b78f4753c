# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models


class LeadDistribution(models.AbstractModel):
    """The clocks of new owners."""

    _inherit = "lead.distribution"

    @api.model
    def _clocks(self, round_, rows):
        """When new owners have to have touched their leads, in their working time, by
        the policy of the rule.

        A lead that is passed on in the course of its work was answered before: it has
        no clock, unless nobody ever touched it.

        :return: {lead id: values of ``lead.assignment``}
        """
        rows = [row for row in rows if row.chosen and row.rule.sla_policy_id]
        if rows and round_.event == "reassigned":
            leads = self.env["crm.lead"].browse(row.id for row in rows)
            answered = set(leads.filtered("date_first_response").ids)
            rows = [row for row in rows if row.id not in answered]
        calendars = {
            member.ref: member.calendar
            for worksheet in round_.worksheets.values()
            for member in worksheet.members
        }
        known = {}
        for row in rows:
            key = row.chosen, row.rule.sla_policy_id
            if key not in known:
                calendar, policy = calendars[row.chosen], row.rule.sla_policy_id
                minutes = policy.first_touch_minutes
                quiet = minutes - policy.remind_before_minutes
                known[key] = {
                    "due_at": calendar.add_business(round_.at, minutes * 60),
                    "sla_next_at": calendar.add_business(round_.at, quiet * 60),
                }
        return {row.id: known[row.chosen, row.rule.sla_policy_id] for row in rows}
