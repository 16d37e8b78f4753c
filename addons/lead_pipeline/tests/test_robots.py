# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, tagged

from ..engine.robots import RULES
from ..models.capture.lead_touchpoint import ROBOTS

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Safari/537.36"
)
GMAIL = "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"


@tagged("post_install", "-at_install")
class TestRobots(HttpCase):
    """Through the real doors of Odoo: the picture and the links of a mail."""

    def setUp(self):
        super().setUp()
        self.lead = self.env["crm.lead"].create({"name": "Mei Chen"})
        self.mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Autumn offer",
                "mailing_model_id": self.env["ir.model"]._get("crm.lead").id,
            }
        )
        self.mail = self.env["mail.mail"].create({"subject": "Autumn offer"})
        self.trace = self.env["mailing.trace"].create(
            {
                "model": "crm.lead",
                "res_id": self.lead.id,
                "email": "mei.chen@example.com",
                "mass_mailing_id": self.mailing.id,
                "mail_mail_id": self.mail.id,
                "trace_status": "sent",
                "sent_datetime": fields.Datetime.now() - timedelta(hours=1),
            }
        )
        self.links = self.env["link.tracker"].create(
            [
                {"url": f"https://www.example.com/{page}", "title": page}
                for page in ("price", "demo", "imprint")
            ]
        )

    def ask(self, path, agent, **kwargs):
        headers = {"User-Agent": agent, **kwargs.pop("headers", {})}
        return self.url_open(path, headers=headers, allow_redirects=False, **kwargs)

    def open(self, agent=CHROME, **kwargs):
        token = self.mail._generate_mail_recipient_token(self.mail.id)
        answer = self.ask(
            f"/mail/track/{self.mail.id}/{token}/blank.gif", agent, **kwargs
        )
        self.assertEqual(answer.headers["Content-Type"], "image/gif")

    def click(self, agent=CHROME, link=0, **kwargs):
        answer = self.ask(
            f"/r/{self.links[link].code}/m/{self.trace.id}", agent, **kwargs
        )
        self.assertEqual(answer.status_code, 301)
        self.assertTrue(
            answer.headers["Location"].startswith("https://www.example.com")
        )

    def later(self):
        """What happened so far was a minute ago: the clock of a test stands still."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE link_tracker_click SET create_date = create_date - interval '1 min'"
        )
        self.env.cr.execute(
            "UPDATE lead_touchpoint SET at = at - interval '1 min' WHERE lead_id = %s",
            [self.lead.id],
        )
        self.env.invalidate_all()

    def stamp(self):
        """The clicks happened now, not when the test's transaction began."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE link_tracker_click"
            " SET create_date = clock_timestamp() AT TIME ZONE 'UTC'"
        )

    def touches(self):
        """[(kind, rule)] of what is on the lead; a rule says that it counts for none"""
        touches = self.env["lead.touchpoint"].search([("lead_id", "=", self.lead.id)])
        for touch in touches:
            self.assertEqual(touch.human, not touch.robot)
        return sorted((touch.kind, touch.robot or "") for touch in touches)

    def test_every_rule_has_words(self):
        self.assertEqual({name for name, _label in ROBOTS}, set(RULES))

    def test_a_person_opens_and_clicks(self):
        self.open()
        self.later()
        self.click()
        self.click()
        self.assertEqual(self.touches(), [("email_click", ""), ("email_open", "")])
        self.assertEqual(self.trace.trace_status, "open")
        self.assertTrue(self.trace.links_click_datetime)

    def test_proxies_and_scanners(self):
        self.open(GMAIL)
        self.assertEqual(self.touches(), [("email_open", "proxy")])
        self.assertEqual(self.trace.trace_status, "open", "core counts as it does")
        self.click("Barracuda Sentinel (EE)")
        self.assertEqual(
            self.touches(), [("email_click", "scanner"), ("email_open", "proxy")]
        )
        self.assertEqual(self.links[0].count, 1, "core counts as it does")

    def test_the_bare_name_of_apples_proxies(self):
        self.open("Mozilla/5.0")
        self.assertEqual(self.touches(), [("email_open", "apple")])

    def test_head_and_prefetch(self):
        self.click(method="HEAD")
        self.assertEqual(
            self.touches(), [("email_click", "head"), ("email_open", "head")]
        )
        self.later()
        self.click(headers={"Sec-Purpose": "prefetch"})
        self.assertEqual(
            len(self.touches()), 2, "one robot's touch of a kind is enough"
        )

    def test_just_sent(self):
        self.trace.sent_datetime = fields.Datetime.now()
        self.click()
        self.assertEqual(
            self.touches(), [("email_click", "instant"), ("email_open", "instant")]
        )

    def test_a_persons_click_after_a_robots(self):
        self.click("curl/8.5.0")
        self.later()
        self.click()
        self.assertEqual(
            self.touches(),
            [
                ("email_click", ""),
                ("email_click", "program"),
                ("email_open", ""),
                ("email_open", "program"),
            ],
        )

    def test_many_links_at_once_take_back_the_first(self):
        self.click()
        self.assertEqual(self.touches(), [("email_click", ""), ("email_open", "")])
        self.click(link=1)
        self.click(link=2)
        self.assertEqual(
            self.touches(), [("email_click", "burst"), ("email_open", "burst")]
        )
        self.later()
        self.click()
        self.assertIn(("email_click", ""), self.touches())

    def test_requests_that_did_not_see_each_other(self):
        """As in parallel: both links are there, and the touch looks like a person's."""
        self.click()
        self.env["link.tracker.click"].create(
            {"link_id": self.links[1].id, "mailing_trace_id": self.trace.id}
        )
        self.assertIn(("email_click", ""), self.touches())
        self.stamp()
        self.env["mailing.trace"]._cron_find_bursts()
        self.assertEqual(
            self.touches(), [("email_click", "burst"), ("email_open", "burst")]
        )

    def test_the_job_leaves_a_persons_clicks_alone(self):
        self.click()
        self.stamp()
        self.later()
        self.click(link=1)
        self.env["mailing.trace"]._cron_find_bursts()
        self.assertEqual(self.touches(), [("email_click", ""), ("email_open", "")])

    def test_robots_never_score(self):
        model = self.env["lead.score.model"].create(
            {
                "name": "Clicks",
                "sequence": 0,
                "half_life": 14,
                "domain": "[('name', '=', 'Mei Chen')]",
                "activity_ids": [
                    (0, 0, {"name": "Click", "kind": "email_click", "points": 8}),
                    (0, 0, {"name": "Open", "kind": "email_open", "points": 2}),
                ],
            }
        )
        model.action_activate()
        self.lead._rescore()
        self.open(GMAIL)
        self.click("curl/8.5.0")
        self.assertEqual(self.lead.engagement_score, 0)
        self.later()
        self.click()
        self.lead.invalidate_recordset()
        self.assertEqual(self.lead.engagement_score, 10)
        self.click(link=1)
        self.lead.invalidate_recordset()
        self.assertEqual(self.lead.engagement_score, 0)
