# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Plain Python behind the models: knows nothing of Odoo, so that its laws are
tested in milliseconds."""
