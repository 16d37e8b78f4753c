# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models
from odoo.tools import SQL, email_normalize


class PrivacyLookupWizard(models.TransientModel):
    _inherit = "privacy.lookup.wizard"

    def _get_query_models_blacklist(self):
        # found below, through their leads as well; touchpoints go with their lead
        return super()._get_query_models_blacklist() + [
            "lead.submission",
            "lead.consent",
            "lead.touchpoint",
        ]

    def _get_query(self):
        """Also what came under another address but belongs to a lead of the person."""
        email = email_normalize(self.email.strip())
        name = self.name.strip()
        lead = SQL(
            """
            SELECT id FROM crm_lead
             WHERE email_normalized = %s OR partner_id IN (
                SELECT id FROM res_partner WHERE email_normalized = %s)
            """,
            email,
            email,
        )
        return SQL(
            """
            %(core)s
            UNION ALL
            SELECT %(submission_model)s AS res_model_id, id AS res_id, TRUE AS is_active
              FROM lead_submission
             WHERE email_normalized = %(email)s OR contact_name ILIKE %(name)s
                OR lead_id IN (%(lead)s)
            UNION ALL
            SELECT %(consent_model)s AS res_model_id, id AS res_id, TRUE AS is_active
              FROM lead_consent
             WHERE email_normalized = %(email)s OR lead_id IN (%(lead)s)
            """,
            core=super()._get_query(),
            submission_model=self.env["ir.model"]._get_id("lead.submission"),
            consent_model=self.env["ir.model"]._get_id("lead.consent"),
            email=email,
            name=name,
            lead=lead,
        )
