# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

from ...engine.business_time import local_date
from ...engine.ledger import entitled
from ...engine.members import hindrance


class LeadPool(models.Model):
    _inherit = "lead.pool"

    def ledger(self):
        """Whose turn it is, and what everybody has got of their share.

        :return: {"turns" (leads given by turn), "members": in the order of the pool
            [{"id", "user_id", "name", "weight", "entitled", "turns", "owed" (leads),
            "given" (leads they got here in any way), "share" (of all that were given by
            turn, None before the first), "due_share" (of all that was somebody's
            share), "today", "week", "month", "open", "state" (a reason of
            ``engine.members`` or "free"), "text", "until" (UTC, as text, or False)}]}
        """
        self.ensure_one()
        self.check_access("read")
        now = fields.Datetime.now()
        # sudo: who is away, in the pool of whoever may read it; not why
        pool = self.sudo().with_context(active_test=False)
        members = pool.member_ids
        engine_members = self.env["lead.distribution"]._engine_members(members, now)
        given = dict(
            self.env["lead.assignment"]
            .sudo()
            ._read_group([("member_id", "in", members.ids)], ["member_id"], ["__count"])
        )
        words = self.env["lead.assignment"]._candidate_words()
        rows = []
        for member, one in zip(members, engine_members, strict=True):
            load = one.load.as_of(local_date(now, one.calendar.tz))
            held = hindrance(one, one.load, now)
            share = entitled(one.ledger, one.weight, pool.clock)
            rows.append(
                {
                    "id": member.id,
                    "user_id": member.user_id.id,
                    "name": member.user_id.name,
                    "weight": one.weight,
                    "entitled": share,
                    "turns": one.ledger.turns,
                    "owed": share - one.ledger.turns,
                    "given": given.get(member, 0),
                    "today": load.today,
                    "week": load.week,
                    "month": load.month,
                    "open": member.open_count,
                    "state": held.reason if held else "free",
                    "text": words[held.reason] if held else self.env._("Free"),
                    "until": fields.Datetime.to_string(held.until) if held else False,
                }
            )
        turns = sum(row["turns"] for row in rows)
        due = sum(row["entitled"] for row in rows)
        for row in rows:
            row["share"] = row["turns"] / turns if turns else None
            row["due_share"] = row["entitled"] / due if due else None
        return {"turns": turns, "members": rows}
