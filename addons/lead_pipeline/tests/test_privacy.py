# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import freeze_time, tagged

from .common import NOW, LeadPipelineCase


@freeze_time(NOW)
@tagged("post_install", "-at_install")
class TestPrivacy(LeadPipelineCase):
    """An erasure by core's privacy look-up leaves nothing of a person."""

    def test_erasure(self):
        consents = [{"purpose": "email", "granted": True}]
        _result, lead = self.ingest_one("1", consents=consents)
        lead.phone = "+4915123456789"
        self.ingest_one(
            "2",
            contact={"name": "Lena", "phone": "+4915123456789"},
            payload={"note": "by phone, under no address"},
        )
        self.ingest_one("3", contact={"email": "lena.vogt@example.com"}, test=True)
        other, other_lead = self.ingest_one(
            "4", contact={"email": "somebody@example.com"}, consents=consents
        )
        held = self.env["lead.submission"].search(
            [("channel_id", "=", self.meta.id), ("external_id", "in", ("1", "2", "3"))]
        )
        self.assertEqual(len(held), 3)
        touchpoints = lead.touchpoint_ids
        wizard = self.env["privacy.lookup.wizard"].create(
            {"name": "Lena Vogt", "email": "lena.vogt@example.com"}
        )
        wizard.action_lookup()
        found = {(line.res_model, line.res_id) for line in wizard.line_ids}
        self.assertLessEqual({("lead.submission", row.id) for row in held}, found)
        self.assertIn(("crm.lead", lead.id), found)
        self.assertIn(("lead.consent", lead.consent_ids.id), found)
        self.assertNotIn(("lead.submission", other["submission_id"]), found)
        wizard.line_ids.action_unlink_all()
        self.assertFalse(held.exists() | self.env["lead.submission"])
        self.assertFalse(lead.exists())
        self.assertFalse(touchpoints.exists())
        self.assertFalse(
            self.env["lead.consent"].search(
                [("email_normalized", "=", "lena.vogt@example.com")]
            )
        )
        self.assertTrue(other_lead.exists())
        self.assertTrue(self.submission(other).exists())

    def test_deleting_a_lead_keeps_the_proof(self):
        result, lead = self.ingest_one(consents=[{"purpose": "email", "granted": True}])
        consent = lead.consent_ids
        lead.unlink()
        self.assertTrue(self.submission(result).exists())
        self.assertTrue(consent.exists())
        again, _lead = self.ingest_one()
        self.assertEqual(again["status"], "duplicate")
        self.assertFalse(again["lead_id"])
