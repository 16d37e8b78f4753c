# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from freezegun import freeze_time

from odoo.tools import mute_logger

from .common import NOW
from .common_distribution import DistributionCase


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
