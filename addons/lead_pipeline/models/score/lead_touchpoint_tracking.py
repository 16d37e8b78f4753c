# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models

#: fields of a page view that the totals of its lead depend on
TRACKED = {"lead_id", "kind", "human", "at", "duration"}


class LeadTouchpoint(models.Model):
    """Page views bring the totals of their lead up to date, before scores read them."""

    _inherit = "lead.touchpoint"

    def _score(self):
        self._track()
        return super()._score()

    def unlink(self):
        self.env["crm.lead"]._track(self, -1)
        return super().unlink()

    def _untrack(self, vals):
        """Take those out of the totals that such a write may change.

        :return: them, to be put back by ``_track`` when it is written
        """
        tracked = self.browse() if TRACKED.isdisjoint(vals) else self
        self.env["crm.lead"]._track(tracked, -1)
        return tracked

    def _track(self):
        self.env["crm.lead"]._track(self)
