# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import json
import random
import time
from dataclasses import dataclass, replace
from datetime import datetime

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..engine import decay
from ..engine.decay import Decay, Level
from ..engine.scoring import held_threshold

#: how often a job tries a batch in which others write the same leads
TRIES = 5
#: columns of a lead that this file writes, in plain SQL
SCORE_COLUMNS = (
    "score_model_id",
    "quality_model_score",
    "quality_score",
    "engagement_amount",
    "engagement_as_of",
    "engagement_key",
    "cools_at",
    "lead_grade",
    "sales_ready",
    "sales_ready_date",
)
COLUMN_TYPES = {
    "score_model_id": "int4",
    "engagement_as_of": "timestamp",
    "cools_at": "timestamp",
    "lead_grade": "varchar",
    "sales_ready": "bool",
    "sales_ready_date": "timestamp",
}

#: where the cursor keeps the ids of leads to be scored before it commits
WAITING = "lead_pipeline.rescore"


@dataclass(slots=True)
class State:
    """A lead's scores as they are in its row, and as they become."""

    id: int
    score_model_id: int | None
    quality_model_score: float
    quality_score: float
    engagement_amount: float
    engagement_as_of: datetime | None
    engagement_key: float
    cools_at: datetime | None
    lead_grade: str | None
    sales_ready: bool
    sales_ready_date: datetime | None
    quality_overridden: bool

    def level(self):
        return Level(self.engagement_amount, self.engagement_as_of or decay.EPOCH)

    def columns(self):
        return tuple(getattr(self, name) for name in SCORE_COLUMNS)


class LeadScoring(models.AbstractModel):
    """Quality and engagement of many leads at once, in a number of statements that
    does not depend on how many. Runs in superuser mode: scores are of all leads,
    whoever caused the event."""

    _name = "lead.scoring"
    _description = "Lead Scoring"

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    @api.model
    def _rescore(self, leads, *, replay=False, touchpoints=()):
        """Model, quality and what follows from them, from scratch.

        :param replay: engagement as well, from all touchpoints
        :param touchpoints: new ones of these leads, to be counted on the way
        """
        if not leads or not (self._in_use() or leads.score_model_id):
            return
        states = self._load(leads.ids)
        before = {state.id: replace(state) for state in states}
        options = self._find_options(states, self._in_use())
        replayed, kept = [], []
        for state in states:
            moved = state.score_model_id != before[state.id].score_model_id
            (replayed if replay or moved else kept).append(state)
        self._replay(replayed)  # finds new touchpoints by itself
        if touchpoints and kept:
            self._add_touches(kept, self._countable(touchpoints))
        self._finish(states, before)
        self._write_history(states, before, options)
        self.env.cr.precommit.data.get(WAITING, set()).difference_update(leads.ids)

    @api.model
    def _touch(self, touchpoints):
        """Count new touchpoints, in O(1) each.

        Those ahead of us, such as a meeting of tomorrow, count when they happen.
        """
        if not self._in_use():
            return
        if self._reads_touches():
            self._rescore(touchpoints.lead_id, touchpoints=touchpoints)
            return
        counted = self._countable(touchpoints)
        states = self._load(counted.lead_id.ids)
        if not any(state.score_model_id for state in states):
            return
        before = {state.id: replace(state) for state in states}
        self._add_touches(states, counted)
        self._finish(states, before)

    @api.model
    def _reads_touches(self):
        """Whether some criterion reads what touchpoints change on a lead."""
        Lead = self.env["crm.lead"]
        return not Lead._scored_fields().isdisjoint(Lead._fields_of_touches())

    @api.model
    def _countable(self, touchpoints):
        now = fields.Datetime.now()
        return touchpoints.filtered(lambda touch: touch.human and touch.at <= now)

    @api.model
    def _recount(self, leads):
        """Engagement from all touchpoints again: after a merge, or when one was
        changed or taken back."""
        if not self._in_use():
            return
        if self._reads_touches():
            self._rescore(leads, replay=True)
            return
        states = self._load(leads.ids)
        before = {state.id: replace(state) for state in states}
        self._replay(states)
        self._finish(states, before)

    @api.model
    def _cool(self, leads):
        """Grades of leads whose engagement fell below a threshold by now."""
        states = self._load(leads.ids)
        self._finish(states, {state.id: replace(state) for state in states})

    @api.model
    def _try_on(self, leads, score_models, half_life, recount):
        """The scores of leads by other models than those in use. Nothing is written.

        :param recount: whether touches count otherwise than now
        :return: (states as they would be, {lead id: state as it is})
        """
        states = self._load(leads.ids, lock=False)
        before = {state.id: replace(state) for state in states}
        self._find_options(states, score_models)
        counted = [
            state
            for state in states
            if recount or state.score_model_id != before[state.id].score_model_id
        ]
        now = fields.Datetime.now()
        self._count_all(counted, score_models, half_life, now)
        self._follow(states, before, score_models, half_life)
        return states, before

    @api.model
    def _run_batch(self, method, *args, **kwargs):
        """Do a part of a job between two of its commits, again where another worker
        wrote the same rows meanwhile.

        :raises OperationalError: after several tries
        """
        for tries_left in reversed(range(TRIES)):
            try:
                result = method(*args, **kwargs)
                self.env.flush_all()
                return result
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                if not tries_left:
                    raise
                self.env.cr.rollback()  # nothing was done since the last commit
                time.sleep(random.uniform(0, TRIES - tries_left))

    # ------------------------------------------------------------
    # ROWS
    # ------------------------------------------------------------

    @api.model
    def _load(self, lead_ids, lock=True):
        """The scores of these leads, locked until the end of the transaction."""
        if not lead_ids:
            return []
        Lead = self.env["crm.lead"]
        names = [*SCORE_COLUMNS, "quality_overridden"]
        Lead.flush_model(names)
        columns = SQL(", ").join(SQL.identifier(name) for name in names)
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %s FROM crm_lead WHERE id = ANY(%s) ORDER BY id %s",
                columns,
                list(lead_ids),
                SQL("FOR NO KEY UPDATE") if lock else SQL(),
            )
        )
        zeros = ("quality_model_score", "quality_score")
        zeros += ("engagement_amount", "engagement_key")
        states = []
        for lead_id, *values in rows:
            state = State(lead_id, *values)
            for name in zeros:
                setattr(state, name, getattr(state, name) or 0.0)
            state.sales_ready = bool(state.sales_ready)
            state.quality_overridden = bool(state.quality_overridden)
            states.append(state)
        return states

    @api.model
    def _finish(self, states, before):
        """What follows from quality and engagement, and write the rows that changed."""
        self._follow(states, before, self._in_use())
        changed = [s for s in states if s.columns() != before[s.id].columns()]
        self._write_rows(changed)
        ready = [
            s.id for s in changed if s.sales_ready and not before[s.id].sales_ready
        ]
        if ready:
            self.env["crm.lead"].browse(ready)._on_sales_ready()

    @api.model
    def _follow(self, states, before, score_models, half_life=None):
        """Key, grade, sales-readiness and the moment of the next change, as quality
        and engagement by these models say.

        :param half_life: in days, if it is another than that of the models
        """
        now = fields.Datetime.now()
        in_use = {model.origin_id.id: model for model in score_models}
        rates = {}
        for state in states:
            model = in_use.get(state.score_model_id)
            if not model:
                state.lead_grade, state.cools_at, state.sales_ready = None, None, False
                continue
            if model.id not in rates:
                rates[model.id] = (
                    Decay(half_life or model.half_life),
                    model._bands(),
                    model._ready_line(),
                    model._thresholds(),
                )
            rate, bands, line, thresholds = rates[model.id]
            level = state.level()
            score = rate.score(level, now)
            held = held_threshold(thresholds, score)
            state.engagement_key = rate.key(level)
            state.cools_at = rate.cools_at(level, held) if held else None
            state.lead_grade = bands.grade(state.quality_score, score)
            state.sales_ready = line.reached(state.quality_score, score)
            if state.sales_ready and not before[state.id].sales_ready:
                state.sales_ready_date = now

    @api.model
    def _in_use(self):
        return self.env["lead.score.model"]._in_use()

    @api.model
    def _write_rows(self, states):
        if not states:
            return
        arrays = [[state.id for state in states]] + [
            [getattr(state, name) for state in states] for name in SCORE_COLUMNS
        ]
        types = ["int4"] + [COLUMN_TYPES.get(name, "float8") for name in SCORE_COLUMNS]
        names = [SQL.identifier(name) for name in SCORE_COLUMNS]
        self.env.cr.execute(
            SQL(
                "UPDATE crm_lead AS lead SET %(sets)s"
                " FROM unnest(%(values)s) AS new(id, %(names)s)"
                " WHERE lead.id = new.id",
                sets=SQL(", ").join(SQL("%s = new.%s", n, n) for n in names),
                values=SQL(", ").join(
                    SQL("%s::" + kind + "[]", array)
                    for array, kind in zip(arrays, types, strict=True)
                ),
                names=SQL(", ").join(names),
            )
        )
        leads = self.env["crm.lead"].browse(state.id for state in states)
        leads.invalidate_recordset([*SCORE_COLUMNS, "engagement_score"], flush=False)

    # ------------------------------------------------------------
    # HISTORY
    # ------------------------------------------------------------

    @api.model
    def _write_history(self, states, before, options):
        """A row for each lead whose quality or model is another now."""

        def quality_of(state):
            return state.score_model_id, state.quality_model_score, state.quality_score

        in_use = {model.origin_id.id: model.id for model in self._in_use()}
        changed = [s for s in states if quality_of(s) != quality_of(before[s.id])]
        if not changed:
            return
        # plain SQL: an activation writes as many rows as there are leads
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
                [in_use.get(state.score_model_id) for state in changed],
                [
                    json.dumps([one for one in options.get(state.id, ()) if one])
                    for state in changed
                ],
                [state.quality_model_score for state in changed],
                [state.quality_score for state in changed],
                [state.quality_overridden for state in changed],
            ],
        )
