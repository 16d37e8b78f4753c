# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Count the page views that were there before leads had totals."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["crm.lead"]._recount_tracking()
