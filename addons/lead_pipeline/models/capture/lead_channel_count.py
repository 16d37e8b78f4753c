# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadChannelCount(models.Model):
    _name = "lead.channel.count"
    _description = "Lead Channel Reconciliation"
    _order = "day desc, channel_id"
    _rec_name = "day"

    channel_id = fields.Many2one(
        "lead.channel", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="channel_id.company_id", store=True)
    day = fields.Date("Day (UTC)", required=True)
    platform_count = fields.Integer("Platform", help="As the platform counts.")
    own_count = fields.Integer(
        "Ours", help="Submissions of that day we hold, tests included."
    )
    difference = fields.Integer(
        compute="_compute_difference",
        store=True,
        help="Platform less ours: above 0, leads are missing here.",
    )
    reported_at = fields.Datetime(default=fields.Datetime.now)

    _day_unique = models.Constraint(
        "UNIQUE(channel_id, day)", "There is a count of this channel and day."
    )

    @api.depends("platform_count", "own_count")
    def _compute_difference(self):
        for count in self:
            count.difference = count.platform_count - count.own_count

    @api.model
    def _report(self, reported):
        """Keep a platform's counts beside ours; see ``report_counts``."""
        channels = self.env["lead.channel"]._by_code(
            row.get("channel") for row in reported if isinstance(row, dict)
        )
        platform = {}
        for row in reported:
            key = self._read_row(row, channels)
            if key:
                platform[key] = row["count"]
        if not platform:
            return []
        own = self._own_counts(platform)
        known = {
            (count.channel_id, count.day): count
            for count in self.search(
                [
                    ("channel_id", "in", [channel.id for channel, _day in platform]),
                    ("day", "in", [day for _channel, day in platform]),
                ]
            )
        }
        to_create = []
        answers = []
        now = fields.Datetime.now()
        for (channel, day), count in platform.items():
            ours = own.get((channel.id, day), 0)
            vals = {"platform_count": count, "own_count": ours, "reported_at": now}
            if (channel, day) in known:
                known[channel, day].write(vals)
            else:
                to_create.append({"channel_id": channel.id, "day": day, **vals})
            answers.append(
                {
                    "channel": channel.code,
                    "day": fields.Date.to_string(day),
                    "platform": count,
                    "ours": ours,
                    "difference": count - ours,
                }
            )
        self.create(to_create)
        return answers

    @api.model
    def _read_row(self, row, channels):
        """(channel, day) of a reported row, None where it makes no sense."""
        if not isinstance(row, dict) or type(row.get("count")) is not int:
            return None
        code, day = row.get("channel"), row.get("day")
        if not 0 <= row["count"] < 2**31:
            return None
        if not isinstance(code, str) or not isinstance(day, str):
            return None
        channel = channels.get(code)
        try:
            day = fields.Date.to_date(day)
        except ValueError:
            return None
        return (channel, day) if channel and day else None

    @api.model
    def _own_counts(self, keys):
        self.env["lead.submission"].flush_model(["channel_id", "submitted_at"])
        self.env.cr.execute(
            """
            SELECT channel_id, submitted_at::date, count(*)
              FROM lead_submission
             WHERE channel_id = ANY(%s)
               AND submitted_at >= %s AND submitted_at < %s::date + 1
             GROUP BY 1, 2
            """,
            [
                [channel.id for channel, _day in keys],
                min(day for _channel, day in keys),
                max(day for _channel, day in keys),
            ],
        )
        return {(channel, day): n for channel, day, n in self.env.cr.fetchall()}
