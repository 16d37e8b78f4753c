# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

from ..engine.business_time import local_date
from ..engine.speed import spread

#: leads replayed at once
MOST_LEADS = 100_000
MOST_DAYS = 366
#: of a rule, for its draft
COPIED = (
    *("name", "sequence", "domain", "method", "must_skill", "must_language"),
    *("must_country", "pool_id", "sla_policy_id", "company_id", "skill_ids"),
)


class LeadWhatIf(models.TransientModel):
    """Who would have got the leads of a past period by other rules, beside who really
    got them. Writes nothing but its own result."""

    _name = "lead.what.if"
    _description = "What If"

    date_from = fields.Date(
        required=True,
        default=lambda self: fields.Date.context_today(self) - timedelta(days=30),
    )
    date_to = fields.Date(required=True, default=fields.Date.context_today)
    domain = fields.Char("Only Those", required=True, default="[]")
    by_hand = fields.Boolean(
        "Also Those Given by Hand",
        help="Leads that a person gave to somebody at once. The rules are not asked "
        "for them.",
    )
    as_of = fields.Selection(
        [("then", "As they were then"), ("now", "As they are today")],
        "People, Limits, SLA",
        required=True,
        default="then",
        help="Who was in the pools, with which weight, limits, abilities and working "
        "hours, and how soon the SLA asked for the first touch. As they were: as far "
        "back as it is known. A pool that gave out no lead yet counts as it was when "
        "it first did, or as it is today. Absences and holidays are those of then in "
        "any case.",
    )
    rule_ids = fields.One2many(
        "lead.what.if.rule",
        "wizard_id",
        default=lambda self: self._default_rule_ids(),
        help="They begin as the rules in use. Change them, add some, put them into "
        "another order: those in use stay as they are.",
    )
    result = fields.Json(readonly=True)

    @api.model
    def _default_rule_ids(self):
        return [
            (0, 0, {**copy_of(rule), "origin_id": rule.id})
            for rule in self._rules_in_use()
        ]

    @api.model
    def _rules_in_use(self):
        return self.env["lead.distribution.rule"].search([("active", "=", True)])

    def _compute_display_name(self):
        self.display_name = self.env._("What If")

    @api.constrains("date_from", "date_to", "domain")
    def _check_period(self):
        for wizard in self:
            if not 0 <= (wizard.date_to - wizard.date_from).days < MOST_DAYS:
                raise ValidationError(
                    self.env._("Take a period of at most %s days.", MOST_DAYS)
                )
            # what calendars and time zones can't reckon with
            if not 1970 <= wizard.date_from.year <= wizard.date_to.year < 9999:
                raise ValidationError(self.env._("There were no leads then."))
            self.env["lead.scoring"]._check_domain("crm.lead", wizard.domain)

    def action_run(self):
        """Find out, and show it here.

        :raises UserError: there are no rules, or too many leads
        """
        self.ensure_one()
        self.result = self._run()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "name": self.display_name,
        }

    # ------------------------------------------------------------
    # RUN
    # ------------------------------------------------------------

    def _period(self):
        """Its begin and end in UTC: days are the reader's."""
        zone = ZoneInfo(self.env.user.tz or "UTC")
        return (
            fields.Datetime.to_datetime(day)
            .replace(tzinfo=zone)
            .astimezone(ZoneInfo("UTC"))
            .replace(tzinfo=None)
            for day in (self.date_from, self.date_to + timedelta(days=1))
        )

    def _run(self):
        """:return: see :meth:`_describe`
        :raises AccessError: a draft names a pool or an SLA the user may not read"""
        rules = self.rule_ids.sorted(lambda rule: (rule.sequence, rule.id))
        if not rules:
            raise UserError(self.env._("Add at least one rule."))
        # it is replayed as the system: of others' pools nothing is told
        rules.pool_id.check_access("read")
        rules.sla_policy_id.check_access("read")
        start, end = self._period()
        end = min(end, fields.Datetime.now())
        service = self.env["lead.distribution"]
        domain = Domain(safe_eval(self.domain))
        past = service._past_leads(
            domain, start, end, self.by_hand, limit=MOST_LEADS + 1
        )
        if len(past) > MOST_LEADS:
            raise UserError(
                self.env._(
                    "These are more than %s leads. Take a shorter period.", MOST_LEADS
                )
            )
        found, round_, matched = service._replay(
            past, rules, start, end, self.as_of == "now"
        )
        return self._describe(past, found, round_, matched, end)

    # ------------------------------------------------------------
    # RESULT
    # ------------------------------------------------------------

    def _describe(self, past, found, round_, matched, end):
        """:return: {"as_of", "leads", "won", "days" (texts), "people": [{"id", "name",
        "then", "really": each :meth:`_part`}], "nobody": {"then", "really" (counts),
        "reasons": [{"reason", "count"}]}, "rules": [{"name", "count"}], "wait" and
        "sla": {"then", "really"}: ``engine.speed.Spread`` in seconds from ready to
        given; {"leads", "kept"} of those with an SLA}"""
        then, really = _Side(), _Side()
        tz = {
            round_.users[member.ref]: member.calendar.tz
            for worksheet in round_.worksheets.values()
            for member in worksheet.members
        }
        reader = self.env.user.tz or "UTC"
        for outcome in found.outcomes:
            was = past[outcome.lead]
            if outcome.member is not None:
                user = round_.users[outcome.member]
                day = local_date(outcome.at, tz[user])
                then.add(user, day, was, outcome.at, outcome.due_at, end)
        for was in past.values():
            if was.user:
                day = local_date(was.given, tz.get(was.user, reader))
                really.add(was.user, day, was, was.given, was.due, end)
        days = sorted(then.days | really.days)
        ids = sorted(
            then.leads.keys() | really.leads.keys(),
            key=lambda user: (-then.leads[user], -really.leads[user], user),
        )
        # sudo: names of people, maybe of those who have left
        users = self.env["res.users"].sudo().browse(ids)
        words = dict(
            self.env["crm.lead"]
            ._fields["waiting_reason"]
            ._description_selection(self.env)
        )
        by_rule = Counter(rule for rule in matched.values() if rule)
        return {
            "as_of": self.as_of,
            "leads": len(past),
            "won": sum(was.won for was in past.values()),
            "days": [day.isoformat() for day in days],
            "people": [
                {
                    "id": user.id,
                    "name": user.name,
                    "then": then.part(user.id, days),
                    "really": really.part(user.id, days),
                }
                for user in users
            ],
            "nobody": {
                "then": sum(found.unassigned.values()),
                "really": sum(not was.user for was in past.values()),
                "reasons": [
                    {"reason": words[reason], "count": count}
                    for reason, count in found.unassigned.most_common()
                ],
            },
            "rules": [
                {"name": rule.name, "count": by_rule[rule.sudo()]}
                for rule in self.rule_ids.sorted(lambda one: (one.sequence, one.id))
            ],
            "wait": {
                "then": asdict(spread(then.waits)),
                "really": asdict(spread(really.waits)),
            },
            "sla": {"then": then.sla(), "really": really.sla()},
        }


class _Side:
    """What one of both, then or really, came to."""

    def __init__(self):
        self.leads, self.won = Counter(), Counter()
        self.per_day = defaultdict(Counter)
        self.days, self.waits = set(), []
        self.due = self.kept = 0

    def add(self, user, day, was, at, due, end):
        """:param was: what really became of it; it is touched when it really was"""
        self.leads[user] += 1
        self.won[user] += was.won
        self.per_day[user][day] += 1
        self.days.add(day)
        self.waits.append(int((at - was.ready).total_seconds()))
        if due and (was.touched or due < end):  # else nobody knows yet
            self.due += 1
            self.kept += bool(was.touched) and was.touched <= due

    def part(self, user, days):
        """:return: {"leads", "won", "most" (on one day), "per_day" (counts)}"""
        per_day = self.per_day[user]
        return {
            "leads": self.leads[user],
            "won": self.won[user],
            "most": max(per_day.values(), default=0),
            "per_day": [per_day[day] for day in days],
        }

    def sla(self):
        return {"leads": self.due, "kept": self.kept}


class LeadWhatIfRule(models.TransientModel):
    """A draft of a rule, to try it out."""

    _name = "lead.what.if.rule"
    _description = "Draft of a Distribution Rule"
    _inherit = "lead.distribution.rule"
    _order = "sequence, id"

    wizard_id = fields.Many2one("lead.what.if", required=True, ondelete="cascade")
    origin_id = fields.Many2one("lead.distribution.rule", ondelete="set null")


def copy_of(rule):
    """:return: the values of a rule that its draft has, and back"""
    values = rule._read_format(COPIED, load=None)[0]
    copied = {name: values[name] for name in COPIED}
    return {**copied, "skill_ids": [(6, 0, sorted(copied["skill_ids"]))]}
