# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict
from functools import lru_cache

from odoo import models
from odoo.fields import Domain

from ..engine.business_time import Attendance, Calendar


class LeadPoolMember(models.Model):
    _inherit = "lead.pool.member"

    def _open_counts(self):
        """:return: {user id: open leads they have, wherever they got them from}"""
        # sudo: a number, not leads
        groups = self.env["crm.lead"].sudo()
        return {
            user.id: count
            for user, count in groups._read_group(
                [("user_id", "in", self.user_id.ids), ("won_status", "=", "pending")],
                ["user_id"],
                ["__count"],
            )
        }

    def _calendars(self, since):
        """When these people are at work: their working hours here, else those of their
        resource (of an employee, say), else those of the company; less public holidays
        and their own absences.

        Times are of the resource's time zone where there is one, as everywhere in
        Odoo. Flexible hours are any hour of the days.

        :param since: leaves that ended before the day of this moment are left out
        :return: {member id: engine ``Calendar``}
        """
        since = since.replace(hour=0, minute=0, second=0, microsecond=0)
        # sudo: whoever asks, distribution knows who is away (not why)
        members = self.sudo()
        resources = members._resources()
        found = {}
        for member in members:
            company = (
                member.pool_id.company_id
                or resources[member.user_id].company_id
                or member.user_id.company_id
            )
            resource = resources[member.user_id]
            calendar = (
                member.resource_calendar_id
                or resource.calendar_id
                or company.resource_calendar_id
            )
            found[member] = calendar, resource, company
        calendars = members.env["resource.calendar"].union(
            *(calendar for calendar, _resource, _company in found.values())
        )
        weeks = {calendar: calendar._lead_week() for calendar in calendars}
        closed = members._leaves(since)
        return {
            member.id: _calendar(
                weeks[calendar] if calendar else None,
                resource.tz or calendar.tz or member.user_id.tz or "UTC",
                tuple(
                    sorted(
                        {
                            *closed[resource, None],
                            *closed[None, calendar],
                            *closed[None, company],
                        }
                    )
                ),
            )
            for member, (calendar, resource, company) in found.items()
        }

    def _resources(self):
        """:return: {user: their resource, in a company of theirs; maybe empty}"""
        Resource = self.env["resource.resource"].sudo()
        found = defaultdict(lambda: Resource)
        for resource in Resource.search([("user_id", "in", self.user_id.ids)]):
            main = resource.company_id == resource.user_id.company_id
            if main or not found[resource.user_id]:
                found[resource.user_id] = resource
        return found

    def _leaves(self, since):
        """:return: {(resource, None) or (None, calendar or company): intervals}"""
        Leave = self.env["resource.calendar.leaves"].sudo()
        leaves = Leave.search(
            Domain("time_type", "=", "leave")
            & Domain("date_to", ">=", since)
            & (
                Domain("resource_id", "=", False)
                | Domain("resource_id.user_id", "in", self.user_id.ids)
            )
        )
        closed = defaultdict(set)
        for leave in leaves:
            if leave.resource_id:
                key = leave.resource_id, None
            else:
                key = None, leave.calendar_id or leave.company_id
            closed[key].add((leave.date_from, leave.date_to))
        return closed


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    def _lead_week(self):
        """:return: the week as a tuple of engine ``Attendance``; None: any time"""
        self.ensure_one()
        lines = self.attendance_ids.filtered(
            lambda line: not line.display_type and line.day_period != "lunch"
        )
        if self.flexible_hours and not lines:
            return None
        return tuple(
            Attendance(
                int(line.dayofweek),
                0 if self.flexible_hours else line.hour_from,
                24 if self.flexible_hours else line.hour_to,
                int(line.week_type) if self.two_weeks_calendar else None,
            )
            for line in lines
        )


@lru_cache(maxsize=256)
def _calendar(week, tz, leaves):
    """Laying out a calendar is what costs: people who work alike share one."""
    return Calendar(week, tz, leaves)
