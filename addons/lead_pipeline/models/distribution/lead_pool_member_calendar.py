# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict
from functools import lru_cache

from odoo import models
from odoo.fields import Domain

from ...engine.business_time import Attendance, Calendar


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
        """When these people are at work: their hours, less public holidays and their
        own absences.

        :param since: leaves that ended before the day of this moment are left out
        :return: {member id: engine ``Calendar``}
        """
        hours = self._hours()
        laid_out = self._lay_out(((member, hours[member.id]) for member in self), since)
        return dict(zip(self._ids, laid_out, strict=True))

    def _hours(self):
        """The working hours of these people: theirs here, else those of their resource
        (of an employee, say), else those of the company.

        Times are of the resource's time zone where there is one, as everywhere in
        Odoo. Flexible hours are any hour of the days.

        :return: {member id: {"calendar" (an id, or False), "week" (see ``_lead_week``),
            "tz"}}
        """
        # sudo: whoever asks, distribution knows who is at work
        members = self.sudo()
        resources = members._resources()
        found = {}
        for member in members:
            resource = resources[member.user_id]
            calendar = (
                member.resource_calendar_id
                or resource.calendar_id
                or member._work_company(resource).resource_calendar_id
            )
            found[member] = calendar, resource
        calendars = members.env["resource.calendar"].union(
            *(calendar for calendar, _resource in found.values())
        )
        weeks = {calendar: calendar._lead_week() for calendar in calendars}
        return {
            member.id: {
                "calendar": calendar.id,
                "week": weeks.get(calendar),
                "tz": resource.tz or calendar.tz or member.user_id.tz or "UTC",
            }
            for member, (calendar, resource) in found.items()
        }

    def _work_company(self, resource):
        return self.pool_id.company_id or resource.company_id or self.user_id.company_id

    def _lay_out(self, hours, since):
        """Calendars of these people, by hours of theirs, now or then.

        :param hours: pairs (member, as ``_hours`` says), in any number and order
        :param since: as ``_calendars``
        :return: engine ``Calendar`` for each pair
        """
        # sudo: whoever asks, distribution knows who is away (not why)
        members = self.sudo()
        resources = members._resources()
        since = since.replace(hour=0, minute=0, second=0, microsecond=0)
        closed = members._leaves(since)
        return [
            _calendar(
                None if kept["week"] is None else tuple(map(tuple, kept["week"])),
                kept["tz"],
                tuple(
                    sorted(
                        {
                            *closed[resources[member.user_id]],
                            *closed["calendar", kept["calendar"]],
                            *closed[member._work_company(resources[member.user_id])],
                        }
                    )
                ),
            )
            for member, kept in ((one.sudo(), kept) for one, kept in hours)
        ]

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
        """:return: {resource, ("calendar", id) or company: intervals}"""
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
                key = leave.resource_id
            elif leave.calendar_id:
                key = "calendar", leave.calendar_id.id
            else:
                key = leave.company_id
            closed[key].add((leave.date_from, leave.date_to))
        return closed


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    def _lead_week(self):
        """:return: the week as lists, the values of engine ``Attendance``, fit
        for JSON; None: any time"""
        self.ensure_one()
        lines = self.attendance_ids.filtered(
            lambda line: not line.display_type and line.day_period != "lunch"
        )
        if self.flexible_hours and not lines:
            return None
        return [
            [
                int(line.dayofweek),
                0 if self.flexible_hours else line.hour_from,
                24 if self.flexible_hours else line.hour_to,
                int(line.week_type) if self.two_weeks_calendar else None,
            ]
            for line in lines
        ]


@lru_cache(maxsize=256)
def _calendar(week, tz, leaves):
    """Laying out a calendar is what costs: people who work alike share one."""
    if week is not None:
        week = [Attendance(*line) for line in week]
    return Calendar(week, tz, leaves)
