# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Business time: how long somebody was at work between two moments.

A :class:`Calendar` is a week (or two alternating ones) of attendances on the clock of
one time zone, less leaves and public holidays. It is open at a moment exactly when the
clock on the wall of that zone shows a time inside an attendance and no leave covers the
moment. So an hour that a change of clocks skips is not worked, and one that comes twice
is worked twice: a day that is open all day has 23 or 25 hours then.

Times in and out are naive UTC datetimes as Odoo stores them, to the second; parts of a
second are dropped. Durations are whole seconds. An interval has its start and not its
end: at 17:00:00 a calendar that is open until 17 is closed.

How: open time is laid out once per calendar and block of 64 days, with running sums.
A question inside a block is two binary searches; blocks in between are one addition.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1)
SECOND = timedelta(seconds=1)
DAY = 86400
#: how much open time is laid out at once, in seconds
BLOCK = 64 * DAY
#: attendances repeat after two weeks
CYCLE = 14 * DAY
#: 1970-01-01 in a cycle: days since the Monday of an even week, as Odoo counts weeks
EPOCH_IN_CYCLE = (date(1970, 1, 1).toordinal() - 1) % 14 * DAY
#: a calendar closed for that many blocks (11 years) is closed for good
HORIZON = 64
LAST_BLOCK = (datetime.max - EPOCH) // (BLOCK * SECOND) - 1

#: seconds since the epoch, end not included; sorted and apart where there are several
Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Attendance:
    """A piece of the working week, as a line of Odoo's ``resource.calendar``.

    ``weekday``: 0 Monday to 6 Sunday. ``hour_from``, ``hour_to``: local hours, 0 to 24,
    to the minute (8.5 is 08:30). ``week``: 0 or 1 in a calendar of two weeks (Odoo's
    ``week_type``), else None. Breaks are what lies between. Raises ValueError.
    """

    weekday: int
    hour_from: float
    hour_to: float
    week: int | None = None

    def __post_init__(self):
        if self.weekday not in range(7) or self.week not in (None, 0, 1):
            raise ValueError(f"No such day or week: {self.weekday}, {self.week}")
        if not 0 <= self.hour_from <= self.hour_to <= 24:
            raise ValueError(f"Not hours: {self.hour_from} to {self.hour_to}")

    def in_cycle(self) -> Iterator[Interval]:
        """Where it lies in the two weeks, in seconds of local time."""
        start, end = round(self.hour_from * 60) * 60, round(self.hour_to * 60) * 60
        for week in (0, 1) if self.week is None else (self.week,):
            day = (week * 7 + self.weekday) * DAY
            yield day + start, day + end


@dataclass(frozen=True, slots=True)
class _Block:
    """Open time in one block; ``before[i]`` is the sum of the intervals before i."""

    starts: list[int]
    ends: list[int]
    before: list[int]

    def until(self, at: int) -> int:
        """Open seconds from the block's start to a moment."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0
        return self.before[index] + min(at, self.ends[index]) - self.starts[index]

    def find(self, seconds: int) -> int:
        """The first moment with so many open seconds before it (1 to the total)."""
        index = bisect_right(self.before, seconds - 1) - 1
        return self.starts[index] + seconds - self.before[index]


class Calendar:
    """When somebody, or a team, is at work.

    :param attendances: the week; None: always open but for the leaves; empty: never
    :param tz: name of the time zone the attendances are meant in (ValueError if none)
    :param leaves: (start, end) in UTC of what is not worked: absences and public
        holidays, in any order, overlapping or not. An end at second 59 is the whole
        minute: so Odoo writes the end of a day.
    """

    def __init__(
        self,
        attendances: Iterable[Attendance] | None = None,
        tz: str = "UTC",
        leaves: Iterable[tuple[datetime, datetime]] = (),
    ):
        zone(tz)
        self.tz = tz
        self._cycle = [(0, CYCLE)]
        if attendances is not None:
            self._cycle = _merge(
                piece for attendance in attendances for piece in attendance.in_cycle()
            )
        self._leaves = _merge((_number(start), _end(end)) for start, end in leaves)
        self._blocks: dict[int, _Block] = {}

    def is_open(self, at: datetime) -> bool:
        """Whether it is working time."""
        return self._interval(_number(at)) is not None

    def next_open(self, at: datetime) -> datetime | None:
        """``at`` if it is working time, else when that next begins (None: never)."""
        moment = _number(at)
        if self._interval(moment):
            return at
        for number in self._numbers(moment):
            block = self._block(number)
            index = bisect_right(block.starts, moment)
            if index < len(block.starts):
                return _moment(block.starts[index])
        return None

    def span(self, at: datetime) -> tuple[bool, datetime | None]:
        """Whether it is open, and until when that is sure to last.

        :return: closed: exactly until then (None: for good). Open: exactly, or the end
            of what is laid out, where one may ask again
        """
        interval = self._interval(_number(at))
        if interval:
            return True, _moment(interval[1])
        return False, self.next_open(at)

    def business_seconds(self, start: datetime, end: datetime) -> int:
        """Working time between two moments; 0 when the end is not after the start."""
        first, last = _number(start), _number(end)
        if last <= first:
            return 0
        total = self._block(last // BLOCK).until(last)
        total -= self._block(first // BLOCK).until(first)
        for number in range(first // BLOCK, last // BLOCK):
            total += self._block(number).before[-1]
        return total

    def add_business(self, start: datetime, seconds: int) -> datetime | None:
        """When an SLA ends: the first moment with so much working time since ``start``.

        :return: ``start`` for 0 seconds; None when there never is as much
        :raises ValueError: for negative seconds
        """
        if seconds < 0:
            raise ValueError("Business time goes forward.")
        if not seconds:
            return start.replace(microsecond=0)
        moment = _number(start)
        seconds += self._block(moment // BLOCK).until(moment)
        idle = 0
        number = moment // BLOCK
        while idle < HORIZON and number <= LAST_BLOCK:
            block = self._block(number)
            if seconds <= block.before[-1]:
                return _moment(block.find(seconds))
            seconds -= block.before[-1]
            idle = 0 if block.before[-1] else idle + 1
            number += 1
        return None

    def _interval(self, moment: int) -> Interval | None:
        """The open interval of its block in which a moment lies."""
        block = self._block(moment // BLOCK)
        index = bisect_right(block.starts, moment) - 1
        if index < 0 or moment >= block.ends[index]:
            return None
        return block.starts[index], block.ends[index]

    def _numbers(self, moment: int) -> range:
        first = moment // BLOCK
        return range(first, min(first + HORIZON, LAST_BLOCK + 1))

    def _block(self, number: int) -> _Block:
        block = self._blocks.get(number)
        if block is None:
            block = self._blocks[number] = self._lay_out(number)
        return block

    def _lay_out(self, number: int) -> _Block:
        if number > LAST_BLOCK:  # nobody works in the year 9999
            return _Block([], [], [0])
        # where clocks change an attendance is cut: pieces that touch are one again
        open_ = _merge(
            (max(start - offset, begin), min(end - offset, stop))
            for begin, stop, offset in _offsets(self.tz, number)
            for start, end in self._local(begin + offset, stop + offset)
        )
        low = bisect_right(self._leaves, number * BLOCK, key=lambda leave: leave[1])
        high = bisect_left(
            self._leaves, (number + 1) * BLOCK, key=lambda leave: leave[0]
        )
        open_ = list(_subtract(open_, self._leaves[low:high]))
        return _Block(
            [start for start, _end in open_],
            [end for _start, end in open_],
            list(accumulate((end - start for start, end in open_), initial=0)),
        )

    def _local(self, begin: int, stop: int) -> Iterator[Interval]:
        """Attendances that reach into a stretch of local time, all in what the clock
        on the wall shows, as seconds since it showed 1970-01-01 00:00."""
        cycle = begin - (begin + EPOCH_IN_CYCLE) % CYCLE
        while cycle < stop:
            for start, end in self._cycle:
                if cycle + start < stop and cycle + end > begin:
                    yield cycle + start, cycle + end
            cycle += CYCLE


def local_date(at: datetime, tz: str) -> date:
    """The day on the calendar of a time zone."""
    return (at + _offset(at, zone(tz))).date()


def local_day_start(day: date, tz: str) -> datetime:
    """When a day begins in a time zone: its first second, in UTC."""
    place = zone(tz)
    midnight = datetime(day.year, day.month, day.day)
    # where clocks change at midnight the day begins at one of the two readings
    around = midnight - timedelta(hours=36), midnight + timedelta(hours=36)
    guesses = (midnight - _offset(moment, place) for moment in around)
    return min(guess for guess in guesses if local_date(guess, tz) >= day)


@lru_cache(maxsize=512)
def zone(tz: str) -> ZoneInfo:
    """A time zone by name; ValueError for what is none."""
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"No such time zone: {tz}") from error


def _number(at: datetime) -> int:
    return (at - EPOCH) // SECOND


def _moment(number: int) -> datetime:
    return EPOCH + number * SECOND


def _end(at: datetime) -> int:
    return _number(at) + (at.second == 59)


def _offset(at: datetime, place: ZoneInfo) -> timedelta:
    """What the local clock is ahead of UTC."""
    return place.fromutc(at.replace(tzinfo=place)).utcoffset() or timedelta()


@lru_cache(maxsize=2048)
def _offsets(tz: str, number: int) -> tuple[tuple[int, int, int], ...]:
    """A block cut where clocks change: (start, end, seconds ahead of UTC)."""
    place = zone(tz)

    def ahead(moment: int) -> int:
        return _offset(_moment(moment), place) // SECOND

    begin, stop = number * BLOCK, (number + 1) * BLOCK
    pieces, start, offset = [], begin, ahead(begin)
    for day in range(begin + DAY, stop + DAY, DAY):
        if ahead(day) == offset:
            continue
        low, high = day - DAY, day
        while high - low > 1:
            middle = (low + high) // 2
            if ahead(middle) == offset:
                low = middle
            else:
                high = middle
        pieces.append((start, high, offset))
        start, offset = high, ahead(day)
    pieces.append((start, stop, offset))
    return tuple(pieces)


def _merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted and apart: what overlaps or touches becomes one."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif start < end:
            merged.append((start, end))
    return merged


def _subtract(intervals: list[Interval], holes: list[Interval]) -> Iterator[Interval]:
    """What is left of intervals outside the holes; both sorted and apart."""
    first = 0
    for start, end in intervals:
        while first < len(holes) and holes[first][1] <= start:
            first += 1
        for low, high in holes[first:]:
            if low >= end:
                break
            if start < low:
                yield start, low
            start = max(start, high)
        if start < end:
            yield start, end


#: somebody without a calendar
ALWAYS_OPEN = Calendar()
