# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import NOW
from .common_distribution import DistributionCase

START = datetime.fromisoformat(NOW)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestDistributionCost(DistributionCase):
    switched_on = True

    def test_queries(self):
        """Core allows itself 4 849 for as many leads, teams and members."""
        people = [
            self._new_user(f"m{n}", "sales_team.group_sale_salesman") for n in range(8)
        ]
        for nth, some in enumerate((people[:3], people[3:6], people[6:])):
            team = self.env["crm.team"].create({"name": f"Team {nth}"})
            pool = self._new_pool(f"Pool {nth}", some, team_id=team.id)
            self._new_rule(
                f"Rule {nth}",
                pool_id=pool.id,
                sequence=nth,
                domain=f"[('color', '=', {nth})]",
            )
        self.switch(False)
        leads = self.env["crm.lead"].concat(
            *(self.new_leads(217, color=nth) for nth in range(3))
        )[:650]
        leads.waiting_since = START
        self.switch(True)
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        self.sweep()
        queries = self.env.cr.sql_log_count - before
        self.assertGreater(queries, 20)
        self.assertEqual(set(leads.user_id), set(people))
        self.assertLessEqual(queries, 1500)

    def test_what_follows_is_what_core_makes_of_it(self):
        """Stage, company, team, dates, probability and followers are those that a plain
        write of the owner gives; others who extend ``write`` are asked as well."""
        stage = self.env["crm.stage"].create({"name": "North only", "sequence": -1})
        north, south = self.env["crm.team"].create(
            [
                {"name": name, "company_id": company, "member_ids": [(4, user.id)]}
                for name, company, user in (
                    ("North", self.company.id, self.salesman),
                    ("South", False, self.colleague),
                )
            ]
        )
        stage.team_ids = south
        self.env["crm.lead.scoring.frequency"].create(
            {
                "variable": "stage_id",
                "value": str(stage.id),
                "won_count": 9,
                "lost_count": 1,
                "team_id": south.id,
            }
        )
        kinds = [
            {"expected_revenue": 900},
            {"team_id": north.id},
            {"team_id": south.id, "stage_id": stage.id, "expected_revenue": 50},
            {"company_id": False},
            {"probability": 42},
            {"type": "lead"},
            {"partner_id": self.manager.partner_id.id},
        ]
        kinds *= 4
        self.switch(False)
        by_rules, by_hand = (
            self.env["crm.lead"].create(
                [
                    {
                        "name": f"Mai Tran {nth}",
                        "user_id": False,
                        "team_id": False,
                        "company_id": self.company.id,
                        **kind,
                    }
                    for nth, kind in enumerate(kinds)
                ]
            )
            for _ in range(2)
        )
        for kind, lead in zip(kinds * 2, by_rules + by_hand, strict=True):
            # core gives a lead the team and company it likes; both start alike
            lead.write({"team_id": kind.get("team_id", False)})
            lead.write({"stage_id": kind.get("stage_id", lead.stage_id.id)})
        by_rules.waiting_since = START
        self.switch(True)
        asked = []

        def write(leads, vals):
            if vals.get("user_id"):
                asked.extend(leads.ids)
            return original(leads, vals)

        original = type(self.env["crm.lead"]).write
        self.patch(type(self.env["crm.lead"]), "write", write)
        self.sweep()
        self.assertEqual(sorted(asked), by_rules.ids)
        self.switch(False)
        # together: core's probability depends on the leads that are written at once
        pairs = list(zip(by_hand, by_rules, strict=True))
        for user in by_rules.user_id:
            theirs = [lead.id for lead, other in pairs if other.user_id == user]
            leads = by_hand.browse(theirs).with_prefetch(by_hand.ids)
            leads = leads.with_context(allowed_company_ids=self.company.ids)
            leads.write({"user_id": user.id})
        self.env.flush_all()
        names = ("user_id", "team_id", "stage_id", "company_id", "type", "won_status")
        names += ("active",)
        names += ("probability", "automated_probability", "prorated_revenue")
        names += ("message_partner_ids",)
        for lead, other in pairs:
            for name in names:
                self.assertEqual(other[name], lead[name], (name, other.name))
            self.assertEqual(other.date_open, START)
        self.assertEqual(set(by_rules.user_id), {self.salesman, self.colleague})
        self.assertGreater(len(set(by_rules.mapped("probability"))), 2)
        self.assertGreater(len(by_rules.stage_id), 1)

    def test_an_owner_of_another_company_is_refused(self):
        """Core's check, which asks one lead of those that are alike."""
        leads = self.new_leads(4)
        stranger = self._new_user("stranger", "sales_team.group_sale_salesman")
        stranger.write(
            {
                "company_ids": [(6, 0, self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        foreign = self.env["crm.team"].create(
            {"name": "Foreign", "company_id": self.other_company.id}
        )
        unchecked = self.env["crm.lead"].with_context(lead_distribution_later=True)
        leads = unchecked.browse(leads.ids)
        with self.assertRaisesRegex(UserError, "inconsistenc"), self.env.cr.savepoint():
            with self.env.protecting([leads._fields["company_id"]], leads):
                leads.write({"user_id": stranger.id})
        with self.assertRaisesRegex(UserError, "inconsistenc"), self.env.cr.savepoint():
            with self.env.protecting([leads._fields["company_id"]], leads):
                leads.write({"team_id": foreign.id})
