# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

from .big_integer import BigInteger


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
    #: of the engine's ledger; written in plain SQL
    clock = BigInteger(default=0, required=True, readonly=True, copy=False)
