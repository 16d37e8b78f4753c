# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain

from .lead_distribution import Round


class LeadDistribution(models.AbstractModel):
    """What would happen, without anything happening."""

    _inherit = "lead.distribution"

    @api.model
    def _preview(self, leads, event):
        """Who would get these leads now.

        :param leads: that have an owner are given to somebody else, for the events of
            ``PASSED_ON``
        :return: (Counter by res.users, Counter by why nobody gets it)
        """
        # sudo: as the distribution itself; what comes out are numbers
        round_ = self.sudo()._plan(leads.ids, event)
        users, reasons = Counter(), Counter()
        for row in round_.rows:
            if row.chosen:
                users[self.env["res.users"].browse(round_.users[row.chosen])] += 1
            else:
                reasons[row.reason] += 1
        return users, reasons

    @api.model
    def _try(self, lead, rule=None):
        """What would be decided on one lead now, as if it had no owner.

        :param rule: of ``lead.distribution.rule``; default: the first that takes it
        :return: (the rule that would take it, None: none; the values of a new
            ``lead.assignment`` that would be written, without those of the SLA)
        """
        # sudo: as the distribution itself; the lead is one the user may read
        service = self.sudo()
        first = service._match(lead.ids)[lead.id]
        rule = rule.sudo() if rule else first
        round_ = Round("ready", fields.Datetime.now())
        if rule:
            service._open(round_, [rule.pool_id.id], {rule.method}, wait=None)
        [row] = service._read_leads(Domain("id", "=", lead.id))
        round_.rows = [row]
        service._read_wishes(round_)
        row.excluded -= {row.user_id}
        row.rule = rule
        if rule:
            service._decide(round_, row, None, {})
        return first, {
            "lead_id": lead.id,
            "at": round_.at,
            "event": round_.event,
            "rule_id": rule.id if rule else False,
            "pool_id": rule.pool_id.id if rule else False,
            "user_id": round_.users.get(row.chosen),
            "reason": row.reason,
            "until": row.until,
            "candidates": service._candidates(round_, row),
        }
