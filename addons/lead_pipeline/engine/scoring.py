# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Quality: how well a lead fits, 0 to 100, and what both scores together say.

    quality = 100 * (points reached) / (most points possible), kept within 0 and 100

over the criteria of a model. Of a criterion's options, in order, the first that holds
counts. Which options hold is the caller's to find out, by domains in SQL; ``plain`` and
``as_number`` make what people wrote in forms comparable there.

Leads are scored by the database, in the same operations on the same doubles: what is
here explains their scores and is the measure of that.
"""

import math
import operator
import re
import unicodedata
from collections.abc import Container, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from .decay import NOTHING, share_out, shown

_ASIDE = re.compile(r"[\s'’]")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
#: letters with a stroke, which Unicode does not take apart
_STROKES = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i"})


def plain(text: str) -> str:
    """A text without case, accents and doubled blanks: what is compared."""
    text = unicodedata.normalize("NFKD", text).casefold()
    text = unicodedata.normalize("NFKD", text)
    text = "".join(char for char in text if not unicodedata.combining(char))
    return " ".join(text.translate(_STROKES).split())


def as_number(value: Any) -> float | None:
    """A number, also as people write it: 1200, 1,200, 1 200.50, 1.200,50, 12,5.

    A single point is a decimal point, a single comma before three digits is not.

    :return: None for what is no number
    """
    text = _ASIDE.sub("", str(value))
    point, comma = text.rfind("."), text.rfind(",")
    if comma >= 0 and (point > comma or _THOUSANDS.fullmatch(text)):
        text = text.replace(",", "")
    elif comma >= 0:
        text = text.replace(".", "").replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values a criterion tells apart; its points may be negative."""

    ref: Hashable
    points: float


@dataclass(frozen=True, slots=True)
class Criterion:
    """A question about a lead: options in order, the first that holds counts.

    ``weight`` (not negative, ValueError) multiplies the points of all its options.
    """

    ref: Hashable
    options: tuple[Option, ...]
    weight: float = 1.0

    def __post_init__(self):
        if not self.weight >= 0:
            raise ValueError("A weight is not negative: turn the points round instead.")

    @property
    def most(self) -> float:
        """The most points it can give; no option holding gives 0."""
        best = max((option.points for option in self.options), default=0.0)
        return self.weight * max(0.0, best)

    def first(self, holding: Container[Hashable]) -> Option | None:
        """The option that counts, given the refs of those that hold."""
        return next((one for one in self.options if one.ref in holding), None)


@dataclass(frozen=True, slots=True)
class QualityPart:
    """One criterion's part: the option that counted (None: none held), its points and
    the most it could give (both weighted), and its ``shown`` part of the quality."""

    criterion: Hashable
    option: Hashable | None
    points: float
    most: float
    shown: float


@dataclass(frozen=True, slots=True)
class Quality:
    """A quality score and its parts, in the model's order.

    ``sum(part.shown) + limit == shown``. ``limit`` is 0 unless negative points
    outweigh the rest: it brings the sum up to 0.
    """

    score: float  # not rounded
    shown: float
    points: float
    most: float
    parts: tuple[QualityPart, ...]
    limit: float


def quality(
    criteria: Sequence[Criterion], holding: Container[Hashable], digits: int = 1
) -> Quality:
    """The quality of a lead, with its reasons.

    :param holding: refs of the options that hold for the lead; those after a
        criterion's first may be left out
    """
    counted = [(one, one.first(holding)) for one in criteria]
    points = [one.weight * option.points if option else 0.0 for one, option in counted]
    most = most_points(criteria)
    scale = percent_a_point(most)
    reached = _sum(points)
    total = scale * reached
    score = min(100.0, max(0.0, total))
    rounded = share_out([scale * one for one in points], total, digits)
    parts = tuple(
        QualityPart(one.ref, option.ref if option else None, value, one.most, part)
        for (one, option), value, part in zip(counted, points, rounded, strict=True)
    )
    limit = shown(score, digits) - shown(total, digits)
    return Quality(score, shown(score, digits), reached, most, parts, limit + 0.0)


def most_points(criteria: Iterable[Criterion]) -> float:
    """The most points a lead can reach."""
    return math.fsum(one.most for one in criteria)


def percent_a_point(most: float) -> float:
    """What one of the points reached is of the quality, given the most possible."""
    return 100 / most if most >= NOTHING else 0.0


def _sum(points: Iterable[float]) -> float:
    """One after the other, as the database adds the points of many leads: to the last
    digit the same. ``sum`` corrects itself in later versions of Python."""
    return reduce(operator.add, points, 0.0)


@dataclass(frozen=True, slots=True)
class Bands:
    """Where the grades begin, best first: A, B, C (D is below) by quality, and 1, 2, 3
    (4 is below) by engagement.

    ValueError unless they fall, and for a negative threshold of engagement: a negative
    score rises by itself, so no touch would tell when such a line is crossed.
    """

    quality: tuple[float, float, float] = (75, 50, 25)
    engagement: tuple[float, float, float] = (50, 20, 5)

    def __post_init__(self):
        for lines in self.quality, self.engagement:
            if not lines[0] > lines[1] > lines[2]:
                raise ValueError("Thresholds of grades fall from the best to the last.")
        if self.engagement[2] < 0:
            raise ValueError("A threshold of engagement is not negative.")

    def grade(self, quality: float, engagement: float) -> str:
        """A1 (fits, and busy with us) to D4. At a threshold is above it."""
        letter = "ABCD"[sum(quality < line for line in self.quality)]
        return letter + "1234"[sum(engagement < line for line in self.engagement)]


@dataclass(frozen=True, slots=True)
class ReadyLine:
    """The sales-ready line: at least this quality and at least this engagement."""

    quality: float
    engagement: float

    def reached(self, quality: float, engagement: float) -> bool:
        return quality >= self.quality and engagement >= self.engagement


def held_threshold(thresholds: Iterable[float], engagement: float) -> float | None:
    """The highest threshold an engagement is still at or above: the next one it falls
    below, so the one to give to ``Decay.cools_at``. None below all."""
    return max((line for line in thresholds if line <= engagement), default=None)
