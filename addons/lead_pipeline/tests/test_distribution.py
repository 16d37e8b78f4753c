# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.tests import Form

from .common import NOW
from .common_distribution import DistributionCase

#: a Friday, 10:00 UTC; the company works in Berlin
START = datetime.fromisoformat(NOW)


@freeze_time(NOW)
class TestDistribution(DistributionCase):
    switched_on = True

    def test_in_turn_the_moment_they_are_made(self):
        leads = self.new_leads(6)
        self.assertEqual(
            [lead.user_id for lead in leads],
            [self.salesman, self.colleague] * 3,
        )
        lead = leads[0]
        self.assertEqual(lead.date_routed, START)
        self.assertFalse(lead.waiting_since)
        decision = lead.assignment_id
        self.assertEqual(decision.user_id, self.salesman)
        self.assertEqual(decision.rule_id, self.rule)
        self.assertEqual(decision.event, "created")
        self.assertEqual(decision.reason, "turn")
        self.assertEqual(
            [(one["user"], one["reason"]) for one in decision.candidates],
            [(self.salesman.id, "chosen"), (self.colleague.id, "turn")],
        )

    def test_one_by_one_is_the_same(self):
        self.assertEqual(
            [self.new_leads(1).user_id for _ in range(4)],
            [self.salesman, self.colleague] * 2,
        )

    def test_switched_off_nothing_happens(self):
        self.switch(False)
        leads = self.new_leads(2)
        self.assertFalse(leads.user_id or leads.assignment_ids)
        leads[0].user_id = self.salesman
        leads[0].user_id = False
        self.assertFalse(leads.assignment_ids)
        self.assertFalse(any(leads.mapped("waiting_since")))

    def test_weights(self):
        self.member(self.salesman).weight = 3
        got = Counter(lead.user_id for lead in self.new_leads(40))
        self.assertEqual(got, {self.salesman: 30, self.colleague: 10})

    def test_a_weight_that_changes(self):
        """Nobody catches up on the past: the new weight counts from now on."""
        self.new_leads(10)
        self.member(self.salesman).weight = 3
        got = Counter(lead.user_id for lead in self.new_leads(8))
        self.assertEqual(got, {self.salesman: 6, self.colleague: 2})

    def test_figures(self):
        self.new_leads(4)
        self.pool.member_ids.paused = True
        self.new_leads(1)
        self.assertEqual(self.pool.given_7_days, 4)
        self.assertEqual(self.pool.waiting_count, 1)
        self.assertEqual(self.pool.away_count, 2)
        self.assertEqual(self.pool.user_ids, self.salesman + self.colleague)
        self.assertEqual(self.rule.given_30_days, 4)

    def test_the_first_rule_that_takes_it(self):
        french = self._new_pool("Paris", self.manager)
        rule = self._new_rule(
            "From France",
            pool_id=french.id,
            domain="[('country_id.code', '=', 'FR')]",
            sequence=1,
        )
        leads = self.new_leads(2, country_id=self.env.ref("base.fr").id)
        self.assertEqual(leads.user_id, self.manager)
        self.assertEqual(leads.assignment_id.rule_id, rule)
        self.assertNotIn(self.manager, self.new_leads(2).user_id)

    def test_a_person_chose(self):
        lead = self.new_leads(1, user_id=self.manager.id)
        self.assertEqual(lead.user_id, self.manager)
        self.assertEqual(lead.assignment_id.event, "by_hand")
        self.assertEqual(lead.assignment_id.reason, "by_hand")
        self.assertEqual(lead.date_told, START)
        # it took no turn
        self.assertEqual(self.new_leads(1).user_id, self.salesman)

    def test_a_person_chooses_another(self):
        lead = self.new_leads(1)
        first = lead.assignment_id
        lead.with_user(self.manager).user_id = self.manager
        self.assertEqual(first.ended_at, START)
        self.assertEqual(lead.assignment_id.decided_by_id, self.manager)
        self.assertEqual(lead.assignment_id.previous_user_id, self.salesman)

    def test_taken_away_it_goes_on(self):
        lead = self.new_leads(1)
        lead.with_user(self.manager).user_id = False
        self.assertEqual(lead.user_id, self.colleague)
        decision = lead.assignment_id
        self.assertEqual(decision.event, "reassigned")
        self.assertEqual(decision.candidates[0]["reason"], "excluded")

    def test_passed_on_until_everybody_had_it(self):
        lead = self.new_leads(1)
        lead.assignment_id.rejected_at = START
        service = self.env["lead.distribution"]
        self.assertEqual(service._distribute(lead, "rejected"), lead)
        self.assertEqual(lead.user_id, self.colleague)
        self.assertEqual(lead.assignment_id.previous_user_id, self.salesman)
        # whoever nobody else can have, stays ...
        self.assertFalse(service._distribute(lead, "missed", keep=True))
        self.assertEqual(lead.user_id, self.colleague)
        # ... or waits
        self.assertFalse(service._distribute(lead, "rejected"))
        self.assertFalse(lead.user_id)
        self.assertEqual(lead.waiting_reason, "had_it")

    def test_owner_first(self):
        self.rule.method = "owner"
        customer = self.env["res.partner"].create(
            {"name": "Vogt GmbH", "is_company": True, "user_id": self.colleague.id}
        )
        person = self.env["res.partner"].create(
            {"name": "Lena Vogt", "parent_id": customer.id}
        )
        leads = self.new_leads(3, partner_id=person.id)
        self.assertEqual(leads.user_id, self.colleague)
        self.assertEqual(set(leads.assignment_id.mapped("reason")), {"owner"})

    def test_who_had_it_before_comes_first(self):
        lead = self.new_leads(1, user_id=self.manager.id)
        self.env["lead.pool.member"].create(
            {"pool_id": self.pool.id, "user_id": self.manager.id, "sequence": 9}
        )
        lead.with_context(lead_distribution_later=True).user_id = False
        self.env["lead.distribution"]._distribute(
            lead, "ready", owners={lead.id: self.manager.id}
        )
        self.assertEqual(lead.user_id, self.manager)

    def test_best_match(self):
        solar = self.env["lead.skill"].create({"name": "Solar"})
        self.rule.method = "match"
        self.member(self.colleague).skill_ids = solar
        leads = self.new_leads(3, skill_ids=solar.ids)
        self.assertEqual(leads.user_id, self.colleague)
        self.assertEqual(leads[0].assignment_id.candidates[1]["score"], 1)

    def test_a_skill_that_is_demanded(self):
        solar = self.env["lead.skill"].create({"name": "Solar"})
        self.rule.must_skill = True
        lead = self.new_leads(1, skill_ids=solar.ids)
        self.assertFalse(lead.user_id)
        self.assertEqual(lead.waiting_reason, "unfit")
        self.assertEqual(lead.waiting_since, START)
        decision = lead.assignment_id
        self.assertFalse(decision.user_id)
        self.assertEqual({one["reason"] for one in decision.candidates}, {"skill"})
        self.member(self.colleague).skill_ids = solar
        self.sweep()
        self.assertEqual(lead.user_id, self.colleague)
        self.assertEqual(lead.assignment_id.event, "sweep")
        self.assertFalse(lead.waiting_since or lead.waiting_reason)

    def test_least_load(self):
        self.rule.method = "load"
        self.new_leads(3, user_id=self.salesman.id)
        self.assertEqual(self.new_leads(3).user_id, self.colleague)

    def test_at_night(self):
        with freeze_time("2026-11-20 22:00:00"):
            lead = self.new_leads(1)
            self.assertFalse(lead.user_id)
            self.assertEqual(lead.waiting_reason, "away")
            # Monday, eight o'clock in Berlin
            self.assertEqual(lead.waiting_until, datetime(2026, 11, 23, 7))
            self.sweep()
            self.assertEqual(len(lead.assignment_ids), 1)
        with freeze_time("2026-11-23 07:00:00"):
            self.sweep()
            self.assertTrue(lead.user_id)

    def test_absences_and_holidays(self):
        calendar = self.company.resource_calendar_id
        resource = self.env["resource.resource"].create(
            {
                "name": "Salesman",
                "user_id": self.salesman.id,
                "company_id": self.company.id,
                "calendar_id": calendar.id,
                "tz": "Europe/Berlin",
            }
        )
        Leave = self.env["resource.calendar.leaves"]
        day = {"date_from": "2026-11-20 00:00:00", "date_to": "2026-11-20 22:59:59"}
        Leave.create({"resource_id": resource.id, **day})
        self.assertEqual(self.new_leads(2).user_id, self.colleague)
        Leave.create({"calendar_id": calendar.id, **day})
        lead = self.new_leads(1)
        self.assertEqual(lead.waiting_until, datetime(2026, 11, 23, 7))

    def test_limits(self):
        self.member(self.salesman).per_day = 1
        self.member(self.colleague).max_open = 2
        leads = self.new_leads(4)
        got = Counter(lead.user_id for lead in leads)
        self.assertEqual(got[self.salesman], 1)
        self.assertEqual(got[self.colleague], 2)
        waiting = leads.filtered("waiting_since")
        self.assertEqual(waiting.waiting_reason, "capped")
        self.assertEqual(waiting.waiting_until, datetime(2026, 11, 20, 23))
        leads.filtered(lambda lead: lead.user_id == self.colleague)[0].action_set_lost()
        with freeze_time("2026-11-20 10:20:00"):
            self.sweep()
        self.assertEqual(waiting.user_id, self.colleague)

    def test_limits_are_the_persons(self):
        """Whichever pool a lead comes by."""
        other = self._new_pool("Outside sales", self.salesman)
        self._new_rule(
            "Big ones",
            pool_id=other.id,
            domain="[('expected_revenue', '>', 1000)]",
            sequence=1,
        )
        (self.member(self.salesman) + other.member_ids).per_day = 3
        big = self.new_leads(2, expected_revenue=5000)
        self.assertEqual(big.user_id, self.salesman)
        got = Counter(lead.user_id for lead in self.new_leads(5))
        self.assertEqual(got, {self.salesman: 1, self.colleague: 4})
        self.assertEqual(self.member(self.salesman).load_today, 3)

    def test_paused_and_back(self):
        member = self.member(self.salesman)
        member.paused = True
        self.assertEqual(self.new_leads(4).user_id, self.colleague)
        member.paused = False
        self.assertEqual(len(self.new_leads(4).user_id), 2)  # no flood

    def test_archived_people_get_nothing(self):
        self.salesman.active = False
        self.assertEqual(self.new_leads(2).user_id, self.colleague)
        self.member(self.colleague).active = False
        self.assertEqual(self.new_leads(1).waiting_reason, "nobody")

    def test_no_rule(self):
        self.rule.active = False
        lead = self.new_leads(1)
        self.assertEqual(lead.waiting_reason, "no_rule")
        self.assertEqual(lead.assignment_id.reason, "no_rule")

    def test_a_rule_that_broke_takes_nothing(self):
        broken = self._new_rule("Old", sequence=1)
        self.env.cr.execute(
            "UPDATE lead_distribution_rule SET domain = %s WHERE id = %s",
            ["[('x_gone', '=', 1)]", broken.id],
        )
        broken.invalidate_recordset()
        with self.assertLogs("odoo.addons.lead_pipeline", "WARNING"):
            self.assertEqual(self.new_leads(1).assignment_id.rule_id, self.rule)

    def test_nobody_gets_what_they_may_not_see(self):
        self.pool.company_id = False
        self.rule.company_id = False
        lead = self.new_leads(1, company_id=self.other_company.id)
        self.assertEqual(lead.waiting_reason, "company")
        reasons = {one["reason"] for one in lead.assignment_id.candidates}
        self.assertEqual(reasons, {"company"})

    def test_lost_leads_do_not_wait(self):
        self.rule.active = False
        lead = self.new_leads(1)
        lead.action_set_lost()
        with freeze_time("2026-11-20 10:20:00"):
            self.sweep()
            self.assertFalse(lead.waiting_since)
            self.rule.active = True
            lead.action_restore()
        self.assertTrue(lead.user_id)

    def test_team(self):
        team = self.env["crm.team"].create(
            {"name": "Solar", "company_id": self.company.id}
        )
        self.pool.team_id = team
        self.assertEqual(self.new_leads(2).team_id, team)

    def test_team_of_another_company(self):
        """The job works for all companies, whichever is its user's own."""
        other = self.other_company
        seller = self._new_user("paris", "sales_team.group_sale_salesman")
        seller.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        team = self.env["crm.team"].create(
            {"name": "Paris", "company_id": other.id, "member_ids": seller.ids}
        )
        pool = self._new_pool("Paris", seller, company_id=other.id)
        self._new_rule("Paris", pool_id=pool.id, company_id=other.id, sequence=1)
        pool.member_ids.paused = True
        leads = self.new_leads(2, company_id=other.id, team_id=False)
        pool.member_ids.paused = False
        self.sweep()
        self.assertEqual(leads.user_id, seller)
        self.assertEqual(leads.team_id, team)
        self.assertEqual(leads.company_id, other)

    def test_imported_leads_have_no_owner_by_default(self):
        Lead = self.env["crm.lead"].with_user(self.manager)
        lead = Lead.with_context(import_file=True).create({"name": "From a file"})
        self.assertEqual(lead.user_id, self.salesman)
        lead = Lead.create({"name": "By a program"})
        self.assertEqual(lead.user_id, self.manager)

    def test_sla_is_due_in_working_time(self):
        with freeze_time("2026-11-20 15:30:00"):  # half past four in Berlin
            lead = self.new_leads(1)
        self.assertEqual(lead.assignment_id.sla_policy_id, self.sla)
        self.assertEqual(lead.sla_due_at, datetime(2026, 11, 23, 7, 30))
        self.assertEqual(lead.assignment_id.due_at, lead.sla_due_at)

    def test_ingested(self):
        before = self.notified(self.salesman)
        result, lead = self.ingest_one()
        self.assertEqual(result["status"], "created")
        self.assertEqual(lead.user_id, self.salesman)
        self.assertEqual(lead.date_captured, START - timedelta(hours=1))
        self.assertEqual(lead.date_routed, START)
        self.assertEqual(self.notified(self.salesman), before + 1)

    def test_a_channel_with_a_salesperson(self):
        self.meta.user_id = self.colleague
        _result, lead = self.ingest_one()
        decision = lead.assignment_id
        self.assertEqual(decision.user_id, self.colleague)
        self.assertEqual((decision.event, decision.reason), ("created", "channel"))
        self.assertFalse(decision.decided_by_id)
        self.assertEqual(lead.date_routed, START)

    def test_ingested_again_while_it_waits(self):
        self.pool.member_ids.paused = True
        _result, lead = self.ingest_one()
        self.assertEqual(lead.waiting_reason, "away")
        self.pool.member_ids.paused = False
        self.ingest_one("2")
        self.assertEqual(lead.user_id, self.salesman)
        self.assertEqual(self.notified(self.salesman), 1)

    def test_many_leads_one_message(self):
        self.salesman.notification_type = "email"
        leads = self.new_leads(30)
        self.assertEqual(self.notified(self.salesman), 1)
        self.assertEqual(self.notified(self.colleague), 1)
        message = self.messages(self.colleague)
        self.assertEqual(message.subject, "15 new leads for you")
        self.assertIn("and 5 more", message.body)
        self.assertEqual(leads.mapped("date_told"), [START] * 30)
        mails = self.env["mail.mail"].search(
            [("recipient_ids", "in", self.salesman.partner_id.ids)]
        )
        self.assertEqual(mails.mapped("state"), ["outgoing"])
        self.assertFalse(leads.message_ids.filtered("tracking_value_ids"))

    def test_after_a_sweep_one_message(self):
        self.pool.member_ids.paused = True
        leads = self.new_leads(9)
        self.assertFalse(self.notified(self.salesman))
        self.pool.member_ids.paused = False
        self.sweep(batch=2)
        self.assertEqual(len(leads.filtered("user_id")), 9)
        self.assertEqual(self.notified(self.salesman), 1)
        self.assertEqual(leads.mapped("date_told"), [START] * 9)

    def test_only_sales_ready(self):
        self.env["ir.config_parameter"].set_param(
            "lead_pipeline.distribution_ready", "sales_ready"
        )
        lead = self.new_leads(1)
        self.assertFalse(lead.user_id or lead.waiting_since)
        self.env.cr.flush()
        score = self.env["lead.score"].search([("lead_id", "=", lead.id)])
        score.sales_ready = True
        lead._on_sales_ready()
        self.assertEqual(lead.user_id, self.salesman)
        self.assertEqual(lead.assignment_id.event, "sales_ready")

    def test_typed_leads_have_no_owner_by_default(self):
        Lead = self.env["crm.lead"].with_user(self.manager)
        lead = Form(Lead.with_context(default_type="lead"))
        self.assertFalse(lead.user_id)
        lead.name = "Phone"
        self.assertTrue(lead.save().user_id)
        opportunity = Form(Lead.with_context(default_type="opportunity"))
        self.assertEqual(opportunity.user_id, self.manager)

    def test_merged_leads_keep_their_history(self):
        first, second = self.new_leads(2)
        decisions = first.assignment_ids | second.assignment_ids
        merged = (first | second).merge_opportunity()
        self.assertEqual(merged.assignment_ids, decisions)
        running = decisions.filtered(lambda one: not one.ended_at)
        self.assertEqual(running, merged.assignment_id)

    def test_by_an_ordinary_salesman(self):
        """Who brings a lead need not see who gets it, and can read what they saved."""
        Lead = self.env["crm.lead"].with_user(self.salesman)
        vals_list = [{"name": name, "user_id": False} for name in ("One", "Two")]
        leads = Lead.create(vals_list)
        self.assertEqual(leads.mapped("name"), ["One", "Two"])
        self.assertEqual(leads.mapped("waiting_since"), [START] * 2)
        self.commit()
        self.assertEqual(leads.sudo().user_id, self.salesman | self.colleague)
        mine = leads.sudo().filtered(lambda lead: lead.user_id == self.salesman)
        mine.with_user(self.salesman).user_id = False
        self.assertTrue(mine.with_user(self.salesman).name)
        self.commit()
        self.assertEqual(mine.user_id, self.colleague)
