# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

from ...engine.distribution import CHOSEN
from ...engine.ledger import Ledger, refund


class LeadAssignment(models.Model):
    """A turn that was none, because what was given was no lead."""

    _inherit = "lead.assignment"

    turn_given_back = fields.Boolean(
        readonly=True, help="It was no lead: the turn of its owner does not count."
    )

    def _give_turn_back(self):
        """The owner is owed what they would be owed had they been left out. Who got the
        lead without a turn has nothing to get back, nor who got it back before."""
        self.ensure_one()
        share = self._share()
        if not share or self.turn_given_back:
            return
        member = self.member_id
        self.env.flush_all()
        # nobody takes a turn meanwhile
        self.env.cr.execute(
            "SELECT id FROM lead_pool WHERE id = %s FOR NO KEY UPDATE",
            [member.pool_id.id],
        )
        self.env.cr.execute(
            "SELECT turns, turn_start, turn_left FROM lead_pool_member WHERE id = %s",
            [member.id],
        )
        turns, start, left = self.env.cr.fetchone()
        ledger = refund(Ledger(turns or 0, start, left), member.weight, share)
        self.env.cr.execute(
            "UPDATE lead_pool_member SET turns = %s, turn_start = %s WHERE id = %s",
            [ledger.turns, ledger.start, member.id],
        )
        member.invalidate_recordset(["turns", "turn_start"], flush=False)
        self.turn_given_back = True

    def _share(self):
        """The part of a lead that was the owner's by weight; 0: it took no turn."""
        for one in self.candidates or ():
            if one["reason"] == CHOSEN and "owed" in one:
                return one["after"] - one["owed"] + 1
        return 0
