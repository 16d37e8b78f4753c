# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models

from ...engine.sla import Clock, first_clock
from .lead_distribution import PASSED_ON
from .lead_distribution_pools import LOOK_BACK


class LeadDistribution(models.AbstractModel):
    """The clocks of new owners."""

    _inherit = "lead.distribution"

    @api.model
    def _clocks(self, round_, rows):
        """When new owners have to have touched their leads, in their working time, by
        the policy of the rule.

        The clock of a lead's first owner runs since the lead was captured, if that is
        fair (see ``engine.sla``); that of a later one from when they got it. A lead
        that is passed on in the course of its work was answered before: it has no
        clock, unless nobody ever touched it.

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
        since = self._clocks_start(round_, rows)
        known = {}
        for row in rows:
            key = row.chosen, row.rule.sla_policy_id, since[row.id]
            if key not in known:
                clock = self._clock(calendars[key[0]], *key[1:], round_.at)
                known[key] = {
                    "due_at": clock.due_at,
                    "sla_next_at": clock.remind_at,
                    "promised_at": clock.promised_at,
                }
        return {
            row.id: known[row.chosen, row.rule.sla_policy_id, since[row.id]]
            for row in rows
        }

    @api.model
    def _clocks_start(self, round_, rows):
        """:return: {lead id: when it was captured, or became sales-ready where only
        those are given out; None: somebody had it before}"""
        first = [
            row for row in rows if not row.date_routed and round_.event not in PASSED_ON
        ]
        ready = {}
        if first and self._ready_when() == "sales_ready":
            leads = self.env["crm.lead"].browse(row.id for row in first)
            ready = {lead.id: lead.sales_ready_date for lead in leads}
        earliest = round_.at - LOOK_BACK
        found = dict.fromkeys(row.id for row in rows)
        for row in first:
            since = ready.get(row.id) or row.date_captured or round_.at
            found[row.id] = max(since, earliest)
        return found

    @api.model
    def _clock(self, calendar, policy, since, at):
        seconds = policy.first_touch_minutes * 60
        quiet = seconds - policy.remind_before_minutes * 60
        if since is not None:
            return first_clock(calendar, since, at, seconds, quiet)
        due, remind = (calendar.add_business(at, each) for each in (seconds, quiet))
        return Clock(due, remind, None)
