# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Engagement: points that halve every ``half_life`` days, at no cost.

    E(t) = sum of p_i * 2^(-(t - t_i) / h)      over the touches with t_i <= t

Everything decays at one rate, so a sum of touches decays like one touch. A lead keeps
a :class:`Level`: the sum as it was at the last touch. A new touch is one addition,
early or late; between touches nothing is written, and the order of leads never changes.

**The key.** Leads sort by one number that is written with the level and stays right at
every later moment: ``K = 32 + log2(|amount|) + days(as_of) / h``, with the sign of the
amount; 0 for no engagement. ``days`` counts from 1970-01-01 00:00 UTC. Amounts below
1e-9 points count as none, so ``log2 > -30`` and K is positive: negative leads come
below those without engagement, which come below the positive ones. As a double, K
tells scores apart that differ by one in 10^11 (h = 7 days) or 10^10 (h = 1 hour).
K compares only within one half-life: a new one needs new keys.

**The cap.** An activity may count at most ``cap`` points per window. Windows are fixed
pieces of the calendar (UTC; those of whole weeks begin on a Monday), because a sliding
window cannot be kept in O(1). Above the cap all touches of the window are scaled down
alike, by ``cap / sum of |points|``, each still dated by its own time. To count only the
first ones would depend on what arrives first, or need every touch kept; to date the
capped sum at the window's start or end would misdate a touch by up to a window. Scaled,
the result does not depend on the order of arrival, is the plain formula below the cap,
never counts more than the cap, and needs little to be kept (:class:`Window`).

Times are naive UTC datetimes, as Odoo stores them; one before 1970 counts as 1970.
Touches of the future are the caller's to hold back until they happen.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
#: where days are counted from: what PostgreSQL's ``EXTRACT(EPOCH FROM at)`` says
EPOCH = datetime(1970, 1, 1)
#: a Monday, so that windows of 7 days are weeks
WINDOWS_FROM = datetime(1970, 1, 5)
#: less than this is rounding left behind by points that cancelled out
NOTHING = 1e-9
#: what is always left of a point: PostgreSQL calls it an error when nothing is
FAINTEST = 2.0**-1000
#: what rounds half up, and a little less than half: that is noise
HALF_UP = 0.5 + 5e-7
#: keeps the key of every positive amount above 0; more than -log2(NOTHING)
KEY_OFFSET = 32


@dataclass(frozen=True, slots=True)
class Level:
    """The sum of a lead's points as it was at ``as_of``, its last touch."""

    amount: float = 0.0
    as_of: datetime = EPOCH


@dataclass(frozen=True, slots=True)
class Activity:
    """What one kind of touch is worth: ``points`` (signed) a touch, together at most
    ``cap`` (in absolute value; None: no cap) per window of ``window`` days."""

    points: float
    cap: float | None = None
    window: float = 1.0

    def __post_init__(self):
        if self.cap is not None and (self.cap < 0 or self.window * 86400 < 1):
            raise ValueError("A cap is not negative, its window at least a second.")

    def window_of(self, at: datetime) -> int:
        """The number of the window a moment lies in. The same in SQL, with the window
        in whole seconds: ``FLOOR((EXTRACT(EPOCH FROM at) - 345600) / seconds)``."""
        return (at - WINDOWS_FROM) // timedelta(seconds=round(self.window * 86400))


@dataclass(frozen=True, slots=True)
class Window:
    """One activity's touches of a lead in one window, before the cap."""

    gross: float = 0.0  # sum of |points|, not decayed
    level: Level = Level()

    def share(self, cap: float | None) -> float:
        """The part of each touch's points that counts, 0 to 1."""
        return 1.0 if cap is None or self.gross <= cap else cap / self.gross


@dataclass(frozen=True, slots=True)
class Touch:
    """A touch to be explained. ``ref``: what the caller knows it by."""

    ref: Hashable
    activity: Hashable
    at: datetime


@dataclass(frozen=True, slots=True)
class TouchPart:
    """What one touch gave (``points`` at its time, after the cap) and gives (``now``,
    rounded so that an activity's touches sum to its ``shown``)."""

    touch: Touch
    points: float
    now: float


@dataclass(frozen=True, slots=True)
class ActivityPart:
    """One activity's part of the score: ``shown``, from ``touches`` (oldest first)."""

    activity: Hashable
    shown: float
    touches: tuple[TouchPart, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The engagement as shown, and the parts that sum to it, largest effect first."""

    shown: float
    parts: tuple[ActivityPart, ...]


def days(at: datetime) -> float:
    """Days since the epoch."""
    return max(0.0, (at - EPOCH) / DAY)


def _log2(value: float) -> float:
    """By the operations that PostgreSQL has, so that keys are the same ones there."""
    return math.log(value) / math.log(2)


def in_units(value: float, digits: int = 1) -> int:
    """A value in units of the last shown digit, half up. What differs by no more than
    the noise of adding in another order is rounded alike."""
    return math.floor(value * 10**digits + HALF_UP)


def shown(value: float, digits: int = 1) -> float:
    """A score as it is shown, everywhere."""
    return in_units(value, digits) / 10**digits


def share_out(
    values: Sequence[float], total: float | None = None, digits: int = 1
) -> list[float]:
    """Round values so that they sum to the rounded total (largest remainder method).

    Each becomes its floor or its ceiling, in units of the last digit.

    :param total: what they shall sum to; None: their own sum, rounded
    """
    if not values:
        return []
    exact = [round(value * 10**digits, 6) for value in values]
    units = [math.floor(value) for value in exact]
    target = in_units(math.fsum(values) if total is None else total, digits)
    missing = target - sum(units)
    order = sorted(range(len(values)), key=lambda i: units[i] - exact[i])
    for i in order[: max(0, missing)]:
        units[i] += 1
    units[order[0]] += target - sum(units)  # 0 but for a total that is not the sum
    return [unit / 10**digits for unit in units]


class Decay:
    """The arithmetic of one half-life, in days. Raises ValueError unless above 0."""

    def __init__(self, half_life: float):
        if not half_life > 0:
            raise ValueError("A half-life is more than 0 days.")
        self.half_life = half_life

    def _left(self, start: datetime, end: datetime) -> float:
        """What is left at ``end`` of a point of ``start``; 1 before it."""
        return 2.0 ** -(max(0.0, days(end) - days(start)) / self.half_life)

    def score(self, level: Level, at: datetime) -> float:
        """The engagement at a moment not before the last touch, not rounded."""
        return level.amount * self._left(level.as_of, at)

    def standing(self, level: Level, at: datetime) -> float:
        """The score as thresholds see it: what points left that cancelled out is 0,
        and a negative score stays below a threshold of 0 for ever."""
        if abs(level.amount) < NOTHING:
            return 0.0
        return level.amount * max(FAINTEST, self._left(level.as_of, at))

    def add(self, level: Level, points: float, at: datetime) -> Level:
        """The level with a touch more, whenever it happened."""
        as_of = max(level.as_of, at)
        amount = self.score(level, as_of) + points * self._left(at, as_of)
        return Level(amount, as_of)

    def touch(
        self, level: Level, activity: Activity, at: datetime, window: Window
    ) -> tuple[Level, Window]:
        """Count one touch of an activity, in O(1).

        :param window: what was kept for the lead, the activity and
            ``activity.window_of(at)``, or ``Window()``. Without a cap nothing is
            needed and nothing has to be kept.
        :return: the lead's new level, and the window to keep
        """
        if activity.cap is None:
            return self.add(level, activity.points, at), window
        new = Window(
            window.gross + abs(activity.points),
            self.add(window.level, activity.points, at),
        )
        as_of = new.level.as_of
        counted = self.score(window.level, as_of) * window.share(activity.cap)
        gain = new.level.amount * new.share(activity.cap) - counted
        return self.add(level, gain, as_of), new

    def replay(
        self,
        touches: Iterable[tuple[Hashable, datetime]],
        activities: Mapping[Hashable, Activity],
    ) -> tuple[Level, dict[tuple[Hashable, int], Window]]:
        """A lead's level from all its touches (activity, at), in any order, and its
        windows by (activity, number). For a merge, or a touch that was taken back."""
        level = Level()
        windows: dict[tuple[Hashable, int], Window] = {}
        for name, at in touches:
            activity = activities[name]
            if activity.cap is None:
                level = self.add(level, activity.points, at)
                continue
            place = name, activity.window_of(at)
            window = windows.get(place, Window())
            level, windows[place] = self.touch(level, activity, at, window)
        return level, windows

    def key_of(self, score: float, at: datetime) -> float:
        """The key of a lead with this score at this moment: leads with at least this
        score *now* are those with ``key >= key_of(score, now)``."""
        if abs(score) < NOTHING:
            return 0.0
        size = KEY_OFFSET + _log2(abs(score)) + days(at) / self.half_life
        return math.copysign(size, score)

    def key(self, level: Level) -> float:
        """The number that orders leads by engagement, at every moment from now on."""
        return self.key_of(level.amount, level.as_of)

    def cools_at(self, level: Level, threshold: float) -> datetime | None:
        """The first whole second at which the score is below a positive threshold.

        :return: None when it is below already, or for a threshold never crossed
        """
        if threshold <= 0 or level.amount < threshold:
            return None
        wait = self.half_life * (_log2(level.amount) - _log2(threshold))
        try:
            moment = max(level.as_of, EPOCH) + wait * DAY
            moment = moment.replace(microsecond=0)
            while self.score(level, moment) < threshold:
                moment -= SECOND
            while self.score(level, moment) >= threshold:
                moment += SECOND
        except OverflowError:  # after the year 9999
            return None
        return moment

    def explain(
        self,
        touches: Iterable[Touch],
        activities: Mapping[Hashable, Activity],
        at: datetime,
        digits: int = 1,
    ) -> Explanation:
        """The score at any moment, from the touches up to it: parts that sum, as
        rounded, to the number shown, which is ``shown(score(level, at))``."""
        past = sorted(
            (touch for touch in touches if touch.at <= at), key=lambda touch: touch.at
        )
        _level, windows = self.replay(
            ((touch.activity, touch.at) for touch in past), activities
        )
        given: dict[Hashable, list[tuple[Touch, float, float]]] = {}
        for touch in past:
            activity = activities[touch.activity]
            points = activity.points
            if activity.cap is not None:
                window = windows[touch.activity, activity.window_of(touch.at)]
                points *= window.share(activity.cap)
            now = points * self._left(touch.at, at)
            given.setdefault(touch.activity, []).append((touch, points, now))
        sums = {
            name: math.fsum(now for _touch, _points, now in rows)
            for name, rows in given.items()
        }
        parts = [
            ActivityPart(name, part, _touch_parts(given[name], part, digits))
            for name, part in zip(
                sums, share_out(list(sums.values()), digits=digits), strict=True
            )
        ]
        parts.sort(key=lambda part: -abs(part.shown))
        return Explanation(shown(math.fsum(sums.values()), digits), tuple(parts))


def _touch_parts(
    rows: list[tuple[Touch, float, float]], total: float, digits: int
) -> tuple[TouchPart, ...]:
    rounded = share_out([now for _touch, _points, now in rows], total, digits)
    return tuple(
        TouchPart(touch, points, now)
        for (touch, points, _now), now in zip(rows, rounded, strict=True)
    )
