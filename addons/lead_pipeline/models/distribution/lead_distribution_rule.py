# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

from ...engine.distribution import LOAD, MATCH, OWNER, TURN

#: what conditions raise that can't be used (any more)
UNUSABLE = (ValueError, SyntaxError, TypeError)


class LeadDistributionRule(models.Model):
    """Which leads go to which pool, and how. In order; the first that takes a lead
    decides."""

    _name = "lead.distribution.rule"
    _description = "Lead Distribution Rule"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", help="Leave empty for the leads of every company."
    )
    domain = fields.Char("Leads", required=True, default="[]")
    is_catch_all = fields.Boolean(
        compute="_compute_is_catch_all", help="It takes every lead that gets to it."
    )
    pool_id = fields.Many2one(
        "lead.pool",
        required=True,
        index=True,
        check_company=True,
        ondelete="restrict",
    )
    method = fields.Selection(
        [
            (TURN, "In turn, by weight"),
            (LOAD, "Fewest open leads"),
            (OWNER, "The customer's salesperson first"),
            (MATCH, "Best match"),
        ],
        required=True,
        default=TURN,
        help="In turn: everybody gets their share, exactly.\n"
        "Fewest open leads: for their weight; turns decide between equals.\n"
        "The customer's salesperson first: if they are a member and here, else turns.\n"
        "Best match: who has most of the skills, the language and the country the "
        "lead asks for; turns decide between equals.",
    )
    sla_policy_id = fields.Many2one(
        "lead.sla.policy", "SLA", check_company=True, ondelete="restrict"
    )
    skill_ids = fields.Many2many(
        "lead.skill",
        string="Asks For",
        help="Skills that all leads of this rule ask for, beside their own. With best "
        "match, who has them comes first.",
    )
    must_skill = fields.Boolean(
        "Skills Demanded", help="Only who has every skill the lead asks for."
    )
    must_language = fields.Boolean(
        "Language Demanded", help="Only who speaks the lead's language."
    )
    must_country = fields.Boolean(
        "Country Demanded", help="Only who works the lead's country."
    )

    given_30_days = fields.Integer("Given in 30 Days", compute="_compute_given_30_days")

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_given_30_days(self):
        """What the user may see of it."""
        since = fields.Datetime.now() - timedelta(days=30)
        counts = dict(
            self.env["lead.assignment"]._read_group(
                [
                    ("rule_id", "in", self.ids),
                    ("user_id", "!=", False),
                    ("at", ">=", since),
                ],
                ["rule_id"],
                ["__count"],
            )
        )
        for rule in self:
            rule.given_30_days = counts.get(rule._origin, 0)

    @api.depends("domain")
    def _compute_is_catch_all(self):
        for rule in self:
            try:
                rule.is_catch_all = Domain(safe_eval(rule.domain or "[]")).is_true()
            except UNUSABLE:  # being typed
                rule.is_catch_all = False

    @api.constrains("domain")
    def _check_domain(self):
        Lead = self.env["crm.lead"]
        for rule in self:
            try:
                # a savepoint: what the database refuses must not break what goes on
                with self.env.cr.savepoint():
                    Lead.search(rule._lead_domain(), limit=1)
            except Exception as error:
                raise ValidationError(
                    self.env._(
                        "These conditions can't be used: %(domain)s\n%(error)s",
                        domain=rule.domain,
                        error=error,
                    )
                ) from error

    def _lead_domain(self):
        """The leads it takes, as a Domain."""
        self.ensure_one()
        domain = Domain(safe_eval(self.domain or "[]"))
        if self.company_id:
            domain &= Domain("company_id", "in", [False, self.company_id.id])
        return domain
