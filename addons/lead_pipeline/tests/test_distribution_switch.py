# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError

from odoo.addons.crm.models.crm_team import CrmTeam

from .common import NOW
from .common_distribution import DistributionCase


@freeze_time(NOW)
class TestDistributionSwitch(DistributionCase):
    """From core's assignment to ours."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["crm.team"].search([]).active = False
        cls.rule.active = False

    def team(self, name, *members, **vals):
        """:param members: (user, vals of its core membership)"""
        return self.env["crm.team"].create(
            {
                "name": name,
                "company_id": self.company.id,
                "crm_team_member_ids": [
                    (0, 0, {"user_id": user.id, "assignment_max": 300, **of_member})
                    for user, of_member in members
                ],
                **vals,
            }
        )

    def make_rules(self):
        rules = self.env["lead.distribution"]._make_rules()
        self.switch(True)
        return rules

    def user(self, login):
        return self._new_user(login, "sales_team.group_sale_salesman")

    def test_capacity_below_half_a_lead_a_day(self):
        """Core rounds 14 a month to nothing a day."""
        self.team("Europe", (self.salesman, {"assignment_max": 14}))
        rule = self.make_rules()
        [member] = rule.pool_id.member_ids
        self.assertEqual((member.weight, member.per_day, member.per_month), (14, 1, 14))
        given = 0
        for day in range(1, 29):
            with freeze_time(f"2026-12-{day:02} 10:00:00"):
                given += len(self.new_leads(2).filtered("user_id"))
        self.assertEqual(given, 14)

    def test_shares_are_the_capacities(self):
        self.team(
            "Europe",
            (self.salesman, {"assignment_max": 300}),
            (self.colleague, {"assignment_max": 100}),
        )
        self.make_rules()
        got = Counter(lead.user_id for lead in self.new_leads(8))
        self.assertEqual(got, {self.salesman: 6, self.colleague: 2})

    def test_teams_and_their_domains(self):
        other = self.user("other")
        europe = self.team("Europe", (self.salesman, {}))
        solar = self.team(
            "Solar", (self.colleague, {}), assignment_domain="[('color', '=', 1)]"
        )
        asia = self.team("Asia", (other, {}))
        self.make_rules()
        self.assertEqual(self.new_leads(1, team_id=europe.id).user_id, self.salesman)
        self.assertEqual(self.new_leads(1, team_id=asia.id).user_id, other)
        lead = self.new_leads(1, color=1, team_id=False)
        self.assertEqual((lead.user_id, lead.team_id), (self.colleague, solar))
        # a team has its own leads first, whatever they are
        lead = self.new_leads(1, color=1, team_id=asia.id)
        self.assertEqual((lead.user_id, lead.team_id), (other, asia))
        # all the rest is for those who take anything, whose team is theirs
        rest = self.new_leads(6, team_id=False)
        got = Counter((lead.user_id, lead.team_id) for lead in rest)
        self.assertEqual(got, {(self.salesman, europe): 3, (other, asia): 3})

    def test_members_domains(self):
        self.team(
            "Europe",
            (self.salesman, {"assignment_domain": "[('color', '=', 1)]"}),
            (self.colleague, {}),
        )
        self.make_rules()
        self.assertEqual(self.new_leads(3).user_id, self.colleague)
        self.assertEqual(
            self.new_leads(4, color=1).user_id, self.salesman + self.colleague
        )

    def test_what_members_prefer(self):
        """Core gives a lead to who prefers it, and to others where they have enough."""
        self.team(
            "Europe",
            (
                self.salesman,
                {
                    "assignment_domain_preferred": "[('color', '=', 2)]",
                    "assignment_max": 90,
                },
            ),
            (self.colleague, {"assignment_domain": "[('priority', '!=', '3')]"}),
        )
        rules = self.make_rules()
        [skill] = rules.skill_ids
        self.assertEqual(skill.name, f"Preferred by {self.salesman.name}")
        self.assertFalse(self.member(self.colleague, rules.pool_id[0]).skill_ids)
        preferred = self.new_leads(5, color=2)
        self.assertEqual(
            [lead.user_id for lead in preferred],
            [self.salesman] * 3 + [self.colleague] * 2,
            "three a day are all that the first one takes",
        )
        self.assertEqual(preferred[0].assignment_id.reason, "match")
        self.assertFalse(self.new_leads(1, color=2, priority="3").user_id)
        self.assertEqual(self.new_leads(1).user_id, self.colleague)

    def test_a_rule_that_asks_for_a_skill(self):
        """Beside what the lead asks for; also of who takes the next one."""
        wind, water = self.env["lead.skill"].create(
            [{"name": "Wind"}, {"name": "Water"}]
        )
        self.switch(True)
        # what demo data has waits as well
        self.env["crm.lead"].search([("user_id", "=", False)]).active = False
        self.rule.write({"active": True, "skill_ids": wind.ids, "must_skill": True})
        self.member(self.colleague).skill_ids = wind
        self.assertEqual(self.new_leads(2).user_id, self.colleague)
        lead = self.new_leads(1, skill_ids=water.ids)
        self.assertEqual(lead.waiting_reason, "unfit")
        self.member(self.colleague).paused = True
        waits = self.new_leads(1)
        self.env["crm.lead"].flush_model()
        with self.enter_registry_test_mode():
            take = self.env["lead.distribution"]._take_next
            self.assertEqual(take(self.salesman), (None, "nothing"))
            self.assertEqual(take(self.colleague), (waits.id, None))

    def test_who_paused_stays_paused(self):
        self.team(
            "Europe",
            (self.salesman, {"assignment_optout": True}),
            (self.colleague, {"assignment_max": 0}),
        )
        rule = self.make_rules()
        self.assertTrue(rule.pool_id.member_ids[0].paused)
        self.assertFalse(rule.pool_id.member_ids[1].active)
        self.assertFalse(self.new_leads(1).user_id)

    def test_teams_that_core_skips(self):
        skipped = self.team("Partners", (self.salesman, {}), assignment_optout=True)
        self.team("Europe", (self.colleague, {}))
        self.make_rules()
        self.assertEqual(
            self.new_leads(1, team_id=skipped.id).waiting_reason, "no_rule"
        )
        self.assertEqual(self.new_leads(1).user_id, self.colleague)

    def test_the_setting(self):
        self.team("Europe", (self.salesman, {}))
        self.rule.unlink()
        rules = self.env["lead.distribution.rule"].with_context(active_test=False)
        others = rules.search([])
        settings = self.env["res.config.settings"]
        self.env["lead.assignment"].search([]).sudo().unlink()
        others.unlink()
        settings.create({"lead_distribution": True}).execute()
        made = rules.search([])
        self.assertTrue(made)
        self.assertEqual(self.new_leads(1).user_id, self.salesman)
        # never again: what a manager made or archived stays
        made.active = False
        settings.create({"lead_distribution": True}).execute()
        self.assertEqual(rules.search([]), made)

    def test_cores_job_rests(self):
        self.switch(True)
        with patch.object(CrmTeam, "_action_assign_leads") as core:
            self.env["crm.team"]._cron_assign_leads()
            self.assertFalse(core.called)
            self.switch(False)
            self.env["crm.team"]._cron_assign_leads()
            self.assertTrue(core.called)

    def test_the_button_of_a_team(self):
        """All leads without an owner that go to it, however old; no others."""
        europe = self.team("Europe", (self.salesman, {}))
        asia = self.team("Asia", (self.colleague, {}))
        with freeze_time("2026-01-05 10:00:00"):
            mine = self.new_leads(2, team_id=europe.id)
            others = self.new_leads(1, team_id=asia.id)
        self.make_rules()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            team = europe.with_env(self.env(cr=cr, user=self.manager))
            action = team.action_assign_leads()
        self.env.invalidate_all()
        self.assertEqual(mine.user_id, self.salesman)
        self.assertFalse(others.user_id)
        self.assertEqual(
            action["params"]["message"],
            "2 leads allocated to Europe team. 2 leads assigned among 1 salespersons.",
        )
        self.assertEqual(self.notified(self.salesman), 1)

    def test_the_button_is_for_managers(self):
        self.switch(True)
        team = self.team("Europe", (self.salesman, {}))
        with self.assertRaises(UserError):
            team.with_user(self.salesman)._action_assign_leads()
