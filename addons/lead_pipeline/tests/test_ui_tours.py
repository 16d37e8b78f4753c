# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .common import without_selfie


@tagged("post_install", "-at_install")
class TestTours(HttpCase):
    """The two things people do all day, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        without_selfie(cls.env)

    def _tour(self, name, login):
        self.start_tour("/odoo/crm", name, login=login)

    def test_phone_entry(self):
        salesman = new_test_user(
            self.env, "t_salesman", groups="sales_team.group_sale_salesman"
        )
        lead = self.env["crm.lead"].create(
            {
                "name": "Roof of the bakery",
                "type": "opportunity",
                "phone": "+49 152 99887766",
                "user_id": salesman.id,
            }
        )
        self._tour("lead_pipeline_phone_entry", "t_salesman")
        self.assertEqual(lead.submission_ids.state, "matched")
        self.assertEqual(lead.touchpoint_ids.kind, "call_in")

    def test_quarantine_fix(self):
        new_test_user(
            self.env,
            "t_manager",
            groups="sales_team.group_sale_manager",
            company_ids=[Command.set(self.env.company.ids)],
        )
        [result] = self.env["lead.submission"].ingest(
            [
                {
                    "channel": "tour-form",
                    "external_id": "1",
                    "answers": [
                        {"key": "E-Mail", "label": "", "value": "mei.lin@example.com"},
                        {"key": "Name", "label": "", "value": "Mei Lin"},
                    ],
                }
            ]
        )
        self._tour("lead_pipeline_quarantine_fix", "t_manager")
        submission = self.env["lead.submission"].browse(result["submission_id"])
        self.assertEqual(submission.state, "created")
        self.assertEqual(submission.lead_id.contact_name, "Mei Lin")
        self.assertEqual(submission.channel_id.name, "Winter form")
