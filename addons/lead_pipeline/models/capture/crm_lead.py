# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
import re

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.http import request
from odoo.tools import (
    email_normalize,
    email_normalize_all,
    html2plaintext,
    parse_contact_from_email,
)

from ...engine.item import read_item

_logger = logging.getLogger(__name__)

#: behind these senders stands anybody: forms, machines; never one person
ROBOT_SENDER = re.compile(
    r"(no|do[-_.]?not|not)[-_.]?reply|mailer[-_.]?daemon|postmaster|bounces?|"
    r"notifications?|wordpress|webmaster|www-data|root",
)
TOUCH_COLUMNS = ("at", "source_id", "medium_id", "campaign_id", "click_id")
TIMELINE_LENGTH = 50


class CrmLead(models.Model):
    _inherit = "crm.lead"

    channel_id = fields.Many2one(
        "lead.channel",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="Where the lead came in first.",
    )
    submission_ids = fields.One2many("lead.submission", "lead_id", readonly=True)
    submission_count = fields.Integer("Enquiries", compute="_compute_submission_count")
    touchpoint_ids = fields.One2many("lead.touchpoint", "lead_id", readonly=True)
    touchpoint_count = fields.Integer(
        "Touchpoints", compute="_compute_touchpoint_count"
    )
    timeline_ids = fields.Many2many(
        "lead.touchpoint",
        compute="_compute_timeline_ids",
        help="The newest contacts of this lead.",
    )
    consent_ids = fields.One2many("lead.consent", "lead_id", readonly=True)
    has_touchpoints = fields.Boolean(
        readonly=True,
        copy=False,
        help="Set with the first touchpoint. A lead without has no submission and no "
        "consent either, which merging thus knows without a query.",
    )

    # First and last touch: kept apart for ever, written by the touchpoints. Without
    # indexes: each would cost every new lead, and they are only grouped by.
    first_touch_at = fields.Datetime("First Touch", readonly=True, copy=False)
    first_touch_source_id = fields.Many2one(
        "utm.source",
        "First Source",
        readonly=True,
        copy=False,
        ondelete="set null",
    )
    first_touch_medium_id = fields.Many2one(
        "utm.medium",
        "First Medium",
        readonly=True,
        copy=False,
        ondelete="set null",
    )
    first_touch_campaign_id = fields.Many2one(
        "utm.campaign",
        "First Campaign",
        readonly=True,
        copy=False,
        ondelete="set null",
    )
    first_touch_click_id = fields.Char("First Click ID", readonly=True, copy=False)
    last_touch_at = fields.Datetime("Last Touch", readonly=True, copy=False)
    last_touch_source_id = fields.Many2one(
        "utm.source",
        "Last Source",
        readonly=True,
        copy=False,
        ondelete="set null",
    )
    last_touch_medium_id = fields.Many2one(
        "utm.medium",
        "Last Medium",
        readonly=True,
        copy=False,
        ondelete="set null",
    )
    last_touch_campaign_id = fields.Many2one(
        "utm.campaign",
        "Last Campaign",
        readonly=True,
        copy=False,
        ondelete="set null",
    )
    last_touch_click_id = fields.Char("Last Click ID", readonly=True, copy=False)
    date_first_response = fields.Datetime(
        "First Response",
        readonly=True,
        copy=False,
        help="When a person of ours first answered: mail, call, SMS or meeting.",
    )

    # Core's trigram index answers equality too, and the planner takes it for a list of
    # addresses though it is a hundred times slower. Another collation rules it out.
    _email_normalized_equal_idx = models.Index(
        '(email_normalized COLLATE "C") WHERE email_normalized IS NOT NULL'
    )

    # ------------------------------------------------------------
    # COMPUTE
    # ------------------------------------------------------------

    def _compute_submission_count(self):
        counts = dict(
            self.env["lead.submission"]._read_group(
                [("lead_id", "in", self.ids)], ["lead_id"], ["__count"]
            )
        )
        for lead in self:
            lead.submission_count = counts.get(lead._origin, 0)

    def _compute_touchpoint_count(self):
        counts = dict(
            self.env["lead.touchpoint"]._read_group(
                [("lead_id", "in", self.ids)], ["lead_id"], ["__count"]
            )
        )
        for lead in self:
            lead.touchpoint_count = counts.get(lead._origin, 0)

    def _compute_timeline_ids(self):
        """The newest touchpoints only: a lead may have a hundred thousand."""
        self.env["lead.touchpoint"].flush_model()
        self.env.cr.execute(
            """
            SELECT lead.id, ARRAY(
                SELECT id FROM lead_touchpoint WHERE lead_id = lead.id
                 ORDER BY at DESC, id DESC LIMIT %s
            ) FROM unnest(%s::int[]) AS lead(id)
            """,
            [TIMELINE_LENGTH, self.ids],
        )
        newest = dict(self.env.cr.fetchall())
        for lead in self:
            lead.timeline_ids = newest.get(lead._origin.id, [])

    def _inverse_email_from(self):
        # a stranger's form never changes a customer's address
        if not self.env.context.get("lead_capture"):
            return super()._inverse_email_from()
        return None

    def _inverse_phone(self):
        if not self.env.context.get("lead_capture"):
            return super()._inverse_phone()
        return None

    # ------------------------------------------------------------
    # TOUCHES
    # ------------------------------------------------------------

    @api.model
    def _touch_field_names(self):
        return [
            f"{prefix}_{column}"
            for prefix in ("first_touch", "last_touch")
            for column in TOUCH_COLUMNS
        ] + ["date_first_response"]

    def _recompute_touches(self):
        """First and last touch from all touchpoints again. A first response stays: a
        meeting that was moved was still arranged when it was."""
        if not self:
            return
        names = set(self._touch_field_names()) - {"date_first_response"}
        self.write(dict.fromkeys(names, False))
        # sudo: contacts the user may not see are touches all the same
        touchpoints = self.env["lead.touchpoint"].sudo()
        known = touchpoints.with_context(lead_touches_known=True)
        known.search([("lead_id", "in", self.ids)])._refresh_leads(self)

    # ------------------------------------------------------------
    # MERGE
    # ------------------------------------------------------------

    def _merge_get_fields(self):
        return super()._merge_get_fields() + ["channel_id", "has_touchpoints"]

    def _merge_dependences(self, opportunities):
        """Carry submissions, touchpoints and consents along."""
        result = super()._merge_dependences(opportunities)
        touched = opportunities.filtered("has_touchpoints")
        # core merges by the hundred when it assigns leads: no query without need
        if not touched:
            return result
        # sudo: append-only records that no user may write
        for model in ("lead.submission", "lead.consent", "lead.touchpoint"):
            self.env[model].sudo().search([("lead_id", "in", touched.ids)]).write(
                {"lead_id": self.id}
            )
        responses = (self | opportunities).mapped("date_first_response")
        self.date_first_response = min(filter(None, responses), default=False)
        return result

    # ------------------------------------------------------------
    # MAIL
    # ------------------------------------------------------------

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """A mail to a sales alias: a known person's goes to their lead, any other
        becomes a lead by core's own code.

        Whatever fails in the capture, core takes the mail. Where another caller was
        faster with the same person, a request is run again by Odoo; the fetcher of
        mail servers tries nothing again, so there too core takes it.
        """

        def create_lead(entry=None):
            # the capture gives it out, when it knows all of it
            quiet = self.with_context(lead_distribution_later=bool(entry))
            lead = super(CrmLead, quiet).message_new(msg_dict, custom_values)
            lead = lead.with_context(lead_distribution_later=False)
            if entry and entry.person.name and not lead.contact_name:
                lead.contact_name = entry.person.name
            return lead

        try:
            with self.env.cr.savepoint():
                return self._capture_mail(msg_dict, custom_values or {}, create_lead)
        except Exception as error:
            if request and isinstance(error, ConcurrencyError):
                raise
            _logger.exception(
                "mail %s was not captured, core makes its lead",
                msg_dict.get("message_id"),
            )
            return create_lead()

    @api.model
    def _capture_mail(self, msg_dict, custom_values, create_lead):
        """:return: the lead a mail belongs to"""
        company = self._mail_company(custom_values)
        channel = self.env["lead.channel"]._get_core_channel("email", company)
        name, email = self._mail_sender(msg_dict, company)
        item = read_item(
            {
                "channel": channel.code,
                "external_id": msg_dict.get("message_id"),
                "submitted_at": msg_dict.get("date"),
                "contact": {"name": name, "email": email},
                "subject": msg_dict.get("subject"),
                "message": html2plaintext(msg_dict.get("body") or ""),
                "payload": {
                    header: msg_dict.get(header)
                    for header in ("message_id", "date", "email_from", "to", "cc")
                },
            },
            fields.Datetime.now(),
        )
        # sudo: whoever the gateway runs as, matching sees all leads
        capture = self.env["lead.capture"].sudo()
        entry = capture._capture_one(channel, item, create_lead=create_lead, told=True)
        if not entry.lead_id:  # its lead was deleted, and the mail came again
            lead = create_lead()
            lead.channel_id = channel
            return lead
        lead = self.browse(entry.lead_id).with_context(
            lead_captured_mail=msg_dict.get("message_id")
        )
        if entry.status == "created":
            return lead
        if lead.user_id:
            lead.message_subscribe(lead.user_id.partner_id.ids)
        return lead.with_context(lead_of_known_person=True)

    @api.model
    def _mail_company(self, custom_values):
        """The company an alias works for, by the defaults it gives its leads."""
        company = self.env["res.company"].browse(custom_values.get("company_id"))
        team = self.env["crm.team"].browse(custom_values.get("team_id"))
        owner = self.env["res.users"].browse(custom_values.get("user_id"))
        return company or team.company_id or owner.company_id or self.env.company

    @api.model
    def _mail_sender(self, msg_dict, company):
        """Name and e-mail of the person a mail is from; both are "" where it is
        nobody to match: a colleague, ourselves, a robot, or not readable."""
        name, email = parse_contact_from_email(msg_dict.get("email_from") or "")
        email = email_normalize(email or "") or ""
        author = self.env["res.partner"].browse(msg_dict.get("author_id") or False)
        # sudo: who is a colleague is no secret here
        colleague = author.sudo().user_ids.filtered(lambda user: not user.share)
        if (
            not email
            or colleague
            or email == company.sudo().partner_id.email_normalized
            or ROBOT_SENDER.fullmatch(email.partition("@")[0].partition("+")[0])
        ):
            return "", ""
        return name if name != email else "", email

    def _creation_subtype(self):
        """A known person's mail makes no new lead: its followers get it as a mail."""
        if self.env.context.get("lead_of_known_person"):
            return self.env["mail.message.subtype"]
        return super()._creation_subtype()

    def _message_post_after_hook(self, message, msg_vals):
        result = super()._message_post_after_hook(message, msg_vals)
        self._touch_by_message(message)
        return result

    def _touch_by_message(self, message):
        """A mail by a customer, or by a person of ours to a customer, is a touchpoint;
        notes among colleagues and automatic mails are none."""
        if message.message_type not in ("comment", "email", "email_outgoing"):
            return
        captured = self.env.context.get("lead_captured_mail")
        if captured and captured == message.message_id:
            return  # the capture wrote its touchpoint
        if message.is_internal or not message.subtype_id or message.subtype_id.internal:
            return
        author = message.author_id
        # sudo: who is a colleague is no secret here
        colleague = author.sudo().user_ids.filtered(lambda user: not user.share)[:1]
        if not colleague and message.message_type != "email":
            return
        leads = self
        if colleague:
            leads = self.filtered(lambda lead: lead._is_for_customer(message))
        # sudo: touchpoints are written by the system, never by hand
        self.env["lead.touchpoint"].sudo().create(
            [
                {
                    "lead_id": lead.id,
                    "kind": "email_sent" if colleague else "email_reply",
                    "direction": "out" if colleague else "in",
                    "at": fields.Datetime.now(),
                    "title": message.subject or lead.name,
                    "user_id": colleague.id,
                    "external_id": f"mail.message,{message.id}",
                }
                for lead in leads
            ]
        )

    def _is_for_customer(self, message):
        """Whether a colleague's message goes to somebody outside: a recipient, a
        follower, or the address of a mail they sent past Odoo with us in copy."""
        self.ensure_one()
        if message.partner_ids.filtered("partner_share") or message.outgoing_email_to:
            return True
        written_to = email_normalize_all(
            f"{message.incoming_email_to or ''},{message.incoming_email_cc or ''}"
        )
        if self.email_normalized and self.email_normalized in written_to:
            return True
        # sudo: who follows is no secret here
        followers = self.sudo().message_follower_ids
        return any(
            follower.partner_id.partner_share
            and message.subtype_id in follower.subtype_ids
            for follower in followers
        )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def _action_of_lead(self, xmlid):
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(f"lead_pipeline.{xmlid}")
        action["domain"] = [("lead_id", "=", self.id)]
        action["context"] = {"default_lead_id": self.id}
        return action

    def action_view_submissions(self):
        return self._action_of_lead("lead_submission_action")

    def action_view_touchpoints(self):
        return self._action_of_lead("lead_touchpoint_action")
