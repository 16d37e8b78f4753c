# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from types import SimpleNamespace

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize, format_datetime

from ..engine.nurture import next_moment
from ..models.nurture.lead_nurture_gate import Facts


class LeadNurtureTest(models.TransientModel):
    """A test run: one lead goes through a track in a moment, and its mails come to
    whoever asks. Nothing reaches the lead, and nothing is remembered."""

    _name = "lead.nurture.test"
    _description = "Nurture Test Run"

    track_id = fields.Many2one("lead.nurture.track", required=True, readonly=True)
    lead_id = fields.Many2one(
        "crm.lead",
        required=True,
        context={"active_test": False},
        default=lambda self: self._default_lead_id(),
    )
    email = fields.Char(
        "Mails Go To", required=True, default=lambda self: self.env.user.email
    )
    plan = fields.Html("What Would Happen", compute="_compute_plan", sanitize=False)

    def _default_lead_id(self):
        return self.env["crm.lead"].search(
            [("email_normalized", "!=", False)], order="id desc", limit=1
        )

    @api.depends("track_id", "lead_id")
    def _compute_plan(self):
        for wizard in self:
            wizard.plan = wizard._plan_html() if wizard.lead_id else False

    def _steps(self):
        """:return: [(stage, when in UTC, reason it would be skipped, or "")]"""
        self.ensure_one()
        # sudo: the gate asks for consents and blacklists
        nurture = self.env["lead.nurture"].sudo()
        lead, track = self.lead_id.sudo(), self.track_id.sudo()
        stages = track.stage_ids.sorted()
        facts = Facts(
            places=nurture._places(lead),
            opted_out={},
            consents=nurture._consents_by_purpose(lead),
            sent={},
            bounced=nurture._bounced(lead),
            met={stage: nurture._meet(lead, stage._condition()) for stage in stages},
            goals={},
            parents={},
            had=set(),
        )
        skips = dict(
            self.env["lead.nurture.touch"]
            ._fields["reason"]
            ._description_selection(self.env)
        )
        journey = SimpleNamespace(
            id=0, lead_id=lead, track_id=track, previous_user_id=lead.user_id
        )
        at, steps, skipped = fields.Datetime.now(), [], set()
        at = max(at, lead._cool_off_ends(facts.places[lead.id]))
        for stage in stages:
            at = next_moment(
                at + stage._delay(), stage._window(), facts.places[lead.id]
            )
            if stage.after_stage_id.id in skipped:
                reason = "parent"
            else:
                reason = nurture._skip_alone(journey, stage, facts)
            if reason:
                skipped.add(stage.id)
            steps.append((stage, at, skips.get(reason, "")))
        return steps

    def _plan_html(self):
        tz = self.env["lead.nurture"].sudo()._places(self.lead_id.sudo())
        tz = tz[self.lead_id.id].zones[0]
        rows = Markup("").join(
            Markup("<tr><td>%s</td><td>%s</td><td>%s</td></tr>")
            % (
                format_datetime(self.env, at, tz=tz, dt_format="EEE d MMM y HH:mm"),
                stage.name,
                self.env._("skipped: %s", skip) if skip else self.env._("goes out"),
            )
            for stage, at, skip in self._steps()
        )
        return Markup(
            '<p class="text-muted">%s</p><table class="table table-sm">%s</table>'
        ) % (self.env._("On the clock of the lead (%s):", tz), rows)

    def _check_email(self):
        """What is written to a lead is nobody's business but ours: a test goes to
        somebody who works here.

        :raises UserError: it does not
        """
        # sudo: colleagues may be of another company
        users = self.env["res.users"].sudo()
        address = email_normalize(self.email)
        if not address or not users.search_count(
            [("email_normalized", "=", address), ("share", "=", False)], limit=1
        ):
            raise UserError(
                self.env._(
                    "A test goes to you or to a colleague: “%s” is no user's address.",
                    self.email,
                )
            )

    def action_send(self):
        """Send the mails that would go out, all at once, to the person who asks.

        :raises UserError: none would, or the address is nobody's of ours
        """
        self.ensure_one()
        self.track_id.check_access("write")
        self.lead_id.check_access("read")
        self._check_email()
        # sudo: tracking and mails are the system's
        nurture = self.env["lead.nurture"].sudo()
        mails = self.env["mail.mail"].sudo()
        for stage, at, skip in self._steps():
            if stage.channel != "email" or skip:
                continue
            stage.sudo()._ensure_mailings()
            text = nurture._render(stage.sudo(), self.lead_id.sudo()).get(
                self.lead_id.id
            )
            if not text:
                raise UserError(
                    self.env._("The text of “%s” could not be made.", stage.name)
                )
            when = format_datetime(self.env, at, dt_format="d MMM y")
            mails += mails.create(
                {
                    **text,
                    "subject": f"[{stage.name}, {when}] {text['subject']}",
                    "email_to": email_normalize(self.email),
                    "reply_to": False,  # an answer to a test is no lead's
                    "auto_delete": True,
                }
            )
        if not mails:
            raise UserError(self.env._("No mail would go out to this lead."))
        mails.send()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(number)s mails are on their way to %(email)s.",
                    number=len(mails),
                    email=self.email,
                ),
            },
        }
