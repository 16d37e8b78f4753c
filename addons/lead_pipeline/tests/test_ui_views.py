# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import tomllib

from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged
from odoo.tools.safe_eval import safe_eval

from ..engine.guess import guess_target
from .common import LeadPipelineCase


@tagged("post_install", "-at_install")
class TestViews(LeadPipelineCase):
    def _actions(self):
        data = self.env["ir.model.data"].search(
            [("module", "=", "lead_pipeline"), ("model", "=", "ir.actions.act_window")]
        )
        return self.env["ir.actions.act_window"].browse(data.mapped("res_id"))

    def test_every_view_of_every_action_opens_for_a_manager(self):
        for action in self._actions():
            with self.subTest(action=action.name):
                values = action.with_user(self.manager)._get_action_dict()
                model = self.env[action.res_model].with_user(self.manager)
                views = [(view_id, kind) for view_id, kind in values["views"]]
                model.get_views([*views, (False, "search")], {"toolbar": True})
                domain = safe_eval(values["domain"] or "[]", {"uid": self.manager.id})
                if not model._transient:
                    model.search(domain, limit=1)

    def test_salesman_sees_the_timeline_and_no_quarantine_buttons(self):
        views = (
            self.env["crm.lead"]
            .with_user(self.salesman)
            .get_view(self.env.ref("crm.crm_lead_view_form").id)
        )
        self.assertIn('name="timeline_ids"', views["arch"])
        form = (
            self.env["lead.submission"]
            .with_user(self.salesman)
            .get_view(view_type="form")
        )
        self.assertNotIn("action_replay", form["arch"])
        form = (
            self.env["lead.submission"]
            .with_user(self.manager)
            .get_view(view_type="form")
        )
        self.assertIn("action_replay", form["arch"])

    def _menus(self, user):
        visible = self.env["ir.ui.menu"].with_user(user).load_menus(False)
        return {
            menu["xmlid"].removeprefix("lead_pipeline.")
            for menu in visible.values()
            if (menu.get("xmlid") or "").startswith("lead_pipeline.")
        }

    def test_menus_by_role(self):
        everybody = {"lead_phone_entry_menu", "lead_submission_menu"}
        managers = {
            "lead_channel_menu",
            "lead_submission_menu_quarantine",
            "lead_channel_count_menu",
        }
        salesman = self._menus(self.salesman)
        self.assertLessEqual(everybody, salesman)
        self.assertFalse(managers & salesman)
        self.assertNotIn("lead_connector_key_menu", salesman)
        self.assertLessEqual(everybody | managers, self._menus(self.manager))
        with self.assertRaises(AccessError):
            self._menus(self.connector)

    def test_search_filters_are_domains(self):
        for xmlid in (
            "lead_pipeline.lead_submission_view_search",
            "lead_pipeline.lead_channel_view_search",
            "lead_pipeline.lead_touchpoint_view_search",
            "lead_pipeline.lead_channel_count_view_search",
            "lead_pipeline.crm_lead_report_view_search",
        ):
            view = self.env.ref(xmlid)
            model = self.env[view.model].with_user(self.manager)
            arch = html.fromstring(view.arch)
            for node in arch.xpath("//filter[@domain]"):
                with self.subTest(view=xmlid, filter=node.get("name")):
                    model.search(
                        safe_eval(node.get("domain"), {"uid": self.manager.id}),
                        limit=1,
                    )


@tagged("post_install", "-at_install")
class TestCards(LeadPipelineCase):
    def test_summary_escapes_what_strangers_wrote(self):
        script = "<script>alert(1)</script>"
        [result] = self.ingest(
            self.item(
                contact={"name": script, "email": "x@example.com"},
                message=script,
                answers=[{"key": script, "label": script, "value": script}],
                attribution={"utm_source": script},
                consents=[{"purpose": script, "granted": True, "text": script}],
            )
        )
        submission = self.submission(result)
        summary = submission.with_user(self.manager).summary
        self.assertNotIn("<script", summary)
        self.assertEqual(summary.count("&lt;script&gt;"), 7)

    def test_summary_says_what_was_refused(self):
        [result] = self.ingest(
            self.item(
                consents=[
                    {"purpose": "newsletter", "granted": False, "version": "2026-01"}
                ]
            )
        )
        summary = self.submission(result).summary
        self.assertIn("Refused", summary)
        self.assertIn("2026-01", summary)

    def test_summary_of_nothing(self):
        [result] = self.ingest("no object")
        self.assertIn("Nothing readable", self.submission(result).summary)

    def test_payload_is_laid_out(self):
        [result] = self.ingest(self.item(payload={"name": "ليلى", "deep": {"a": 1}}))
        submission = self.submission(result)
        self.assertIn('\n    "a": 1', submission.payload_pretty)
        self.assertIn("ليلى", submission.payload_pretty)

    def test_bars_follow_the_day_of_the_reader(self):
        [result] = self.ingest(self.item())
        self.submission(result).received_at = "2026-11-19 23:30:00"
        with freeze_time("2026-11-20 10:00:00"):
            self.manager.tz = "Europe/Berlin"  # half past midnight there
            bars = self.meta.with_user(self.manager).daily_counts
            self.assertEqual(len(bars), 14)
            self.assertEqual([bar["count"] for bar in bars], [0] * 13 + [1])
            self.manager.tz = "UTC"
            self.env.invalidate_all()
            bars = self.meta.with_user(self.manager).daily_counts
            self.assertEqual([bar["count"] for bar in bars], [0] * 12 + [1, 0])

    def test_snippet_names_the_channel(self):
        channel = self._new_channel("Messe", 'Messe "Süd" 2026')
        [(name, source)] = tomllib.loads(channel.connector_snippet)["sources"].items()
        self.assertRegex(name, r"^[a-z0-9][a-z0-9_-]*$")
        self.assertEqual(source["channel"], channel.code)

    def test_buttons_lead_to_the_right_lists(self):
        [result] = self.ingest(self.item())
        channel = self.meta.with_user(self.manager)
        for method, model, count in (
            ("action_view_submissions", "lead.submission", 1),
            ("action_view_leads", "crm.lead", 1),
            ("action_view_counts", "lead.channel.count", 0),
        ):
            with self.subTest(method=method):
                action = getattr(channel, method)()
                self.assertEqual(action["res_model"], model)
                self.assertEqual(self.env[model].search_count(action["domain"]), count)
        lead = self.env["crm.lead"].browse(result["lead_id"])
        for method in ("action_view_submissions", "action_view_touchpoints"):
            action = getattr(lead, method)()
            self.assertEqual(
                self.env[action["res_model"]].search_count(action["domain"]), 1
            )

    def test_settings_are_the_company_s(self):
        settings = self.env["res.config.settings"].with_company(self.company)
        settings.create({"lead_lost_policy": "new", "lead_payload_days": 30}).execute()
        self.assertEqual(self.company.lead_lost_policy, "new")
        self.assertEqual(self.company.lead_payload_days, 30)


@tagged("post_install", "-at_install")
class TestGuess(LeadPipelineCase):
    def test_guesses(self):
        for key, label, value, expected in (
            ("q1", "Your work email", "ida@example.com", "email"),
            ("field_3", "", "ida@example.com", "email"),
            ("E-Mail", "", "", "email"),
            ("workEmail", "", "", "email"),
            ("Vor- und Nachname", "", "Ida Nyberg", "name"),
            ("Nachname", "", "Nyberg", "last_name"),
            ("first_name", "", "Ida", "first_name"),
            ("Telefon", "", "0151 2345678", "phone"),
            ("q9", "", "+49 151 23456789", "phone"),
            ("الاسم", "", "ليلى", "name"),
            ("姓名", "", "王芳", "name"),
            ("Numéro de téléphone", "", "", "phone"),
            ("Company name", "", "Vogt GmbH", "company"),
            ("Job title", "", "CEO", "job_title"),
            ("q4", "", "https://vogt.example.com", "website"),
            ("Message", "", "Hello", "message"),
            ("roof", "What kind of roof?", "Flat", ""),
            ("year", "", "1978", ""),
        ):
            with self.subTest(key=key, value=value):
                self.assertEqual(guess_target(key, label, value), expected)
