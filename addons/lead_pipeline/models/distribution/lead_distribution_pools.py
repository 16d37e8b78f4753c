# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...engine.distribution import LOAD, Pool
from ...engine.ledger import Ledger
from ...engine.members import Load, Member
from .lead_pool_member import CAPS

#: how far back calendars are known: a lead that waited longer is late in any case
LOOK_BACK = timedelta(days=31)
#: columns of a member that turns change, as the engine names them, and their types
KEPT = {
    "load_day": "date",
    "load_today": "int4",
    "load_week": "int4",
    "load_month": "int4",
    "turns": "int4",
    "turn_start": "int8",
    "turn_left": "int8",
}
#: by whether to wait for others; None: to try something out
LOCKS = {
    True: SQL("FOR NO KEY UPDATE"),
    False: SQL("FOR NO KEY UPDATE NOWAIT"),
    None: SQL(),
}


class LeadDistribution(models.AbstractModel):
    """Pools as the engine takes them, and back."""

    _inherit = "lead.distribution"

    @api.model
    def _open(self, round_, pool_ids, methods, wait=False):
        """Lock pools, and read them and their members.

        With those that share people, for the limits of a person hold in all of them.

        :param wait: for others who are at these pools; None: nothing is locked
        :raises OperationalError: without ``wait``, others are at the same pools
        """
        if not pool_ids:
            return
        self.env["lead.pool"].flush_model()
        self.env["lead.pool.member"].flush_model()
        pool_ids = sorted({*pool_ids, *self._sharing(pool_ids)})
        self.env.cr.execute(
            SQL(
                "SELECT id, clock, active FROM lead_pool WHERE id = ANY(%s)"
                " ORDER BY id %s",
                pool_ids,
                LOCKS[wait],
            ),
            log_exceptions=False,
        )
        pools = self.env.cr.fetchall()
        members = self.env["lead.pool.member"].with_context(active_test=False)
        # in an archived pool nobody has a place, in none of their pools
        open_ids = [pool_id for pool_id, _clock, active in pools if active]
        members = members.search([("pool_id", "in", open_ids)])
        # what others wrote while the pools were waited for
        members.invalidate_recordset(flush=False)
        engine_members = self._engine_members(members, round_.at, methods)
        by_pool = defaultdict(list)
        for member, engine_member in zip(members, engine_members, strict=True):
            by_pool[member.pool_id.id].append(engine_member)
            round_.users[member.id] = member.user_id.id
            round_.places.setdefault(member.user_id.id, []).append(
                (member.pool_id.id, member.id)
            )
        for pool_id, clock, _active in pools:
            round_.worksheets[pool_id] = Pool(by_pool[pool_id], clock)
        # sudo: inherited; who works where is no secret here
        round_.companies = {
            user.id: frozenset(user.company_ids.ids) for user in members.user_id
        }

    @api.model
    def _sharing(self, pool_ids):
        """Ids of other pools with the same people."""
        return {
            pool_id
            for (pool_id,) in self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT other.pool_id
                      FROM lead_pool_member mine
                      JOIN lead_pool_member other USING (user_id)
                      JOIN lead_pool pool ON pool.id = other.pool_id
                     WHERE mine.pool_id = ANY(%s) AND mine.active
                       AND other.active AND pool.active
                    """,
                    list(pool_ids),
                )
            )
        }

    @api.model
    def _engine_members(self, members, at, methods=(LOAD,)):
        """Members as the engine takes them; their ``ref`` is the id.

        :param at: calendars and absences are known since ``LOOK_BACK`` before
        :param methods: by which they will be asked; open leads are counted only where
            that or a limit needs it
        """
        kept = {
            row[0]: row[1:]
            for row in self.env.execute_query(
                SQL(
                    "SELECT id, %s FROM lead_pool_member WHERE id = ANY(%s)",
                    SQL(", ").join(SQL.identifier(name) for name in KEPT),
                    members.ids,
                )
            )
        }
        open_counts = {}
        if LOAD in methods or any(members.mapped("max_open")):
            open_counts = members._open_counts()
        settings = members._settings()
        calendars = members._lay_out(
            ((member, settings[member.id]) for member in members), at - LOOK_BACK
        )
        return [
            replace(
                self._engine_member(member.id, settings[member.id], calendar),
                load=self._load(kept[member.id], open_counts.get(member.user_id.id, 0)),
                ledger=Ledger(kept[member.id][4] or 0, *kept[member.id][5:]),
            )
            for member, calendar in zip(members, calendars, strict=True)
        ]

    @api.model
    def _engine_member(self, ref, settings, calendar):
        """:param settings: of a member, as ``_settings`` says, now or then"""
        until = fields.Datetime.to_datetime(settings["paused_until"])
        return Member(
            ref=ref,
            weight=settings["weight"],
            **{name: settings[name] or None for name in CAPS},
            skills=frozenset(settings["skill_ids"]),
            languages=frozenset(settings["lang_ids"]),
            countries=frozenset(settings["country_ids"]),
            calendar=calendar,
            active=settings["active"],
            paused_until=datetime.max if settings["paused"] else until or None,
        )

    @api.model
    def _load(self, kept, open_count):
        day, today, week, month = kept[:4]
        return Load(open_count, day, today or 0, week or 0, month or 0)

    @api.model
    def _write_pools(self, round_):
        """Keep the turns that were taken."""
        changed = []
        for worksheet in round_.worksheets.values():
            for member in worksheet.changes():
                load, ledger = member.load, member.ledger
                changed.append(
                    (
                        *(member.ref, load.day, load.today, load.week, load.month),
                        *(ledger.turns, ledger.start, ledger.left),
                    )
                )
        if not changed:
            return
        names = SQL(", ").join(SQL.identifier(name) for name in KEPT)
        types = ("int4", *KEPT.values())
        self.env.cr.execute(
            SQL(
                "UPDATE lead_pool_member AS member SET %(sets)s"
                " FROM unnest(%(values)s) AS new(id, %(names)s)"
                " WHERE member.id = new.id",
                sets=SQL(", ").join(
                    SQL("%s = new.%s", SQL.identifier(name), SQL.identifier(name))
                    for name in KEPT
                ),
                values=SQL(", ").join(
                    SQL("%s::" + kind + "[]", list(column))
                    for kind, column in zip(
                        types, zip(*changed, strict=True), strict=True
                    )
                ),
                names=names,
            )
        )
        self.env.cr.execute(
            SQL(
                "UPDATE lead_pool AS pool SET clock = new.clock"
                " FROM unnest(%s::int4[], %s::int8[]) AS new(id, clock)"
                " WHERE pool.id = new.id AND pool.clock <> new.clock",
                list(round_.worksheets),
                [worksheet.clock for worksheet in round_.worksheets.values()],
            )
        )
        self.env["lead.pool"].browse(round_.worksheets).invalidate_recordset(
            ["clock"], flush=False
        )
        members = self.env["lead.pool.member"].browse(row[0] for row in changed)
        members.invalidate_recordset([*KEPT, "open_count"], flush=False)
