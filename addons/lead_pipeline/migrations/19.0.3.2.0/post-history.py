# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """From now on the settings of members and SLA policies are kept when they change.
    The first ones kept are those of today."""
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    for name in ("lead.pool.member", "lead.sla.policy"):
        env[name].search([])._keep_history()
