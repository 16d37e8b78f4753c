# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields


class KeptMany2one(fields.Many2one):
    """To a record that is never deleted once it is named here, as its own model sees
    to: without a foreign key. That would look for one and the same version, and lock
    it, for each of the leads that an activation scores: a sixth of its time."""

    def update_db_foreign_key(self, model, column):
        """None."""
