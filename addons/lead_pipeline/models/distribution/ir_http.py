# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """The web client knows from its start whether the user gets new leads."""
        result = super().session_info()
        if self.env.user._is_internal():
            result["lead_availability"] = self.env["res.users"].lead_availability()
        return result
