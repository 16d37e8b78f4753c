# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import json

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...engine.item import Item, clean_line, read_item, read_time

MAX_BATCH = 500


class LeadSubmission(models.Model):
    """One thing a channel sent. Append-only: users can't change or delete it; only
    its end (state, lead, reason) is written, and only by the methods below."""

    _name = "lead.submission"
    _description = "Lead Submission"
    _order = "id desc"  # as they were received, without sorting a million of them
    _rec_name = "contact_name"
    _rec_names_search = ["contact_name", "email_normalized", "phone", "external_id"]

    channel_id = fields.Many2one("lead.channel", readonly=True, ondelete="restrict")
    channel_code = fields.Char(readonly=True, help="As the sender named the channel.")
    company_id = fields.Many2one("res.company", readonly=True)
    external_id = fields.Char(
        "External ID",
        required=True,
        readonly=True,
        help="Id of this submission at its source. The same id never makes a second "
        "lead.",
    )
    state = fields.Selection(
        [
            ("created", "New lead"),
            ("matched", "Known person"),
            ("test", "Test"),
            ("quarantined", "Quarantined"),
            ("dismissed", "Dismissed"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Char(
        readonly=True, help="Why it is in quarantine, or why it was dismissed."
    )
    lead_id = fields.Many2one(
        "crm.lead", readonly=True, ondelete="set null", index="btree_not_null"
    )
    submitted_at = fields.Datetime(readonly=True, required=True)
    received_at = fields.Datetime(
        readonly=True, required=True, default=fields.Datetime.now
    )
    contact_name = fields.Char(readonly=True)
    email_normalized = fields.Char("Email", readonly=True, index="btree_not_null")
    phone = fields.Char(readonly=True, index="btree_not_null")
    subject = fields.Char(readonly=True)
    content = fields.Json(readonly=True, copy=False)
    payload = fields.Text(
        "Raw Payload", readonly=True, help="What the source sent, as it was."
    )
    payload_pretty = fields.Text("Payload", compute="_compute_payload_pretty")
    payload_removed = fields.Boolean(readonly=True)
    dismissed_by_id = fields.Many2one("res.users", readonly=True)
    # beside what came, which stays as it was
    corrected_email = fields.Char(readonly=True, copy=False)
    corrected_phone = fields.Char(readonly=True, copy=False)
    corrected_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    corrected_at = fields.Datetime(readonly=True, copy=False)
    summary = fields.Html(compute="_compute_summary", sanitize=False)

    # the id first: each ingest call asks for its ids, whatever their channels
    _channel_external_unique = models.UniqueIndex(
        "(external_id, channel_id)",
        "This submission of the channel is there already.",
    )
    _code_external_unique = models.UniqueIndex(
        "(channel_code, external_id) WHERE channel_id IS NULL",
        "This submission is in quarantine already.",
    )
    _channel_received_idx = models.Index("(channel_id, received_at)")
    _quarantined_idx = models.Index("(channel_id) WHERE state = 'quarantined'")
    _channel_submitted_idx = models.Index("(channel_id, submitted_at)")

    @api.depends("contact_name", "email_normalized", "phone", "external_id")
    def _compute_display_name(self):
        for submission in self:
            submission.display_name = (
                submission.contact_name
                or submission.email_normalized
                or submission.phone
                or submission.external_id
            )

    @api.depends("payload")
    def _compute_payload_pretty(self):
        for submission in self:
            text = submission.payload or ""
            try:
                pretty = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
            except ValueError:
                pretty = text  # none, or cut because it was too long
            submission.payload_pretty = pretty

    @api.depends("content")
    def _compute_summary(self):
        labels = dict(self.env["lead.channel.mapping"]._selection_target())
        for submission in self:
            submission.summary = self.env["ir.qweb"]._render(
                "lead_pipeline.lead_submission_summary",
                {"content": submission.content or {}, "labels": labels},
                raise_if_not_found=False,
            )

    # ------------------------------------------------------------
    # RPC
    # ------------------------------------------------------------

    @api.model
    def ingest(self, submissions):
        """Take submissions of any channel, each exactly once.

        Called over RPC by a user of the group *Connector*. Every item ends as one
        row; one bad item never harms the others; a call that died half-way may be
        sent again.

        :param submissions: list of at most 500 items, plain JSON:
            {"channel", "external_id", "submitted_at" (ISO 8601; UTC if it names no
            zone), "test", "contact": {...}, "subject", "message",
            "answers": [{"key", "label", "value"}], "attribution": {...},
            "consents": [{"purpose", "granted", "text", "version", "at"}],
            "visitor", "payload"}
        :return: one {"channel", "external_id", "status", "submission_id",
            "lead_id", "reason"} per item, in the same order; ``status`` is created,
            matched, duplicate, test or quarantined
        :raises AccessError: the caller may not ingest
        :raises ValidationError: not a list, or more than 500 items
        """
        capture = self.env["lead.capture"]._enter()
        if not isinstance(submissions, list) or len(submissions) > MAX_BATCH:
            raise ValidationError(
                self.env._("Give a list of at most %(limit)s items.", limit=MAX_BATCH)
            )
        now = fields.Datetime.now()
        items = [read_item(raw, now) for raw in submissions]
        return capture._capture(items)

    @api.model
    def ingest_touchpoints(self, touchpoints):
        """Take calls, clicks and visits, each exactly once by its external id.

        See ``lead.touchpoint._ingest`` for the items and the answer.

        :raises AccessError: the caller may not ingest
        :raises ValidationError: not a list, or more than 500 items
        """
        capture = self.env["lead.capture"]._enter()
        if not isinstance(touchpoints, list) or len(touchpoints) > MAX_BATCH:
            raise ValidationError(
                self.env._("Give a list of at most %(limit)s items.", limit=MAX_BATCH)
            )
        return capture.env["lead.touchpoint"]._ingest(touchpoints)

    @api.model
    def ingest_info(self):
        """What the connector's ``check`` needs to know; no personal data.

        :return: {"version", "batch_limit", "login", "can_ingest",
            "channels": [{"code", "name", "company"}],
            "api_key_expires_at": ISO 8601 UTC of the key that expires first, or
            None, "extra_rights": [names of groups the caller should not have]}
        """
        self.env["lead.capture"]._check_may_ingest()
        user = self.env.user
        # sudo: names of channels and groups, and dates of the caller's own keys
        module = (
            self.env["ir.module.module"]
            .sudo()
            .search([("name", "=", "lead_pipeline")], limit=1)
        )
        keys = (
            self.env["res.users.apikeys"]
            .sudo()
            .search(
                [("user_id", "=", user.id), ("expiration_date", "!=", False)],
                order="expiration_date",
                limit=1,
            )
        )
        connector = self.env.ref("lead_pipeline.group_lead_pipeline_connector")
        extra = user.sudo().all_group_ids - connector.sudo().all_implied_ids
        return {
            "version": module.installed_version or "",
            "batch_limit": MAX_BATCH,
            "login": user.login,
            "can_ingest": True,
            "channels": [
                {
                    "code": channel.code,
                    "name": channel.name,
                    "company": channel.company_id.name,
                }
                for channel in self.env["lead.channel"].sudo().search([])
            ],
            "api_key_expires_at": keys.expiration_date.isoformat() + "Z"
            if keys
            else None,
            "extra_rights": sorted(extra.mapped("full_name")),
        }

    # ------------------------------------------------------------
    # QUARANTINE
    # ------------------------------------------------------------

    def _check_quarantined(self):
        if any(submission.state != "quarantined" for submission in self):
            raise UserError(
                self.env._("Only submissions in quarantine can be changed.")
            )

    def _to_item(self):
        """The item as it came, with what a person corrected, to be processed again."""
        self.ensure_one()
        content = dict(self.content or {})
        contact = dict(content.get("contact") or {})
        if self.corrected_email:
            contact["email"] = self.corrected_email
        if self.corrected_phone:
            contact["phone"] = self.corrected_phone
        consents = [
            {**consent, "at": read_time(consent.get("at"))}
            for consent in content.get("consents", ())
        ]
        return Item(
            channel=self.channel_id.code or self.channel_code or "",
            external_id=self.external_id,
            submitted_at=self.submitted_at,
            test=bool(content.get("test")),
            contact=contact,
            subject=content.get("subject", ""),
            message=content.get("message", ""),
            answers=list(content.get("answers") or []),
            attribution=dict(content.get("attribution") or {}),
            consents=consents,
            visitor=content.get("visitor", ""),
        )

    def _correct(self, email="", phone=""):
        """Keep what a manager corrected, for the next replay.

        :param email, phone: as they should have been; empty ones stay as they came
        """
        self.ensure_one()
        self.check_access("read")
        self.env["lead.capture"]._check_is_manager()
        self._check_quarantined()
        vals = {
            "corrected_email": clean_line(email),
            "corrected_phone": clean_line(phone),
        }
        vals = {name: value for name, value in vals.items() if value}
        if vals:
            # sudo: append-only for everybody; a manager asked for it (checked above)
            self.sudo().write(
                {
                    **vals,
                    "corrected_by_id": self.env.uid,
                    "corrected_at": fields.Datetime.now(),
                }
            )

    def action_replay(self):
        """Process quarantined submissions again, in the order they came.

        :return: a notification of what became of them
        """
        self.check_access("read")
        self.env["lead.capture"]._check_is_manager()
        self._check_quarantined()
        # sudo: append-only for everybody; a manager asked for it (checked above)
        results = self.env["lead.capture"].sudo()._replay(self.sudo())
        done = sum(result["status"] != "quarantined" for result in results)
        message = self.env._(
            "%(done)s of %(total)s submissions became leads or found theirs.",
            done=done,
            total=len(results),
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": "success" if done == len(results) else "warning",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _dismiss(self, reason):
        """Take submissions out of quarantine for good, keeping them."""
        self.check_access("read")
        self.env["lead.capture"]._check_is_manager()
        self._check_quarantined()
        # sudo: append-only for everybody; a manager asked for it (checked above)
        self.sudo().write(
            {
                "state": "dismissed",
                "reason": reason,
                "dismissed_by_id": self.env.uid,
            }
        )

    def action_reopen(self):
        """Undo a dismissal."""
        self.check_access("read")
        self.env["lead.capture"]._check_is_manager()
        if any(submission.state != "dismissed" for submission in self):
            raise UserError(self.env._("Only dismissed submissions can be reopened."))
        # sudo: append-only for everybody; a manager asked for it (checked above)
        self.sudo().write({"state": "quarantined", "dismissed_by_id": False})

    def action_view_lead(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.lead",
            "res_id": self.lead_id.id,
            "view_mode": "form",
        }

    # ------------------------------------------------------------
    # CRON
    # ------------------------------------------------------------

    @api.model
    def _cron_trim_payloads(self, batch=2000):
        """Remove raw payloads older than the company's setting; rows stay."""
        now = fields.Datetime.now()
        for company in self.env["res.company"].search([("lead_payload_days", ">", 0)]):
            limit = fields.Date.add(now, days=-company.lead_payload_days)
            domain = [
                ("company_id", "=", company.id),
                ("received_at", "<", limit),
                ("payload_removed", "=", False),
                ("state", "!=", "quarantined"),  # still needed to find out why
            ]
            found = self.search(domain, limit=batch, order="id")
            while found:
                # rows before these are done, or in use: they are not looked at again
                beyond = [*domain, ("id", ">", found[-1].id)]
                old = found.try_lock_for_update()
                old.write({"payload": False, "payload_removed": True})
                found = self.search(beyond, limit=batch, order="id")
                if not self.env["ir.cron"]._commit_progress(
                    len(old), remaining=len(found)
                ):
                    return
