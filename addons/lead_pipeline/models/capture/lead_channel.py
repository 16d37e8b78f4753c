# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import json
import re
from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date

DAYS_ON_CARD = 14
TOUCHPOINT_KIND = {
    "email": "email_reply",
    "phone": "call_in",
    "chat": "chat",
    "event": "event",
}


class LeadChannel(models.Model):
    _name = "lead.channel"
    _description = "Lead Channel"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(
        required=True,
        copy=False,
        index=True,
        tracking=True,
        help="What the connector, or whoever delivers leads, calls this channel. "
        "Keep it as it is once leads come in.",
    )
    active = fields.Boolean(
        default=True,
        help="Leads of an archived channel are still taken: none is ever lost.",
    )
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    channel_type = fields.Selection(
        [
            ("ad", "Advertising"),
            ("form", "Web form"),
            ("website", "Website"),
            ("email", "Email"),
            ("phone", "Phone"),
            ("chat", "Chat"),
            ("event", "Event"),
            ("referral", "Referral"),
            ("import", "Import"),
            ("other", "Other"),
        ],
        required=True,
        default="form",
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    responsible_id = fields.Many2one(
        "res.users",
        check_company=True,
        tracking=True,
        domain="[('share', '=', False)]",
        default=lambda self: self.env.user,
        help="Gets an activity when the channel falls silent.",
    )
    team_id = fields.Many2one(
        "crm.team", "Sales Team", check_company=True, help="Team of the new leads."
    )
    user_id = fields.Many2one(
        "res.users",
        "Salesperson",
        check_company=True,
        domain="[('share', '=', False)]",
        help="Owner of the new leads. Empty: they start unassigned.",
    )
    source_id = fields.Many2one(
        "utm.source", help="Source of the leads that don't say where they came from."
    )
    medium_id = fields.Many2one(
        "utm.medium", help="Medium of the leads that don't say it themselves."
    )
    campaign_id = fields.Many2one(
        "utm.campaign", help="Campaign of the leads that don't say it themselves."
    )
    country_id = fields.Many2one(
        "res.country",
        "Phone Country",
        help="Country of phone numbers without international prefix, when the lead "
        "names no country. Empty: the company's.",
    )
    mapping_ids = fields.One2many("lead.channel.mapping", "channel_id")
    last_submission_at = fields.Datetime(compute="_compute_activity")
    silent_since = fields.Char(compute="_compute_activity")
    submissions_today = fields.Integer("Today", compute="_compute_activity")
    submissions_7_days = fields.Integer("Last 7 Days", compute="_compute_activity")
    quarantine_count = fields.Integer(
        compute="_compute_activity", search="_search_quarantine_count"
    )
    daily_counts = fields.Json(
        compute="_compute_daily_counts",
        help="Submissions of the last 14 days, oldest first, for the bars on its card.",
    )
    connector_snippet = fields.Text(compute="_compute_connector_snippet")
    lead_count = fields.Integer("Leads", compute="_compute_lead_count")
    count_ids = fields.One2many("lead.channel.count", "channel_id", "Reconciliation")

    _code_unique = models.Constraint(
        "UNIQUE(code)", "Another channel has this code already."
    )

    # ------------------------------------------------------------
    # COMPUTE
    # ------------------------------------------------------------

    def _compute_activity(self):
        """What came in lately. "Today" is the day of the person who looks."""
        now = fields.Datetime.now()
        zone = pytz.timezone(self.env.user.tz or "UTC")
        midnight = (
            pytz.utc.localize(now)
            .astimezone(zone)
            .replace(hour=0, minute=0, second=0, microsecond=0)
            .astimezone(pytz.utc)
            .replace(tzinfo=None)
        )

        def read_group(*domain, aggregate="__count"):
            return dict(
                self.env["lead.submission"]._read_group(
                    [("channel_id", "in", self.ids), *domain],
                    ["channel_id"],
                    [aggregate],
                )
            )

        today = read_group(("received_at", ">=", midnight))
        week = read_group(("received_at", ">=", midnight - timedelta(days=6)))
        quarantined = read_group(("state", "=", "quarantined"))
        last = self._last_submission_at()
        for channel in self:
            channel.submissions_today = today.get(channel, 0)
            channel.submissions_7_days = week.get(channel, 0)
            channel.quarantine_count = quarantined.get(channel, 0)
            last_at = last.get(channel.id)
            channel.last_submission_at = last_at
            channel.silent_since = self._format_age(last_at, now)

    def _compute_daily_counts(self):
        zone = self.env.user.tz or "UTC"
        today = pytz.utc.localize(fields.Datetime.now()).astimezone(pytz.timezone(zone))
        days = [
            today.date() - timedelta(days=ago) for ago in reversed(range(DAYS_ON_CARD))
        ]
        counts = {
            (channel, day.date()): count
            for channel, day, count in self.env["lead.submission"]
            .with_context(tz=zone)
            ._read_group(
                [
                    ("channel_id", "in", self.ids),
                    ("received_at", ">=", days[0] - timedelta(days=1)),
                ],
                ["channel_id", "received_at:day"],
                ["__count"],
            )
        }
        labels = [format_date(self.env, day, date_format="d MMM") for day in days]
        for channel in self:
            channel.daily_counts = [
                {"day": label, "count": counts.get((channel, day), 0)}
                for day, label in zip(days, labels, strict=True)
            ]

    @api.depends("code", "channel_type")
    def _compute_connector_snippet(self):
        for channel in self:
            code = channel.code or ""
            name = re.sub(r"[^a-z0-9_-]+", "-", code.lower()).strip("-") or "my-source"
            channel.connector_snippet = "\n".join(
                [
                    f"[sources.{name}]",
                    'type = "form"    # or meta, google_ads, typeform, csv, ...',
                    f"channel = {json.dumps(code, ensure_ascii=False)}",
                ]
            )

    @api.model
    def _search_quarantine_count(self, operator, value):
        if operator not in (">", "!=") or value != 0:
            return NotImplemented
        groups = self.env["lead.submission"]._read_group(
            [("state", "=", "quarantined"), ("channel_id", "!=", False)], ["channel_id"]
        )
        return [("id", "in", [channel.id for (channel,) in groups])]

    def _last_submission_at(self):
        """Time of the newest submission by channel id: one index look-up each."""
        if not self.ids:
            return {}
        self.env["lead.submission"].flush_model(["channel_id", "received_at"])
        self.env.cr.execute(
            """
            SELECT channel.id, (
                SELECT max(received_at) FROM lead_submission
                 WHERE channel_id = channel.id
            )
              FROM unnest(%s) AS channel(id)
            """,
            [self.ids],
        )
        return dict(self.env.cr.fetchall())

    @api.model
    def _format_age(self, moment, now):
        if not moment:
            return self.env._("never")
        hours = int((now - moment).total_seconds() // 3600)
        if hours < 1:
            return self.env._("less than an hour")
        if hours < 48:
            return self.env._("%(count)s h", count=hours)
        return self.env._("%(count)s days", count=hours // 24)

    def _compute_lead_count(self):
        counts = dict(
            self.env["crm.lead"]
            .with_context(active_test=False)
            ._read_group([("channel_id", "in", self.ids)], ["channel_id"], ["__count"])
        )
        for channel in self:
            channel.lead_count = counts.get(channel, 0)

    @api.constrains("code")
    def _check_code(self):
        for channel in self:
            if channel.code != " ".join(channel.code.split()) or len(channel.code) > 64:
                raise ValidationError(
                    self.env._(
                        "The code “%(code)s” has blanks at its ends, or more than 64 "
                        "characters.",
                        code=channel.code,
                    )
                )

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        channels = super().create(vals_list)
        channels._adopt_submissions()
        return channels

    def write(self, vals):
        result = super().write(vals)
        if "code" in vals:
            self._adopt_submissions()
        return result

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        for channel, vals in zip(self, vals_list, strict=True):
            vals.setdefault("code", f"{channel.code}-copy")
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if (
            self.env["lead.submission"]
            .sudo()
            .search_count([("channel_id", "in", self.ids)], limit=1)
        ):  # sudo: submissions the user may not see count as well
            raise ValidationError(
                self.env._(
                    "Leads came through this channel, and where they came from is "
                    "kept for ever. Archive it instead."
                )
            )

    def _adopt_submissions(self):
        """Submissions that waited in quarantine for a channel of this code."""
        for channel in self:
            # sudo: what waits for its channel belongs to nobody yet
            self.env["lead.submission"].sudo().search(
                [("channel_id", "=", False), ("channel_code", "=", channel.code)]
            ).write({"channel_id": channel.id, "company_id": channel.company_id.id})

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def _action_filtered(self, xmlid, **context):
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(f"lead_pipeline.{xmlid}")
        action["context"] = {"default_channel_id": self.id, **context}
        action["domain"] = [("channel_id", "=", self.id)]
        return action

    def action_view_submissions(self):
        return self._action_filtered("lead_submission_action")

    def action_view_quarantine(self):
        return self._action_filtered(
            "lead_submission_action", search_default_quarantined=1
        )

    def action_view_leads(self):
        return self._action_filtered("crm_lead_action_channel", active_test=False)

    def action_view_counts(self):
        return self._action_filtered("lead_channel_count_action")

    # ------------------------------------------------------------
    # BUSINESS
    # ------------------------------------------------------------

    @api.model
    def _by_code(self, codes):
        """Channels by code, archived ones too; what is no text is left out."""
        codes = {code for code in codes if isinstance(code, str) and code}
        found = self.with_context(active_test=False).search([("code", "in", codes)])
        return {channel.code: channel for channel in found}

    @api.model
    def _get_core_channel(self, channel_type, company):
        """The channel of what Odoo itself captures (mail, website, phone) for a
        company; made on first use.

        :param str channel_type: one of the selection's keys
        :return: one channel, in superuser mode
        """
        # sudo: a rep, the mail gateway or a visitor's form may be the first to use it
        channels = self.sudo().with_context(active_test=False)
        channel = channels.search(
            [("channel_type", "=", channel_type), ("company_id", "=", company.id)],
            order="sequence, id",
            limit=1,
        )
        if channel:
            return channel
        label = dict(self._fields["channel_type"]._description_selection(self.env))
        code = f"{channel_type}-{company.id}"
        self.env["lead.capture"]._lock_and_refresh(
            [f"channel:{code}"], "lead_channel", [("code", [code])]
        )
        medium = self.env.ref(f"utm.utm_medium_{channel_type}", False)
        return channels.create(
            {
                "name": label[channel_type],
                "code": code,
                "channel_type": channel_type,
                "company_id": company.id,
                "medium_id": medium and medium.id,
                "responsible_id": False,
            }
        )

    def _touchpoint_kind(self):
        self.ensure_one()
        return TOUCHPOINT_KIND.get(self.channel_type, "form_submit")

    def _lead_type(self):
        """What new leads of this channel are: a lead to qualify or an opportunity."""
        self.ensure_one()
        if self.team_id:
            return "lead" if self.team_id.use_leads else "opportunity"
        use_lead = self.env.ref("crm.group_use_lead")
        everybody = self.env.ref("base.group_user")
        return "lead" if use_lead in everybody.all_implied_ids else "opportunity"

    @api.model
    def report_counts(self, counts):
        """Compare a platform's own count of leads with ours, per channel and day.

        Called over RPC by the connector.

        :param counts: list of {"channel": code, "day": "YYYY-MM-DD" (UTC),
            "count": int}, at most 2000
        :return: list of {"channel", "day", "platform", "ours", "difference"}; what
            names an unknown channel or no day is left out
        :raises AccessError: the caller may not ingest
        :raises ValidationError: not a list, or too long
        """
        capture = self.env["lead.capture"]._enter()
        if not isinstance(counts, list) or len(counts) > 2000:
            raise ValidationError(self.env._("Give a list of at most 2000 counts."))
        return capture.env["lead.channel.count"]._report(counts)
