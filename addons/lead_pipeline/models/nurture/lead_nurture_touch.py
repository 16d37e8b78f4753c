# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from .lead_nurture_stage import CHANNELS

SKIPS = [
    ("condition", "Condition not met"),
    ("parent", "The stage it follows did not happen"),
    ("no_email", "No email address"),
    ("no_phone", "No phone number"),
    ("no_user", "Nobody to give it to"),
    ("no_consent", "No consent"),
    ("refused", "Consent refused"),
    ("bounced", "The address bounces"),
    ("no_template", "The template is gone"),
    ("render", "The text could not be made"),
    ("no_coupon", "No coupon left"),
    ("smtp", "The mail server refused it"),
    ("exit", "The lead left the track"),
    ("stopped", "Stopped while sending: did it go out?"),
]
#: what a touch came to, from the least to the most; later ones replace earlier ones
STATES = [
    ("skipped", "Skipped"),
    ("cancelled", "Cancelled"),
    ("failed", "Failed"),
    ("queued", "Waiting to be sent"),
    ("sent", "Sent"),
    ("bounced", "Bounced"),
    ("opened", "Opened"),
    ("clicked", "Clicked"),
    ("answered", "Answered"),
]


class LeadNurtureTouch(models.Model):
    """What one stage did for one lead, or why it did not. There is at most one row for
    a stage of a journey: it is what makes sure that nothing goes out twice."""

    _name = "lead.nurture.touch"
    _description = "Nurture Touch"
    _order = "at desc, id desc"
    _rec_name = "stage_id"
    _log_access = False

    enrolment_id = fields.Many2one(
        "lead.nurture.enrolment", required=True, ondelete="cascade"
    )
    lead_id = fields.Many2one("crm.lead", ondelete="set null")
    stage_id = fields.Many2one(
        "lead.nurture.stage", required=True, index=True, ondelete="cascade"
    )
    origin_id = fields.Many2one(
        "lead.nurture.track", "Track", required=True, ondelete="cascade"
    )
    channel = fields.Selection(CHANNELS, required=True)
    message = fields.Boolean(
        help="The lead itself got something: it counts for the cap"
    )
    at = fields.Datetime("When", required=True)
    state = fields.Selection(STATES, required=True)
    reason = fields.Selection(SKIPS)
    note = fields.Char()
    sent_at = fields.Datetime("Sent")
    opened_at = fields.Datetime("Opened")
    clicked_at = fields.Datetime("Clicked")
    answered_at = fields.Datetime("Answered")
    bounced_at = fields.Datetime("Bounced")
    mail_id = fields.Many2one("mail.mail", index="btree_not_null", ondelete="set null")
    trace_id = fields.Many2one(
        "mailing.trace", index="btree_not_null", ondelete="set null"
    )
    activity_id = fields.Many2one("mail.activity", ondelete="set null")
    can_send_again = fields.Boolean(
        compute="_compute_can_send_again", compute_sudo=True
    )

    _once = models.UniqueIndex("(enrolment_id, stage_id)")
    # the cap looks at what one lead got lately
    _lead_at_idx = models.Index("(lead_id, at) WHERE message")
    _queued_idx = models.Index("(at) WHERE state = 'queued'")
    _unsure_idx = models.Index("(stage_id, sent_at) WHERE reason = 'stopped'")

    @api.depends("reason", "mail_id")
    def _compute_can_send_again(self):
        for touch in self:
            touch.can_send_again = (
                touch.reason in ("stopped", "smtp") and touch._has_message()
            )

    def _has_message(self):
        """Whether what was to be sent is still there."""
        return bool(self.mail_id)
