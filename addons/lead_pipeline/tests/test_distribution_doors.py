# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time
from odoo.tools import mute_logger

from .common import NOW
from .common_distribution import DistributionCase

REFUSED = (AccessError, UserError, ValidationError, ValueError, IntegrityError)


@freeze_time(NOW)
class TestDistributionDoors(DistributionCase):
    """Garbage, the wrong person, the wrong company, and everything twice."""

    switched_on = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = cls._new_user("stranger", "sales_team.group_sale_manager")
        cls.stranger.write(
            {
                "company_ids": [(6, 0, cls.other_company.ids)],
                "company_id": cls.other_company.id,
            }
        )
        cls.reason = cls.env["lead.reject.reason"].create(
            {"name": "No lead at all", "gives_turn_back": True}
        )

    def refuses(self, call, *args, **kwargs):
        """Nothing is written of what is refused."""
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                call(*args, **kwargs)
                self.env.flush_all()
        except REFUSED:
            self.env.invalidate_all()
        else:
            self.fail(f"{call} {args} was not refused")

    # ------------------------------------------------------------
    # GARBAGE
    # ------------------------------------------------------------

    def test_figures_that_make_no_sense(self):
        member = self.member(self.salesman)
        for vals in (
            {"weight": 0},
            {"weight": -3},
            {"per_day": -1},
            {"per_week": -1},
            {"per_month": -1},
            {"max_open": -1},
        ):
            self.refuses(member.write, vals)
        for vals in (
            {"first_touch_minutes": 0},
            {"first_touch_minutes": -60},
            {"remind_before_minutes": 60},
            {"remind_before_minutes": -1},
            {"misses_to_offline": -1},
        ):
            self.refuses(self.sla.write, vals)
        self.assertEqual(len(self.new_leads(2).user_id), 2, "and all goes on")

    def test_conditions_that_make_no_sense(self):
        for domain in (
            "[",
            "[('color', '=', ]",
            "color = 1",
            "[('name', 'child_of', {})]",
            "__import__('os')",
            "[('color', '=', 'blue')]",
        ):
            self.refuses(self.rule.write, {"domain": domain})
            wizard = self.env["lead.what.if"].with_user(self.manager)
            self.refuses(wizard.create, {"domain": domain})
        self.assertEqual(self.rule.domain, "[]")

    def test_a_pause_that_makes_no_sense(self):
        users = self.env["res.users"].with_user(self.salesman)
        for until in ("yesterday", "2020-01-01 00:00:00", "2026-13-40", {"a": 1}):
            self.refuses(users.set_lead_availability, False, until)
        self.assertTrue(users.lead_availability()["available"])

    # ------------------------------------------------------------
    # WHO
    # ------------------------------------------------------------

    def test_a_salesperson_decides_nothing_for_others(self):
        lead = self.new_leads(2)[1]
        self.assertEqual(lead.user_id, self.colleague)
        mine = self.env(user=self.salesman)
        self.refuses(mine["lead.sla.policy"].browse(self.sla.id).unlink)
        for model in ("lead.reassign", "lead.distribution.try", "lead.what.if"):
            self.refuses(mine[model].create, {})
        forged = {"lead_id": lead.id, "reason_id": self.reason.id}
        self.refuses(lambda: mine["lead.reject"].create(forged).action_reject())
        self.assertEqual(lead.user_id, self.colleague)
        # a pause is one's own, whoever is named
        mine["res.users"].browse(self.colleague.id).set_lead_availability(False)
        self.assertTrue(self.member(self.salesman).paused)
        self.assertFalse(self.member(self.colleague).paused)

    def test_decisions_are_nobodys_to_write(self):
        decision = self.new_leads(1).assignment_id
        for user in (self.salesman, self.manager):
            theirs = decision.with_user(user)
            self.refuses(theirs.write, {"due_at": False})
            self.refuses(theirs.unlink)
            self.refuses(theirs.create, {"lead_id": decision.lead_id.id})

    # ------------------------------------------------------------
    # WHERE
    # ------------------------------------------------------------

    def test_another_company(self):
        lead = self.new_leads(1)
        owner = lead.user_id
        self.sla.company_id = self.company
        theirs = self.env(user=self.stranger)
        for record in (self.rule, self.pool, self.sla):
            self.refuses(record.with_user(self.stranger).read, ["name"])
            self.refuses(record.with_user(self.stranger).write, {"name": "Ours"})
        self.refuses(
            lambda: theirs["lead.distribution.try"].create({"lead_id": lead.id}).takes
        )
        chosen = {"lead_ids": [(6, 0, lead.ids)]}
        self.refuses(theirs["lead.reassign"].create, chosen)
        wizard = theirs["lead.reassign"].create({"user_id": owner.id, "leave": False})
        self.assertEqual(wizard.lead_count, 0)
        self.refuses(wizard.action_reassign)
        self.assertEqual(lead.user_id, owner)
        draft = {"name": "All", "pool_id": self.pool.id}
        for company in (self.company, self.other_company, self.company.browse()):
            draft["company_id"] = company.id
            drafts = {"rule_ids": [(5,), (0, 0, draft)]}
            self.refuses(
                lambda drafts=drafts: theirs["lead.what.if"].create(drafts).action_run()
            )

    def test_nobody_is_given_leads_of_another_company(self):
        lead = self.new_leads(1)
        owner = lead.user_id
        wizard = self.env["lead.reassign"].with_user(self.manager)
        vals = {"user_id": owner.id, "to": "user", "to_user_id": self.stranger.id}
        self.refuses(lambda: wizard.create(vals).action_reassign())
        self.assertEqual(lead.user_id, owner)

    # ------------------------------------------------------------
    # TWICE
    # ------------------------------------------------------------

    def test_rejected_twice(self):
        """A second click comes when the lead is somebody else's."""
        lead = self.new_leads(1)
        form = {"lead_id": lead.id, "reason_id": self.reason.id}
        wizard = self.env["lead.reject"].with_user(self.salesman).create(form)
        wizard.action_reject()
        self.assertEqual(lead.user_id, self.colleague)
        member = self.member(self.salesman)
        turns, decisions = member.turns, len(lead.assignment_ids)
        self.refuses(wizard.action_reject)
        self.assertEqual((member.turns, len(lead.assignment_ids)), (turns, decisions))
        self.assertEqual(lead.user_id, self.colleague)

    def test_swept_twice(self):
        self.pool.member_ids.paused = True
        leads = self.new_leads(4)
        self.pool.member_ids.paused = False
        self.sweep()
        owners = leads.mapped(lambda lead: lead.user_id.id)
        told = self.notified(self.salesman)
        self.sweep()
        self.assertEqual(leads.mapped(lambda lead: lead.user_id.id), owners)
        self.assertEqual(self.notified(self.salesman), told)
        self.assertEqual(sum(self.pool.member_ids.mapped("turns")), 4)

    def test_reassigned_twice(self):
        lead = self.new_leads(1)
        wizard = self.env["lead.reassign"].with_user(self.manager)
        wizard = wizard.create({"user_id": self.salesman.id})
        wizard.action_reassign()
        self.assertEqual(lead.user_id, self.colleague)
        self.refuses(wizard.action_reassign)
        self.assertEqual(len(lead.assignment_ids), 2)

    def test_switched_on_twice(self):
        rules = self.env["lead.distribution.rule"].with_context(active_test=False)
        before = rules.search_count([])
        for _twice in range(2):
            settings = self.env["res.config.settings"]
            settings.create({"lead_distribution": True}).execute()
        self.assertEqual(rules.search_count([]), before)
