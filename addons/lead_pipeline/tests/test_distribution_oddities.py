# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import mute_logger

from .common import NOW
from .common_distribution import DistributionCase

START = datetime.fromisoformat(NOW)


@freeze_time(NOW)
class TestDistributionOddities(DistributionCase):
    """What managers do that nobody thought of: leads still go to somebody."""

    switched_on = True

    def test_an_archived_pool_with_people_of_another(self):
        """A rule still sends leads there: they wait, the others go on."""
        other = self._new_pool("Berlin", self.salesman + self.colleague)
        conditions = "[('color', '=', 3)]"
        self._new_rule("Red", pool_id=other.id, sequence=1, domain=conditions)
        other.active = False
        leads = self.new_leads(2) + self.new_leads(1, color=3)
        self.assertEqual(len(leads[:2].user_id), 2)
        self.assertEqual(leads[2].waiting_reason, "nobody")
        self.env["crm.lead"].create(
            [
                {"name": "Lena", "user_id": False, "color": color}
                for color in (0, 3, 0, 3)
            ]
        )
        self.assertEqual(
            self.env["crm.lead"].search_count(
                [("name", "=", "Lena"), ("user_id", "!=", False)]
            ),
            2,
        )

    def test_conditions_of_a_field_that_is_another_one_now(self):
        rule = self._new_rule("Odd", sequence=1)
        self.env.cr.execute(
            "UPDATE lead_distribution_rule SET domain = %s WHERE id = %s",
            ["[('stage_id', 'any', 3)]", rule.id],
        )
        rule.invalidate_recordset()
        with mute_logger(
            "odoo.addons.lead_pipeline.models.distribution.lead_distribution",
            "odoo.addons.lead_pipeline.models.distribution.lead_distribution_take",
        ):
            lead = self.new_leads(1)
            self.assertEqual(lead.assignment_id.rule_id, self.rule)
            # trying it out says that it takes nothing
            attempt = self.env["lead.distribution.try"].with_user(self.manager)
            attempt = attempt.create({"rule_id": rule.id, "lead_id": lead.id})
            self.assertFalse(attempt.takes)
            self.assertEqual(attempt.first_rule_id, self.rule)
            # nor does it keep anybody from taking one
            members = self.pool.member_ids
            self.assertTrue(self.env["lead.distribution"]._for_members(members))

    def test_who_sells_no_longer_gets_nothing(self):
        for group in ("base.group_user", "base.group_portal"):
            with self.subTest(group):
                group = self.env.ref(group)
                self.salesman.write({"group_ids": [(6, 0, group.ids)]})
                self.assertEqual(self.new_leads(2).user_id, self.colleague)
        group = self.env.ref("sales_team.group_sale_salesman")
        self.salesman.write({"group_ids": [(6, 0, group.ids)]})
        self.assertEqual(len(self.new_leads(2).user_id), 2)

    # ------------------------------------------------------------
    # MEMBERS
    # ------------------------------------------------------------

    def test_limits_hold_in_a_pool_somebody_joins(self):
        self.member(self.salesman).per_day = 2
        self.new_leads(4)
        other = self._new_pool("Berlin", self.salesman)
        member = self.member(self.salesman, other)
        self.assertEqual((member.load_today, member.load_month), (2, 2))
        member.per_day = 2
        self.rule.pool_id = other
        self.assertEqual(self.new_leads(1).waiting_reason, "capped")

    def test_limits_hold_for_who_comes_back(self):
        other = self._new_pool("Berlin", self.salesman)
        member = self.member(self.salesman, other)
        member.write({"active": False, "per_day": 2})
        self.new_leads(4)
        member.active = True
        self.rule.pool_id = other
        self.assertEqual(self.new_leads(1).waiting_reason, "capped")

    def test_limits_hold_in_a_pool_that_comes_back(self):
        other = self._new_pool("Berlin", self.salesman)
        self.member(self.salesman, other).per_day = 2
        other.active = False
        self.new_leads(4)
        other.active = True
        self.rule.pool_id = other
        self.assertEqual(self.new_leads(1).waiting_reason, "capped")

    def test_another_pool_is_another_clock(self):
        self.new_leads(20)
        young = self._new_pool("Berlin", self.colleague)
        vals = {"pool_id": self.pool.id, "user_id": self.manager.id}
        late = self.env["lead.pool.member"].create(vals)
        self.assertEqual(self.new_leads(1).user_id, self.salesman)
        late.pool_id = young
        self.rule.pool_id = young
        leads = self.new_leads(10).grouped("user_id")
        self.assertEqual({len(theirs) for theirs in leads.values()}, {5})

    def test_who_got_leads_stays_who_they_are(self):
        self.new_leads(2)
        young = self._new_pool("Berlin", self.manager)
        member = self.member(self.salesman)
        for vals in ({"pool_id": young.id}, {"user_id": self.manager.id}):
            with self.assertRaises(UserError):
                member.write(vals)
        member.write({"pool_id": self.pool.id, "user_id": self.salesman.id})

    def test_a_weight_as_scripts_bring_it(self):
        member = self.member(self.salesman)
        self.new_leads(3)
        owed = self.pool.ledger()["members"][0]["owed"]
        member.write({"weight": "3"})
        self.assertEqual(member.weight, 3)
        self.assertEqual(self.pool.ledger()["members"][0]["owed"], owed)

    def test_a_turn_is_given_back_once(self):
        """A lead that could not go on stays, and may be rejected again."""
        spam = self.env["lead.reject.reason"].search([("gives_turn_back", "=", True)])
        lead = self.new_leads(1)
        owed = []
        for _twice in range(2):
            with patch.object(type(self.env["lead.distribution"]), "_distribute"):
                lead.with_user(lead.user_id)._reject(spam[:1])
            owed.append(self.pool.ledger()["members"][0]["owed"])
        self.assertEqual(owed, [0, 0])

    # ------------------------------------------------------------
    # CLOCKS
    # ------------------------------------------------------------

    def watch(self):
        """The job, when everything is over."""
        with freeze_time(START + timedelta(days=3)):
            self.env["lead.assignment"]._watch_some(
                [("sla_next_at", "<=", fields.Datetime.now())], 200
            )

    def test_an_owner_who_will_never_be_back(self):
        """They work for another 50 minutes: the clock has a reminder, and no end."""
        self.env["resource.calendar.leaves"].create(
            {
                "name": "For good",
                "calendar_id": self.company.resource_calendar_id.id,
                "company_id": self.company.id,
                "date_from": START + timedelta(minutes=50),
                "date_to": "2060-01-01 00:00:00",
            }
        )
        lead = self.new_leads(1)
        self.assertTrue(lead.user_id)
        self.assertFalse(lead.sla_due_at)
        self.watch()
        self.assertFalse(lead.assignment_id.sla_next_at)

    def test_the_owner_changed_while_the_rules_rested(self):
        lead = self.new_leads(1)
        first = lead.user_id
        self.switch(False)
        lead.user_id = self.manager
        self.switch(True)
        told = self.notified(first)
        self.watch()
        self.assertEqual(lead.user_id, self.manager)
        self.assertEqual(self.notified(first), told)
        self.assertFalse(self.member(first).missed_count)
