# SPDX-License-Identifier: LGPL-3.0-or-later
"""The lab: a real Odoo 19 and a real PostgreSQL, for development and tests.

::

    with lab.Lab() as it:                      # PostgreSQL runs inside the block
        db = it.database("demo")               # fresh copy, our addons, demo data
        key = it.api_key(db, "admin")          # an RPC key of that user
        with it.odoo(db) as odoo:              # served on a free port
            print(odoo.url)

Needs nothing but Python's standard library, so that commands can use it before
any environment exists. See :class:`lab.Lab` for all it can do.
"""

from .connector import Connector
from .environments import Environment, python_env
from .lab import ADDONS, BASE, Lab
from .odoo_home import odoo_home
from .postgres import Postgres
from .process import Process, free_port, require_port
from .server import Odoo
from .system import LAB, ROOT, LabError, ensure_browser, main, say

__all__ = [
    "ADDONS",
    "BASE",
    "LAB",
    "ROOT",
    "Connector",
    "Environment",
    "Lab",
    "LabError",
    "Odoo",
    "Postgres",
    "Process",
    "ensure_browser",
    "free_port",
    "main",
    "odoo_home",
    "python_env",
    "require_port",
    "say",
]
