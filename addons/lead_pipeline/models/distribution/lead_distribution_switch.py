# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from ast import literal_eval

from odoo import api, models
from odoo.fields import Domain

from ...engine.distribution import MATCH
from ...engine.members import from_capacity


class LeadDistribution(models.AbstractModel):
    """Rules and pools from what core's assignment has."""

    _inherit = "lead.distribution"

    @api.model
    def _make_rules(self):
        """Rules and pools that do what core's assignment did, from the sales teams,
        their members, domains and capacities.

        - A team's own leads, and those without a team that its domain takes, go to a
          pool of its members. Leads that nobody takes so go to the members of all teams
          without a domain.
        - A member's domain is a rule before that: such leads go to this member, and to
          colleagues without a domain.
        - A capacity of N in 30 days is the weight and a limit of N a month. Who is in
          several pools has the same limits in each: they hold for the person.
        - Who paused assignment is paused. Leads of a team that core skips stay with
          nobody.

        - A member's preferred domain is a rule before that: such leads ask for a skill
          that this member has, and go to the best match. As in core they go to others
          too, where that member is away or at a limit.

        :return: the rules, after those that are there
        """
        teams = self.env["crm.team"].search(
            ["|", ("use_leads", "=", True), ("use_opportunities", "=", True)]
        )
        rules = self.env["lead.distribution.rule"]
        # those of every company last: they take what a company's own do not
        teams = teams.sorted(lambda team: not team.company_id)
        for company, of_company in teams.grouped("company_id").items():
            skipped = of_company.filtered("assignment_optout")
            staffed = of_company.filtered("crm_team_member_ids") - skipped
            rules += self._make_team_rules(company, staffed)
            rules += self._make_last_rule(company, staffed, skipped)
        for nth, rule in enumerate(rules):
            rule.sequence = 100 + nth
        return rules

    @api.model
    def _make_team_rules(self, company, teams):
        rules = self.env["lead.distribution.rule"]
        # a domain says more than none
        for team in teams.sorted(lambda team: not _read(team.assignment_domain)):
            own = Domain("team_id", "=", team.id)
            domain = _read(team.assignment_domain)
            taken = own | (Domain("team_id", "=", False) & Domain(domain))
            members = team.crm_team_member_ids
            base = members.filtered(lambda one: not _read(one.assignment_domain))
            apart = (members - base).grouped(lambda one: one.assignment_domain)
            for nth, (text, some) in enumerate(apart.items(), 1):
                name = self.env._(
                    "%(team)s: conditions %(number)s", team=team.name, number=nth
                )
                rules += self._make_rule(
                    name, company, taken & Domain(_read(text)), team, some + base
                )
            if base:
                # without a domain, teams share the leads that have no team
                takes = taken if domain else own
                rules += self._make_rule(team.name, company, takes, team, base)
        return rules

    @api.model
    def _make_last_rule(self, company, teams, skipped):
        """The rule that takes all the rest."""
        rules = self.env["lead.distribution.rule"]
        free = teams.filtered(lambda team: not _read(team.assignment_domain))
        members = (free or teams).crm_team_member_ids.filtered(
            lambda one: not _read(one.assignment_domain)
        )
        if not members:
            return rules
        domain = Domain.TRUE
        if skipped:
            domain = Domain("team_id", "not in", skipped.ids)
        pool = rules.pool_id
        if len(free) == 1:
            # the rule of its own leads has made its pool
            pool = pool.search([("team_id", "=", free.id)], order="id desc", limit=1)
        name = self.env._("All the rest")
        team = free if len(free) == 1 else free.browse()
        return self._make_rule(name, company, domain, team, members, pool)

    @api.model
    def _make_rule(self, name, company, domain, team, members, pool=None):
        """:param members: of core's teams; somebody of several comes once"""
        vals = {"name": name, "company_id": company.id}
        if not pool:
            first = {}
            for member in members:
                first.setdefault(member.user_id, member)
            pool = self.env["lead.pool"].create(
                {
                    **vals,
                    "team_id": team.id,
                    "member_ids": [
                        (0, 0, self._member_vals(member, nth))
                        for nth, member in enumerate(first.values())
                    ],
                }
            )
        vals["pool_id"] = pool.id
        return self._make_preferences(vals, domain, members) + self.env[
            "lead.distribution.rule"
        ].create({**vals, "domain": repr(list(domain))})

    @api.model
    def _make_preferences(self, vals, domain, members):
        """Rules before one: leads that some of its members prefer.

        :param vals: of that rule
        """
        rules = self.env["lead.distribution.rule"]
        members = members.filtered(lambda one: _read(one.assignment_domain_preferred))
        preferring = members.grouped(lambda one: one.assignment_domain_preferred)
        for text, some in preferring.items():
            people = ", ".join(some.user_id.mapped("name"))
            name = self.env._("Preferred by %(people)s", people=people)
            skill = self.env["lead.skill"].search([("name", "=", name)], limit=1)
            skill = skill or skill.create({"name": name})
            pool = rules.pool_id.browse(vals["pool_id"])
            pool.member_ids.filtered(
                lambda one, some=some: one.user_id in some.user_id
            ).skill_ids += skill
            rules += rules.create(
                {
                    **vals,
                    "name": f"{vals['name']}: {name}",
                    "domain": repr(list(domain & Domain(_read(text)))),
                    "method": MATCH,
                    "skill_ids": [(6, 0, skill.ids)],
                }
            )
        return rules

    @api.model
    def _member_vals(self, member, sequence):
        capacity = from_capacity(member.assignment_max)
        return {
            "user_id": member.user_id.id,
            "sequence": sequence,
            "weight": capacity.weight,
            "per_day": capacity.per_day,
            "per_month": capacity.per_month,
            "active": capacity.active,
            "paused": member.assignment_optout,
        }


def _read(text):
    """A domain as core keeps it, as a list; empty: any lead."""
    return literal_eval(text or "[]")
