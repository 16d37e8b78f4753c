# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...engine.business_time import local_date
from ...engine.ledger import Ledger, reweigh
from ...engine.members import Load
from ..big_integer import BigInteger

CAPS = ("per_day", "per_week", "per_month", "max_open")


class LeadPoolMember(models.Model):
    """Somebody who takes turns in a pool."""

    _name = "lead.pool.member"
    _description = "Lead Pool Member"
    _order = "pool_id, sequence, id"
    _rec_name = "user_id"
    _rec_names_search = ["user_id.name"]

    pool_id = fields.Many2one("lead.pool", required=True, ondelete="cascade")
    user_id = fields.Many2one(
        "res.users",
        "Salesperson",
        required=True,
        index=True,
        domain=[("share", "=", False)],
        ondelete="restrict",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    weight = fields.Integer(
        default=1,
        required=True,
        aggregator=None,
        help="Somebody of weight 2 gets twice as many leads as somebody of weight 1.",
    )
    per_day = fields.Integer(
        aggregator=None, help="At most so many leads a day; 0: no limit."
    )
    per_week = fields.Integer(
        aggregator=None,
        help="At most so many leads a week, from Monday; 0: no limit.",
    )
    per_month = fields.Integer(
        aggregator=None, help="At most so many leads a month; 0: no limit."
    )
    max_open = fields.Integer(
        aggregator=None,
        help="Nothing new while so many leads are in work; 0: no limit.",
    )
    skill_ids = fields.Many2many("lead.skill", string="Skills")
    lang_ids = fields.Many2many(
        "res.lang",
        string="Languages",
        context={"active_test": False},
        help="Leave empty for any language.",
    )
    country_ids = fields.Many2many(
        "res.country", string="Countries", help="Leave empty for any country."
    )
    resource_calendar_id = fields.Many2one(
        "resource.calendar",
        "Working Hours",
        ondelete="restrict",
        help="Leads come in these hours only. Leave empty for the hours of the "
        "company.",
    )
    paused = fields.Boolean(
        help="Gets nothing until somebody ends the pause.", copy=False
    )
    paused_until = fields.Datetime(copy=False, help="Gets nothing until then.")
    missed_count = fields.Integer(
        "Missed in a Row", readonly=True, copy=False, aggregator=None
    )
    offline_since = fields.Datetime(readonly=True, copy=False)
    offline_reason = fields.Char(readonly=True, copy=False)
    open_count = fields.Integer("Open Leads", compute="_compute_open_count")

    # what was given, as of the local day of the last one; see engine.members.Load
    load_day = fields.Date("Last Lead", readonly=True, copy=False)
    load_today = fields.Integer(readonly=True, copy=False, aggregator=None)
    load_week = fields.Integer(readonly=True, copy=False, aggregator=None)
    load_month = fields.Integer(readonly=True, copy=False, aggregator=None)
    # of engine.ledger.Ledger; written in plain SQL
    turns = fields.Integer(
        readonly=True, copy=False, help="Leads got by turn, not by anything else."
    )
    turn_start = BigInteger(readonly=True, copy=False, aggregator=None)
    turn_left = BigInteger(readonly=True, copy=False, aggregator=None)

    _user_unique = models.UniqueIndex(
        "(pool_id, user_id)",
        "Nobody takes turns twice in one pool. Maybe they are archived there?",
    )
    _weight_positive = models.Constraint(
        "CHECK (weight >= 1)", "A weight is a whole number from 1."
    )
    _caps_positive = models.Constraint(
        f"CHECK (LEAST({', '.join(CAPS)}) >= 0)", "A limit is not below 0."
    )

    @api.depends("user_id")
    def _compute_open_count(self):
        counts = self._open_counts()
        for member in self:
            member.open_count = counts.get(member.user_id.id, 0)

    # ------------------------------------------------------------
    # WEIGHT
    # ------------------------------------------------------------

    def write(self, vals):
        if "weight" in vals:
            # as it will be kept: an import or a script may bring a text
            weight = self._fields["weight"].convert_to_cache(vals["weight"], self)
            self._reweigh(weight)
        moved = self._moved(vals)
        back = self.filtered(lambda member: not member.active and vals.get("active"))
        result = super().write(vals)
        moved._begin_anew()
        (back | moved)._count_given()
        return result

    def _reweigh(self, weight):
        """What members are owed stays when their weight changes."""
        members = self.filtered(lambda member: 1 <= weight != member.weight)
        if not members:
            return
        self.env.flush_all()
        # nobody takes a turn meanwhile
        self.env.cr.execute(
            "SELECT id, clock FROM lead_pool WHERE id = ANY(%s)"
            " ORDER BY id FOR NO KEY UPDATE",
            [members.pool_id.ids],
        )
        clocks = dict(self.env.cr.fetchall())
        self.env.cr.execute(
            "SELECT id, turns, turn_start, turn_left FROM lead_pool_member"
            " WHERE id = ANY(%s)",
            [members.ids],
        )
        for member_id, turns, start, left in self.env.cr.fetchall():
            member = self.browse(member_id)
            ledger = reweigh(
                Ledger(turns or 0, start, left),
                member.weight,
                weight,
                clocks[member.pool_id.id],
            )
            self.env.cr.execute(
                "UPDATE lead_pool_member SET turn_start = %s WHERE id = %s",
                [ledger.start, member_id],
            )
        members.invalidate_recordset(["turn_start"], flush=False)

    # ------------------------------------------------------------
    # ANEW
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        members = super().create(vals_list)
        members._count_given()
        return members

    def _count_given(self):
        """Limits are a person's: what they got in other pools counts for who is new, or
        back, in this one."""
        now = fields.Datetime.now()
        service = self.env["lead.distribution"].sudo()
        given = service._past_given(self.user_id.ids, now + timedelta(seconds=1))
        theirs = self.filtered(lambda member: member.user_id.id in given)
        for member_id, hours in theirs._hours().items():
            member, load = self.browse(member_id), Load()
            for at in given[member.user_id.id]:
                load = load.one_more(local_date(at, hours["tz"]))
            member.write(
                {
                    "load_day": load.day,
                    "load_today": load.today,
                    "load_week": load.week,
                    "load_month": load.month,
                }
            )

    def _moved(self, vals):
        """:return: those who become somebody else, or go to another pool
        :raises UserError: decisions name one of them"""
        moved = self.filtered(
            lambda member: any(
                vals.get(name, member[name].id) != member[name].id
                for name in ("pool_id", "user_id")
            )
        )
        # sudo: whoever may change a pool need not see its leads
        decisions = self.env["lead.assignment"].sudo()
        if moved and decisions.search_count([("member_id", "in", moved.ids)], limit=1):
            raise UserError(
                self.env._(
                    "Who has got leads stays who they are, in their pool: archive them "
                    "here, and add a new member."
                )
            )
        return moved

    def _begin_anew(self):
        """What they were owed was by another clock, or another's."""
        if self:
            self.flush_recordset()
            self.env.cr.execute(
                "UPDATE lead_pool_member SET turn_start = NULL, turn_left = NULL,"
                " load_day = NULL, load_today = 0, load_week = 0, load_month = 0"
                " WHERE id = ANY(%s)",
                [self.ids],
            )
            self.invalidate_recordset(flush=False)

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    @api.constrains("user_id", "pool_id")
    def _check_user_company(self):
        """People get only leads they may see."""
        for member in self:
            company = member.pool_id.company_id
            # sudo: which companies somebody works for is no secret here
            if company and company not in member.user_id.sudo().company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not work for %(company)s.",
                        user=member.user_id.name,
                        company=company.name,
                    )
                )
