# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import gc
from contextlib import contextmanager

from odoo.tools import SQL


@contextmanager
def gc_paused():
    """For a batch, which makes many objects that live for a moment: the collector would
    walk the whole registry again and again, and find nothing. Unlike core's
    ``disabling_gc``, it is on again after an error, too."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def without_jit(query):
    """A statement of many conditions on few rows, which PostgreSQL would take ten times
    as long to compile as to run. It stays so until the end of the transaction.

    :param query: SQL
    :return: SQL, still one round trip
    """
    return SQL("SET LOCAL jit = off; %s", query)
