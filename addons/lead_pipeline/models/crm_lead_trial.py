# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def _pls_get_lead_pls_values(self, domain=None):
        """In a trial the leads are as they were."""
        if values := self.env.context.get("lead_score_trial"):
            return values
        return super()._pls_get_lead_pls_values(domain=domain)
