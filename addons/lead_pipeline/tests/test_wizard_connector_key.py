# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import tomllib
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import LeadPipelineCase


@tagged("post_install", "-at_install")
class TestConnectorKey(LeadPipelineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls._new_user("admin", "base.group_erp_manager")
        cls.wizards = cls.env["lead.connector.key"].with_user(cls.admin)

    def _generate(self, **vals):
        wizard = self.wizards.create({"login": "t-connector", **vals})
        action = wizard.action_generate()
        return wizard, action["context"]["connector_key"], action

    def _keys(self, login="t-connector"):
        return self.env["res.users.apikeys"].search([("user_id.login", "=", login)])

    def test_key_of_a_user_with_one_right(self):
        _wizard, key, _action = self._generate()
        user = self.env["res.users"].search([("login", "=", "t-connector")])
        group = self.env.ref("lead_pipeline.group_lead_pipeline_connector")
        self.assertEqual(user.group_ids, group)
        self.assertEqual(user.all_group_ids, group.all_implied_ids)
        self.assertEqual(
            self.env["res.users.apikeys"]._check_credentials(scope="rpc", key=key),
            user.id,
        )
        self.assertFalse(
            self.env["res.users"].with_user(self.connector).has_access("read")
        )

    def test_key_ends_when_it_was_said(self):
        self._generate(duration="180")
        expected = fields.Datetime.now() + timedelta(days=180)
        self.assertAlmostEqual(
            self._keys().expiration_date, expected, delta=timedelta(minutes=5)
        )

    def test_second_key_is_of_the_same_user(self):
        self._generate()
        self._generate(name="second machine")
        self.assertEqual(
            set(self._keys().mapped("name")), {"lead-connectors", "second machine"}
        )
        self.assertEqual(len(self._keys().user_id), 1)
        listed = self.wizards.create({}).line_ids
        self.assertLessEqual(
            {"lead-connectors", "second machine"}, set(listed.mapped("name"))
        )

    def test_key_shows_once(self):
        wizard, key, action = self._generate()
        shown = wizard.with_context(**action["context"]).read(["key"])
        self.assertEqual(shown[0]["key"], key)
        self.env.invalidate_all()
        self.assertFalse(wizard.read(["key"])[0]["key"])
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT count(*) FROM lead_connector_key wizard WHERE wizard::text LIKE %s",
            [f"%{key}%"],
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_snippet_is_toml(self):
        wizard, key, _action = self._generate()
        self.assertNotIn(key, wizard.snippet)
        section = tomllib.loads(wizard.snippet)["odoo"]
        self.assertEqual(section["login"], "t-connector")
        self.assertEqual(section["database"], self.env.cr.dbname)
        self.assertEqual(section["api_key"], "env:ODOO_API_KEY")

    def test_user_with_more_rights_gets_no_key(self):
        for login in ("admin", self.salesman.login):
            with self.subTest(login=login), self.assertRaises(UserError):
                self._generate(login=login)
        self.assertFalse(self._keys(self.salesman.login))

    def test_archived_user_gets_no_key(self):
        self._generate()
        self.env["res.users"].search([("login", "=", "t-connector")]).active = False
        with self.assertRaises(UserError):
            self._generate()

    def test_revoke(self):
        self._generate()
        line = self.wizards.create({}).line_ids.filtered(
            lambda line: line.login == "t-connector"
        )
        line.action_revoke()
        self.assertFalse(self._keys())

    def test_keys_of_others_can_not_be_revoked(self):
        self.env["res.users.apikeys"].with_user(self.salesman).sudo()._generate(
            "rpc", "mine", fields.Datetime.now() + timedelta(days=1)
        )
        foreign = self._keys(self.salesman.login)
        line = (
            self.env["lead.connector.key.line"]
            .with_user(self.admin)
            .create({"api_key_id": foreign.id})
        )
        with self.assertRaises(AccessError):
            line.action_revoke()
        self.assertTrue(self._keys(self.salesman.login))

    def test_administrators_only(self):
        for user in (self.salesman, self.manager, self.connector):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["lead.connector.key"].with_user(user).create({})


@tagged("post_install", "-at_install")
class TestConnectorKeyOverRpc(HttpCase):
    """The key as the connector uses it, over both of Odoo's doors."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        admin = new_test_user(cls.env, "t_admin", groups="base.group_erp_manager")
        action = (
            cls.env["lead.connector.key"]
            .with_user(admin)
            .create({"login": "t-connector"})
            .action_generate()
        )
        cls.key = action["context"]["connector_key"]
        cls.env["lead.channel"].create({"name": "Door", "code": "t-door"})
        cls.items = [
            {
                "channel": "t-door",
                "external_id": "1",
                "contact": {"name": "Nguyễn An", "email": "an.nguyen@example.com"},
            }
        ]

    def _jsonrpc(self, service, method, *args):
        return self.url_open(
            "/jsonrpc",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {"service": service, "method": method, "args": args},
            },
        ).json()

    def test_jsonrpc(self):
        database = self.env.cr.dbname
        uid = self._jsonrpc("common", "login", database, "t-connector", self.key)[
            "result"
        ]
        self.assertTrue(uid)

        def execute(*args):
            return self._jsonrpc("object", "execute_kw", database, uid, self.key, *args)

        [result] = execute("lead.submission", "ingest", [self.items])["result"]
        self.assertEqual(result["status"], "created")
        for model in ("crm.lead", "res.partner", "lead.submission"):
            with self.subTest(model=model), self.assertLogs("odoo.http", "WARNING"):
                answer = execute(model, "search_read", [[]])
                self.assertIn("AccessError", answer["error"]["data"]["name"])

    def _json2(self, model, method, **params):
        return self.url_open(
            f"/json/2/{model}/{method}",
            json=params,
            headers={
                "Authorization": f"bearer {self.key}",
                "X-Odoo-Database": self.env.cr.dbname,
            },
        )

    def test_json2(self):
        answer = self._json2("lead.submission", "ingest", submissions=self.items)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(answer.json()[0]["status"], "created")
        with self.assertLogs("odoo.http", "WARNING"):
            refused = self._json2("crm.lead", "search_read", domain=[])
        self.assertEqual(refused.status_code, 403)
