# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models

from ..big_integer import BigInteger


class LeadPool(models.Model):
    """People who take turns at leads. Whose turn it is: see ``engine.ledger``."""

    _name = "lead.pool"
    _description = "Lead Pool"
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", help="Leave empty for the leads of every company."
    )
    team_id = fields.Many2one(
        "crm.team",
        "Sales Team",
        check_company=True,
        ondelete="set null",
        help="Written on the leads this pool gives out. Leave empty to keep theirs.",
    )
    note = fields.Text("Notes")
    member_ids = fields.One2many(
        "lead.pool.member",
        "pool_id",
        "Members",
        context={"active_test": False},
        copy=True,
    )
    rule_ids = fields.One2many("lead.distribution.rule", "pool_id", "Rules")
    user_ids = fields.Many2many("res.users", string="People", compute="_compute_people")
    away_count = fields.Integer("Paused", compute="_compute_people")
    given_7_days = fields.Integer("Given in 7 Days", compute="_compute_counts")
    waiting_count = fields.Integer("Waiting", compute="_compute_counts")
    #: of the engine's ledger; written in plain SQL
    clock = BigInteger(default=0, required=True, readonly=True, copy=False)

    @api.depends("member_ids.active", "member_ids.paused", "member_ids.user_id")
    def _compute_people(self):
        for pool in self:
            members = pool.member_ids.filtered("active")
            pool.user_ids = members.user_id
            pool.away_count = len(members.filtered("paused"))

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_counts(self):
        """What the user may see of it."""
        since = fields.Datetime.now() - timedelta(days=7)
        given = self._count_assignments([("user_id", "!=", False), ("at", ">=", since)])
        waiting = self._count_assignments(
            [("lead_id.waiting_since", "!=", False), ("ended_at", "=", False)]
        )
        for pool in self:
            pool.given_7_days = given.get(pool._origin, 0)
            pool.waiting_count = waiting.get(pool._origin, 0)

    def _count_assignments(self, domain):
        return dict(
            self.env["lead.assignment"]._read_group(
                [("pool_id", "in", self.ids), *domain], ["pool_id"], ["__count"]
            )
        )

    def write(self, vals):
        back = self.filtered(lambda pool: not pool.active and vals.get("active"))
        result = super().write(vals)
        back.member_ids._count_given()
        return result

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def _action_of_pool(self, domain):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "lead_pipeline.lead_assignment_action"
            ),
            "display_name": self.name,
            "domain": [("pool_id", "=", self.id), *domain],
        }

    def action_view_given(self):
        return self._action_of_pool([("user_id", "!=", False)])

    def action_view_waiting(self):
        return self._action_of_pool(
            [("lead_id.waiting_since", "!=", False), ("ended_at", "=", False)]
        )

    def action_view_changes(self):
        self.ensure_one()
        return self.env["lead.distribution.history"]._action_of(self, "pool_id")
