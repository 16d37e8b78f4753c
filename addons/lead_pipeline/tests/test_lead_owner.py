# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from ..engine.ledger import Ledger, owed
from .common import without_selfie
from .common_distribution import DistributionCase

NOW = "2026-11-20 08:00:00"
START = datetime.fromisoformat(NOW)


@freeze_time(NOW)
class TestTakeNext(DistributionCase):
    """The best lead that waits, for somebody with time."""

    switched_on = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool.member_ids.paused = True  # so that leads wait
        cls.env["crm.lead"].search([("user_id", "=", False)]).active = False

    def take(self, user=None):
        """:return: the lead somebody got, or what they were told"""
        user = user or self.salesman
        self.env.flush_all()
        with self.enter_registry_test_mode():
            action = self.env["crm.lead"].with_user(user).action_take_next()
        self.env.invalidate_all()
        if action["type"] == "ir.actions.client":
            return action["params"]["message"]
        return self.env["crm.lead"].browse(action["res_id"])

    def test_the_top_of_the_list(self):
        low, high, late = self.new_leads(3)
        high.priority = "2"
        self.assertEqual(self.take(), high)
        self.assertEqual(high.user_id, self.salesman)
        self.assertEqual(self.take(self.colleague), late)
        self.assertEqual(self.take(), low)
        self.assertIn("No lead waits", self.take())

    def test_it_is_a_decision_with_a_clock(self):
        lead = self.new_leads(1)
        self.take()
        decision = lead.assignment_id
        self.assertEqual((decision.event, decision.reason), ("taken", "by_hand"))
        self.assertEqual(decision.rule_id, self.rule)
        self.assertEqual(decision.member_id, self.member(self.salesman))
        self.assertEqual(decision.told_at, START)
        self.assertEqual(lead.date_told, START)
        self.assertEqual(lead.sla_due_at, START + timedelta(hours=1))
        self.assertFalse(lead.waiting_since)
        self.assertFalse(self.notified(self.salesman))
        self.sweep()
        self.assertFalse(self.notified(self.salesman))

    def test_it_counts_for_the_limits_but_takes_no_turn(self):
        member = self.member(self.salesman)
        member.per_day = 2
        self.new_leads(3)
        self.take()
        self.take()
        self.assertEqual(member.load_today, 2)
        self.assertFalse(member.turns)
        self.assertIn("limits", self.take())

    def test_only_what_a_rule_sends_to_ones_pool(self):
        french = self._new_pool("Paris", self.manager)
        french.member_ids.paused = True
        self._new_rule(
            "From France",
            pool_id=french.id,
            domain="[('country_id.code', '=', 'FR')]",
            sequence=1,
        )
        lead = self.new_leads(1, country_id=self.env.ref("base.fr").id)
        self.assertIn("No lead waits", self.take())
        self.assertEqual(self.take(self.manager), lead)

    def test_only_what_one_is_fit_for(self):
        solar = self.env["lead.skill"].create({"name": "Solar"})
        french = self.env["res.lang"]._activate_lang("fr_FR")
        self.rule.write({"must_skill": True, "must_language": True})
        self.member(self.colleague).skill_ids = solar
        self.member(self.salesman).lang_ids = self.env.ref("base.lang_en")
        lead = self.new_leads(1, skill_ids=solar.ids, lang_id=french.id)
        speaks = self.new_leads(1, lang_id=french.id)
        self.assertIn("No lead waits", self.take())
        self.assertEqual(self.take(self.colleague), speaks)
        self.assertEqual(self.take(self.colleague), lead)

    def test_never_what_one_had(self):
        lead = self.new_leads(1, user_id=self.salesman.id)
        lead.with_user(self.salesman)._reject(self.env["lead.reject.reason"])
        self.assertFalse(lead.user_id)
        self.assertIn("No lead waits", self.take())
        self.assertEqual(self.take(self.colleague), lead)

    def test_other_companies_are_none_of_ones_business(self):
        self.pool.company_id = False
        self.rule.company_id = False
        self.new_leads(1, company_id=self.other_company.id)
        self.assertIn("No lead waits", self.take())

    def test_whoever_is_in_no_pool(self):
        self.new_leads(1)
        self.assertIn("no pool", self.take(self.manager))
        with self.assertRaises(AccessError):
            self.take(new_test_user(self.env, "lead_clerk", groups="base.group_user"))

    def test_without_rules_it_is_any_lead(self):
        self.switch(False)
        lead = self.new_leads(1)
        self.assertEqual(self.take(self.manager), lead)
        self.assertEqual(lead.user_id, self.manager)
        self.assertFalse(lead.assignment_id)


@freeze_time(NOW)
class TestReject(DistributionCase):
    """The owner hands a lead back."""

    switched_on = True

    def reject(self, lead, user=None, note="They want a shop in Lyon"):
        user = user or lead.user_id
        form = Form(
            self.env["lead.reject"]
            .with_user(user)
            .with_context(default_lead_id=lead.id, tracking_disable=False)
        )
        form.reason_id = self.env.ref("lead_pipeline.lead_reject_reason_area")
        form.note = note
        return form.save().action_reject()

    def test_it_goes_on(self):
        lead = self.new_leads(1)
        first = lead.assignment_id
        action = self.reject(lead)
        self.assertEqual(lead.user_id, self.colleague)
        self.assertIn(self.colleague.name, action["params"]["message"])
        self.assertEqual(first.rejected_at, START)
        self.assertEqual(first.reject_note, "They want a shop in Lyon")
        self.assertFalse(first.missed_at)
        decision = lead.assignment_id
        self.assertEqual(decision.event, "rejected")
        self.assertEqual(decision.previous_user_id, self.salesman)
        self.assertEqual(decision.candidates[0]["reason"], "excluded")
        self.assertEqual(lead.sla_due_at, START + timedelta(hours=1))

    def test_until_nobody_is_left(self):
        lead = self.new_leads(1)
        self.reject(lead)
        action = self.reject(lead)
        self.assertFalse(lead.user_id)
        self.assertIn("as soon as", action["params"]["message"])
        self.assertEqual(lead.waiting_reason, "had_it")
        self.assertEqual(lead.sla_state, "none")

    def test_only_ones_own_and_open(self):
        lead = self.new_leads(1)
        self.assertTrue(lead.with_user(self.salesman).can_reject)
        self.assertFalse(lead.with_user(self.manager).can_reject)
        with self.assertRaises(UserError):
            self.reject(lead, self.manager)
        lead.action_set_won()
        with self.assertRaises(UserError):
            self.reject(lead)
        self.switch(False)
        self.assertFalse(self.new_leads(1, user_id=self.env.uid).can_reject)

    def test_reasons_are_counted(self):
        for lead in self.new_leads(2):
            self.reject(lead)
        reason = self.env.ref("lead_pipeline.lead_reject_reason_area")
        before = reason.with_user(self.manager).reject_count
        self.reject(self.new_leads(1))
        reason.invalidate_recordset()
        self.assertEqual(before, 2)
        self.assertEqual(reason.with_user(self.manager).reject_count, 3)

    def owed(self, user):
        """What the pool owes somebody, in leads."""
        self.env.flush_all()
        member = self.member(user)
        self.env.cr.execute(
            "SELECT turns, turn_start, turn_left, clock FROM lead_pool_member AS member"
            " JOIN lead_pool AS pool ON pool.id = pool_id WHERE member.id = %s",
            member.ids,
        )
        *ledger, clock = self.env.cr.fetchone()
        return owed(Ledger(*ledger), member.weight, clock)

    def test_what_was_no_lead_took_no_turn(self):
        reason = self.env.ref("lead_pipeline.lead_reject_reason_junk")
        self.new_leads(1).with_user(self.salesman)._reject(reason)
        self.assertEqual(self.member(self.salesman).turns, 0)
        self.assertAlmostEqual(self.owed(self.salesman), 0)
        self.assertAlmostEqual(self.owed(self.colleague), 0.5)

    def test_what_one_does_not_want_took_a_turn(self):
        self.reject(self.new_leads(1))
        self.assertEqual(self.member(self.salesman).turns, 1)
        self.assertAlmostEqual(self.owed(self.salesman), -0.5)
        self.assertAlmostEqual(self.owed(self.colleague), 0.5)

    def test_what_came_without_a_turn_gives_none_back(self):
        self.member(self.colleague).paused = True
        reason = self.env.ref("lead_pipeline.lead_reject_reason_junk")
        lead = self.new_leads(1)
        lead.with_user(self.salesman)._reject(reason)
        self.assertEqual(self.member(self.salesman).turns, 0)

    def test_a_lead_one_had_before_there_were_rules(self):
        self.switch(False)
        lead = self.new_leads(1, user_id=self.salesman.id)
        self.switch(True)
        self.assertFalse(lead.assignment_id)
        self.reject(lead)
        self.assertEqual(lead.user_id, self.colleague)
        lead.with_context(lead_distribution_later=True).user_id = False
        self.env["lead.distribution"]._distribute(lead, "sweep")
        self.assertEqual(lead.user_id, self.colleague)


@freeze_time(NOW)
class TestAvailability(DistributionCase):
    """Everybody's own switch."""

    switched_on = True

    def users(self, user=None):
        return self.env["res.users"].with_user(user or self.salesman)

    def test_pause_and_back(self):
        other = self._new_pool("Other", self.salesman)
        self.assertEqual(
            self.users().lead_availability(),
            {"member": True, "available": True, "until": False, "reason": False},
        )
        state = self.users().set_lead_availability(False)
        self.assertFalse(state["available"])
        self.assertTrue(self.member(self.salesman, other).paused)
        self.assertEqual(self.new_leads(2).user_id, self.colleague)
        self.assertTrue(self.users().set_lead_availability(True)["available"])
        self.assertEqual(self.new_leads(1).user_id, self.salesman)

    def test_for_a_while(self):
        end = START + timedelta(hours=1)
        state = self.users().set_lead_availability(
            False, fields.Datetime.to_string(end)
        )
        self.assertEqual(state["until"], fields.Datetime.to_string(end))
        self.assertEqual(self.new_leads(1).user_id, self.colleague)
        with freeze_time(end):
            self.assertTrue(self.users().lead_availability()["available"])
            self.assertEqual(self.new_leads(1).user_id, self.salesman)
        with self.assertRaises(UserError):
            self.users().set_lead_availability(False, fields.Datetime.to_string(START))

    def test_back_after_having_been_set_offline(self):
        member = self.member(self.salesman)
        member.missed_count = 5
        self.salesman._set_lead_offline(5, self.env["lead.assignment"])
        state = self.users().lead_availability()
        self.assertFalse(state["available"])
        self.assertIn("5 leads", state["reason"])
        self.users().set_lead_availability(True)
        self.assertFalse(member.paused or member.offline_since or member.offline_reason)
        self.assertEqual(member.missed_count, 0)

    def test_a_manager_ends_the_pause(self):
        member = self.member(self.salesman)
        self.salesman._set_lead_offline(5, self.env["lead.assignment"])
        member.missed_count = 5
        self.env["bus.bus"].search([]).unlink()
        member.with_user(self.manager).paused = False
        self.assertFalse(member.offline_since or member.offline_reason)
        self.assertEqual(member.missed_count, 0)
        self.assertTrue(self.users().lead_availability()["available"])
        self.env.cr.precommit.run()
        told = self.env["bus.bus"].search([]).mapped("message")
        self.assertIn("lead_pipeline.availability", "".join(told))

    def test_nothing_to_switch_where_no_rules_give_out_leads(self):
        self.switch(False)
        self.assertFalse(self.users().lead_availability()["member"])

    def test_who_is_in_no_pool_changes_nothing(self):
        state = self.users(self.manager).set_lead_availability(False)
        self.assertFalse(state["member"])
        self.assertFalse(any(self.pool.member_ids.mapped("paused")))


@tagged("post_install", "-at_install")
class TestOwnerTour(HttpCase):
    """By clicks, as a salesperson."""

    def test_take_reject_pause(self):
        without_selfie(self.env)
        self.env["ir.config_parameter"].set_param("lead_pipeline.distribution", True)
        self.env["lead.distribution.rule"].search([]).active = False
        self.env["crm.lead"].search([("user_id", "=", False)]).active = False
        group = "sales_team.group_sale_salesman"
        rep = new_test_user(self.env, "t_rep", groups=group)
        colleague = new_test_user(self.env, "t_colleague", groups=group)
        always = self.env["resource.calendar"].create(
            {
                "name": "Always",
                "attendance_ids": [
                    (5, 0, 0),
                    *(
                        (0, 0, {"name": day, "dayofweek": day, "hour_to": 24})
                        for day in "0123456"
                    ),
                ],
            }
        )
        pool = self.env["lead.pool"].create(
            {
                "name": "Inside sales",
                "member_ids": [
                    (0, 0, {"user_id": user.id, "resource_calendar_id": always.id})
                    for user in (rep, colleague)
                ],
            }
        )
        sla = self.env["lead.sla.policy"].create({"name": "Within the hour"})
        self.env["lead.distribution.rule"].create(
            {"name": "All", "pool_id": pool.id, "sla_policy_id": sla.id}
        )
        vals = {"type": "opportunity", "user_id": False}
        mine = self.env["crm.lead"].create({**vals, "name": "Roof of the bakery"})
        self.assertEqual(mine.user_id, rep)
        pool.member_ids.paused = True
        lead = self.env["crm.lead"].create({**vals, "name": "Heat pump for Hanoi"})
        pool.member_ids.paused = False
        self.start_tour("/odoo/crm", "lead_pipeline_owner", login="t_rep")
        self.assertEqual(lead.user_id, colleague)
        self.assertEqual(
            lead.assignment_ids.mapped("event"), ["rejected", "taken", "created"]
        )
        self.assertFalse(any(pool.member_ids.mapped("paused_until")))
