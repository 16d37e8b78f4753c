# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    def set_sent(self, domain=None):
        traces = super().set_sent(domain)
        # an automatic mail is no answer of a person: human stays false
        traces._touch_leads("email_sent", "out", human=False)
        return traces

    def set_opened(self, domain=None):
        traces = super().set_opened(domain)
        # a loaded picture proves a program, not a person
        traces._touch_leads("email_open", "in", human=False)
        return traces

    def set_clicked(self, domain=None):
        traces = super().set_clicked(domain)
        traces._touch_leads("email_click", "in")
        return traces

    def _touch_leads(self, kind, direction, human=True):
        """One touchpoint of this kind for each trace of a lead."""
        traces = self.filtered(
            lambda trace: trace.model == "crm.lead" and not trace.is_test_trace
        )
        # sudo: whoever opens the mail is a stranger
        leads = self.env["crm.lead"].sudo().browse(traces.mapped("res_id")).exists()
        # sudo: touchpoints are written by the system, never by hand
        self.env["lead.touchpoint"].sudo()._create_once(
            [
                {
                    "lead_id": trace.res_id,
                    "kind": "sms"
                    if kind == "email_sent" and trace.trace_type == "sms"
                    else kind,
                    "direction": direction,
                    "at": fields.Datetime.now(),
                    "title": trace.mass_mailing_id.subject,
                    "human": human,
                    "source_id": trace.source_id.id,
                    "medium_id": trace.medium_id.id,
                    "campaign_id": trace.campaign_id.id,
                    "external_id": f"mailing.trace,{trace.id},{kind}",
                }
                for trace in traces
                if trace.res_id in leads.ids
            ]
        )
