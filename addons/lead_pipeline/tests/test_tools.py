# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import gc

from odoo.tests import BaseCase

from ..tools import gc_paused


class TestTools(BaseCase):
    def test_the_collector_is_on_again_after_an_error(self):
        self.assertTrue(gc.isenabled())
        with self.assertRaises(ValueError), gc_paused():
            with gc_paused():
                self.assertFalse(gc.isenabled())
            self.assertFalse(gc.isenabled(), "still in the outer batch")
            raise ValueError
        self.assertTrue(gc.isenabled())
