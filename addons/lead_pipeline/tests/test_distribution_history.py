# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError

from .common import NOW
from .common_distribution import DistributionCase

START = datetime.fromisoformat(NOW)


@freeze_time(NOW)
class TestDistributionHistory(DistributionCase):
    """What decides who gets leads is kept when it changes, and shown to managers."""

    switched_on = True

    def history(self, record):
        self.env.flush_all()
        name = "sla_policy_id" if record._name == "lead.sla.policy" else "member_id"
        history = self.env["lead.distribution.history"].with_user(self.manager)
        return history.search([(name, "=", record.id)])

    def later(self, minutes, record, vals):
        with freeze_time(START + timedelta(minutes=minutes)):
            record.with_user(self.manager).write(vals)
        return self.history(record)[0]

    def test_each_change_is_kept_once_and_told(self):
        member = self.member(self.salesman)
        [first] = self.history(member)
        self.assertEqual(first.description, "Active, Weight 1")
        self.assertEqual(first.pool_id, self.pool)
        wind = self.env["lead.skill"].create({"name": "Wind"})
        told = [
            self.later(nth, member, vals).description
            for nth, vals in enumerate(
                (
                    {"weight": 3, "per_month": 30},
                    {"weight": 3, "sequence": 4},  # nothing that counts
                    {"per_month": 0},
                    {"skill_ids": [(6, 0, wind.ids)]},
                    {"skill_ids": [(5,)]},
                    {"paused": True},
                    {"paused": False},
                    {"paused_until": "2026-11-21 08:00:00"},
                    {"active": False},
                ),
                1,
            )
        ]
        self.assertEqual(
            told,
            [
                "Weight 1 → 3, Per Month – → 30",
                "Weight 1 → 3, Per Month – → 30",
                "Per Month 30 → –",
                "Skills: Wind",
                "Skills: –",
                "Paused: yes",
                "Paused: no",
                "Paused Until 11/21/2026 08:00:00 AM",
                "Archived",
            ],
        )
        self.assertEqual(self.history(member).create_uid, self.manager + self.env.user)
        self.assertEqual(len(self.history(member)), 9)

    def test_an_sla(self):
        [first] = self.history(self.sla)
        self.assertIn("First Touch Within 60", first.description)
        last = self.later(1, self.sla, {"first_touch_minutes": 30, "reassign": False})
        self.assertEqual(
            last.description, "First Touch Within 60 → 30, Give to Somebody Else: no"
        )
        self.later(2, self.sla, {"name": "Within half an hour"})
        self.assertEqual(self.history(self.sla)[0], last)

    def test_a_pool_and_an_sla_show_theirs(self):
        for record, number in ((self.pool, 2), (self.sla, 1)):
            action = record.with_user(self.manager).action_view_changes()
            history = self.env[action["res_model"]].with_user(self.manager)
            self.assertEqual(history.search_count(action["domain"]), number)

    def test_hours_and_people_that_change_elsewhere(self):
        """Nobody writes to the pool then: the sweep sees it, and sees it once."""
        member = self.member(self.salesman)
        self.sweep()
        self.assertEqual(len(self.history(member)), 1)
        self.company.resource_calendar_id.tz = "Asia/Ho_Chi_Minh"
        for _twice in range(2):
            self.sweep()
            self.assertEqual(
                self.history(member).mapped("description")[0], "Working Hours"
            )
            self.assertEqual(len(self.history(member)), 2)
        self.salesman.active = False
        self.sweep()
        self.assertEqual(self.history(member)[0].description, "Archived")

    def test_many_members_cost_no_more_than_two(self):
        self.env["lead.pool.member"].search([])._keep_history()

        def cost(number):
            users = [
                self._new_user(f"{number}_{nth}", "sales_team.group_sale_salesman")
                for nth in range(number)
            ]
            pool = self._new_pool(f"Of {number}", self.env["res.users"].union(*users))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            pool.member_ids.per_day = 7
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        self.assertEqual(cost(12), cost(2))

    # ------------------------------------------------------------
    # WHO
    # ------------------------------------------------------------

    def refuses(self, action, *args):
        with self.assertRaises(AccessError), self.cr.savepoint():
            action(*args)
            self.env.flush_all()

    def test_who_sees_it(self):
        row = self.history(self.member(self.salesman))
        self.assertTrue(row.with_user(self.manager).description)
        for user in (self.salesman, self.connector):
            self.refuses(row.with_user(user).read, ["settings"])
        theirs = self._new_user("abroad", "sales_team.group_sale_manager")
        theirs.write(
            {
                "company_ids": [(6, 0, self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        self.sla.company_id = self.company
        for record in (row, self.history(self.sla)):
            self.refuses(record.with_user(theirs).read, ["settings"])
        # of no company: everybody's
        self.pool.company_id = False
        self.assertTrue(row.with_user(theirs).read(["settings"]))

    def test_nobody_writes_it(self):
        row = self.history(self.member(self.salesman))
        for user in (self.salesman, self.manager):
            self.refuses(row.with_user(user).write, {"settings": {}})
            self.refuses(row.with_user(user).unlink)
            vals = {"at": NOW, "member_id": row.member_id.id, "settings": {}}
            self.refuses(row.with_user(user).create, vals)
