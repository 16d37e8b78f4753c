# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime

from freezegun import freeze_time

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
