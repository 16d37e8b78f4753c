# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields


class BigInteger(fields.Integer):
    """An integer of 64 bits, for readings of a pool's clock. NULL means something
    there, so these columns are read and written in plain SQL."""

    _column_type = ("int8", "int8")
