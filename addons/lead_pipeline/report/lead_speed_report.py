# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from array import array
from collections import defaultdict
from dataclasses import asdict
from datetime import timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

from ..engine.speed import spread

#: leads read at a time
BATCH = 20_000
#: what lies between, of (captured, routed, told, first touch)
STEPS = {"answer": (0, 3), "route": (0, 1), "tell": (1, 2), "touch": (2, 3)}
#: lines of the table
MOST_ROWS = 50


class LeadSpeedReport(models.TransientModel):
    """Speed to lead: how long from captured to routed, told, and the first touch by a
    person, by the clock and in the working time of the owner. Computed when looked at,
    by the engine's calendars, so that it is exact."""

    _name = "lead.speed.report"
    _description = "Speed to Lead"

    date_from = fields.Date(
        "Captured From",
        required=True,
        default=lambda self: fields.Date.context_today(self) - timedelta(days=30),
    )
    date_to = fields.Date("To", required=True, default=fields.Date.context_today)
    by = fields.Selection(
        [
            ("channel_id", "Channel"),
            ("user_id", "Salesperson"),
            ("hour", "Hour of the day"),
            ("team_id", "Sales team"),
        ],
        required=True,
        default="channel_id",
    )
    step = fields.Selection(
        [
            ("answer", "Captured to first touch"),
            ("route", "Captured to routed"),
            ("tell", "Routed to told"),
            ("touch", "Told to first touch"),
        ],
        "Of",
        required=True,
        default="answer",
    )
    domain = fields.Char("Only Those", required=True, default="[]")
    result = fields.Json(compute="_compute_result")

    def _compute_display_name(self):
        self.display_name = self.env._("Speed to Lead")

    @api.constrains("domain")
    def _check_domain(self):
        for report in self:
            self.env["lead.scoring"]._check_domain("crm.lead", report.domain)

    @api.depends("date_from", "date_to", "by", "step", "domain")
    def _compute_result(self):
        for report in self:
            report.result = report._measure() if report._is_complete() else False

    def _is_complete(self):
        return all((self.date_from, self.date_to, self.by, self.step))

    # ------------------------------------------------------------
    # MEASURE
    # ------------------------------------------------------------

    def _measure(self):
        """:return: {"leads", "untouched" (still), "steps": [{"step", "label", "raw",
        "business"}], "rows": [{"label", "domain" (of its leads; None where there is
        none), "leads", "untouched", "raw", "business"}], "more" (rows left out),
        "outside" (leads of owners in no pool, whose working time is not known)};
        raw and business are ``engine.speed.Spread`` as dicts, in seconds"""
        step_labels = dict(self._fields["step"]._description_selection(self.env))
        raw, business = defaultdict(_numbers), defaultdict(_numbers)
        groups = defaultdict(_Group)
        leads = untouched = outside = 0
        zone = ZoneInfo(self.env.user.tz or "UTC")
        calendars = {}
        for batch in self._batches():
            self._read_calendars(batch, calendars)
            for _id, user, channel, team, *moments in batch:
                leads += 1
                untouched += moments[3] is None
                keys = {"channel_id": channel, "user_id": user, "team_id": team}
                key = keys.get(self.by) if self.by in keys else _hour(moments[0], zone)
                group = groups[key]
                group.leads += 1
                group.untouched += moments[3] is None
                calendar = calendars.get(user)
                outside += bool(user) and calendar is None
                for step, (first, last) in STEPS.items():
                    start, end = moments[first], moments[last]
                    if start is None or end is None:
                        continue
                    seconds = int((end - start).total_seconds())
                    raw[step].append(seconds)
                    worked = None
                    if calendar:
                        worked = calendar.business_seconds(start, end)
                        business[step].append(worked)
                    if step == self.step:
                        group.raw.append(seconds)
                        if worked is not None:
                            group.business.append(worked)
        rows = self._rows(groups)
        return {
            "leads": leads,
            "untouched": untouched,
            "outside": outside,
            "steps": [
                {
                    "step": step,
                    "label": step_labels[step],
                    "raw": asdict(spread(raw[step])),
                    "business": asdict(spread(business[step])),
                }
                for step in STEPS
            ],
            "rows": rows[:MOST_ROWS],
            "more": max(0, len(rows) - MOST_ROWS),
        }

    def _lead_domain(self):
        """The leads that were captured in these days, of those the user may see."""
        zone = ZoneInfo(self.env.user.tz or "UTC")
        start, end = (
            fields.Datetime.to_datetime(day)
            .replace(tzinfo=zone)
            .astimezone(ZoneInfo("UTC"))
            .replace(tzinfo=None)
            for day in (self.date_from, self.date_to + timedelta(days=1))
        )
        try:
            only = Domain(safe_eval(self.domain or "[]"))
            only.validate(self.env["crm.lead"])
        except Exception as error:
            raise ValidationError(
                self.env._("These conditions can't be used: %s", self.domain)
            ) from error
        return (
            Domain("date_captured", ">=", start)
            & Domain("date_captured", "<", end)
            & only
        )

    def _batches(self):
        """Rows (id, user, channel, team, captured, routed, told, first touch)."""
        Lead = self.env["crm.lead"].with_context(active_test=False)
        domain, after = self._lead_domain(), 0
        names = ("id", "user_id", "channel_id", "team_id")
        names += ("date_captured", "date_routed", "date_told", "date_first_response")
        while True:
            query = Lead._search(
                domain & Domain("id", ">", after), order="id", limit=BATCH
            )
            columns = (Lead._field_to_sql(query.table, name, query) for name in names)
            rows = self.env.execute_query(query.select(*columns))
            if rows:
                yield rows
            if len(rows) < BATCH:
                return
            after = rows[-1][0]

    def _read_calendars(self, batch, calendars):
        """When the owners of some leads are at work.

        :param calendars: {user id: engine ``Calendar``, None: in no pool}; filled
        """
        users = {row[1] for row in batch if row[1]} - calendars.keys()
        if not users:
            return
        # sudo: when somebody is at work, not why not; their leads are the reader's
        members = self.env["lead.pool.member"].sudo().with_context(active_test=False)
        members = members.search(
            [("user_id", "in", list(users))], order="active, id desc"
        )
        theirs = {member.user_id.id: member for member in members}
        since = fields.Datetime.to_datetime(self.date_from) - timedelta(days=1)
        known = members.browse(one.id for one in theirs.values())._calendars(since)
        for user in users:
            calendars[user] = known[theirs[user].id] if user in theirs else None

    # ------------------------------------------------------------
    # ROWS
    # ------------------------------------------------------------

    def _rows(self, groups):
        """Hours in their order, the others by how many leads they have."""
        if self.by == "hour":
            found = sorted(groups.items())
            labels = {hour: f"{hour:02}:00" for hour in groups}
        else:
            found = sorted(groups.items(), key=lambda item: -item[1].leads)
            model = self.env["crm.lead"]._fields[self.by].comodel_name
            # sudo: names of what the reader's leads belong to
            records = self.env[model].sudo().browse(key for key in groups if key)
            labels = {one.id: one.display_name for one in records.exists()}
            labels[None] = {
                "channel_id": self.env._("No channel"),
                "user_id": self.env._("Nobody"),
                "team_id": self.env._("No team"),
            }[self.by]
        return [
            {
                "label": labels.get(key) or self.env._("Deleted"),
                "domain": (
                    None
                    if self.by == "hour"
                    else list(self._lead_domain() & Domain(self.by, "=", key or False))
                ),
                "leads": group.leads,
                "untouched": group.untouched,
                "raw": asdict(spread(group.raw)),
                "business": asdict(spread(group.business)),
            }
            for key, group in found
        ]


class _Group:
    __slots__ = ("business", "leads", "raw", "untouched")

    def __init__(self):
        self.leads = self.untouched = 0
        self.raw, self.business = _numbers(), _numbers()


def _numbers():
    """Many durations, packed."""
    return array("q")


def _hour(moment, zone):
    """The hour on the reader's clock."""
    return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).hour
