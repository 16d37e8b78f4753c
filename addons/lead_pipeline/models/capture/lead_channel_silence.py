# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...engine import rhythm

_logger = logging.getLogger(__name__)

#: how far back a channel's rhythm is learned from
RHYTHM_WINDOW = timedelta(weeks=8)


class LeadChannel(models.Model):
    """A channel knows its rhythm, and calls for help when it falls silent."""

    _inherit = "lead.channel"

    watch_silence = fields.Boolean(
        "Alert on Silence",
        default=True,
        help="Raise an activity for the responsible when the channel falls silent.",
    )
    silence_hours = fields.Float(
        help="Hours without a lead after which the channel counts as silent. "
        "0: learned from its rhythm over the week, so that nights and quiet days "
        "raise no alarm.",
    )
    is_silent = fields.Boolean(readonly=True, copy=False, tracking=True)

    @api.constrains("silence_hours")
    def _check_silence_hours(self):
        if any(channel.silence_hours < 0 for channel in self):
            raise ValidationError(self.env._("Hours of silence can't be negative."))

    @api.model
    def _cron_watch_silence(self):
        """Raise an activity for each channel that fell silent, once per silence."""
        channels = self.search([("watch_silence", "=", True)])
        now = fields.Datetime.now()
        last = channels._last_submission_at()
        moments = channels._recent_moments(now - RHYTHM_WINDOW)
        for index, channel in enumerate(channels, start=1):
            silent, expected = channel._judge_silence(
                moments.get(channel.id, []), last.get(channel.id), now
            )
            if silent and not channel.is_silent:
                channel._raise_silence(last[channel.id], expected, now)
            elif not silent and channel.is_silent:
                channel._end_silence()
            self.env["ir.cron"]._commit_progress(1, remaining=len(channels) - index)

    def _recent_moments(self, since):
        """Times of the submissions since then, by channel id."""
        moments = {}
        self.env["lead.submission"].flush_model(["channel_id", "received_at"])
        self.env.cr.execute(
            """
            SELECT channel_id, array_agg(received_at)
              FROM lead_submission
             WHERE channel_id = ANY(%s) AND received_at >= %s
               AND state NOT IN ('test', 'dismissed')
             GROUP BY channel_id
            """,
            [self.ids, since],
        )
        moments.update(self.env.cr.fetchall())
        return moments

    def _judge_silence(self, moments, last, now):
        """:return: (silent, leads that should have come; 0.0 by a fixed limit)"""
        self.ensure_one()
        if not last:
            return False, 0.0
        if self.silence_hours:
            return now - last >= timedelta(hours=self.silence_hours), 0.0
        start = max(now - RHYTHM_WINDOW, self.create_date or now)
        if moments:
            start = min(start, min(moments))
        return rhythm.is_silent(moments, start, last, now)

    def _raise_silence(self, last, expected, now):
        self.ensure_one()
        self.is_silent = True
        age = self._format_age(last, now)
        if expected:
            note = self.env._(
                "No lead for %(age)s. By its usual rhythm about %(expected)d should "
                "have come. Look at the form, the ad, the token and the connector.",
                age=age,
                expected=round(expected),
            )
        else:
            note = self.env._(
                "No lead for %(age)s; its limit is %(hours)g h. Look at the form, the "
                "ad, the token and the connector.",
                age=age,
                hours=self.silence_hours,
            )
        user = self.responsible_id or self.team_id.user_id or self.create_uid
        self.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=self.env._("%(channel)s is silent", channel=self.name),
            note=note,
            user_id=user.id,
        )
        _logger.info("channel %s is silent since %s", self.code, last)

    def _end_silence(self):
        self.ensure_one()
        self.is_silent = False
        self.activity_feedback(
            ["mail.mail_activity_data_warning"],
            feedback=self.env._("Leads are coming in again."),
        )
