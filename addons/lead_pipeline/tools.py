# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import gc
from contextlib import contextmanager


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
