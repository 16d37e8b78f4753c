# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import re

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..engine.guess import guess_target


class LeadSubmissionFix(models.TransientModel):
    """Remove the cause for which a submission waits, and process it again: a channel
    for its code, a mapping for its answers, a typing error in its address."""

    _name = "lead.submission.fix"
    _description = "Fix and Replay Submissions"

    submission_id = fields.Many2one(
        "lead.submission",
        required=True,
        readonly=True,
        default=lambda self: self.env.context.get("active_id"),
    )
    state = fields.Selection(related="submission_id.state")
    reason = fields.Char(related="submission_id.reason")
    summary = fields.Html(related="submission_id.summary", sanitize=False)
    code = fields.Char(related="submission_id.channel_code", string="Code Sent")
    needs_channel = fields.Boolean(compute="_compute_needs_channel")
    channel_choice = fields.Selection(
        [
            ("new", "A new channel"),
            ("existing", "A channel that is there, under another code"),
        ],
        "This Code Is",
        default="new",
    )
    new_name = fields.Char(
        "Channel Name", compute="_compute_new_name", store=True, readonly=False
    )
    new_type = fields.Selection(
        selection=lambda self: self.env["lead.channel"]
        ._fields["channel_type"]
        ._description_selection(self.env),
        string="Channel Type",
        default="form",
    )
    existing_channel_id = fields.Many2one(
        "lead.channel",
        "Channel",
        help="Its code becomes the code that was sent.",
    )
    existing_is_used = fields.Boolean(compute="_compute_existing_is_used")
    email = fields.Char(
        compute="_compute_address",
        store=True,
        readonly=False,
        help="As it should have been typed. What came is kept as it was.",
    )
    phone = fields.Char(
        compute="_compute_address",
        store=True,
        readonly=False,
        help="As it should have been typed. What came is kept as it was.",
    )
    line_ids = fields.One2many(
        "lead.submission.fix.line",
        "wizard_id",
        "Answers",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    replay = fields.Selection(
        [
            ("one", "Only this submission"),
            ("reason", "All of this channel with the same reason"),
            ("channel", "All of this channel in quarantine"),
        ],
        required=True,
        default="channel",
    )
    replay_count = fields.Integer(compute="_compute_replay_count")

    # ------------------------------------------------------------
    # COMPUTE
    # ------------------------------------------------------------

    @api.depends("submission_id")
    def _compute_needs_channel(self):
        for wizard in self:
            wizard.needs_channel = bool(
                wizard.submission_id
                and not wizard.submission_id.channel_id
                and wizard.submission_id.channel_code
            )

    @api.depends("submission_id")
    def _compute_new_name(self):
        for wizard in self:
            words = re.split(r"[-_.\s]+", wizard.submission_id.channel_code or "")
            wizard.new_name = " ".join(filter(None, words)).capitalize()

    @api.depends("existing_channel_id")
    def _compute_existing_is_used(self):
        for wizard in self:
            wizard.existing_is_used = bool(
                wizard.existing_channel_id.last_submission_at
            )

    @api.depends("submission_id")
    def _compute_address(self):
        for wizard in self:
            wizard.email = wizard.submission_id.email_normalized
            wizard.phone = wizard.submission_id.phone

    @api.depends("submission_id")
    def _compute_line_ids(self):
        for wizard in self:
            wizard.line_ids = [Command.clear()] + [
                Command.create(vals) for vals in wizard._line_vals()
            ]

    def _line_vals(self):
        """The answers of the submission: mapped as the channel does, else guessed."""
        submission = self.submission_id
        content = submission.content or {}
        mapped = {
            mapping.key.strip().casefold(): mapping.target
            for mapping in submission.channel_id.mapping_ids
        }
        taken = {*mapped.values(), *(content.get("contact") or {})}
        vals_list = []
        for answer in content.get("answers") or []:
            key = answer.get("key") or answer.get("label") or ""
            label = answer.get("label") or ""
            value = answer.get("value") or ""
            if not key:
                continue
            target = mapped.get(key.casefold()) or mapped.get(label.casefold())
            if not target:
                guess = guess_target(key, label, value)
                # two fields of a form can be one name, but hardly two e-mails
                target = guess if guess not in taken else False
                taken.add(guess)
            vals_list.append(
                {"key": key, "label": label, "value": value[:250], "target": target}
            )
        return vals_list

    @api.depends("submission_id", "replay")
    def _compute_replay_count(self):
        for wizard in self:
            wizard.replay_count = len(wizard._to_replay())

    def _to_replay(self):
        submission = self.submission_id
        if self.replay == "one":
            return submission
        domain = [("state", "=", "quarantined")]
        if submission.channel_id:
            domain.append(("channel_id", "=", submission.channel_id.id))
        else:
            domain += [
                ("channel_id", "=", False),
                ("channel_code", "=", submission.channel_code),
            ]
        if self.replay == "reason":
            domain.append(("reason", "=", submission.reason))
        return self.env["lead.submission"].search(domain)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_apply(self):
        """Make the channel, the mapping and the correction, then process what waits.

        :return: a notification of what became of it
        """
        self.ensure_one()
        if self.submission_id.state != "quarantined":
            raise UserError(self.env._("It is no longer in quarantine."))
        submissions = self._to_replay()  # before the channel takes them
        channel = self.submission_id.channel_id
        if self.needs_channel:
            channel = self._get_channel()
        if channel:
            self._save_mapping(channel)
        self._save_correction()
        return submissions.action_replay()

    def _get_channel(self):
        """The channel of the code that was sent; it adopts what waited for it."""
        if self.channel_choice == "existing":
            if not self.existing_channel_id:
                raise UserError(self.env._("Choose the channel this code belongs to."))
            self.existing_channel_id.code = self.code
            return self.existing_channel_id
        return self.env["lead.channel"].create(
            {
                "name": self.new_name or self.code,
                "code": self.code,
                "channel_type": self.new_type or "form",
            }
        )

    def _save_mapping(self, channel):
        known = {
            mapping.key.strip().casefold(): mapping for mapping in channel.mapping_ids
        }
        for line in self.line_ids:
            mapping = known.get(line.key.casefold()) or known.get(
                (line.label or "").casefold()
            )
            if mapping and not line.target:
                mapping.unlink()
            elif mapping:
                mapping.target = line.target
            elif line.target:
                known[line.key.casefold()] = self.env["lead.channel.mapping"].create(
                    {
                        "channel_id": channel.id,
                        "key": line.key,
                        "target": line.target,
                    }
                )

    def _save_correction(self):
        came = self.submission_id
        came._correct(
            email=self.email if self.email != came.email_normalized else "",
            phone=self.phone if self.phone != came.phone else "",
        )


class LeadSubmissionFixLine(models.TransientModel):
    _name = "lead.submission.fix.line"
    _description = "Answer of a Submission to Fix"

    wizard_id = fields.Many2one(
        "lead.submission.fix", required=True, ondelete="cascade"
    )
    key = fields.Char("Question", required=True)
    label = fields.Char()
    value = fields.Char("Answer")
    target = fields.Selection(
        selection=lambda self: self.env["lead.channel.mapping"]._selection_target(),
        string="Fills",
        help="Empty: it stays an answer, and is shown on the lead.",
    )
