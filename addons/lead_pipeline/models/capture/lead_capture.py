# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
from dataclasses import dataclass, field
from typing import Any

from psycopg2 import IntegrityError, OperationalError

from odoo import api, models
from odoo.exceptions import AccessError, ConcurrencyError
from odoo.tools import email_normalize

from ...engine.item import Item
from ...engine.matching import LOST, Known, Person
from ...tools import gc_paused
from .lead_lookup import Lookup

_logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Entry:
    """One item on its way through a capture."""

    item: Item
    channel: Any  # lead.channel, maybe empty
    person: Person = field(default_factory=Person)
    phone_shown: str = ""  # the person's phone, grouped for reading
    status: str = ""  # as ingest answers it; "" while undecided
    reason: str = ""
    submission: Any = None  # an existing lead.submission (replay), or the new one
    submission_id: int | bool = False
    lead_id: int | bool = False
    known: Known | None = None  # the lead it belongs to
    previous_lead_id: int | bool = False  # a lost lead that stays lost
    lead_vals: dict | None = None  # of a lead to be made here
    told: bool = False  # its door tells the owner

    def key(self):
        """What makes it unique; the row of an unknown channel is known by code."""
        return self.channel.id or self.item.channel, self.item.external_id

    def result(self) -> dict:
        return {
            "channel": self.item.channel,
            "external_id": self.item.external_id,
            "status": self.status,
            "submission_id": self.submission_id or False,
            "lead_id": self.lead_id or False,
            "reason": self.reason or False,
        }


class LeadCapture(models.AbstractModel):
    """The way of an item from the door to its lead, for all doors: RPC, mail,
    website, phone entry and replay. Set-wise; runs in superuser mode."""

    _name = "lead.capture"
    _description = "Lead Capture"

    # ------------------------------------------------------------
    # ACCESS
    # ------------------------------------------------------------

    @api.model
    def _check_may_ingest(self):
        user = self.env.user
        if not (
            self.env.su
            or user.has_group("lead_pipeline.group_lead_pipeline_connector")
            or user.has_group("lead_pipeline.group_lead_pipeline_manager")
        ):
            raise AccessError(
                self.env._("Only users of the group “Connector” may ingest.")
            )

    @api.model
    def _enter(self):
        """Through the door: checks that the caller may, and goes on as superuser.

        sudo: the connector's user can do nothing but come through this door. What is
        still pending at the end of the transaction is written by the transaction's
        default environment: it must be a superuser's too, for the caller may not even
        read the currency that rounds a revenue.

        :raises AccessError: the caller may not ingest
        """
        self._check_may_ingest()
        capture = self.sudo()
        self.env.transaction.default_env = capture.env
        return capture

    @api.model
    def _check_is_manager(self):
        if not self.env.su and not self.env.user.has_group(
            "lead_pipeline.group_lead_pipeline_manager"
        ):
            raise AccessError(
                self.env._("Only managers of the lead pipeline may do this.")
            )

    # ------------------------------------------------------------
    # THE WAY OF A BATCH
    # ------------------------------------------------------------

    @api.model
    def _capture(self, items):
        """Bring items to their leads.

        :param items: list of engine ``Item``
        :return: list of results as ``ingest`` describes them, in the same order
        :raises ConcurrencyError: another caller was faster; Odoo runs it again
        """
        with gc_paused():
            return self._capture_batch(items)

    @api.model
    def _capture_batch(self, items):
        channels = self.env["lead.channel"]._by_code(item.channel for item in items)
        nothing = self.env["lead.channel"]
        entries = [Entry(item, channels.get(item.channel, nothing)) for item in items]
        self._prepare(entries)
        self._lock(entries)
        # an item that stands twice in one call is a duplicate of its first
        firsts = {}
        for entry in entries:
            firsts.setdefault(entry.key(), entry)
        self._find_existing(list(firsts.values()))
        self._process_safely(
            [entry for entry in firsts.values() if entry.status != "duplicate"]
        )
        for entry in entries:
            first = firsts[entry.key()]
            if entry is not first:
                entry.status = "duplicate"
                entry.submission_id = first.submission_id
                entry.lead_id = first.lead_id
        return [entry.result() for entry in entries]

    @api.model
    def _replay(self, submissions):
        """Process quarantined submissions again; the same results as ``_capture``."""
        channels = self.env["lead.channel"]
        entries = []
        for submission in submissions.sorted(lambda s: (s.received_at, s.id)):
            channel = submission.channel_id or channels
            entry = Entry(submission._to_item(), channel, submission=submission)
            entry.submission_id = submission.id
            entries.append(entry)
        self._prepare(entries)
        self._lock(entries)
        self._process_safely(entries)
        return [entry.result() for entry in entries]

    @api.model
    def _capture_one(self, channel, item, create_lead=None, assignee=None, told=False):
        """Capture for core's own doors (mail, website, phone entry).

        :param create_lead: makes the lead where nobody is known, and tells its
            owner; default: from the item, like ``ingest``
        :param assignee: owner a person chose for a new lead
        :param told: the door itself brings the enquiry to the lead's followers
        :return: an ``Entry`` with status and ids
        """
        entry = Entry(item, channel, told=told)
        self._prepare([entry])
        if create_lead:  # it can make one of anything: nothing to quarantine
            entry.status = entry.reason = ""
        self._lock([entry])
        self._find_existing([entry])
        if entry.status != "duplicate":
            self._process([entry], create_lead=create_lead, assignee=assignee)
        return entry

    # ------------------------------------------------------------
    # STEPS
    # ------------------------------------------------------------

    @api.model
    def _prepare(self, entries):
        """Apply mappings, normalise the person, say what can't be used."""
        for entry in entries:
            if entry.channel.mapping_ids:
                entry.channel.mapping_ids._apply(entry.item)
        lookup = Lookup(self.env, [entry.item for entry in entries])
        for entry in entries:
            item = entry.item
            entry.person, entry.phone_shown = self._read_person(
                item, entry.channel, lookup
            )
            problem = self._problem(entry)
            if problem:
                entry.status, entry.reason = "quarantined", problem
            elif item.test:
                entry.status = "test"

    @api.model
    def _problem(self, entry):
        """Why an item needs a person's eyes, in words; "" if it does not."""
        item = entry.item
        if item.problem == "not_an_object":
            return self.env._("It is no object, but some other JSON.")
        if item.problem == "no_external_id":
            return self.env._("It has no external id.")
        if item.problem == "no_channel":
            return self.env._("It names no channel.")
        if not entry.channel:
            return self.env._(
                "There is no channel with the code “%(code)s”.", code=item.channel
            )
        if item.test or entry.person.email or entry.person.phone:
            return ""
        if sum(char.isdigit() for char in item.contact.get("phone", "")) >= 5:
            return ""  # a person may still be able to call it
        if item.contact.get("email"):
            return self.env._("Its email address can't be used, and it has no phone.")
        return self.env._("It has neither an email address nor a phone number.")

    @api.model
    def _person(self, item, channel, lookup):
        """Who an item is from; see ``_read_person``."""
        return self._read_person(item, channel, lookup)[0]

    @api.model
    def _read_person(self, item, channel, lookup):
        """Who an item is from. The phone is read in the item's own country, else the
        channel's, else the company's.

        :return: (Person, the phone as people read it or "")
        """
        country = (
            lookup.country(item.contact.get("country"))
            or channel.country_id
            or channel.company_id.country_id
            or self.env.company.country_id
        )
        phone = item.contact.get("phone")
        shown = ""
        if phone:
            shown = (
                self.env["crm.lead"]._phone_format_number(
                    phone, country, force_format="INTERNATIONAL"
                )
                or ""
            )
        person = Person(
            email=email_normalize(item.contact.get("email") or "") or "",
            # parsing a number is slow: E.164 is the same without the grouping
            phone="".join(
                char for char in shown.split(" ext")[0] if char in "+0123456789"
            ),
            name=item.person_name(),
        )
        return person, shown

    @api.model
    def _find_existing(self, entries):
        """Mark what came before: a duplicate answers with the same ids."""
        if not entries:
            return
        found = {}
        for submission in self.env["lead.submission"].search(
            [
                ("external_id", "in", [entry.item.external_id for entry in entries]),
                "|",
                ("channel_id", "in", [entry.channel.id for entry in entries]),
                ("channel_code", "in", [entry.item.channel for entry in entries]),
            ]
        ):
            key = submission.channel_id.id or submission.channel_code or ""
            found[key, submission.external_id] = submission
        for entry in entries:
            submission = found.get(entry.key())
            if submission:
                entry.status, entry.reason = "duplicate", ""
                entry.submission_id = submission.id
                entry.lead_id = submission.lead_id.id

    @api.model
    def _process_safely(self, entries):
        """Process a batch; if it fails, one by one: only the bad one suffers."""
        if not entries:
            return
        snapshot = [(entry.status, entry.reason) for entry in entries]
        try:
            with self.env.cr.savepoint():
                self._process(entries)
            return
        except (OperationalError, ConcurrencyError):
            raise  # nothing is wrong with the items: run the call again
        except Exception as error:
            if len(entries) == 1:
                self._quarantine_failed(entries[0], error)
                return
            _logger.warning(
                "capture: a batch of %s failed with %s, trying one by one",
                len(entries),
                type(error).__name__,
            )
        self.env.invalidate_all(flush=False)
        for entry, (status, reason) in zip(entries, snapshot, strict=True):
            entry.status, entry.reason = status, reason
            entry.known = entry.lead_vals = None
            entry.lead_id = entry.previous_lead_id = False
            self._process_safely([entry])

    @api.model
    def _quarantine_failed(self, entry, error):
        """Keep an item whose processing failed. The text of the error stays in the
        log: it may hold anything."""
        if isinstance(error, IntegrityError):
            # our own uniqueness: another caller took the same item just now
            raise ConcurrencyError(str(error.pgcode)) from error
        _logger.exception(
            "capture: item %s of channel %s quarantined",
            entry.item.external_id,
            entry.item.channel,
        )
        self.env.invalidate_all(flush=False)
        entry.status = "quarantined"
        entry.lead_id = entry.previous_lead_id = False
        entry.known = entry.lead_vals = None
        entry.reason = self.env._(
            "An error inside (%(error)s); the server's log has the details.",
            error=type(error).__name__,
        )
        with self.env.cr.savepoint():
            self.env["lead.capture.rows"]._write_submissions([entry])

    @api.model
    def _process(self, entries, create_lead=None, assignee=None):
        """Match, make or fill leads, and write down what came."""
        entries_of_leads = [entry for entry in entries if not entry.status]
        leads = self.env["lead.capture.leads"]
        rows = self.env["lead.capture.rows"]
        self._match(entries_of_leads)
        utm = rows._utm_ids([entry.item for entry in entries_of_leads])
        lookup = Lookup(self.env, [entry.item for entry in entries_of_leads])
        leads._restore(
            {
                entry.known.ref
                for entry in entries_of_leads
                if entry.known and entry.known.state == LOST
            }
        )
        leads._create(entries_of_leads, lookup, utm, create_lead, assignee)
        rows._write_submissions(entries)
        rows._write_consents(entries)
        touchpoints = rows._write_touchpoints(entries_of_leads, utm)
        leads._fill(
            [entry for entry in entries_of_leads if entry.status == "matched"], lookup
        )
        self.env["lead.answer"]._remember(
            [(entry.lead_id, entry.item.answers) for entry in entries_of_leads]
        )
        self.env["lead.scoring"]._rescore(touchpoints.lead_id, touchpoints=touchpoints)
        leads._tell(entries_of_leads, self._distribute(entries_of_leads))

    @api.model
    def _distribute(self, entries):
        """Give leads without an owner to people, and keep it where one was chosen.

        :return: ids of the leads that have got somebody just now
        """
        Lead = self.env["crm.lead"]
        service = self.env["lead.distribution"]
        if not service._is_on():
            return ()
        made = {entry.lead_id for entry in entries if entry.status == "created"}
        given = Lead.browse(made)._distribute_new()
        known = Lead.browse({entry.lead_id for entry in entries} - made)
        free = known.filtered(lambda lead: not lead.user_id)
        return (given | service._distribute(free, "ready")).ids
