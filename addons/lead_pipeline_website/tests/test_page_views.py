# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.http_routing.tests.common import MockRequest

from ..tools import url_attribution


@tagged("post_install", "-at_install")
class TestPageViews(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.website = cls.env.ref("website.default_website")
        cls.page = cls.env["website.page"].search([("url", "=", "/contactus")], limit=1)
        cls.start = fields.Datetime.now() - timedelta(hours=5)
        cls.visitor = cls.new_visitor("a")
        cls.lead = cls.env["crm.lead"].create({"name": "Plant in Recife"})

    @classmethod
    def new_visitor(cls, letter, **vals):
        return cls.env["website.visitor"].create(
            {"access_token": letter * 32, "website_id": cls.website.id, **vals}
        )

    def view(self, minutes, url="/contactus", visitor=None, **vals):
        return self.env["website.track"].create(
            {
                "visitor_id": (visitor or self.visitor).id,
                "url": f"https://shop.example.com{url}",
                "visit_datetime": self.start + timedelta(minutes=minutes),
                **vals,
            }
        )

    def views_of(self, lead):
        return lead.touchpoint_ids.sorted("at")

    def test_nobody_yet(self):
        tracks = self.view(0)
        names = [f"website.track,{track.id}" for track in tracks]
        self.assertTrue(names)
        self.assertFalse(
            self.env["lead.touchpoint"].search([("external_id", "in", names)])
        )

    def test_known_afterwards(self):
        tracks = self.view(0, page_id=self.page.id) + self.view(3, "/pricing?x=1")
        self.view(5, page_id=self.page.id, url="/contactus?utm_source=Fair")
        self.visitor.write({"lead_ids": [(4, self.lead.id)]})
        first, second, third = self.views_of(self.lead)
        self.assertEqual(first.kind, "page_view")
        self.assertEqual(first.direction, "in")
        self.assertEqual(first.at, self.start)
        self.assertEqual(first.title, self.page.name)
        self.assertEqual(first.url, "https://shop.example.com/contactus")
        self.assertEqual(first.external_id, f"website.track,{tracks[0].id}")
        self.assertTrue(first.human)
        self.assertEqual(second.title, "/pricing")
        self.assertEqual(third.source_id.name, "Fair")
        self.assertEqual(self.lead.first_touch_source_id.name, "Fair")
        self.assertEqual(self.lead.first_touch_at, third.at)

    def test_lead_that_names_its_visitors(self):
        self.view(0)
        lead = self.env["crm.lead"].create(
            {"name": "Quote", "visitor_ids": [(4, self.visitor.id)]}
        )
        self.assertEqual(len(lead.touchpoint_ids), 1)
        other = self.new_visitor("b")
        self.view(1, visitor=other)
        lead.write({"visitor_ids": [(4, other.id)]})
        self.assertEqual(len(lead.touchpoint_ids), 2)

    def test_time_between_pages(self):
        self.visitor.write({"lead_ids": [(4, self.lead.id)]})
        for minutes in (0, 2, 20, 90):
            self.view(minutes)
        self.assertEqual(
            self.views_of(self.lead).mapped("duration"),
            [120, 1080, 0, 0],
            "70 minutes later is another visit; the last page is still open",
        )
        backfilled = self.env["crm.lead"].create({"name": "Again"})
        other = self.new_visitor("b")
        for minutes in (0, 2, 20, 90):
            self.view(minutes, visitor=other)
        other.write({"lead_ids": [(4, backfilled.id)]})
        self.assertEqual(
            self.views_of(backfilled).mapped("duration"), [120, 1080, 0, 0]
        )

    def test_nothing_twice(self):
        self.view(0)
        for _time in range(2):
            self.visitor.write({"lead_ids": [(4, self.lead.id)]})
        self.assertEqual(len(self.lead.touchpoint_ids), 1)

    def test_visitor_logs_in(self):
        """Core moves an anonymous visitor's pages to that of the logged in person."""
        partner = self.env["res.partner"].create({"name": "Ximena Rojas"})
        person = self.new_visitor("c", access_token=str(partner.id))
        known = self.env["crm.lead"].create(
            {"name": "Older", "visitor_ids": [(4, person.id)]}
        )
        self.view(0)
        self.visitor.write({"lead_ids": [(4, self.lead.id)]})
        self.view(1)
        anonymous = self.new_visitor("d")
        self.view(2, visitor=anonymous)
        (self.visitor + anonymous).invalidate_recordset()
        self.visitor._merge_visitor(person)
        anonymous._merge_visitor(person)
        touchpoints = self.lead.touchpoint_ids + known.touchpoint_ids
        self.assertEqual(len(touchpoints), 3)
        self.assertEqual(len(set(touchpoints.mapped("external_id"))), 3)
        self.assertEqual(person.lead_ids, self.lead + known)

    def test_merged_leads(self):
        self.view(0)
        self.visitor.write({"lead_ids": [(4, self.lead.id)]})
        other = self.env["crm.lead"].create({"name": "Other"})
        merged = (self.lead + other).merge_opportunity()
        self.assertEqual(len(merged.touchpoint_ids), 1)
        self.view(1)
        self.assertEqual(len(merged.touchpoint_ids), 2)

    def test_colleagues_are_no_leads(self):
        colleague = new_test_user(
            self.env, "page_view_colleague", groups="base.group_user"
        )
        visitor = self.new_visitor("e", access_token=str(colleague.partner_id.id))
        self.view(0, "/?utm_source=Fair", visitor=visitor)
        visitor.write({"lead_ids": [(4, self.lead.id)]})
        self.assertEqual(self.lead.touchpoint_ids.mapped("human"), [False])
        self.assertFalse(self.lead.first_touch_at)

    def test_long_and_strange_addresses(self):
        self.visitor.write({"lead_ids": [(4, self.lead.id)]})
        self.view(0, "/?utm_source=%20&utm_medium=" + "m" * 5000)
        self.view(1, "/%00?utm_source=%00")
        self.view(2, "//[broken?utm_source=x")
        self.env["website.track"].create({"visitor_id": self.visitor.id})
        self.assertEqual(len(self.lead.touchpoint_ids), 3)

    def serve_page(self, visitor):
        with (
            MockRequest(
                self.env, website=self.website, path="/contactus", url_root="http://x"
            ) as request,
            patch.object(
                type(visitor), "_get_access_token", lambda _self: visitor.access_token
            ),
        ):
            request.geoip = {}  # no database of places here
            self.env["website.visitor"]._handle_webpage_dispatch(self.page)

    def test_cost_of_a_page(self):
        self.serve_page(self.visitor)  # warm caches
        self.env.flush_all()
        with self.assertQueryCount(2):  # core's, and ours: has the visitor a lead?
            self.serve_page(self.visitor)
        self.visitor.write({"lead_ids": [(4, self.lead.id)]})
        self.serve_page(self.visitor)
        self.env.flush_all()
        # half for the touchpoint, half for totals, score and segments
        with self.assertQueryCount(22):
            self.serve_page(self.visitor)
        self.assertEqual(len(self.lead.touchpoint_ids), 4)

    def test_cost_does_not_grow_with_the_history(self):
        self.visitor.write({"lead_ids": [(4, self.lead.id)]})
        for minutes in range(60):
            self.view(minutes)
        self.serve_page(self.visitor)
        self.env.flush_all()
        with self.assertQueryCount(22):  # as with a single page
            self.serve_page(self.visitor)

    def test_failure_never_breaks_the_page(self):
        self.visitor.write({"lead_ids": [(4, self.lead.id)]})
        touchpoint = self.registry["lead.touchpoint"]
        for error, level in (
            (ValueError("no"), logging.ERROR),
            (SerializationFailure(), logging.INFO),
        ):
            with (
                patch.object(touchpoint, "_refresh_leads", side_effect=error),
                self.assertLogs(
                    "odoo.addons.lead_pipeline_website.models.website_visitor", level
                ),
            ):
                self.serve_page(self.visitor)
        self.assertFalse(self.lead.touchpoint_ids)
        self.assertEqual(len(self.visitor.website_track_ids), 2, "core's part stays")
        self.serve_page(self.visitor)
        self.assertEqual(len(self.lead.touchpoint_ids), 3, "made up for")


@tagged("post_install", "-at_install")
class TestUrlAttribution(TransactionCase):
    def test_parameters(self):
        cases = {
            "https://x.example.com/?utm_source=A&utm_medium=b+c&gclid=1&page=2": {
                "utm_source": "A",
                "utm_medium": "b c",
                "gclid": "1",
            },
            "/pricing": {},
            "": {},
            False: {},
            "https://[broken/?utm_source=A": {},
            "https://x.example.com/?" + "&".join(["a=1"] * 1000): {},
        }
        for url, expected in cases.items():
            self.assertEqual(url_attribution(url), expected, url)
