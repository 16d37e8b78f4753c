# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError

from .lead_assignment import BY_HAND
from .lead_distribution_take import AT_LIMIT, NO_POOL


class CrmLead(models.Model):
    """What salespeople do about who has a lead: take the next one, reject one."""

    _inherit = "crm.lead"

    can_reject = fields.Boolean(compute="_compute_can_reject")

    @api.depends("user_id", "won_status", "active")
    @api.depends_context("uid")
    def _compute_can_reject(self):
        on = self.env["lead.distribution"]._is_on()
        for lead in self:
            mine = lead.user_id == self.env.user
            is_open = lead.active and lead.won_status == "pending"
            lead.can_reject = on and mine and is_open

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """The web client draws the buttons of a kanban's last header alone, and others
        add headers of their own: they become one."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "kanban":
            for other in arch.findall("header")[1:]:
                arch.find("header").extend(other)
                arch.remove(other)
        return arch, view

    def action_take_next(self):
        """Give the user who asks the best lead that waits for them, and open it.

        :return: an action: the lead's form, or a message why there is none
        """
        self.browse().check_access("write")
        lead_id, why = self.env["lead.distribution"]._take_next(self.env.user)
        if lead_id:
            return {
                "type": "ir.actions.act_window",
                "res_model": "crm.lead",
                "res_id": lead_id,
                "views": [(False, "form")],
            }
        messages = {
            NO_POOL: self.env._("You are in no pool yet. Ask your sales manager."),
            AT_LIMIT: self.env._("You have as many leads as your limits allow."),
        }
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Nothing to take"),
                "message": messages.get(why)
                or self.env._("No lead waits for you. Well done."),
            },
        }

    def _reject(self, reason, note=""):
        """The owner hands this lead back, and it goes to somebody else, or waits.

        :param reason: ``lead.reject.reason``
        :raises UserError: it is not theirs (any more)
        """
        self.ensure_one()
        if not self.can_reject:
            raise UserError(self.env._("Only the owner of an open lead can reject it."))
        now = fields.Datetime.now()
        # sudo: nobody writes decisions by hand; from here on it is not the owner's
        lead = self.sudo()
        assignment = lead.assignment_id
        if assignment.user_id != lead.user_id:
            # they had it before leads were given out by rules
            assignment = assignment.create(
                {
                    "lead_id": lead.id,
                    "at": now,
                    "event": BY_HAND,
                    "reason": BY_HAND,
                    "user_id": lead.user_id.id,
                }
            )
            lead.assignment_id = assignment
        assignment.write(
            {
                "rejected_at": now,
                "reject_reason_id": reason.id,
                "reject_note": note,
                "sla_next_at": False,
            }
        )
        if reason.gives_turn_back:
            assignment._give_turn_back()
        self.env["lead.distribution"]._distribute(lead, "rejected")
