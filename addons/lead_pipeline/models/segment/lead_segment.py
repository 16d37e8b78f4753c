# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import re
from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, ormcache
from odoo.tools.safe_eval import safe_eval

from ..score.lead_scoring_rows import SCORE_COLUMNS
from .lead_segment_condition import Condition

#: what decides who is a member
DEFINITION = {"active", "company_id", "domain", "condition_ids"}
#: days of the bars on a card
BAR_DAYS = 30


class Definition(NamedTuple):
    """What keeping membership needs of a segment, without a query.

    ``domain``: of its leads, whatever they did; ``reads``: names of fields of a lead by
    which membership may change; ``kinds``: of touchpoints by which it may, "" for any.
    """

    id: int
    domain: Domain
    reads: frozenset[str]
    kinds: frozenset[str]
    conditions: tuple[Condition, ...]

    def until(self, now):
        """SQL for each row of ``crm_lead``: until when all conditions hold, NULL: they
        don't."""
        if not self.conditions:
            return SQL("'infinity'::timestamp")
        return SQL(
            "(SELECT CASE WHEN bool_and(until IS NOT NULL) THEN min(until) END"
            " FROM (VALUES %s) AS condition(until))",
            SQL(", ").join(SQL("(%s)", one.until(now)) for one in self.conditions),
        )


class LeadSegment(models.Model):
    """A named set of leads, by their fields and by what they did. Who is a member is
    remembered, and brought up to date by each event; see the other file of this
    model."""

    _name = "lead.segment"
    _description = "Lead Segment"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    company_id = fields.Many2one(
        "res.company", help="Leave empty for the leads of every company."
    )
    domain = fields.Char("Leads", required=True, default="[]")
    note = fields.Text("Notes")
    condition_ids = fields.One2many("lead.segment.condition", "segment_id", copy=True)
    member_ids = fields.One2many("lead.segment.member", "segment_id", readonly=True)
    member_count = fields.Integer("Members", compute="_compute_member_count")
    summary = fields.Char("Behaviour", compute="_compute_summary")
    daily_joined = fields.Json("Joined", compute="_compute_daily")
    joined_7_days = fields.Integer("Joined in 7 Days", compute="_compute_daily")
    left_7_days = fields.Integer("Left in 7 Days", compute="_compute_daily")
    drifts = fields.Boolean(
        compute="_compute_drifts",
        help="It reads what changes without an event, such as the date, so all leads "
        "are looked at every hour.",
    )
    to_fill = fields.Integer(
        readonly=True,
        copy=False,
        help="Leads up to this id are to be looked at; 0: none.",
    )
    fill_from = fields.Integer(readonly=True, copy=False)
    filled_at = fields.Datetime(readonly=True, copy=False)
    fill_percent = fields.Float("Filled (%)", compute="_compute_fill_percent")

    # ------------------------------------------------------------
    # COMPUTE
    # ------------------------------------------------------------

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_member_count(self):
        """Those that the user may see."""
        counts = dict(
            self.env["lead.segment.member"]._read_group(
                [("segment_id", "in", self.ids)], ["segment_id"], ["__count"]
            )
        )
        for segment in self:
            segment.member_count = counts.get(segment._origin, 0)

    @api.depends("condition_ids.display_name")
    def _compute_summary(self):
        for segment in self:
            segment.summary = "; ".join(segment.condition_ids.mapped("display_name"))

    @api.depends_context("uid", "tz", "lang", "allowed_company_ids")
    def _compute_daily(self):
        """Who joined and left lately, in the time zone of who looks."""
        today = fields.Date.context_today(self)
        days = [today - timedelta(days=n) for n in range(BAR_DAYS - 1, -1, -1)]
        moved = {}
        for segment, day, change, number in self.env["lead.segment.move"]._read_group(
            [
                ("segment_id", "in", self.ids),
                ("at", ">=", fields.Datetime.now() - timedelta(days=BAR_DAYS + 1)),
            ],
            ["segment_id", "at:day", "change"],
            ["__count"],
        ):
            moved[segment, day.date(), change] = number
        for segment in self:
            key = segment._origin
            joined = [moved.get((key, day, 1), 0) for day in days]
            segment.daily_joined = [
                {"day": format_date(self.env, day, date_format="d MMM"), "count": count}
                for day, count in zip(days, joined, strict=True)
            ]
            segment.joined_7_days = sum(joined[-7:])
            segment.left_7_days = sum(moved.get((key, day, -1), 0) for day in days[-7:])

    @api.depends("domain")
    def _compute_drifts(self):
        for segment in self:
            try:
                segment.drifts = segment._reads()[1]
            except (TypeError, ValueError, SyntaxError):  # being typed; saving says why
                segment.drifts = False

    @api.depends("to_fill", "fill_from")
    def _compute_fill_percent(self):
        for segment in self:
            done = 1 - segment.to_fill / segment.fill_from if segment.fill_from else 0
            segment.fill_percent = 100 * done if segment.to_fill else 100

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    @api.constrains("domain")
    def _check_domain(self):
        Lead = self.env["crm.lead"]
        for segment in self:
            try:
                # a savepoint: what the database refuses must not break what goes on
                with self.env.cr.savepoint():
                    Lead.search(segment._lead_domain(), limit=1)
            except Exception as error:
                raise ValidationError(
                    self.env._(
                        "These conditions can't be used: %(domain)s\n%(error)s",
                        domain=segment.domain,
                        error=error,
                    )
                ) from error
            if "segment_ids" in segment._reads()[0]:
                raise ValidationError(
                    self.env._(
                        "“%(segment)s” can't ask for segments: they could wait for "
                        "each other for ever.",
                        segment=segment.name,
                    )
                )

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        segments = super().create(vals_list)
        segments._start_filling()
        segments._fill_first()
        return segments

    def write(self, vals):
        result = super().write(vals)
        if not DEFINITION.isdisjoint(vals):
            self._start_filling()
            self._fill_first()
        return result

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    def copy_data(self, default=None):
        return [
            dict(vals, name=self.env._("%s (copy)", segment.name))
            for segment, vals in zip(self, super().copy_data(default), strict=True)
        ]

    # ------------------------------------------------------------
    # WHAT IT READS
    # ------------------------------------------------------------

    def _lead_domain(self):
        """The leads it is for, whatever they did, as a Domain. Lost leads, which are
        archived, are among them only where the domain speaks of ``active``."""
        self.ensure_one()
        domain = Domain(safe_eval(self.domain or "[]"))
        if not self.active:
            return Domain.FALSE
        if self.company_id:
            domain &= Domain("company_id", "in", [False, self.company_id.id])
        # as everywhere in Odoo: archived ones only where the domain asks for them
        if not any(one.field_expr == "active" for one in domain.iter_conditions()):
            domain &= Domain("active", "=", True)
        return domain

    def _reads(self):
        """:return: (names of the lead's fields by which membership may change, whether
        it may change without any of them being written)"""
        self.ensure_one()
        Lead = self.env["crm.lead"]
        names, drifts = set(), False
        for condition in self._lead_domain().iter_conditions():
            name, _dot, rest = condition.field_expr.partition(".")
            field = Lead._fields.get(name)
            names.add(name)
            drifts = drifts or bool(
                rest
                or field is None
                # scores tell when they change
                or not (field.store or name in SCORE_COLUMNS)
                or (field.relational and not names_records(condition))
                or (field.type in ("date", "datetime") and is_relative(condition.value))
            )
        return Lead._with_sources(names), drifts

    @ormcache("self.id")
    def _definition(self):
        """Read once, until the segment is changed."""
        conditions = self.condition_ids._values()
        return Definition(
            self.id,
            self._lead_domain(),
            self._reads()[0],
            frozenset(one.kind or "" for one in conditions),
            tuple(conditions),
        )

    @api.model
    @ormcache()
    def _watched(self):
        """:return: definitions of the segments in use"""
        # sudo: everybody's leads are members, whoever may see of what
        found = self.sudo().search([("active", "=", True)])
        return tuple(segment._definition() for segment in found)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def _action(self, xmlid):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(f"lead_pipeline.{xmlid}"),
            "display_name": self.name,
            "domain": [("segment_id", "=", self.id)],
            "context": {},
        }

    def action_view_members(self):
        return self._action("lead_segment_member_action")

    def action_view_growth(self):
        return self._action("lead_segment_move_action")

    def action_view_leads(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "lead_pipeline.lead_segment_action_leads"
            ),
            "display_name": self.name,
            "domain": [("segment_ids", "in", self.ids)],
        }


def names_records(condition):
    """Whether a relation is compared with records: what is linked, or how it is called,
    may change without a write to the lead."""
    value = condition.value
    values = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return condition.operator in ("=", "!=", "in", "not in") and not any(
        isinstance(one, str) for one in values
    )


def is_relative(value):
    """Whether a date to compare with is one that moves, such as ``today -7d``."""
    values = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return any(isinstance(one, str) and not re.match(r"\d+-", one) for one in values)
