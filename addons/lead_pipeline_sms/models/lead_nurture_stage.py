# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadNurtureStage(models.Model):
    _inherit = "lead.nurture.stage"

    channel = fields.Selection(
        selection_add=[("sms", "SMS")], ondelete={"sms": "set default"}
    )
    sms_template_id = fields.Many2one(
        "sms.template",
        "SMS Template",
        domain="[('model', '=', 'crm.lead')]",
        ondelete="restrict",
    )

    @api.onchange("sms_template_id")
    def _onchange_sms_template_id(self):
        self._onchange_what()

    def _what(self):
        return self.sms_template_id or super()._what()

    def _is_message(self):
        return super()._is_message() or self.channel == "sms"

    def _problem(self):
        if self.channel == "sms" and not self.sms_template_id:
            return self.env._("“%s” needs an SMS template.", self.name)
        return super()._problem()
