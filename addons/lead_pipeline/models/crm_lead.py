# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

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
    submission_count = fields.Integer(
        "Enquiries", compute="_compute_submission_count"
    )
    touchpoint_ids = fields.One2many("lead.touchpoint", "lead_id", readonly=True)
    touchpoint_count = fields.Integer(
        "Touchpoints", compute="_compute_touchpoint_count"
    )
    timeline_ids = fields.Many2many(
        "lead.touchpoint",
        string="Timeline",
        compute="_compute_timeline_ids",
        help="The newest contacts of this lead.",
    )
    consent_ids = fields.One2many("lead.consent", "lead_id", readonly=True)

    # first and last touch: kept apart for ever, written by the touchpoints
    first_touch_at = fields.Datetime("First Touch", readonly=True, copy=False)
    first_touch_source_id = fields.Many2one(
        "utm.source",
        "First Source",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    first_touch_medium_id = fields.Many2one(
        "utm.medium",
        "First Medium",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    first_touch_campaign_id = fields.Many2one(
        "utm.campaign",
        "First Campaign",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    first_touch_click_id = fields.Char("First Click ID", readonly=True, copy=False)
    last_touch_at = fields.Datetime("Last Touch", readonly=True, copy=False)
    last_touch_source_id = fields.Many2one(
        "utm.source",
        "Last Source",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    last_touch_medium_id = fields.Many2one(
        "utm.medium",
        "Last Medium",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    last_touch_campaign_id = fields.Many2one(
        "utm.campaign",
        "Last Campaign",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    last_touch_click_id = fields.Char("Last Click ID", readonly=True, copy=False)
    date_first_response = fields.Datetime(
        "First Response",
        readonly=True,
        copy=False,
        help="When a person of ours first answered: mail, call, SMS or meeting.",
    )

    # core's index is for similarity; matching asks for equality, a million times
    _email_normalized_equal_idx = models.Index(
        "(email_normalized) WHERE email_normalized IS NOT NULL"
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
        """First touch, last touch and first response from all touchpoints again."""
        if not self:
            return
        self.write(dict.fromkeys(self._touch_field_names(), False))
        # sudo: contacts the user may not see are touches all the same
        touchpoints = self.env["lead.touchpoint"].sudo()
        touchpoints.search([("lead_id", "in", self.ids)])._refresh_leads(self)

    # ------------------------------------------------------------
    # MERGE
    # ------------------------------------------------------------

    def _merge_get_fields(self):
        return super()._merge_get_fields() + ["channel_id"]

    def _merge_dependences(self, opportunities):
        """Carry submissions, touchpoints and consents along."""
        result = super()._merge_dependences(opportunities)
        # sudo: append-only records that no user may write
        for model in ("lead.submission", "lead.consent"):
            self.env[model].sudo().search([("lead_id", "in", opportunities.ids)]).write(
                {"lead_id": self.id}
            )
        self.env["lead.touchpoint"].sudo().search(
            [("lead_id", "in", opportunities.ids)]
        ).write({"lead_id": self.id})
        return result

    # ------------------------------------------------------------
    # MAIL
    # ------------------------------------------------------------

    def _message_post_after_hook(self, message, msg_vals):
        result = super()._message_post_after_hook(message, msg_vals)
        self._touch_by_message(message)
        return result

    def _touch_by_message(self, message):
        """A mail by a customer, or by a person of ours to a customer, is a touchpoint;
        notes among colleagues and automatic mails are none."""
        if message.message_type not in ("comment", "email", "email_outgoing"):
            return
        if message.is_internal or not message.subtype_id or message.subtype_id.internal:
            return
        author = message.author_id
        # sudo: who is a colleague is no secret here
        colleague = author.sudo().user_ids.filtered(lambda user: not user.share)[:1]
        if colleague:
            outside = message.partner_ids.filtered("partner_share")
            if not outside and not message.outgoing_email_to:
                return
        elif message.message_type != "email":
            return
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
                for lead in self
            ]
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
