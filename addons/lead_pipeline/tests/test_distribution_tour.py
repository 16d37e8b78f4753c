# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import HttpCase, new_test_user, tagged

from .common import without_selfie


@tagged("post_install", "-at_install")
class TestDistributionTour(HttpCase):
    """By clicks, as a manager."""

    def test_manager(self):
        without_selfie(self.env)
        self.env["ir.config_parameter"].set_param("lead_pipeline.distribution", True)
        self.env["lead.distribution.rule"].search([]).active = False
        self.env["crm.lead"].search([("user_id", "=", False)]).active = False
        new_test_user(self.env, "t_boss", groups="sales_team.group_sale_manager")
        group = "sales_team.group_sale_salesman"
        reps = [
            new_test_user(self.env, f"t_{one}", groups=group, name=f"Tour rep {one}")
            for one in "AB"
        ]
        always = self.env["resource.calendar"].create(
            {
                "name": "Always",
                "attendance_ids": [(5, 0, 0)]
                + [
                    (0, 0, {"name": day, "dayofweek": day, "hour_to": 24})
                    for day in "0123456"
                ],
            }
        )
        pool = self.env["lead.pool"].create(
            {
                "name": "Tour pool",
                "member_ids": [
                    (0, 0, {"user_id": user.id, "resource_calendar_id": always.id})
                    for user in reps
                ],
            }
        )
        self.env["lead.distribution.rule"].create(
            {
                "name": "Tour rule",
                "pool_id": pool.id,
                "domain": "[('name', '!=', 'Nobody wants it')]",
            }
        )
        names = ["Roof of the bakery", "Solar for a school", "Nobody wants it"]
        leads = self.env["crm.lead"].create(
            [{"name": name, "type": "lead", "user_id": False} for name in names]
        )
        self.assertEqual([lead.user_id for lead in leads[:2]], reps)
        self.start_tour("/odoo/crm", "lead_pipeline_distribution", login="t_boss")
        self.assertEqual(leads[:2].user_id, reps[1])
        self.assertFalse(pool.member_ids.filtered("active").user_id & reps[0])
        self.assertFalse(leads[2].user_id)
