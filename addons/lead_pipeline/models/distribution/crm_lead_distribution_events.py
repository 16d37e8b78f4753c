# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class CrmLead(models.Model):
    """What sets distribution off. Nothing of this asks the database where leads are
    not given out by rules."""

    _inherit = "crm.lead"

    @api.model
    def default_get(self, fields_list):
        """Whoever types a lead, or imports leads, need not be who works them: the
        rules choose the owner unless a person does. An opportunity is one's own."""
        defaults = super().default_get(fields_list)
        context = self.env.context
        typed = context.get("import_file") or defaults.get("type") == "lead"
        if typed and defaults.get("user_id") and "default_user_id" not in context:
            if self.env["lead.distribution"]._is_on():
                del defaults["user_id"]
        return defaults

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        if not self.env.context.get("lead_distribution_later"):
            leads._distribute_new()
        return leads

    def _distribute_new(self):
        """Give new leads to people, and keep it where a person chose the owner.

        :return: the leads that have got somebody by the rules
        """
        service = self.env["lead.distribution"]
        if not service._is_on():
            return self.browse()
        owned = self.filtered("user_id")
        service._record_by_hand(owned, {})
        return (self - owned)._give_out("created")

    def _give_out(self, event):
        """Give leads out that somebody has just written.

        Who sees their own leads alone could not read what they saved once it is
        somebody else's: those leads are given out right after the commit.

        :return: the leads that have got somebody
        """
        service = self.env["lead.distribution"]
        all_leads = "sales_team.group_sale_salesman_all_leads"
        if not self or self.env.su or self.env.user.has_group(all_leads):
            return service._distribute(self, event)
        # sudo: who gets a lead does not depend on who brings it
        service.sudo()._let_wait(self.ids)
        service.sudo()._distribute_later(self.ids, event, {})
        return self.browse()

    def write(self, vals):
        if (
            not {"user_id", "active"} & vals.keys()
            or self.env.context.get("lead_distribution_later")
            or not self.env["lead.distribution"]._is_on()
        ):
            return super().write(vals)
        before = {lead.id: lead.user_id.id for lead in self}
        result = super().write(vals)
        self._distribute_written(before)
        return result

    def _check_company(self, fnames=None):
        """Core asks for each lead. Where many get an owner, one is asked of those that
        have the same company, owner and team."""
        checked = {
            name
            for name in fnames or self._fields
            if getattr(self._fields[name], "check_company", False)
        }
        if not checked or not checked <= {"user_id", "team_id"}:
            return super()._check_company(fnames)
        kinds = {
            (lead.company_id.id, lead.user_id.id, lead.team_id.id): lead.id
            for lead in self
        }
        return super(CrmLead, self.browse(kinds.values()))._check_company(fnames)

    def _distribute_written(self, before):
        """Somebody changed the owner by hand, or opened a lead again.

        :param before: {lead id: user id}
        """
        service = self.env["lead.distribution"]
        chosen = self.filtered(
            lambda lead: lead.user_id and lead.user_id.id != before[lead.id]
        )
        service._record_by_hand(chosen, before)
        left = self.filtered(lambda lead: lead.active and not lead.user_id)
        if left:
            had = left.filtered(lambda lead: before[lead.id])
            (left - had)._give_out("ready")
            had._give_out("reassigned")

    def _on_sales_ready(self):
        result = super()._on_sales_ready()
        self.env["lead.distribution"]._distribute(self, "sales_ready")
        return result

    def _is_rule_based_assignment_activated(self):
        """Core gives a lead that comes in to the leader of its team, unless rules do
        that."""
        return (
            self.env["lead.distribution"]._is_on()
            or super()._is_rule_based_assignment_activated()
        )

    def _merge_dependences(self, opportunities):
        """Decisions come along; a lead was captured, routed and told of when the first
        of them was."""
        result = super()._merge_dependences(opportunities)
        merged = self | opportunities
        for name in ("date_captured", "date_routed", "date_told"):
            first = min(filter(None, merged.mapped(name)), default=False)
            if self[name] != first:
                self[name] = first
        decided = opportunities.filtered("assignment_id")
        # core merges by the hundred when it assigns leads: no query without need
        if decided:
            # sudo: nobody writes decisions by hand
            assignments = self.env["lead.assignment"].sudo()
            assignments = assignments.search([("lead_id", "in", decided.ids)])
            running = assignments.filtered(lambda one: not one.ended_at)
            running.write({"ended_at": fields.Datetime.now()})
            assignments.write({"lead_id": self.id})
        return result
