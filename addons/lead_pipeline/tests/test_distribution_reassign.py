# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError

from .common import NOW
from .common_distribution import DistributionCase


@freeze_time(NOW)
class TestDistributionReassign(DistributionCase):
    """Leads of somebody who leaves, and what waits."""

    switched_on = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.third = cls._new_user("third", "sales_team.group_sale_salesman")
        cls.pool.member_ids = [(0, 0, {"user_id": cls.third.id, "sequence": 9})]

    def wizard(self, **vals):
        vals = {"user_id": self.salesman.id, **vals}
        return self.env["lead.reassign"].with_user(self.manager).create(vals)

    def leave(self):
        """Nine leads, three of them the salesman's; the wizard for those."""
        leads = self.new_leads(9)
        mine = leads.filtered(lambda lead: lead.user_id == self.salesman)
        self.assertEqual(len(mine), 3)
        return mine, self.wizard()

    def people(self, wizard):
        return {one["id"]: one["count"] for one in wizard.preview["people"]}

    def test_the_preview_is_what_happens(self):
        leads, wizard = self.leave()
        decided = self.env["lead.assignment"].search_count([])
        said = self.people(wizard)
        self.assertEqual(wizard.lead_count, 3)
        self.assertEqual(sum(said.values()), 3)
        self.assertNotIn(self.salesman.id, said)
        self.assertEqual(wizard.preview["people"][0]["open"], 3)
        self.assertEqual(leads.user_id, self.salesman, "nothing is written")
        self.assertEqual(self.env["lead.assignment"].search_count([]), decided)
        wizard.action_reassign()
        self.assertEqual(Counter(lead.user_id.id for lead in leads), said)
        self.assertEqual(set(leads.assignment_id.mapped("event")), {"reassigned"})
        self.assertEqual(leads.assignment_id.decided_by_id, self.manager)
        self.assertEqual(leads.assignment_id.previous_user_id, self.salesman)

    def test_who_leaves_gets_no_more(self):
        _leads, wizard = self.leave()
        wizard.action_reassign()
        self.assertFalse(self.member(self.salesman).active)
        self.assertNotIn(self.salesman, self.new_leads(6).user_id)

    def test_who_stays_keeps_their_turns(self):
        _leads, wizard = self.leave()
        wizard.leave = False
        wizard.action_reassign()
        self.assertTrue(self.member(self.salesman).active)

    def test_what_nobody_can_get_waits_or_stays(self):
        leads, wizard = self.leave()
        (self.member(self.colleague) + self.member(self.third)).paused = True
        wizard = self.wizard()
        self.assertEqual(
            wizard.preview,
            {"people": [], "nobody": [{"reason": "Everybody fit is away", "count": 3}]},
        )
        wizard.keep = True
        wizard.action_reassign()
        self.assertEqual(leads.user_id, self.salesman)
        wizard.keep = False
        wizard.action_reassign()
        self.assertFalse(leads.user_id)
        self.assertEqual(set(leads.mapped("waiting_reason")), {"away"})

    def test_to_one_person_with_one_message(self):
        leads, _wizard = self.leave()
        told = self.notified(self.third)
        wizard = self.wizard(to="user", to_user_id=self.third.id)
        self.assertEqual(self.people(wizard), {self.third.id: 3})
        wizard.action_reassign()
        self.assertEqual(leads.user_id, self.third)
        self.assertEqual(set(leads.assignment_id.mapped("event")), {"by_hand"})
        self.assertEqual(self.notified(self.third), told + 1)

    def test_closed_leads_stay(self):
        leads, wizard = self.leave()
        leads[0].action_set_lost()
        self.env.invalidate_all()
        self.assertEqual(self.wizard().lead_count, 2)
        wizard.action_reassign()
        self.assertEqual(leads[0].user_id, self.salesman)

    def test_what_they_had_planned_goes_along(self):
        leads, wizard = self.leave()
        mine = leads[0].activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.salesman.id
        )
        managers = leads[0].activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.manager.id
        )
        wizard.action_reassign()
        self.assertEqual(mine.user_id, leads[0].user_id)
        self.assertNotEqual(mine.user_id, self.salesman)
        self.assertEqual(managers.user_id, self.manager)

    def test_some_leads_of_a_list(self):
        leads = self.new_leads(6)
        wizard = (
            self.env["lead.reassign"]
            .with_user(self.manager)
            .with_context(active_model="crm.lead", active_ids=leads[:2].ids)
            .create({})
        )
        owners = [lead.user_id for lead in leads]
        wizard.action_reassign()
        for lead, owner in zip(leads[:2], owners, strict=False):
            self.assertNotEqual(lead.user_id, owner)
        self.assertEqual([lead.user_id for lead in leads[2:]], owners[2:])

    def test_nothing_to_give(self):
        with self.assertRaises(UserError):
            self.wizard().action_reassign()
        self.leave()
        self.switch(False)
        with self.assertRaises(UserError):
            self.wizard().action_reassign()

    def test_managers_only(self):
        with self.assertRaises(AccessError):
            self.env["lead.reassign"].with_user(self.salesman).create({})

    def test_ask_again(self):
        self.pool.member_ids.paused = True
        leads = self.new_leads(2)
        action = self.env.ref("lead_pipeline.crm_lead_unassigned_action")
        listed = (
            self.env["crm.lead"]
            .with_user(self.manager)
            .search([("user_id", "=", False), ("waiting_since", "!=", False)])
        )
        self.assertLessEqual(leads, listed)
        self.assertTrue(action.view_id)
        self.pool.member_ids.paused = False
        result = leads.with_user(self.manager).action_distribute_again()
        self.assertIn("2 of 2", result["params"]["message"])
        self.assertTrue(all(lead.user_id for lead in leads))
        self.assertFalse(any(leads.mapped("waiting_since")))
        self.switch(False)
        with self.assertRaises(UserError):
            leads.with_user(self.manager).action_distribute_again()
