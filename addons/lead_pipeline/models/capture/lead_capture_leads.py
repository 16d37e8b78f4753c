# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models

from odoo.addons.iap.tools.iap_tools import mail_prepare_for_domain_search
from odoo.addons.mail.tools.mail_validation import mail_validate

from ...engine.matching import LOST

ADDRESS = ("street", "city", "zip", "state_id", "country_id")
#: besides the address, what a later enquiry may fill where it is empty
FILLABLE = (
    "contact_name",
    "partner_name",
    "function",
    "email_from",
    "phone",
    "website",
    "lang_id",
)


class LeadCaptureLeads(models.AbstractModel):
    """What a capture does with leads: make, restore, fill, tell. Set-wise."""

    _name = "lead.capture.leads"
    _description = "Lead Capture: Leads"

    @api.model
    def _quiet(self):
        """Leads without a message each, and without writing a stranger's data to a
        partner: the owner gets one message for all."""
        return self.env["crm.lead"].with_context(
            active_test=False,
            lead_capture=True,
            lead_scoring_later=True,
            lead_distribution_later=True,
            tracking_disable=True,
            mail_auto_subscribe_no_notify=True,
        )

    # ------------------------------------------------------------
    # MAKE
    # ------------------------------------------------------------

    @api.model
    def _create(self, entries, lookup, utm, create_lead=None, assignee=None):
        """Make the leads of entries that are ``created``; link the others to theirs.

        :param create_lead: see ``lead.capture._capture_one``
        :param assignee: owner chosen by a person, for new leads
        """
        new = [entry for entry in entries if entry.status == "created"]
        partners = self._find_partners(new)
        types = {channel: channel._lead_type() for channel in {e.channel for e in new}}
        for entry in new:
            entry.lead_vals = {
                **self._contact_vals(entry, lookup),
                **self._read_vals(entry),
                **self._origin_vals(entry, utm),
                "type": types[entry.channel],
                "partner_id": partners.get(entry.person.email)
                or partners.get(entry.person.phone),
            }
            if assignee:
                entry.lead_vals["user_id"] = assignee.id
        if create_lead:
            for entry in new:
                lead = create_lead(entry)
                # what core's door filled stays as it is
                origin = self._origin_vals(entry, utm)
                lead.with_context(tracking_disable=True).write(
                    {
                        name: value
                        for name, value in origin.items()
                        # writing an empty one would set off core's computes
                        if value and not lead[name]
                    }
                )
                entry.lead_id = lead.id
                entry.told = True  # core tells whom it assigns
        else:
            self._add_stages(new)
            leads = self.env["lead.capture.insert"]._insert(
                [entry.lead_vals for entry in new]
            )
            for entry, lead in zip(new, leads, strict=True):
                entry.lead_id = lead.id
            self._subscribe(leads)
        for entry in entries:
            if entry.known:  # a lead's id, or the entry that made it just now
                ref = entry.known.ref
                entry.lead_id = ref if isinstance(ref, int) else ref.lead_id

    @api.model
    def _contact_vals(self, entry, lookup):
        """The person's fields of a lead."""
        contact = entry.item.contact
        country = lookup.country(contact.get("country"))
        return {
            "contact_name": entry.person.name,
            "partner_name": contact.get("company"),
            "function": contact.get("job_title"),
            "email_from": contact.get("email"),
            "phone": entry.phone_shown or contact.get("phone"),
            "website": contact.get("website"),
            "lang_id": lookup.lang_id(contact.get("lang")),
            "street": contact.get("street"),
            "city": contact.get("city"),
            "zip": contact.get("zip"),
            "country_id": country.id,
            "state_id": lookup.state_id(country, contact.get("state")),
        }

    @api.model
    def _read_vals(self, entry):
        """What core would read from phone and address again, which is slow."""
        phone, email = entry.person.phone, entry.person.email
        vals = {}
        if phone:
            vals |= {"phone_sanitized": phone, "phone_state": "correct"}
        if email:
            vals |= {
                "email_normalized": email,
                "email_domain_criterion": mail_prepare_for_domain_search(email),
                "email_state": "correct" if mail_validate(email) else "incorrect",
            }
        return vals

    @api.model
    def _origin_vals(self, entry, utm):
        """Channel, source, team and text of a new lead."""
        channel, item = entry.channel, entry.item
        rows = self.env["lead.capture.rows"]
        attribution = rows._attribution_vals(item, channel, utm)
        touch = (
            {"at": item.submitted_at, **attribution}
            if any(attribution.values())
            else {}
        )
        about = (
            item.subject
            or item.attribution.get("form_name")
            or item.attribution.get("campaign_name")
            or channel.name
        )
        who = entry.person.name or item.contact.get("company")
        return {
            "name": f"{who}: {about}" if who else about,
            "channel_id": channel.id,
            "company_id": channel.company_id.id,
            "team_id": channel.team_id.id,
            "user_id": channel.user_id.id,
            "source_id": attribution["source_id"],
            "medium_id": attribution["medium_id"],
            "campaign_id": attribution["campaign_id"],
            "referred": item.attribution.get("referrer"),
            "description": self._enquiry_html(item),
            # as the touchpoint would write it, without a second write of the row
            "has_touchpoints": True,
            # platforms date their leads; none is captured before it is sent
            "date_captured": min(item.submitted_at, fields.Datetime.now()),
            **{f"first_touch_{name}": value for name, value in touch.items()},
            **{f"last_touch_{name}": value for name, value in touch.items()},
        }

    @api.model
    def _add_stages(self, entries):
        """The first stage of each team: core would search it lead by lead."""
        stages = {}
        for entry in entries:
            team_id = entry.lead_vals["team_id"]
            if team_id not in stages:
                stage = self.env["crm.lead"]._stage_find(
                    team_id=team_id, domain=[("fold", "=", False)]
                )
                stages[team_id] = stage.id
            entry.lead_vals["stage_id"] = stages[team_id]

    @api.model
    def _subscribe(self, leads):
        """Let owner and team follow, as core does lead by lead: core decides for the
        first lead of each owner and team, the others get the same followers."""
        for (owner, team), group in leads.grouped(
            lambda lead: (lead.user_id, lead.team_id)
        ).items():
            first, others = group[0], group[1:]
            first._message_auto_subscribe({"user_id": owner.id, "team_id": team.id})
            followers = first.message_follower_ids
            if others and followers:
                followers._insert_followers(
                    "crm.lead",
                    others.ids,
                    followers.partner_id.ids,
                    subtypes={
                        follower.partner_id.id: follower.subtype_ids.ids
                        for follower in followers
                    },
                    check_existing=False,
                )

    @api.model
    def _find_partners(self, entries):
        """The one partner each e-mail or phone belongs to, by that key.

        :return: {e-mail or phone: partner id}; a key of several partners is left out,
            a person and their company counting as one
        """
        found = defaultdict(lambda: self.env["res.partner"])
        emails = [entry.person.email for entry in entries if entry.person.email]
        phones = [entry.person.phone for entry in entries if entry.person.phone]
        companies = {entry.channel.company_id.id for entry in entries}
        if not emails and not phones:
            return {}
        for partner in self.env["res.partner"].search(
            [
                ("company_id", "in", [False, *companies]),
                "|",
                ("email_normalized", "in", emails),
                ("phone_sanitized", "in", phones),
            ]
        ):
            for key in (partner.email_normalized, partner.phone_sanitized):
                if key:
                    found[key] |= partner
        single = {}
        for key, partners in found.items():
            people = partners.filtered(lambda partner: not partner.is_company)
            candidates = people or partners
            if len(candidates) == 1:
                single[key] = candidates.id
        return single

    # ------------------------------------------------------------
    # KNOWN PEOPLE
    # ------------------------------------------------------------

    @api.model
    def _restore(self, lead_ids):
        """Lost leads whose person is back are open again."""
        leads = self._quiet().browse(lead_ids)
        if leads:
            leads.action_restore()

    @api.model
    def _fill(self, entries, lookup):
        """Fill what is empty on leads of known people; never overwrite."""
        leads = self._quiet().browse({entry.lead_id for entry in entries})
        leads.fetch([*FILLABLE, *ADDRESS])
        by_id = {lead.id: lead for lead in leads}
        for entry in entries:
            lead = by_id[entry.lead_id]
            vals = self._contact_vals(entry, lookup)
            names = [name for name in FILLABLE if not lead[name]]
            if not any(lead[name] for name in ("street", "city", "zip")):
                names += [name for name in ADDRESS if not lead[name]]
            news = {name: vals[name] for name in names if vals[name]}
            if news:
                lead.write(news)

    # ------------------------------------------------------------
    # TELL
    # ------------------------------------------------------------

    @api.model
    def _tell(self, entries, told=()):
        """Note repeat enquiries on their leads, and tell each owner once for all.

        :param told: ids of leads whose owner has just been told of them
        """
        robot = self.env.ref("base.partner_root").id
        untold = [entry for entry in entries if not entry.told]
        matched = [entry for entry in untold if entry.status == "matched"]
        bodies = defaultdict(Markup)
        for entry in matched:
            bodies[entry.lead_id] += self._note_html(entry)
        for entry in entries:
            if entry.previous_lead_id:
                bodies[entry.lead_id] += Markup("<p>%s</p>") % self.env._(
                    "This person's earlier lead was lost: #%(id)s.",
                    id=entry.previous_lead_id,
                )
        if bodies:
            self._quiet().browse(list(bodies))._message_log_batch(
                bodies=dict(bodies), author_id=robot
            )
        by_owner = defaultdict(dict)
        leads = self.env["crm.lead"].browse({entry.lead_id for entry in entries})
        owners = {lead.id: lead.user_id for lead in leads}
        for entry in untold:
            owner = owners[entry.lead_id]
            if entry.lead_id in told:
                continue
            if owner and owner.active and owner != self.env.user:
                by_owner[owner].setdefault(entry.lead_id, entry)
        for owner, by_lead in by_owner.items():
            self._tell_owner(owner, by_lead, robot)

    @api.model
    def _tell_owner(self, owner, by_lead, author_id):
        """One message to one owner about all their leads of this capture."""
        self = self.with_context(lang=owner.lang)
        leads = self.env["crm.lead"].browse(by_lead)
        lines = [
            Markup(
                "<li><a href='%s' data-oe-model='crm.lead' data-oe-id='%s'>%s</a> %s"
                "</li>"
            )
            % (
                f"/odoo/crm.lead/{lead.id}",
                lead.id,
                lead.display_name,
                self.env._(
                    "new lead by %(channel)s", channel=by_lead[lead.id].channel.name
                )
                if by_lead[lead.id].status == "created"
                else self.env._(
                    "new enquiry by %(channel)s", channel=by_lead[lead.id].channel.name
                ),
            )
            for lead in leads
        ]
        subject = (
            leads.display_name
            if len(leads) == 1
            else self.env._("%(count)s leads for you", count=len(leads))
        )
        target = leads if len(leads) == 1 else self.env["mail.thread"]
        # queued: a mail server that is slow or down must not hold up the capture
        target.with_context(mail_notify_force_send=False).message_notify(
            partner_ids=owner.partner_id.ids,
            subject=subject,
            body=Markup("<ul>%s</ul>") % Markup().join(lines),
            author_id=author_id,
            force_send=False,
        )

    @api.model
    def _note_html(self, entry):
        restored = entry.known.state == LOST
        return Markup("<p><b>%s</b></p>%s") % (
            self.env._(
                "New enquiry by %(channel)s; the lead was lost and is open again",
                channel=entry.channel.name,
            )
            if restored
            else self.env._("New enquiry by %(channel)s", channel=entry.channel.name),
            self._enquiry_html(entry.item),
        )

    @api.model
    def _enquiry_html(self, item):
        """What the person wrote, safe as HTML."""
        parts = []
        if item.message:
            text = Markup("<br/>").join(item.message.splitlines())
            parts.append(Markup("<p>%s</p>") % text)
        if item.answers:
            rows = Markup().join(
                Markup("<li>%s: %s</li>")
                % (answer["label"] or answer["key"], answer["value"])
                for answer in item.answers
            )
            parts.append(Markup("<ul>%s</ul>") % rows)
        return Markup().join(parts)
