# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models
from odoo.exceptions import UserError


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def action_distribute_again(self):
        """Ask the rules once more, now: for leads that wait for somebody.

        :return: a message with how many have got somebody
        """
        self.check_access("write")
        service = self.env["lead.distribution"]
        if not service._is_on():
            raise UserError(
                self.env._(
                    "Leads are not given out by rules: switch it on in the settings."
                )
            )
        given = service._distribute(self.filtered(lambda x: not x.user_id), "ready")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if given else "warning",
                "message": self.env._(
                    "%(given)s of %(all)s leads have got somebody.",
                    given=len(given),
                    all=len(self),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
