# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import freeze_time

from .common import NOW, LeadPipelineCase


@freeze_time(NOW)
class TestAttribution(LeadPipelineCase):
    """First touch, last touch, and the marketing records behind them."""

    def test_first_and_last_touch_are_kept_apart(self):
        _result, lead = self.ingest_one(
            "1",
            submitted_at="2026-11-10T08:00:00Z",
            attribution={"utm_source": "google", "utm_medium": "cpc", "gclid": "G-1"},
        )
        self.ingest_one(
            "2",
            channel="t-form",
            submitted_at="2026-11-15T08:00:00Z",
            attribution={"utm_source": "t-letter", "utm_campaign": "November"},
        )
        self.assertEqual(lead.first_touch_source_id.name, "google")
        self.assertEqual(lead.first_touch_click_id, "gclid:G-1")
        self.assertEqual(lead.last_touch_source_id.name, "t-letter")
        self.assertEqual(lead.last_touch_campaign_id.name, "November")
        self.assertFalse(lead.last_touch_click_id)
        self.assertEqual(lead.source_id.name, "google")
        # one that arrives late is the first all the same
        self.ingest_one(
            "3",
            submitted_at="2026-11-01T08:00:00Z",
            attribution={"utm_source": "t-face", "fbclid": "F-1"},
        )
        self.assertEqual(lead.first_touch_source_id.name, "t-face")
        self.assertEqual(lead.last_touch_source_id.name, "t-letter")
        self.assertEqual(str(lead.first_touch_at), "2026-11-01 08:00:00")

    def test_channel_stands_in_for_what_is_not_said(self):
        self.meta.write(
            {
                "source_id": self.env["utm.source"].create({"name": "t-own"}).id,
                "medium_id": self.env["utm.medium"].create({"name": "t-paid"}).id,
            }
        )
        _result, lead = self.ingest_one("1")
        self.assertEqual(lead.source_id.name, "t-own")
        self.assertEqual(lead.first_touch_medium_id.name, "t-paid")
        _result, lead = self.ingest_one(
            "2", contact={"email": "x@example.com"}, attribution={"utm_source": "bing"}
        )
        self.assertEqual(lead.source_id.name, "bing")
        self.assertFalse(lead.medium_id, "origins are not mixed")

    def test_utm_names(self):
        find = self.env["utm.mixin"]._find_or_create_by_names
        existing = self.env["utm.source"].create([{"name": "100 X"}, {"name": "Bing"}])
        found = find(
            "utm.source", {"100 %", "bing", " BING ", "", None, "  ", "1__ x", "100 x"}
        )
        self.assertEqual(found["bing"], existing[1].id)
        self.assertEqual(found[" BING "], existing[1].id)
        self.assertEqual(found["100 x"], existing[0].id)
        self.assertNotIn(found["100 %"], existing.ids)
        self.assertNotIn(found["1__ x"], existing.ids)
        self.assertEqual(set(found), {"100 %", "bing", " BING ", "1__ x", "100 x"})
        self.assertEqual(find("utm.source", {"100 %"})["100 %"], found["100 %"])
        campaign = find("utm.campaign", {"حملة الربيع", "Y" * 900})
        records = self.env["utm.campaign"].browse(campaign.values())
        self.assertTrue(all(records.mapped("is_auto_campaign")))
        self.assertEqual(
            find("utm.campaign", {"Y" * 900})["Y" * 900], campaign["Y" * 900]
        )

    def test_merge_carries_everything_along(self):
        _result, first = self.ingest_one(
            "1",
            submitted_at="2026-11-01T08:00:00Z",
            attribution={"utm_source": "google"},
            consents=[{"purpose": "email", "granted": True}],
        )
        _result, second = self.ingest_one(
            "2",
            channel="t-form",
            submitted_at="2026-11-12T08:00:00Z",
            contact={"email": "other@example.com"},
            attribution={"utm_source": "t-face"},
        )
        self.env["lead.touchpoint"].create(
            {
                "lead_id": first.id,
                "kind": "call_out",
                "direction": "out",
                "at": "2026-11-02 08:00:00",
            }
        )
        merged = (first | second).with_user(self.manager).merge_opportunity()
        merged = merged.sudo()
        self.assertEqual(len(merged.submission_ids), 2)
        self.assertEqual(len(merged.touchpoint_ids), 3)
        self.assertEqual(len(merged.consent_ids), 1)
        self.assertEqual(merged.first_touch_source_id.name, "google")
        self.assertEqual(merged.last_touch_source_id.name, "t-face")
        self.assertEqual(str(merged.date_first_response), "2026-11-02 08:00:00")
        self.assertTrue(merged.channel_id)
        # what came for the loser now answers with the winner
        again = self.ingest(self.item("1"), self.item("2", channel="t-form"))
        self.assertEqual({row["lead_id"] for row in again}, {merged.id})

    def test_merge_carries_a_touch_without_origin_on_and_on(self):
        # each wins against those before it
        touched, second, third = self.env["crm.lead"].create(
            [
                {"name": "Mail", "type": "opportunity", "probability": probability}
                for probability in (10, 20, 30)
            ]
        )
        touchpoint = self.env["lead.touchpoint"].create(
            {"lead_id": touched.id, "kind": "email_reply"}
        )
        self.assertEqual((touched | second).merge_opportunity(), second)
        self.assertEqual((second | third).merge_opportunity(), third)
        self.assertEqual(third.touchpoint_ids, touchpoint)

    def test_convert_keeps_everything(self):
        self.meta.team_id = self.env["crm.team"].create(
            {"name": "Leads", "company_id": self.company.id, "use_leads": True}
        )
        _result, lead = self.ingest_one(attribution={"utm_source": "google"})
        lead.with_user(self.manager).convert_opportunity(self.env["res.partner"])
        self.assertEqual(lead.type, "opportunity")
        self.assertEqual(lead.channel_id, self.meta)
        self.assertEqual(lead.first_touch_source_id.name, "google")
        self.assertEqual(len(lead.submission_ids), 1)

    def test_duplicating_a_lead_copies_no_proof(self):
        _result, lead = self.ingest_one(attribution={"utm_source": "google"})
        copy = lead.copy()
        self.assertFalse(copy.submission_ids)
        self.assertFalse(copy.channel_id)
        self.assertFalse(copy.first_touch_at)
        self.assertFalse(copy.touchpoint_ids)
