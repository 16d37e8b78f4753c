# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import json
from collections import namedtuple
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from odoo import api, fields, models
from odoo.tools import SQL

from ...engine import decay
from ...engine.decay import Level

#: columns of ``lead.score``, and how PostgreSQL calls their types
COLUMN_TYPES = {
    "score_model_id": "int4",
    "quality_model_score": "float8",
    "quality_score": "float8",
    "quality_overridden": "bool",
    "engagement_amount": "float8",
    "engagement_as_of": "timestamp",
    "engagement_key": "float8",
    "cools_at": "timestamp",
    "lead_grade": "varchar",
    "sales_ready": "bool",
    "sales_ready_date": "timestamp",
}
SCORE_COLUMNS = tuple(COLUMN_TYPES)


@dataclass(slots=True)
class State:
    """A lead's scores as they become."""

    id: int
    score_model_id: int | None = None
    quality_model_score: float = 0.0
    quality_score: float = 0.0
    quality_overridden: bool = False
    engagement_amount: float = 0.0
    engagement_as_of: datetime | None = None
    engagement_key: float = 0.0
    cools_at: datetime | None = None
    lead_grade: str | None = None
    sales_ready: bool = False
    sales_ready_date: datetime | None = None
    # why the quality is what it is, once it was found
    version_id: int | None = None
    option_ids: list[int] | None = None
    told_otherwise: bool = False  # the history has it from other options

    def level(self):
        return Level(self.engagement_amount, self.engagement_as_of or decay.EPOCH)


#: a lead's scores as they are in its row, in the order of the columns
Row = namedtuple("Row", SCORE_COLUMNS)
UNSCORED = Row(*(getattr(State(0), name) for name in SCORE_COLUMNS))
columns_of = attrgetter(*SCORE_COLUMNS)


class LeadScoring(models.AbstractModel):
    """The rows of ``lead.score`` and of its history, read and written past the ORM, as
    events change them. Runs in superuser mode: scores are of all leads, whoever caused
    the event."""

    _name = "lead.scoring"
    _description = "Lead Scoring"

    @api.model
    def _load(self, lead_ids, lock=True):
        """The scores of these leads, to be changed.

        :return: (states in the order of ids, {lead id: row as it is})
        """
        before = self._rows(lead_ids, lock)
        return [State(lead_id, *before[lead_id]) for lead_id in sorted(before)], before

    @api.model
    def _rows(self, lead_ids, lock=False):
        """:param lock: until the end of the transaction
        :return: {lead id: row as it is}
        """
        if not lead_ids:
            return {}
        columns = SQL(", ").join(SQL.identifier(name) for name in SCORE_COLUMNS)
        rows = self.env.execute_query(
            SQL(
                "SELECT lead_id, %s FROM lead_score WHERE lead_id = ANY(%s)"
                " ORDER BY lead_id %s",
                columns,
                list(lead_ids),
                SQL("FOR NO KEY UPDATE") if lock else SQL(),
            )
        )
        found = dict.fromkeys(lead_ids, UNSCORED)
        found.update((lead_id, Row._make(row)) for lead_id, *row in rows)
        return found

    @api.model
    def _write_rows(self, states):
        if not states:
            return
        arrays = [[state.id for state in states]]
        arrays += map(list, zip(*map(columns_of, states), strict=True))
        types = ["int4", *COLUMN_TYPES.values()]
        names = [SQL.identifier(name) for name in SCORE_COLUMNS]
        self.env.cr.execute(
            SQL(
                "INSERT INTO lead_score (lead_id, %(names)s)"
                " SELECT * FROM unnest(%(values)s)"
                " ON CONFLICT (lead_id) DO UPDATE SET %(sets)s",
                names=SQL(", ").join(names),
                values=SQL(", ").join(
                    SQL("%s::" + kind + "[]", array)
                    for array, kind in zip(arrays, types, strict=True)
                ),
                sets=SQL(", ").join(SQL("%s = excluded.%s", n, n) for n in names),
            )
        )
        self._on_saved(self.env["crm.lead"].browse(state.id for state in states))

    @api.model
    def _on_saved(self, leads):
        """The scores of these leads were written. For others to extend."""
        self._forget(leads)

    @api.model
    def _forget(self, leads):
        """The scores of these leads in the cache are those of before."""
        names = [*SCORE_COLUMNS, "engagement_score"]
        leads.invalidate_recordset(names, flush=False)

    # ------------------------------------------------------------
    # HISTORY
    # ------------------------------------------------------------

    @api.model
    def _write_history(self, states, before):
        """A row for each lead whose quality or model is another now, or comes from
        other options."""
        quality_of = attrgetter(
            "score_model_id", "quality_model_score", "quality_score"
        )
        changed = [
            state
            for state in states
            if state.told_otherwise or quality_of(state) != quality_of(before[state.id])
        ]
        if not changed:
            return
        self.env.cr.execute(
            """
            INSERT INTO lead_score_history
                   (lead_id, at, model_id, option_ids, model_quality, quality,
                    overridden)
            SELECT id, %s, model_id, option_ids::jsonb, model_quality, quality,
                   overridden
              FROM unnest(%s::int[], %s::int[], %s::text[], %s::float8[], %s::float8[],
                          %s::bool[])
                AS new(id, model_id, option_ids, model_quality, quality, overridden)
            """,
            [
                fields.Datetime.now(),
                [state.id for state in changed],
                [state.version_id for state in changed],
                [json.dumps(state.option_ids or []) for state in changed],
                [state.quality_model_score for state in changed],
                [state.quality_score for state in changed],
                [state.quality_overridden for state in changed],
            ],
        )
