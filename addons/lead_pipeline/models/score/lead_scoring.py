# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import random
import time

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...engine.decay import Decay
from ...engine.scoring import held_threshold
from .lead_scoring_rows import columns_of

#: how often a job tries a batch in which others write the same leads
TRIES = 5
#: where the cursor keeps the ids of leads whose quality has to be found again, and of
#: those that became sales-ready, until it commits
WAITING = "lead_pipeline.rescore"
READY = "lead_pipeline.sales_ready"


class LeadScoring(models.AbstractModel):
    """Quality and engagement of many leads at once, in a number of statements that
    does not depend on how many."""

    _inherit = "lead.scoring"

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    @api.model
    def _wait(self, leads):
        """The quality of these leads may be another now: find it again once, for all
        of them, when somebody reads scores or the transaction ends. Costs no query."""
        lead_ids = set(filter(None, leads._ids))  # not those of a form's onchange
        if not lead_ids or not self._in_use():
            return
        data = self.env.cr.precommit.data
        if not data.get(WAITING):
            data[WAITING] = set()
            # sudo: a score is everybody's, whoever changed what it reads
            self.env.cr.precommit.add(self.sudo()._settle)
        data[WAITING] |= lead_ids
        self._forget(leads.sudo())

    @api.model
    def _are_waiting(self, leads):
        waiting = self.env.cr.precommit.data.get(WAITING, ())
        return not set(leads.ids).isdisjoint(waiting)

    @api.model
    def _settle(self):
        """Bring the scores of those who wait up to date. Whoever reads scores past the
        fields of a lead calls it first."""
        waiting = self.env.cr.precommit.data.pop(WAITING, None)
        if waiting:
            # all of them are written, also where nothing changes: another worker that
            # scores them now, by what they were before, is then run again
            leads = self.env["crm.lead"].sudo().browse(waiting)
            self.sudo()._rescore(leads, write_all=True)

    @api.model
    def _rescore(self, leads, *, replay=False, touchpoints=(), write_all=False):
        """Model, quality and what follows from them, from scratch.

        :param replay: engagement as well, from all touchpoints
        :param touchpoints: new ones of these leads, to be counted on the way
        :param write_all: also the rows that don't change
        """
        if not leads:
            return
        states, before = self._load(leads.ids)
        if not self._in_use() and not any(state.score_model_id for state in states):
            return
        # some may have been deleted while they waited
        there = self._find_options(states)
        states = [state for state in states if state.id in there]
        replayed, kept = [], []
        for state in states:
            moved = state.score_model_id != before[state.id].score_model_id
            (replayed if replay or moved else kept).append(state)
        self._replay(replayed)  # finds new touchpoints by itself
        if touchpoints and kept:
            self._add_touches(kept, self._countable(touchpoints))
        self._finish(states, before, write_all)
        self._write_history(states, before)
        self.env.cr.precommit.data.get(WAITING, set()).difference_update(leads.ids)

    @api.model
    def _touch(self, touchpoints):
        """Count new touchpoints, in O(1) each.

        Those ahead of us, such as a meeting of tomorrow, count when they happen.
        """
        if not self._in_use():
            return
        leads = touchpoints.lead_id
        if self._reads_touches() or self._are_waiting(leads):
            self._rescore(leads, touchpoints=touchpoints)
            return
        counted = self._countable(touchpoints)
        states, before = self._load(counted.lead_id.ids)
        if not any(state.score_model_id for state in states):
            return
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
        if self._reads_touches() or self._are_waiting(leads):
            self._rescore(leads, replay=True)
            return
        states, before = self._load(leads.ids)
        self._replay(states)
        self._finish(states, before)

    @api.model
    def _cool(self, leads):
        """Grades of leads whose engagement fell below a threshold by now."""
        self._finish(*self._load(leads.ids))

    @api.model
    def _override(self, lead_ids, value, reason):
        """Set the quality of leads by hand, or give it back to the model.

        :param value: 0 to 100, or None: as the model says
        """
        self._settle()
        states, before = self._load(lead_ids)
        now = fields.Datetime.now()
        latest = self.env["crm.lead"].browse(lead_ids)._latest_history(now)
        none = self.env["lead.score.history"]
        for state in states:
            state.quality_overridden = value is not None
            by_model = state.quality_model_score
            state.quality_score = by_model if value is None else value
        self._finish(states, before)
        none.create(
            [
                {
                    "lead_id": state.id,
                    "at": now,
                    # the version that said what the model says
                    "model_id": latest.get(state.id, none).model_id.id,
                    "option_ids": latest.get(state.id, none).option_ids or [],
                    "model_quality": state.quality_model_score,
                    "quality": state.quality_score,
                    "overridden": state.quality_overridden,
                    "user_id": self.env.uid,
                    "reason": reason,
                }
                for state in states
            ]
        )

    @api.model
    def _run_batch(self, method, *args, **kwargs):
        """Do a part of a job between two of its commits, again where another worker
        wrote the same rows meanwhile.

        :raises OperationalError, UniqueViolation: after several tries
        """
        for tries_left in reversed(range(TRIES)):
            try:
                result = method(*args, **kwargs)
                self.env.flush_all()
                return result
            except (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, UniqueViolation):
                if not tries_left:
                    raise
                self.env.cr.rollback()  # nothing was done since the last commit
                time.sleep(random.uniform(0, TRIES - tries_left))

    # ------------------------------------------------------------
    # WHAT FOLLOWS
    # ------------------------------------------------------------

    @api.model
    def _finish(self, states, before, write_all=False):
        """What follows from quality and engagement, and write the rows that changed."""
        self._follow(states, before, self._in_use())
        changed = [s for s in states if columns_of(s) != before[s.id]]
        self._write_rows(states if write_all else changed)
        self._expect_ready(
            {s.id for s in changed if s.sales_ready and not before[s.id].sales_ready}
        )

    @api.model
    def _expect_ready(self, lead_ids):
        """These leads became sales-ready."""
        if lead_ids:
            data = self.env.cr.precommit.data
            if not data.get(READY):
                data[READY] = set()
                self.env.cr.precommit.add(self._tell_ready)
            data[READY] |= lead_ids

    @api.model
    def _tell_ready(self):
        """Once at the end of a transaction, not while somebody reads a score."""
        self._settle()
        ready = self.env.cr.precommit.data.pop(READY, ())
        leads = self.env["crm.lead"].browse(sorted(ready)).exists()
        if leads := leads.filtered("sales_ready"):
            leads._on_sales_ready()
            self.env.flush_all()

    @api.model
    def _follow(self, states, before, score_models):
        """Key, grade, sales-readiness and the moment of the next change, as quality
        and engagement by these models say. ``_followed`` is the same in SQL."""
        now = fields.Datetime.now()
        rates = {}
        for model in score_models:
            rules = model._rules()
            rates[rules.origin_id] = rules, Decay(rules.half_life)
        for state in states:
            if state.score_model_id not in rates:
                state.lead_grade, state.cools_at, state.sales_ready = None, None, False
                continue
            rules, rate = rates[state.score_model_id]
            level = state.level()
            score = rate.standing(level, now)
            held = held_threshold(rules.thresholds, score)
            state.engagement_key = rate.key(level)
            state.cools_at = rate.cools_at(level, held) if held else None
            state.lead_grade = rules.bands.grade(state.quality_score, score)
            state.sales_ready = rules.ready_line.reached(state.quality_score, score)
            if state.sales_ready and not before[state.id].sales_ready:
                state.sales_ready_date = now

    @api.model
    def _in_use(self):
        return self.env["lead.score.model"]._in_use()
