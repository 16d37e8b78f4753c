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
        # sudo: a colleague may do an activity of a lead they can't see
        leads = self.env["crm.lead"].sudo().browse(calls.mapped("res_id")).exists()
        calls = calls.filtered(lambda call: call.res_id in leads.ids)
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
        ]
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        # sudo: touchpoints are written by the system, never by hand
        self.env["lead.touchpoint"].sudo()._create_once(vals_list)
        return result
