# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from ...engine.matching import LOST, OPEN, WON, Known, Person, PersonIndex, lock_number


class LeadCapture(models.AbstractModel):
    """Whose leads are there already; one caller at a time for each person."""

    _inherit = "lead.capture"

    # ------------------------------------------------------------
    # LOCKS
    # ------------------------------------------------------------

    @api.model
    def _lock(self, entries):
        """Wait for callers with the same people; fail if one of them was faster."""
        by_company = {}
        for entry in entries:
            keys = entry.person.keys()
            if not keys or entry.status:
                keys = [f"item:{entry.item.channel}:{entry.item.external_id}"]
            by_company.setdefault(entry.channel.company_id, set()).update(keys)
        self._advisory_lock(
            lock_number(company.id, key)
            for company, keys in by_company.items()
            for key in keys
        )
        emails = [entry.person.email for entry in entries if entry.person.email]
        phones = [entry.person.phone for entry in entries if entry.person.phone]
        self._check_fresh(
            "lead_submission",
            [("external_id", [entry.item.external_id for entry in entries])],
        )
        self._check_fresh(
            "crm_lead",
            [('email_normalized COLLATE "C"', emails), ("phone_sanitized", phones)],
        )

    @api.model
    def _advisory_lock(self, numbers):
        """Transaction locks, in one order for all, so that nobody waits in a circle."""
        self.env.cr.execute(
            "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) number",
            [sorted(set(numbers))],
        )

    @api.model
    def _lock_and_refresh(self, keys, table, columns):
        """Lock keys, then make sure we see what an earlier holder committed.

        :param columns: see ``_check_fresh``
        :raises ConcurrencyError: somebody committed such a row after our snapshot
        """
        self._advisory_lock(lock_number(0, key) for key in keys)
        self._check_fresh(table, columns)

    @api.model
    def _check_fresh(self, table, columns):
        """Odoo's transactions are repeatable reads: after waiting for a lock we still
        see the database as it was before. So look with a second cursor, and start
        over when somebody committed what we can't see.

        :param columns: [(column or expression, values)]; any one of them counts
        """
        conditions = [
            SQL("%s = ANY(%s)", SQL(expression), list(values))  # ours, no input
            for expression, values in columns
            if values
        ]
        if not conditions or not self.env.registry.ready:
            return  # not ready: being installed, with demo data; nobody else is here
        query = SQL(
            "SELECT id FROM %s WHERE %s",
            SQL.identifier(table),
            SQL(" OR ").join(conditions),
        )
        with self.env.registry.cursor() as fresh:
            fresh.execute(query)
            committed = {row[0] for row in fresh.fetchall()}
        if not committed:
            return
        self.env.flush_all()
        self.env.cr.execute(query)
        if committed - {row[0] for row in self.env.cr.fetchall()}:
            raise ConcurrencyError(f"{table}: another transaction was faster")

    # ------------------------------------------------------------
    # MATCHING
    # ------------------------------------------------------------

    @api.model
    def _match(self, entries):
        by_company = {}
        for entry in entries:
            by_company.setdefault(entry.channel.company_id, []).append(entry)
        for company, company_entries in by_company.items():
            index = self._person_index(
                company, [entry.person for entry in company_entries]
            )
            for entry in company_entries:
                known = index.match(entry.person)
                if known and known.state == LOST and company.lead_lost_policy == "new":
                    entry.previous_lead_id = known.ref
                    known = None
                if known:
                    entry.status, entry.known = "matched", known
                    if known.state == LOST:  # restored, so open from here on
                        index.add(Known(known.ref, known.person, OPEN, known.rank))
                else:
                    entry.status = "created"
                    # new leads are newer than any id
                    index.add(Known(entry, entry.person, OPEN, 2**62))

    @api.model
    def _person_index(self, company, persons):
        """The leads of these people: one query for all."""
        index = PersonIndex()
        emails = list({person.email for person in persons if person.email})
        phones = list({person.phone for person in persons if person.phone})
        if not emails and not phones:
            return index
        lead = self.env["crm.lead"]
        lead.flush_model(
            ["email_normalized", "phone_sanitized", "contact_name", "active"]
        )
        lead.flush_model(["won_status", "company_id"])
        # plain SQL: one row per lead without loading records; UNION keeps both
        # indexes in use where OR would not
        self.env.cr.execute(
            """
            WITH candidate AS (
                SELECT id FROM crm_lead
                 WHERE email_normalized COLLATE "C" = ANY(%(emails)s)
                UNION
                SELECT id FROM crm_lead WHERE phone_sanitized = ANY(%(phones)s)
            )
            SELECT id, COALESCE(email_normalized, ''), COALESCE(phone_sanitized, ''),
                   COALESCE(contact_name, ''), active, won_status
              FROM crm_lead JOIN candidate USING (id)
             WHERE company_id = %(company)s OR company_id IS NULL
            """,
            {"emails": emails, "phones": phones, "company": company.id},
        )
        for lead_id, email, phone, name, active, won_status in self.env.cr.fetchall():
            if won_status == "won":
                state = WON
            else:
                state = OPEN if active and won_status == "pending" else LOST
            index.add(Known(lead_id, Person(email, phone, name), state, lead_id))
        return index
