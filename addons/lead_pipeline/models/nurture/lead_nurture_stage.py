# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import re
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import is_html_empty
from odoo.tools.safe_eval import safe_eval

from ...engine.nurture import SendWindow
from .lead_nurture_track import DAYS

CHANNELS = [
    ("email", "Email"),
    ("call", "Call"),
    ("task", "Task"),
    ("segment", "Audience"),
]
UNITS = {"hours": timedelta(hours=1), "days": timedelta(days=1)}
UNITS["weeks"] = timedelta(weeks=1)
#: what a text consists of that has no words of its own
SAYS_MORE = re.compile(r"<img\b|\bt-")
#: texts may be corrected while the track runs
FREE_FIELDS = {"name", "note", "summary", "mailing_id"}


class LeadNurtureStage(models.Model):
    """One step of a track: after a delay a mail goes out, or a person gets a task."""

    _name = "lead.nurture.stage"
    _description = "Nurture Stage"
    _order = "track_id, sequence, id"

    track_id = fields.Many2one(
        "lead.nurture.track", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    key = fields.Integer(
        readonly=True,
        copy=False,
        help="The same in every version where the stage is the same, so that leads in "
        "flight find their place.",
    )
    delay = fields.Integer(
        "Wait", required=True, default=3, help="Since the stage before it."
    )
    delay_unit = fields.Selection(
        [("hours", "hours"), ("days", "days"), ("weeks", "weeks")],
        "Unit",
        required=True,
        default="days",
    )
    channel = fields.Selection(
        CHANNELS,
        required=True,
        default="email",
        help="Email: sent to the lead. Call, task: an activity for the salesperson. "
        "Audience: a mark by which segments and remarketing find the lead.",
    )
    template_id = fields.Many2one(
        "mail.template",
        "Email Template",
        domain="[('model', '=', 'crm.lead')]",
        ondelete="restrict",
    )
    gift_id = fields.Many2one(
        "lead.nurture.gift",
        help="A coupon code of this list goes with it, one a lead. In the template: "
        "object.nurture_coupon",
    )
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        domain="[('res_model', 'in', [False, 'crm.lead'])]",
        help="Leave empty for Odoo's own call or to-do.",
    )
    summary = fields.Char(translate=True)
    note = fields.Html("Script", translate=True, help="What to say or to do.")
    tag_id = fields.Many2one(
        "crm.tag",
        "Audience",
        help="The lead gets this tag. Build a segment of it, and push it to an ad "
        "platform.",
    )
    domain = fields.Char(
        "Only If",
        default="[]",
        help="Looked at in the moment of sending; otherwise the stage is skipped.",
    )
    after_stage_id = fields.Many2one(
        "lead.nurture.stage",
        "Follows",
        domain="[('track_id', '=', track_id), ('id', '!=', id)]",
        ondelete="restrict",
        copy=False,
        help="A follow-up of that stage: skipped if that one did not happen.",
    )
    after_event = fields.Selection(
        [
            ("done", "went out"),
            ("opened", "was opened"),
            ("not_opened", "was not opened"),
            ("clicked", "was clicked"),
            ("not_clicked", "was not clicked"),
        ],
        "If It",
        default="done",
    )
    own_window = fields.Boolean(
        "Other Times", help="This stage has hours of its own, not those of the track."
    )
    hour_from = fields.Float("From", default=9)
    hour_to = fields.Float("To", default=17)
    days = fields.Selection(DAYS, default="workdays")
    mailing_id = fields.Many2one(
        "mailing.mailing",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Core's tracking of what this stage sends.",
    )
    delay_label = fields.Char("When", compute="_compute_delay_label")

    _delay_positive = models.Constraint(
        "CHECK (delay BETWEEN 0 AND 1000)", "A delay is 0 to 1000."
    )

    @api.depends("delay", "delay_unit")
    def _compute_delay_label(self):
        for stage in self:
            if not stage.delay:
                stage.delay_label = self.env._("at once")
            elif stage.delay_unit == "hours":
                stage.delay_label = self.env._("after %s hours", stage.delay)
            elif stage.delay_unit == "weeks":
                stage.delay_label = self.env._("after %s weeks", stage.delay)
            else:
                stage.delay_label = self.env._("after %s days", stage.delay)

    @api.onchange("template_id", "summary", "tag_id")
    def _onchange_what(self):
        """A stage is called as what it does, unless it has a name."""
        for stage in self.filtered(lambda one: not one.name):
            stage.name = stage.summary or stage._what().display_name

    def _what(self):
        """The record that says what goes out."""
        return self.template_id or self.tag_id

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    @api.constrains("domain")
    def _check_domain(self):
        for stage in self:
            self.env["lead.nurture"]._check_domain(stage.domain)

    @api.constrains("own_window", "hour_from", "hour_to", "days")
    def _check_window(self):
        for stage in self:
            try:
                stage._window()
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "“%(stage)s” sends during at least half an hour of the day, "
                        "between 0:00 and 24:00.",
                        stage=stage.name,
                    )
                ) from error

    @api.constrains("after_stage_id", "sequence", "track_id")
    def _check_after(self):
        for stage in self.filtered("after_stage_id"):
            before = stage.after_stage_id
            if (
                before.track_id != stage.track_id
                or before == stage
                or before.sequence > stage.sequence
            ):
                raise ValidationError(
                    self.env._(
                        "“%(stage)s” can follow a stage before it on its track.",
                        stage=stage.name,
                    )
                )

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        stages = super().create(vals_list)
        stages.track_id._check_editable()
        for stage in stages.filtered(lambda one: not one.key):
            stage.key = stage.id
        return stages

    def write(self, vals):
        if not FREE_FIELDS.issuperset(vals):
            self.track_id._check_editable()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_if_draft(self):
        self.track_id._check_editable()
        follower = self.search(
            [("after_stage_id", "in", self.ids), ("id", "not in", self.ids)], limit=1
        )
        if follower:
            raise UserError(
                self.env._(
                    "“%(follower)s” follows “%(stage)s”: change that first.",
                    follower=follower.name,
                    stage=follower.after_stage_id.name,
                )
            )

    def _copy_to(self, track):
        """The same stages on another track, following each other as these do."""
        copies = {}
        for stage in self.sorted():
            copy = stage.copy({"track_id": track.id, "key": stage.key})
            copy.after_stage_id = copies.get(stage.after_stage_id)
            copies[stage] = copy

    # ------------------------------------------------------------
    # FOR THE ENGINE
    # ------------------------------------------------------------

    def _delay(self):
        self.ensure_one()
        return self.delay * UNITS[self.delay_unit]

    def _window(self):
        """When it may go out. Activities are for colleagues: they wait for the window
        too, so that nobody is asked to call at night."""
        self.ensure_one()
        track = self.track_id
        if not self.own_window:
            return track._window()
        return SendWindow(self.hour_from, self.hour_to, self.days, track.on_holidays)

    def _is_message(self):
        """Whether the lead itself gets something, which counts for the cap."""
        self.ensure_one()
        return self.channel == "email"

    def _condition(self):
        self.ensure_one()
        return Domain(safe_eval(self.domain or "[]"))

    def _next(self):
        """The stage after this one; empty after the last."""
        self.ensure_one()
        stages = self.track_id.stage_ids.sorted()
        index = stages.ids.index(self.id)
        return stages[index + 1 : index + 2]

    def _problem(self):
        """Why it can't run, for a person; "" if it can."""
        self.ensure_one()
        if self.channel == "email" and not self.template_id:
            return self.env._("“%s” needs an email template.", self.name)
        if self.channel == "email" and not (
            self.template_id.subject and self._has_words(self.template_id)
        ):
            return self.env._("“%s” has no subject or no text yet.", self.name)
        if self.channel == "segment" and not self.tag_id:
            return self.env._("“%s” needs an audience.", self.name)
        if self.channel in ("call", "task") and not (
            self.summary or not is_html_empty(self.note)
        ):
            return self.env._("“%s” needs a summary or a script.", self.name)
        return ""

    @api.model
    def _has_words(self, template):
        """Whether a mail by this template says anything."""
        body = template.body_html
        return not is_html_empty(body) or bool(SAYS_MORE.search(body or ""))

    def _ensure_mailings(self):
        """Core's tracking needs a mailing for each stage that sends."""
        missing = self.filtered(
            lambda stage: stage.channel == "email" and not stage.mailing_id
        )
        # sudo: whoever starts a track need not be an email marketer
        mailings = self.env["mailing.mailing"].sudo()
        model_id = self.env["ir.model"].sudo()._get_id("crm.lead")
        for stage in missing:
            name = f"{stage.track_id.display_name}: {stage.name}"
            stage.mailing_id = mailings.create(
                {
                    "name": name,
                    "subject": stage.template_id.subject or stage.name,
                    "mailing_model_id": model_id,
                    "mailing_domain": "[]",
                    "state": "done",
                    "sent_date": fields.Datetime.now(),
                    "user_id": stage.track_id.user_id.id or self.env.uid,
                }
            )
