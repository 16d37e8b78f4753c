# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Points from history: a scorecard proposed from won and lost leads.

1. **Weight of evidence** of each option: how far it moves the odds of winning,
   ``woe = ln(won/lost among its leads) - ln(won/lost among all)`` (I. J. Good, "Weight
   of Evidence: A Brief Survey", Bayesian Statistics 2, 1985; N. Siddiqi, "Credit Risk
   Scorecards", 2006). Each option is counted as if ``SMOOTHING`` leads more had it,
   won and lost as all are (B. Cestnik's m-estimate, ECAI 1990), so that the evidence
   of a rare option shrinks to 0, which is what nobody knows.
2. **A weight per criterion**, so that related criteria do not count twice: a logistic
   regression of the outcome on the evidence of all criteria. Weights are not negative:
   a criterion that only repeats others gets 0, never points turned round.
3. **Points** that people can read: ``POINTS_TO_DOUBLE`` points double the odds
   (Siddiqi), the worst option of a criterion is 0 points.

Leads come as rows of equal ones, as ``GROUP BY`` returns them: what matters is how many
different rows there are. 100 000 different rows of 30 criteria take some ten seconds.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import mul

#: the option of each criterion that counts (None: none of them), and how many such
#: leads were won and lost
Row = tuple[Sequence[Hashable | None], int, int]

#: how many leads "like all of them" are added to each option
SMOOTHING = 10.0
#: points that double the odds of winning, at weight 1
POINTS_TO_DOUBLE = 20
#: fewer leads behind an option than this are worth a warning
FEW_LEADS = 30
#: won and lost leads a criterion should rest on, each (Peduzzi et al., "A simulation
#: study of the number of events per variable", J Clin Epidemiol 49, 1996)
OUTCOMES_PER_CRITERION = 10
#: pulls weights towards 0 as one half times this times their squares would: keeps them
#: finite and shares a weight between criteria that say the same
RIDGE = 1.0
#: pieces of equal size a number is cut into before neighbours are merged
QUANTILES = 50
#: neighbouring bins of a number differ at 5 %: chi-square with one degree of freedom
SIGNIFICANT = 3.84
MAX_STEPS = 30


@dataclass(frozen=True, slots=True)
class OptionProposal:
    """One option, with the counts behind it. ``ref`` None: no option of the criterion
    held, which in a model is a last option that always holds."""

    ref: Hashable | None
    points: int
    won: int
    lost: int
    evidence: float  # weight of evidence, smoothed; above 0 speaks for winning

    @property
    def few(self) -> bool:
        """Whether there are too few leads to rely on the points."""
        return self.won + self.lost < FEW_LEADS


@dataclass(frozen=True, slots=True)
class CriterionProposal:
    """One criterion: its weight, its options in the given order, then that of None.

    ``information``: information value, sum of (share of won - share of lost) *
    evidence. Below 0.02 useless, to 0.1 weak, to 0.3 medium, above strong (Siddiqi).
    """

    ref: Hashable
    weight: float
    information: float
    options: tuple[OptionProposal, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A scorecard to be edited and accepted by a person."""

    won: int
    lost: int
    criteria: tuple[CriterionProposal, ...]

    @property
    def too_few(self) -> bool:
        """Whether there are too few outcomes for so many criteria."""
        needed = OUTCOMES_PER_CRITERION * max(1, len(self.criteria))
        return min(self.won, self.lost) < needed


def tally(
    leads: Iterable[tuple[Sequence[Hashable | None], bool]],
) -> list[Row]:
    """Rows of equal leads from single ones (what counted, was it won)."""
    counts = Counter((tuple(matches), bool(won)) for matches, won in leads)
    return [
        (matches, counts[matches, True], counts[matches, False])
        for matches in dict.fromkeys(matches for matches, _won in counts)
    ]


def propose(
    criteria: Mapping[Hashable, Sequence[Hashable]], rows: Iterable[Row]
) -> Proposal:
    """Propose points and weights.

    :param criteria: the options of each criterion, in the model's order
    :param rows: won and lost leads; what counted is in the order of ``criteria``
    :raises ValueError: unless there are both won and lost leads
    :raises KeyError: for an option that its criterion does not have
    """
    rows = list(rows)
    won = sum(row[1] for row in rows)
    lost = sum(row[2] for row in rows)
    if not won or not lost:
        raise ValueError("Points from history need both won and lost leads.")
    counts: list[dict[Hashable | None, list[int]]] = [
        {ref: [0, 0] for ref in (*options, None)} for options in criteria.values()
    ]
    for matches, wins, losses in rows:
        for options, ref in zip(counts, matches, strict=True):
            options[ref][0] += wins
            options[ref][1] += losses
    evidence = [
        {ref: weight_of_evidence(*count, won, lost) for ref, count in options.items()}
        for options in counts
    ]
    columns = [
        [known[row[0][place]] for row in rows] for place, known in enumerate(evidence)
    ]
    _base, weights = fit_weights(
        columns, [row[1] for row in rows], [row[2] for row in rows]
    )
    return Proposal(
        won,
        lost,
        tuple(
            _criterion(ref, weight, options, known, won, lost)
            for ref, weight, options, known in zip(
                criteria, weights, counts, evidence, strict=True
            )
        ),
    )


def _criterion(
    ref: Hashable,
    weight: float,
    counts: Mapping[Hashable | None, Sequence[int]],
    evidence: Mapping[Hashable | None, float],
    won: int,
    lost: int,
) -> CriterionProposal:
    worst = min(evidence.values())
    factor = POINTS_TO_DOUBLE / math.log(2)
    options = tuple(
        OptionProposal(
            option, round(factor * (evidence[option] - worst)), *count, evidence[option]
        )
        for option, count in counts.items()
    )
    information = math.fsum(
        (one.won / won - one.lost / lost) * one.evidence for one in options
    )
    return CriterionProposal(ref, round(weight, 2), information, options)


def weight_of_evidence(won: int, lost: int, all_won: int, all_lost: int) -> float:
    """The smoothed weight of evidence of an option, in natural logarithms of odds."""
    share = all_won / (all_won + all_lost)
    odds = (won + SMOOTHING * share) / (lost + SMOOTHING * (1 - share))
    return math.log(odds) - math.log(all_won / all_lost)


def fit_weights(
    columns: Sequence[Sequence[float]], won: Sequence[int], lost: Sequence[int]
) -> tuple[float, list[float]]:
    """Ridge logistic regression with weights that are not negative.

    Newton's method (iteratively reweighted least squares); the step that keeps the
    weights from falling below 0 is found by coordinate descent (Friedman, Hastie and
    Tibshirani, "Regularization Paths for Generalized Linear Models", 2010).

    :param columns: one per criterion, one number per row
    :param won: how many leads of each row were won; ``lost`` likewise
    :return: the intercept and the weights, which maximise the log likelihood less
        ``RIDGE / 2`` times the sum of their squares
    """
    every = [[1.0] * len(won), *columns]
    total = [one + other for one, other in zip(won, lost, strict=True)]
    weights = [math.log(sum(won) / sum(lost)), *[0.0] * len(columns)]
    value = _likelihood(every, won, total, weights)
    for _step in range(MAX_STEPS):
        chances = [1 / (1 + math.exp(-odds)) for odds in _log_odds(every, weights)]
        errors = [w - n * p for w, n, p in zip(won, total, chances, strict=True)]
        spread = [n * p * (1 - p) for n, p in zip(total, chances, strict=True)]
        slope = [sum(map(mul, errors, column)) for column in every]
        curve: list[list[float]] = [[0.0] * len(every) for _column in every]
        for i, column in enumerate(every):
            weighted = list(map(mul, spread, column))
            for j in range(i + 1):
                curve[i][j] = curve[j][i] = sum(map(mul, weighted, every[j]))
        for i in range(1, len(every)):
            slope[i] -= RIDGE * weights[i]
            curve[i][i] += RIDGE
        step = _bounded_step(curve, slope, weights)
        before = value
        for _halving in range(20):
            tried = [one + move for one, move in zip(weights, step, strict=True)]
            value = _likelihood(every, won, total, tried)
            if value >= before - 1e-9 * abs(before):
                break
            step = [move / 2 for move in step]
        weights = tried
        if max(map(abs, step)) < 1e-6:
            break
    return weights[0], [max(0.0, weight) for weight in weights[1:]]


def _log_odds(
    columns: Sequence[Sequence[float]], weights: Sequence[float]
) -> list[float]:
    odds = [0.0] * len(columns[0])
    for column, weight in zip(columns, weights, strict=True):
        if weight:
            odds = [one + weight * x for one, x in zip(odds, column, strict=True)]
    return [min(30.0, max(-30.0, one)) for one in odds]


def _likelihood(
    columns: Sequence[Sequence[float]],
    won: Sequence[int],
    total: Sequence[int],
    weights: Sequence[float],
) -> float:
    """The penalised log likelihood."""
    found = sum(
        w * odds - n * math.log1p(math.exp(odds))
        for w, n, odds in zip(won, total, _log_odds(columns, weights), strict=True)
    )
    return found - RIDGE / 2 * sum(weight * weight for weight in weights[1:])


def _bounded_step(
    curve: Sequence[Sequence[float]], slope: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """The Newton step for which no weight but the intercept falls below 0."""
    step = [0.0] * len(slope)
    for _round in range(2000):
        largest = 0.0
        for i, row in enumerate(curve):
            move = (slope[i] - sum(map(mul, row, step))) / row[i]
            if i:
                move = max(move, -weights[i] - step[i])
            step[i] += move
            largest = max(largest, abs(move))
        if largest < 1e-9:
            break
    return step


def cut_points(
    values: Iterable[tuple[float, int, int]], most: int = 6, least: float = 0.05
) -> list[float]:
    """Where to cut a number (visits, seconds on the site) into options.

    Quantiles, of which neighbours are merged, most alike first, until all differ
    significantly (ChiMerge: R. Kerber, AAAI 1992).

    :param values: (value, won, lost), in any order, a value any number of times
    :param most: how many bins at most
    :param least: the smallest share of the leads in a bin
    :return: the cuts, rising. Options in this order, the first that holds counts: at
        most ``cuts[0]``, at most ``cuts[1]`` and so on, then all above;
        ``bisect.bisect_left(cuts, value)`` is the place of a value's option.
    """
    counts: dict[float, list[int]] = {}
    for value, won, lost in values:
        count = counts.setdefault(value, [0, 0])
        count[0] += won
        count[1] += lost
    size = sum(map(sum, counts.values()))
    bins: list[tuple[float, int, int]] = []  # upper end, won, lost
    won = lost = 0
    for value, count in sorted(counts.items()):
        won, lost = won + count[0], lost + count[1]
        if (won + lost) * QUANTILES >= size:
            bins.append((value, won, lost))
            won = lost = 0
    if won + lost:
        bins.append((max(counts), won, lost))
    while len(bins) > 1:
        pairs = zip(bins, bins[1:], strict=False)
        ranks = [_difference(one, other, least * size) for one, other in pairs]
        small, difference = min(ranks)
        if len(bins) <= most and small and difference >= SIGNIFICANT:
            break
        place = ranks.index((small, difference))
        one, other = bins[place : place + 2]
        bins[place : place + 2] = [(other[0], one[1] + other[1], one[2] + other[2])]
    return [upper for upper, _won, _lost in bins[:-1]]


def _difference(
    one: tuple[float, int, int], other: tuple[float, int, int], least: float
) -> tuple[bool, float]:
    """Whether both bins are large enough, and the chi-square between them."""
    (_end, a, b), (_end, c, d) = one, other
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    chi = (a + b + c + d) * (a * d - b * c) ** 2 / margins if margins else 0.0
    return min(a + b, c + d) >= least, chi
