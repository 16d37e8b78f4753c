# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import json
from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError


class LeadConnectorKey(models.TransientModel):
    """Give the connector service its access: a user that can only hand in leads, and
    an API key, shown once."""

    _name = "lead.connector.key"
    _description = "Connector Access"

    login = fields.Char(
        required=True,
        default="lead-connector",
        help="Login of the technical user. It is made if it is not there.",
    )
    name = fields.Char(
        "Used For",
        required=True,
        default="lead-connectors",
        help="Name of the machine or service that uses the key.",
    )
    duration = fields.Selection(
        [("90", "3 months"), ("180", "6 months"), ("365", "1 year")],
        "Valid For",
        required=True,
        default="365",
    )
    line_ids = fields.One2many(
        "lead.connector.key.line",
        "wizard_id",
        "Keys",
        default=lambda self: self._default_line_ids(),
    )

    key = fields.Char(
        "API Key",
        compute="_compute_key",
        help="From the context: it is in no column, so nobody can read it again.",
    )
    snippet = fields.Text("connectors.toml", compute="_compute_snippet")

    @api.depends_context("connector_key")
    def _compute_key(self):
        self.key = self.env.context.get("connector_key")

    @api.depends("login")
    def _compute_snippet(self):
        quote = json.dumps  # a TOML string is written like one of JSON
        for wizard in self:
            login = (wizard.login or "").strip()
            wizard.snippet = "\n".join(
                [
                    "[odoo]",
                    f"url = {quote(wizard.get_base_url())}",
                    f"database = {quote(self.env.cr.dbname)}",
                    f"login = {quote(login, ensure_ascii=False)}",
                    'api_key = "env:ODOO_API_KEY"',
                ]
            )

    @api.model
    def _default_line_ids(self):
        # sudo: names and dates of keys; the keys themselves nobody can read
        users = (
            self.env["res.users"]
            .sudo()
            .search([("group_ids", "in", self._connector_group().ids)])
        )
        keys = (
            self.env["res.users.apikeys"]
            .sudo()
            .search([("user_id", "in", users.ids)], order="create_date desc")
        )
        return [Command.create({"api_key_id": key.id}) for key in keys]

    @api.model
    def _connector_group(self):
        return self.env.ref("lead_pipeline.group_lead_pipeline_connector").sudo()

    @api.model
    def action_open(self):
        """Open the wizard on a saved record: its lines have buttons of their own."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Connector Access"),
            "res_model": self._name,
            "res_id": self.create({}).id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_generate(self):
        """Make a key for the technical user.

        :return: an action that shows it; it can't be read again
        :raises UserError: the login belongs to a user with other rights
        """
        self.ensure_one()
        self.check_access("write")
        user = self._get_user()
        expires = fields.Datetime.now() + timedelta(days=int(self.duration))
        # the key is only as strong as its user: it can hand in leads, nothing else.
        # So core's rule that people make their own keys has nothing to protect here.
        # sudo: the duration may be longer than the user's own groups allow
        key = (
            self.env["res.users.apikeys"]
            .with_user(user)
            .sudo()
            ._generate("rpc", self.name, expires)
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("API Key of the Connector"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [
                (
                    self.env.ref("lead_pipeline.lead_connector_key_view_form_ready").id,
                    "form",
                )
            ],
            "target": "new",
            # kept in the client's memory only, until the dialog is closed
            "context": {"connector_key": key, "dialog_size": "medium"},
        }

    def _get_user(self):
        """The technical user, made where missing. Never one with more rights."""
        group = self._connector_group()
        # sudo: erp managers may make users; who has which group is theirs to know
        users = self.env["res.users"].sudo().with_context(active_test=False)
        user = users.search([("login", "=", self.login.strip())], limit=1)
        if not user:
            return users.with_context(no_reset_password=True).create(
                {
                    "name": self.env._("Lead Pipeline Connector"),
                    "login": self.login.strip(),
                    "group_ids": [Command.set(group.ids)],
                    "company_id": self.env.company.id,
                    "company_ids": [Command.set(self.env.company.ids)],
                    "notification_type": "email",
                }
            )
        if not user.active:
            raise UserError(
                self.env._(
                    "The user “%(login)s” is archived. Restore it, or take another "
                    "login.",
                    login=user.login,
                )
            )
        extra = user.all_group_ids - group.all_implied_ids
        if extra or group not in user.all_group_ids:
            raise UserError(
                self.env._(
                    "“%(login)s” is not a user for the connector alone. Take another "
                    "login: the connector's user must have no other right.",
                    login=user.login,
                )
            )
        return user


class LeadConnectorKeyLine(models.TransientModel):
    _name = "lead.connector.key.line"
    _description = "Key of the Connector"

    wizard_id = fields.Many2one("lead.connector.key", ondelete="cascade")
    api_key_id = fields.Many2one("res.users.apikeys", ondelete="cascade")
    name = fields.Char("Used For", related="api_key_id.name", related_sudo=True)
    login = fields.Char(related="api_key_id.user_id.login", related_sudo=True)
    created_at = fields.Datetime(
        "Made", related="api_key_id.create_date", related_sudo=True
    )
    expiration_date = fields.Datetime(
        "Expires", related="api_key_id.expiration_date", related_sudo=True
    )
    expires_soon = fields.Boolean(compute="_compute_expires_soon")

    @api.depends("expiration_date")
    def _compute_expires_soon(self):
        limit = fields.Datetime.now() + timedelta(days=14)
        for line in self:
            line.expires_soon = line.expiration_date and line.expiration_date < limit

    def action_revoke(self):
        """Remove the key: whoever uses it is turned away from now on."""
        self.ensure_one()
        self.check_access("write")
        # sudo: the wizard's own right decides; only keys of the connector's user
        key = self.api_key_id.sudo()
        group = self.env["lead.connector.key"]._connector_group()
        if group not in key.user_id.all_group_ids:
            raise AccessError(self.env._("This is no key of the connector."))
        key._remove()
        return self.env["lead.connector.key"].action_open()
