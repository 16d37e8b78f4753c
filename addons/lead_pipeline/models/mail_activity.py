# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _action_done(self, feedback=False, attachment_ids=None):
        """A call a person marks as done is an outgoing call to the lead."""
        calls = self.filtered(
            lambda activity: activity.res_model == "crm.lead"
            and activity.activity_category == "phonecall"
        )
        vals_list = [
            {
                "lead_id": call.res_id,
                "kind": "call_out",
                "direction": "out",
                "at": fields.Datetime.now(),
                "title": call.summary or call.activity_type_id.name,
                "user_id": self.env.uid,
                "external_id": f"mail.activity,{call.id}",
            }
            for call in calls
            if call.res_id
        ]
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        # sudo: touchpoints are written by the system, never by hand
        self.env["lead.touchpoint"].sudo().create(vals_list)
        return result
