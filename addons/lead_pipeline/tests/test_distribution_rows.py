# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tools import mute_logger

from .common import NOW
from .common_distribution import DistributionCase

START = datetime.fromisoformat(NOW)


@freeze_time(NOW)
class TestDistributionRows(DistributionCase):
    """Rules, pools, members, policies and assignments as rows: who may do what."""

    def assignment(self, lead, **vals):
        vals = {"event": "created", "reason": "turn", "at": START, **vals}
        return self.env["lead.assignment"].create({"lead_id": lead.id, **vals})

    def lead(self, **vals):
        vals = {"name": "Amira Haddad", "user_id": False, **vals}
        return self.env["crm.lead"].create({"company_id": self.company.id, **vals})

    def test_manager_sets_up(self):
        env = self.env(user=self.manager)
        skill = env["lead.skill"].create({"name": "Solar"})
        pool = env["lead.pool"].create(
            {
                "name": "Solar",
                "member_ids": [
                    (0, 0, {"user_id": self.salesman.id, "skill_ids": skill.ids})
                ],
            }
        )
        rule = env["lead.distribution.rule"].create(
            {
                "name": "From Egypt",
                "pool_id": pool.id,
                "domain": "[('country_id.code', '=', 'EG')]",
            }
        )
        self.assertFalse(rule.is_catch_all)
        self.assertTrue(self.rule.is_catch_all)
        self.assertEqual(pool.member_ids.weight, 1)
        self.assertFalse(pool.clock)

    def test_salespeople_read_and_write_nothing(self):
        for record in (self.rule, self.pool, self.pool.member_ids, self.sla):
            record.with_user(self.salesman).read()
            with self.assertRaises(AccessError):
                record.with_user(self.salesman).write({"active": False})

    def test_salespeople_read_their_assignments(self):
        """Also those of leads that went on; never those of others' leads."""
        lead = self.lead(user_id=self.colleague.id)
        mine = self.assignment(lead, user_id=self.salesman.id)
        theirs = self.assignment(lead, user_id=self.colleague.id)
        waiting = self.assignment(self.lead(), reason="away")
        env = self.env(user=self.salesman)
        found = env["lead.assignment"].search(
            [("id", "in", (mine + theirs + waiting).ids)]
        )
        self.assertEqual(found, mine + waiting)
        with self.assertRaises(AccessError):
            mine.with_user(self.manager).write({"reason": "only"})
        with self.assertRaises(AccessError):
            mine.with_user(self.manager).unlink()

    def test_other_companies_are_not_seen(self):
        self.env["lead.pool"].create(
            {"name": "Paris", "company_id": self.other_company.id}
        )
        pools = self.env(user=self.manager)["lead.pool"].search([])
        self.assertNotIn("Paris", pools.mapped("name"))

    def test_a_ledger_that_never_took_a_turn_is_null(self):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT turns, turn_start, turn_left FROM lead_pool_member WHERE id = %s",
            self.member(self.salesman).ids,
        )
        self.assertEqual(self.env.cr.fetchone()[1:], (None, None))

    @mute_logger("odoo.sql_db")
    def test_nobody_is_twice_in_a_pool(self):
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._add(self.pool, self.salesman)

    def _add(self, pool, user):
        self.env["lead.pool.member"].create({"pool_id": pool.id, "user_id": user.id})
        self.env.flush_all()

    def test_members_work_for_the_company(self):
        stranger = self.env["lead.pool"].create(
            {"name": "Paris", "company_id": self.other_company.id}
        )
        with self.assertRaises(ValidationError):
            self._add(stranger, self.salesman)

    def test_a_domain_that_does_not_work_is_refused(self):
        for domain in ("[('no_such_field', '=', 1)]", "nonsense"):
            with self.assertRaises(ValidationError):
                self.rule.domain = domain

    def test_captured_when_made(self):
        self.assertEqual(self.lead().date_captured, START)

    def test_leads_of_an_older_database_were_captured_when_made(self):
        lead = self.lead()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = '2025-03-01 08:00:00',"
            " date_captured = NULL WHERE id = %s",
            lead.ids,
        )
        lead._init_column("date_captured")
        lead.invalidate_recordset()
        self.assertEqual(lead.date_captured, datetime(2025, 3, 1, 8))
