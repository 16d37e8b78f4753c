# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

from ...engine.lead_zones import zones_of
from ...engine.nurture import WEEK, Place, is_holiday, next_moment, under_cap
from .lead_nurture import GO, PASS, Step

#: touches that reached the lead, or will
COUNTED = ("queued", "sent", "bounced", "opened", "clicked", "answered")


@dataclass(slots=True)
class Facts:
    """What is asked of many leads at once, each in one query."""

    places: dict
    opted_out: dict  # lead id: unsubscribed or blacklisted
    consents: dict  # what for: {lead id: whether the newest one was given}
    sent: dict  # lead id: times of messages in the last week
    bounced: set  # ids of leads whose address bounced
    met: dict  # stage: ids of leads that meet its condition
    goals: dict  # track: ids of leads that reached its goal
    parents: dict  # (enrolment id, stage key): the touch that another stage follows
    had: set  # (enrolment id, stage key) of what was done, in any version


class LeadNurture(models.AbstractModel):
    """The gate: every touch passes it in the moment it goes out, not when planned."""

    _inherit = "lead.nurture"

    @api.model
    def _judge(self, enrolments, now):
        """:return: {enrolment id: Step} of what is due now"""
        facts = self._facts(enrolments, now)
        steps = {}
        for enrolment in enrolments:
            step = self._judge_one(enrolment, facts, now)
            steps[enrolment.id] = step
            if step is GO and enrolment.stage_id._is_message():
                # another track may have the same lead in the same batch
                facts.sent.setdefault(enrolment.lead_id.id, []).append(now)
        return steps

    @api.model
    def _judge_one(self, enrolment, facts, now):
        lead, stage = enrolment.lead_id, enrolment.stage_id
        reason = self._exit_reason(enrolment, facts)
        if reason:
            return Step("exit", reason)
        if enrolment.held_out:
            return Step("exit", "observed")
        if not stage:
            return Step("exit", "last")
        if (enrolment.id, stage.key) in facts.had:
            return PASS
        step = self._wait(lead, stage, facts, now)
        if step:
            return step
        reason = self._skip_reason(enrolment, stage, facts)
        return Step("skip", reason) if reason else GO

    @api.model
    def _exit_reason(self, enrolment, facts):
        """Why the journey is over; "" if it is not."""
        lead = enrolment.lead_id
        if not lead:
            return "erased"
        if lead.won_status == "won":
            return "won"
        if lead.id in facts.opted_out:
            return facts.opted_out[lead.id]
        if lead.sales_ready and (
            not lead.sales_ready_date or lead.sales_ready_date >= enrolment.enrolled_at
        ):
            return "sales_ready"
        if lead.id in facts.goals.get(enrolment.track_id, ()):
            return "goal"
        return ""

    @api.model
    def _wait(self, lead, stage, facts, now):
        """A Step that waits, if it is not the time."""
        place = facts.places[lead.id]
        at, reason = now, ""
        if lead.cool_off_until:
            at = lead._cool_off_ends(place)
            reason = "cool_off" if at > now else ""
            at = max(at, now)
        if stage._is_message():
            sent = facts.sent.get(lead.id, [])
            free = under_cap(sent, now, self._company_of(lead).lead_nurture_cap)
            if free > at:
                at, reason = free, "cap"
        window = stage._window()
        opened = next_moment(at, window, place)
        if opened <= now:
            return None
        if opened > at and not reason:
            festive = not window.on_holidays and is_holiday(at, place)
            reason = "holiday" if festive else "window"
        return Step("wait", reason, opened)

    @api.model
    def _skip_reason(self, enrolment, stage, facts):
        """Why the stage is not for this lead; "" if it is."""
        if stage.after_stage_id:
            parent = facts.parents.get((enrolment.id, stage.after_stage_id.key))
            if not parent or not parent._had(stage.after_event):
                return "parent"
        return self._skip_alone(enrolment, stage, facts)

    @api.model
    def _skip_alone(self, enrolment, stage, facts):
        """As above, whatever the stage follows."""
        lead = enrolment.lead_id
        if lead.id not in facts.met.get(stage, {lead.id}):
            return "condition"
        if stage.channel == "email":
            return self._skip_email(lead, stage, facts)
        if stage.channel == "call" and not lead.phone:
            return "no_phone"
        if stage.channel in ("call", "task") and not self._user_for(enrolment):
            return "no_user"
        return ""

    @api.model
    def _skip_email(self, lead, stage, facts):
        if not lead.email_normalized:
            return "no_email"
        if lead.id in facts.bounced:
            return "bounced"
        if not stage.template_id:
            return "no_template"
        return self._skip_consent(lead, facts)

    @api.model
    def _skip_consent(self, lead, facts, what="lead_nurture"):
        given = facts.consents[what].get(lead.id)
        if given is False:
            return "refused"
        if given is None and self._company_of(lead)[f"{what}_consent_required"]:
            return "no_consent"
        return ""

    # ------------------------------------------------------------
    # FACTS
    # ------------------------------------------------------------

    @api.model
    def _facts(self, enrolments, now):
        leads = enrolments.lead_id.with_context(active_test=False)
        stages, tracks = enrolments.stage_id, enrolments.track_id
        return Facts(
            places=self._places(leads),
            opted_out=self._opted_out(leads),
            consents=self._consents_by_purpose(leads),
            sent=self._sent_lately(leads, now),
            bounced=self._bounced(leads),
            met={
                stage: self._meet(
                    enrolments.filtered(lambda e, s=stage: e.stage_id == s).lead_id,
                    stage._condition(),
                )
                for stage in stages
                if not stage._condition().is_true()
            },
            goals={
                track: self._meet(
                    enrolments.filtered(lambda e, t=track: e.track_id == t).lead_id,
                    track._goal(),
                )
                for track in tracks
                if not track._goal().is_false()
            },
            **self._history(enrolments),
        )

    @api.model
    def _meet(self, leads, domain):
        """:return: ids of the leads, lost ones too, that meet a domain"""
        if not leads:
            return set()
        found = self.env["crm.lead"].with_context(active_test=False)
        return set(found.search(Domain("id", "in", leads.ids) & domain).ids)

    @api.model
    def _check_domain(self, domain):
        """:raises ValidationError: leads can't be searched by it"""
        leads = self.env["crm.lead"].with_context(active_test=False)
        try:
            # a savepoint: what the database refuses must not break what goes on
            with self.env.cr.savepoint():
                leads.search(Domain(safe_eval(domain or "[]")), limit=1)
        except Exception as error:
            raise ValidationError(
                self.env._(
                    "These conditions can't be used: %(domain)s\n%(error)s",
                    domain=domain,
                    error=error,
                )
            ) from error

    @api.model
    def _company_of(self, lead):
        return lead.company_id or self.env.company

    @api.model
    def _places(self, leads):
        """:return: {lead id: Place}, for no lead too"""
        places = {False: Place((self.env.company._lead_tz(),))}
        for lead in leads:
            country, state = lead.country_id.code or "", lead.state_id.code or ""
            places[lead.id] = Place(
                zones_of(
                    lead.phone_sanitized or "",
                    country,
                    state,
                    self._company_of(lead)._lead_tz(),
                ),
                country,
                state,
            )
        return places

    @api.model
    def _opted_out(self, leads):
        """:return: {lead id: "unsubscribed" or "blacklisted"}"""
        by_email = defaultdict(list)
        for lead in leads:
            if lead.email_normalized:
                by_email[lead.email_normalized].append(lead.id)
        # sudo: who is blacklisted is no secret here
        listed = (
            self.env["mail.blacklist"].sudo().search([("email", "in", list(by_email))])
            if by_email
            else ()
        )
        return {
            lead_id: "unsubscribed" if entry.opt_out_reason_id else "blacklisted"
            for entry in listed
            for lead_id in by_email[entry.email]
        }

    @api.model
    def _consent_settings(self):
        """What consent is asked for, each by the settings of a company with this
        prefix: its purposes, and whether it is needed."""
        return ["lead_nurture"]

    @api.model
    def _consents_by_purpose(self, leads):
        return {what: self._consents(leads, what) for what in self._consent_settings()}

    @api.model
    def _consents(self, leads, what):
        """:return: {lead id: whether the newest consent was given}; each company asks
        for its own purposes, and for what was said to itself"""
        self.env["lead.consent"].flush_model()
        leads.flush_recordset(["email_normalized"])
        found = {}
        for company, some in leads.grouped(self._company_of).items():
            purposes = (company[f"{what}_purposes"] or "").split(",")
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT ON (lead.id) lead.id, consent.granted
                      FROM crm_lead AS lead
                      JOIN lead_consent AS consent
                        ON consent.lead_id = lead.id
                        OR (consent.email_normalized = lead.email_normalized
                            AND COALESCE(consent.company_id, %(company)s)
                                = %(company)s)
                     WHERE lead.id = ANY(%(leads)s)
                       AND lower(consent.purpose) = ANY(%(purposes)s)
                     ORDER BY lead.id, consent.at DESC, consent.id DESC
                    """,
                    company=company.id,
                    leads=some.ids,
                    purposes=[purpose.strip().lower() for purpose in purposes],
                )
            )
            found.update({lead_id: bool(granted) for lead_id, granted in rows})
        return found

    @api.model
    def _sent_lately(self, leads, now):
        """:return: {lead id: times of what it got in the last week, in order}"""
        self.env["lead.nurture.touch"].flush_model()
        sent = defaultdict(list)
        for lead_id, at in self.env.execute_query(
            SQL(
                """
                SELECT lead_id, COALESCE(sent_at, at) FROM lead_nurture_touch
                 -- it may have waited before it went out
                 WHERE message AND lead_id = ANY(%s) AND at > %s AND state = ANY(%s)
                 ORDER BY 2
                """,
                leads.ids,
                now - WEEK - timedelta(days=7),
                list(COUNTED),
            )
        ):
            sent[lead_id].append(at)
        return dict(sent)

    @api.model
    def _bounced(self, leads):
        """:return: ids of leads to whose address of today a touch bounced"""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT lead.id FROM lead_nurture_touch AS touch
                  JOIN crm_lead AS lead ON lead.id = touch.lead_id
                  JOIN mailing_trace AS trace ON trace.id = touch.trace_id
                 WHERE touch.message AND touch.lead_id = ANY(%s)
                   AND touch.bounced_at IS NOT NULL
                   AND trace.email = lead.email_normalized
                """,
                leads.ids,
            )
        )
        return {row[0] for row in rows}

    @api.model
    def _history(self, enrolments):
        """What these journeys had so far, by the keys of stages."""
        touches = self.env["lead.nurture.touch"].search(
            [("enrolment_id", "in", enrolments.ids)]
        )
        had = {(one.enrolment_id.id, one.stage_id.key): one for one in touches}
        return {"parents": had, "had": set(had)}

    @api.model
    def _user_for(self, enrolment):
        """Who gets the activities of a lead: its salesperson, or the one before, or who
        is responsible for the track."""
        users = (
            enrolment.lead_id.user_id,
            enrolment.previous_user_id,
            enrolment.track_id.user_id,
        )
        return next((user for user in users if user.active), users[0].browse())
