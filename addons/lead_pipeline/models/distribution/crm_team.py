# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain


class CrmTeam(models.Model):
    """Where leads are given out by rules, core's own assignment is not run: its job
    does nothing, its button gives out what goes to the team's pools."""

    _inherit = "crm.team"

    def _cron_assign_leads(self, force_quota=False, creation_delta_days=7):
        if self.env["lead.distribution"]._is_on():
            return True
        return super()._cron_assign_leads(force_quota, creation_delta_days)

    def _action_assign_leads(self, force_quota=False, creation_delta_days=7):
        """All leads without an owner, however old; in the form core reports from."""
        service = self.env["lead.distribution"]
        if not service._is_on():
            return super()._action_assign_leads(force_quota, creation_delta_days)
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise UserError(self.env._("Only managers give out leads."))
        # sudo: who gets a lead does not depend on who asks
        service = service.sudo()
        given, _after = service._sweep(
            Domain("id", ">", 0) & service._ready_domain(), teams=self.ids
        )
        return self._assigned_data(given)

    def _assigned_data(self, given):
        """:param given: {user id: how many leads they have just got}"""
        Lead = self.env["crm.lead"]
        leads = {
            user: Lead.search(
                [("user_id", "=", user)], order="date_open desc, id", limit=count
            )
            for user, count in given.items()
        }
        by_team = Lead.concat(*leads.values()).grouped("team_id")
        teams = {
            team: {
                "assigned": set(by_team.get(team, Lead).ids),
                "merged": set(),
                "duplicates": set(),
            }
            for team in self
        }
        return teams, {
            member: {"assigned": leads[member.user_id.id]}
            for member in self.crm_team_member_ids
            if member.user_id.id in leads
        }
