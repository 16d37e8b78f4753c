# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import textwrap
import uuid

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine.item import read_item
from ..engine.matching import LOST, Known
from ..models.capture.lead_lookup import Lookup

SHOWN_DUPLICATES = 10


class LeadPhoneEntry(models.TransientModel):
    """A lead typed in during a call. It goes the way of all leads, so a known person
    gets the enquiry on the lead that is there."""

    _name = "lead.phone.entry"
    _description = "Phone Lead"

    # the id of the submission: two clicks on *Save* are one lead
    external_id = fields.Char(default=lambda self: str(uuid.uuid4()), required=True)
    channel_id = fields.Many2one(
        "lead.channel",
        required=True,
        domain="[('channel_type', '=', 'phone')]",
        default=lambda self: self._default_channel_id(),
    )
    company_id = fields.Many2one(related="channel_id.company_id")
    phone = fields.Char()
    email = fields.Char()
    contact_name = fields.Char("Name")
    partner_name = fields.Char("Company Name")
    message = fields.Text("What About")
    assign_to = fields.Selection(
        [("me", "Me"), ("rules", "By the rules"), ("person", "Somebody else")],
        required=True,
        default="me",
        help="Owner of a new lead, or of one that has none. A lead that has an owner "
        "keeps it.",
    )
    user_id = fields.Many2one(
        "res.users",
        "Salesperson",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    lead_ids = fields.Many2many(
        "crm.lead", compute="_compute_known", context={"active_test": False}
    )
    partner_ids = fields.Many2many("res.partner", compute="_compute_known")
    outcome = fields.Selection(
        [
            ("new", "A new lead"),
            ("add", "Added to an open lead"),
            ("restore", "A lost lead is opened again"),
        ],
        compute="_compute_known",
    )
    outcome_note = fields.Char(compute="_compute_known")
    hidden_note = fields.Char(compute="_compute_known")

    @api.model
    def _default_channel_id(self):
        return self.env["lead.channel"]._get_core_channel("phone", self.env.company).id

    # ------------------------------------------------------------
    # COMPUTE
    # ------------------------------------------------------------

    @api.depends("phone", "email", "contact_name", "channel_id")
    def _compute_known(self):
        """Who this is, as far as it is typed, and what saving will do."""
        for entry in self:
            # what follows looks at all leads of the company, so it has to be theirs
            entry.channel_id.check_access("read")
            person = entry._person()
            leads = entry._leads_of(person)
            # what the rules of CRM hide is told, not shown
            readable = leads.sudo(False)._filtered_access("read")
            entry.lead_ids = readable[:SHOWN_DUPLICATES]
            entry.hidden_note = entry._hidden_note(leads - readable.sudo())
            entry.partner_ids = entry._partners_of(person)
            entry.outcome, entry.outcome_note = entry._outcome(person)

    def _read_item(self):
        """What is typed, as any channel would send it."""
        message = (self.message or "").strip()
        return read_item(
            {
                "channel": self.channel_id.sudo().code,
                "external_id": self.external_id,
                "contact": {
                    "name": self.contact_name,
                    "email": self.email,
                    "phone": self.phone,
                    "company": self.partner_name,
                },
                # its first line names the lead
                "subject": textwrap.shorten(
                    message.partition("\n")[0], 80, placeholder="…"
                ),
                "message": message,
            },
            fields.Datetime.now(),
        )

    def _person(self):
        item = self._read_item()
        # sudo: as all captures run; the caller has checked the channel
        return (
            self.env["lead.capture"]
            .sudo()
            ._person(item, self.channel_id.sudo(), Lookup(self.env, [item]))
        )

    @api.model
    def _domain_of(self, person):
        """Records with the person's e-mail or phone; none for an unknown person."""
        return fields.Domain.OR(
            fields.Domain(name, "=", value)
            for name, value in (
                ("email_normalized", person.email),
                ("phone_sanitized", person.phone),
            )
            if value
        )

    def _leads_of(self, person):
        """All leads of a person, newest first, in superuser mode."""
        domain = self._domain_of(person)
        if domain.is_false():
            return self.env["crm.lead"].sudo()
        return (
            self.env["crm.lead"]
            .sudo()
            .with_context(active_test=False)
            .search(
                domain & fields.Domain("company_id", "in", [False, self.company_id.id]),
                order="id desc",
            )
        )

    def _partners_of(self, person):
        domain = self._domain_of(person)
        if domain.is_false():
            return self.env["res.partner"]
        return self.env["res.partner"].search(domain, limit=SHOWN_DUPLICATES)

    def _hidden_note(self, hidden):
        if not hidden:
            return False
        owners = ", ".join(hidden.user_id.mapped("name")) or self.env._("nobody")
        return self.env._(
            "%(count)s more of this person that you may not see. Owner: %(owners)s",
            count=len(hidden),
            owners=owners,
        )

    def _find_match(self, person):
        """The lead saving leads to, by the rules of all channels."""
        index = (
            self.env["lead.capture"]
            .sudo()
            ._person_index(self.company_id.sudo(), [person])
        )
        known = index.match(person)
        if (
            known
            and known.state == LOST
            and self.company_id.sudo().lead_lost_policy == "new"
        ):
            return None
        return known

    def _outcome(self, person):
        known: Known | None = self._find_match(person)
        if not known:
            return "new", False
        lead = self.env["crm.lead"].sudo().browse(known.ref)
        owner = lead.user_id.name or self.env._("nobody yet")
        name = lead.name
        if not lead.sudo(False)._filtered_access("read"):
            name = self.env._("a lead you may not see")
        if known.state == LOST:
            return "restore", self.env._(
                "Saving opens again: %(lead)s. Owner: %(owner)s",
                lead=name,
                owner=owner,
            )
        return "add", self.env._(
            "Saving adds this call to: %(lead)s. Owner: %(owner)s",
            lead=name,
            owner=owner,
        )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_save(self):
        """Capture the call.

        :return: an action that opens the lead, or says whom it belongs to
        :raises UserError: there is no way to reach this person
        """
        self.ensure_one()
        entry = self._capture()
        # as the person themself: the rules of CRM say what they may open
        lead = self.env["crm.lead"].browse(entry.lead_id)._filtered_access("read")
        if not lead:
            return self._notify(
                self._told_hidden(entry),
                "warning",
                {"type": "ir.actions.act_window_close"},
                sticky=True,
            )
        action = {
            "type": "ir.actions.act_window",
            "res_model": "crm.lead",
            "res_id": lead.id,
            "views": [(False, "form")],
        }
        if entry.status == "created":
            return action
        return self._notify(self._told_known(lead), "info", action)

    def action_save_and_next(self):
        """Capture the call, and open an empty entry for the next one."""
        self.ensure_one()
        entry = self._capture()
        lead = self.env["crm.lead"].browse(entry.lead_id)._filtered_access("read")
        if entry.status == "created":
            message = self.env._("Saved.")
        elif lead:
            message = self._told_known(lead)
        else:
            message = self._told_hidden(entry)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "lead_pipeline.lead_phone_entry_action"
        )
        return self._notify(
            message, "success" if entry.status == "created" else "info", action
        )

    def _capture(self):
        self.channel_id.check_access("read")
        assignee = self._assignee()
        # sudo: like the connector's door. The rep needs no right on submissions, and
        # a lead of a colleague must get the call as well
        channel = self.channel_id.sudo()
        entry = (
            self.env["lead.capture"]
            .sudo()
            ._capture_one(channel, self._read_item(), assignee=assignee)
        )
        if entry.status == "quarantined":
            # the rep is still there and can correct it: nothing to keep
            raise UserError(entry.reason)
        # sudo: as above
        lead = self.env["crm.lead"].sudo().browse(entry.lead_id)
        if assignee and not lead.user_id:
            lead.user_id = assignee
        return entry

    def _assignee(self):
        if self.assign_to == "me":
            return self.env.user
        if self.assign_to == "person":
            if not self.user_id:
                raise UserError(self.env._("Choose the salesperson."))
            return self.user_id
        return None

    def _told_known(self, lead):
        return self.env._(
            "This person is known: the call is on the lead of %(owner)s.",
            owner=lead.user_id.name or self.env._("nobody"),
        )

    def _told_hidden(self, entry):
        # sudo: only the owner's name is told
        owner = self.env["crm.lead"].sudo().browse(entry.lead_id).user_id
        if entry.status == "created":
            return self.env._("Saved. The lead is with %(owner)s.", owner=owner.name)
        return self.env._(
            "This person is known and belongs to %(owner)s, who has been told of the "
            "call.",
            owner=owner.name,
        )

    def _notify(self, message, kind, next_action, sticky=False):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": kind,
                "sticky": sticky,
                "next": next_action,
            },
        }
