# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from array import array
from dataclasses import asdict

from odoo import api, fields, models

from ..engine import backtest
from ..engine.decay import in_units, shown

#: leads scored at a time: memory does not grow with how many there are, but for a few
#: numbers a lead
BATCH = 5000
#: grades, worst first
GRADES = [f"{letter}{number}" for letter in "DCBA" for number in "4321"]
MOST_ENGAGEMENT = 10**7  # in units of the shown digit


class LeadScoreBacktest(models.TransientModel):
    """How well a version would have told won leads from lost ones, beside another
    version and Odoo's own probability. Writes nothing but its result."""

    _name = "lead.score.backtest"
    _description = "Backtest"
    _inherit = "lead.score.past"

    compare_id = fields.Many2one(
        "lead.score.model",
        "Beside",
        compute="_compute_compare_id",
        store=True,
        readonly=False,
        ondelete="set null",
    )
    result = fields.Json(readonly=True)

    @api.depends("model_id")
    def _compute_compare_id(self):
        """The version in use of the same line, else the first model in use."""
        for wizard in self:
            used = self.env["lead.score.model"]._in_use().sudo(False)
            line = used.filtered(
                lambda one, wizard=wizard: one.origin_id == wizard.model_id.origin_id
            )
            wizard.compare_id = (line or used - wizard.model_id)[:1]
            if wizard.compare_id == wizard.model_id:
                wizard.compare_id = False

    def action_run(self):
        """Find out, and show it here."""
        self.ensure_one()
        self.result = self._run()
        return self._reopen()

    # ------------------------------------------------------------
    # SCORES OF THE PAST
    # ------------------------------------------------------------

    def _run(self):
        """:return: what ``result`` keeps and the chart shows: see ``_describe``"""
        # sudo: the leads are those the user may see (_outcomes), scored as all are
        trial = self.env["lead.score.trial"].sudo()
        trial._begin()
        versions = [("model", self.model_id.sudo())]
        if self.compare_id:
            versions.append(("compare", self.compare_id.sudo()))
        criteria = {key: trial._fair_criteria(model) for key, model in versions}
        kept = Kept([key for key, _model in versions])
        after = 0
        while found := self.env.execute_query(self._outcomes(after=after, limit=BATCH)):
            rows = self._outcomes(after=after, upto=found[-1][0])
            after = found[-1][0]
            scores = {}
            for key, model in versions:
                qualities = trial._qualities(
                    model,
                    criteria[key][0],
                    rows,
                    fitting=key == "model",
                    within=(found[0][0], after),
                )
                scores[key] = qualities, trial._engagements(model, rows)
            odoo = trial._odoo_probabilities(rows)
            fitting = scores["model"][0]
            for lead_id, _at, won, early in found:
                if lead_id not in fitting:
                    continue
                kept.won.append(bool(won))
                kept.early += early
                kept.odoo.append(odoo.get(lead_id, -1))
                for key, (qualities, engagements) in scores.items():
                    kept.quality[key].append(qualities[lead_id])
                    kept.engagement[key].append(shown(engagements.get(lead_id, 0)))
        return self._describe(kept, versions, criteria)

    @api.model
    def _orders(self, model, qualities, engagements):
        """What puts leads into the order in which they are worked: sales-ready ones
        first, then by grade, then by engagement, then by quality, all as shown.

        :return: (one number a lead, whether each is sales-ready)
        """
        bands, line = model._bands(), model._ready_line()
        numbers, readies = array("d"), bytearray()
        rank = {grade: place for place, grade in enumerate(GRADES)}
        for fit, pull in zip(qualities, engagements, strict=True):
            ready = line.reached(fit, pull)
            place = 16 * ready + rank[bands.grade(fit, pull)]
            units = min(MOST_ENGAGEMENT, max(-MOST_ENGAGEMENT, in_units(pull)))
            # whole numbers below 2^53, so exact
            place = place * (2 * MOST_ENGAGEMENT + 1) + units + MOST_ENGAGEMENT
            numbers.append(place * 1001 + in_units(fit))
            readies.append(ready)
        return numbers, readies

    # ------------------------------------------------------------
    # RESULT
    # ------------------------------------------------------------

    def _describe(self, kept, versions, criteria):
        """:return: {"won", "lost", "verdict" (engine.backtest.verdict), "early",
        "scores": [{"key", "label", "auc": estimate or None, "leads", "line"}],
        "differences": [{"label", ...estimate, "clear"}], "deciles", "compare_deciles",
        "bins" (by quality), "notes"}; estimates are {"value", "low", "high"}"""
        won = kept.won
        orders, scores, differences = {}, [], []
        for key, model in versions:
            numbers, readies = self._orders(
                model, kept.quality[key], kept.engagement[key]
            )
            orders[key] = numbers
            line = backtest.at_line(zip(readies, won, strict=True))
            scores.append(
                self._score(key, model.display_name, numbers, won, asdict(line))
            )
            if any(kept.engagement[key]):
                label = self.env._("its quality alone")
                pairs = kept.quality[key]
                scores.append(self._score(f"{key}_quality", label, pairs, won))
                label = self.env._("its engagement alone")
                pairs = kept.engagement[key]
                scores.append(self._score(f"{key}_engagement", label, pairs, won))
        both = any(won) and not all(won)
        if "compare" in orders and both:
            differences.append(
                self._difference(
                    self.compare_id.display_name,
                    orders["model"],
                    orders["compare"],
                    won,
                )
            )
        told = [place for place, chance in enumerate(kept.odoo) if chance >= 0]
        if told:
            chances = [kept.odoo[place] for place in told]
            outcomes = [won[place] for place in told]
            label = self.env._("Odoo's automated probability")
            scores.append(self._score("odoo", label, chances, outcomes))
            if any(outcomes) and not all(outcomes):
                ours = [orders["model"][place] for place in told]
                differences.append(self._difference(label, ours, chances, outcomes))
        main = backtest.backtest(zip(orders["model"], won, strict=True))
        compared = []
        if "compare" in orders:
            compared = backtest.deciles(zip(orders["compare"], won, strict=True))
        bins = backtest.calibration(zip(kept.quality["model"], won, strict=True))
        return {
            "won": main.won,
            "lost": main.lost,
            "verdict": main.verdict,
            "early": kept.early,
            "scores": scores,
            "differences": differences,
            "deciles": [asdict(one) for one in main.deciles],
            "compare_deciles": [asdict(one) for one in compared],
            "bins": [asdict(one) for one in bins],
            "notes": self._all_notes(kept, criteria, told),
        }

    def _score(self, key, label, numbers, won, line=None):
        both = any(won) and not all(won)
        area = backtest.auc(zip(numbers, won, strict=True)) if both else None
        return {
            "key": key,
            "label": label,
            "leads": len(numbers),
            "auc": area and asdict(area),
            "line": line,
        }

    def _difference(self, label, ours, theirs, won):
        gap = backtest.auc_difference(zip(ours, theirs, won, strict=True))
        return {
            "label": label,
            **asdict(gap),
            "clear": gap.low > 0 or gap.high < 0,
        }

    def _all_notes(self, kept, criteria, told):
        notes = self._notes(*criteria["model"])
        if "compare" in criteria:
            notes += [
                note for note in self._notes(*criteria["compare"]) if note not in notes
            ]
        if kept.early:
            notes.append(
                self.env._(
                    "%(count)s leads were closed within %(days)s days: they are taken "
                    "as they were just before.",
                    count=kept.early,
                    days=self.days,
                )
            )
        if told:
            notes.append(
                self.env._(
                    "Odoo keeps no probabilities of the past. It is computed again by "
                    "Odoo's formula for the lead as it was, from Odoo's counts of "
                    "today, which know how these very leads ended: that flatters it."
                )
            )
        elif kept.won:
            notes.append(
                self.env._("Odoo has too few won and lost leads for a probability.")
            )
        return notes


class Kept:
    """What is remembered of each lead: a few numbers, packed."""

    __slots__ = ("early", "engagement", "odoo", "quality", "won")

    def __init__(self, keys):
        self.early = 0
        self.won = bytearray()
        self.odoo = array("d")
        self.quality = {key: array("d") for key in keys}
        self.engagement = {key: array("d") for key in keys}
