# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import namedtuple
from dataclasses import dataclass
from datetime import datetime

from odoo import api, fields, models
from odoo.tools import SQL

from ..engine import decay
from ..engine.decay import Level
from ..tools import without_jit

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


#: those that are found first; the others follow from them
FOUND_COLUMNS = SCORE_COLUMNS[:6]


@dataclass(slots=True)
class State:
    """A lead's scores as they become: what the others follow from, and why the quality
    is what it is."""

    id: int
    score_model_id: int | None
    quality_model_score: float
    quality_score: float
    quality_overridden: bool
    engagement_amount: float
    engagement_as_of: datetime | None
    version_id: int | None = None
    option_ids: str | None = None  # as PostgreSQL writes an array

    def level(self):
        return Level(self.engagement_amount, self.engagement_as_of or decay.EPOCH)


#: a lead's scores as they are in its row, in the order of the columns
Row = namedtuple("Row", SCORE_COLUMNS)
UNSCORED = Row(
    score_model_id=None,
    quality_model_score=0.0,
    quality_score=0.0,
    quality_overridden=False,
    engagement_amount=0.0,
    engagement_as_of=None,
    engagement_key=0.0,
    cools_at=None,
    lead_grade=None,
    sales_ready=False,
    sales_ready_date=None,
)

#: from "followed" to the ids of the leads that were written
SAVED = """
    changed AS MATERIALIZED (
        SELECT * FROM followed
         WHERE %(write_all)s OR CASE
               WHEN (old).lead_id IS NULL
               THEN score_model_id IS NOT NULL OR quality_overridden
               ELSE ROW(%(names)s) IS DISTINCT FROM ROW(%(olds)s)
           END
    ),
    %(history)s
    inserted AS (
        INSERT INTO lead_score (lead_id, %(names)s)
        SELECT lead_id, %(names)s FROM changed
         WHERE (old).lead_id IS NULL ORDER BY lead_id
            %(upsert)s
    ),
    updated AS (
        UPDATE lead_score SET %(sets)s FROM changed
         WHERE lead_score.lead_id = changed.lead_id AND %(within)s
    )
    SELECT lead_id, sales_ready AND (old).sales_ready IS NOT TRUE FROM changed
"""
#: where another worker wrote the same row, PostgreSQL then says that this one has to be
#: run again
UPSERT = "ON CONFLICT (lead_id) DO UPDATE SET %s"
#: a row for each lead whose quality or model is another now
KEPT_HISTORY = """
    kept_history AS (
        INSERT INTO lead_score_history
               (lead_id, at, model_id, option_ids, model_quality, quality, overridden)
        SELECT lead_id, %s, version_id, COALESCE(to_jsonb(option_ids::int4[]), '[]'),
               quality_model_score, quality_score, quality_overridden
          FROM changed
         WHERE score_model_id IS DISTINCT FROM (old).score_model_id
            OR quality_model_score <> COALESCE((old).quality_model_score, 0)
            OR quality_score <> COALESCE((old).quality_score, 0)
         ORDER BY lead_id
    ),
"""


class LeadScoring(models.AbstractModel):
    """The rows of ``lead.score`` and of its history, read and written past the ORM:
    an activation writes as many as there are leads. Runs in superuser mode: scores are
    of all leads, whoever caused the event."""

    _name = "lead.scoring"
    _description = "Lead Scoring"

    @api.model
    def _load(self, lead_ids, lock=True):
        """The scores of these leads, to be changed.

        :return: (states in the order of ids, {lead id: row as it is})
        """
        before = self._rows(lead_ids, lock)
        states = [
            State(lead_id, *before[lead_id][: len(FOUND_COLUMNS)])
            for lead_id in sorted(before)
        ]
        return states, before

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
    def _save_states(self, states, *, history=False, write_all=False):
        """Find what follows, and write the rows that change.

        :param history: of the quality as well
        :param write_all: also the rows that don't change
        """
        if not states:
            return
        columns = {"lead_id": ("int4", "id")}
        columns |= {name: (COLUMN_TYPES[name], name) for name in FOUND_COLUMNS}
        columns |= {"version_id": ("int4", "version_id")}
        columns |= {"option_ids": ("text", "option_ids")}
        given = SQL(
            """
            given AS (
                SELECT new.*, old
                  FROM unnest(%(values)s) AS new(%(names)s)
                  LEFT JOIN lead_score AS old USING (lead_id)
            )
            """,
            names=SQL(", ").join(map(SQL.identifier, columns)),
            values=SQL(", ").join(
                SQL("%s::" + kind + "[]", [getattr(state, name) for state in states])
                for kind, name in columns.values()
            ),
        )
        self._save(given, self._in_use(), history=history, write_all=write_all)

    @api.model
    def _save(
        self,
        given,
        score_models,
        *,
        history=False,
        write_all=False,
        batch=None,
        left=None,
    ):
        """Write the scores of leads, and tell of those that became sales-ready.

        :param given: parts of a statement that end with "given", see ``_followed``
        :param batch: a condition that all these rows of ``lead_score`` fulfil, if they
            are many. Then a row of another worker is an UniqueViolation, as to be
            ready for it would take a third of the time of inserting.
        :param left: rows (lead id, NULL) as SQL: leads that are not written
        :return: ids of those that are left
        """
        names = [SQL.identifier(name) for name in SCORE_COLUMNS]

        def sets(source):
            return SQL(", ").join(
                SQL("%s = %s", SQL.identifier(name), SQL.identifier(source, name))
                for name in SCORE_COLUMNS
            )

        rows = self.env.execute_query(
            without_jit(
                SQL(
                    "WITH %s, %s, %s%s",
                    given,
                    self._followed(score_models),
                    SQL(
                        SAVED,
                        names=SQL(", ").join(names),
                        olds=SQL(", ").join(SQL("(old).%s", name) for name in names),
                        upsert=SQL() if batch else SQL(UPSERT, sets("excluded")),
                        sets=sets("changed"),
                        history=SQL(KEPT_HISTORY, fields.Datetime.now())
                        if history
                        else SQL(),
                        write_all=write_all,
                        within=batch or SQL("true"),
                    ),
                    SQL(" UNION ALL %s", left) if left else SQL(),
                )
            )
        )
        saved = [lead_id for lead_id, ready in rows if ready is not None]
        if saved:
            self._on_saved(self.env["crm.lead"].browse(saved))
        self._expect_ready({lead_id for lead_id, ready in rows if ready})
        return [lead_id for lead_id, ready in rows if ready is None]

    @api.model
    def _on_saved(self, leads):
        """The scores of these leads were written. For others to extend."""
        self._forget(leads)

    @api.model
    def _forget(self, leads):
        """The scores of these leads in the cache are those of before."""
        names = [*SCORE_COLUMNS, "engagement_score"]
        leads.invalidate_recordset(names, flush=False)
