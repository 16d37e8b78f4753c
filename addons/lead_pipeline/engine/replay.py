# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""What if: the leads of a past period given out anew, by draft rules and pools.

The same pools decide as when leads come in, on copies: nothing given is changed. Each
lead goes where the draft rules send it (the caller matches them, in SQL), at the moment
it was ready; whom nobody could get waits, and is tried again by sweeps, as the cron
does, until the period ends. A lead leaves its member's backlog when it really was
closed: how fast another one would have been is not known, and nothing is guessed.
Settings of members (weights, limits, hours) may change on the way, as they really did.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count

from .business_time import local_date
from .distribution import TURN, Pool
from .members import Lead, Member
from .sla import first_clock

#: a pool and a member of it
Place = tuple[Hashable, Hashable]
#: why nobody got a lead, beside what a decision says: no draft rule took it
NO_RULE = "no_rule"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A lead that was ready ``at`` a moment (UTC), and where the draft rules send it.

    ``pool``: key of the pool; None: no rule takes it. ``closed_at``: when it was won,
    lost or taken out of work, None: it still is. ``sla``: seconds of business time to
    the first human touch, by when it is given; None: no SLA.
    """

    at: datetime
    lead: Lead
    pool: Hashable | None
    method: str = TURN
    closed_at: datetime | None = None
    sla: Callable[[datetime], int] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who would have got a lead, and when; ``due_at``: when the SLA would have ended,
    by that member's calendar. For nobody: ``member`` None, ``at`` None and why, as of
    the last time it was tried."""

    lead: Hashable
    pool: Hashable | None
    member: Hashable | None = None
    at: datetime | None = None
    reason: str | None = None
    due_at: datetime | None = None


@dataclass(slots=True)
class Replay:
    """What would have been: ``outcomes`` in the order in which they fell, leads by
    (pool, member), by (pool, member, local day), and the unassigned by reason."""

    outcomes: list[Outcome] = field(default_factory=list)
    counts: Counter[tuple[Hashable, Hashable]] = field(default_factory=Counter)
    per_day: Counter[tuple[Hashable, Hashable, date]] = field(default_factory=Counter)
    unassigned: Counter[str] = field(default_factory=Counter)


def replay(
    arrivals: Iterable[Arrival],
    pools: Mapping[Hashable, Pool],
    end: datetime,
    closings: Iterable[tuple[datetime, Hashable, Hashable]] = (),
    sweep: timedelta = timedelta(minutes=15),
    people: Iterable[Collection[Place]] = (),
    changes: Iterable[tuple[datetime, Hashable, Member]] = (),
) -> Replay:
    """Give past leads out to draft pools.

    :param arrivals: in any order; those at or after the end are left out
    :param pools: as they would have stood at the start, by key; they are not changed.
        KeyError for an arrival in a pool that is not among them
    :param end: of the period, UTC
    :param closings: when leads left a backlog that were in it at the start: (UTC, pool,
        member), once for a person who is in several pools
    :param sweep: how often what waits is tried again
    :param people: the places of each person who is in several pools, as (pool, member):
        what they get in one of them fills their caps in all
    :param changes: of members' settings: (UTC, pool, member as from then on), whose
        ``load`` and ``ledger`` are not used
    """
    return _Run(pools, end, sweep, people, changes).all(arrivals, closings)


class _Run:
    def __init__(
        self,
        pools: Mapping[Hashable, Pool],
        end: datetime,
        sweep: timedelta,
        people: Iterable[Collection[Place]],
        changes: Iterable[tuple[datetime, Hashable, Member]],
    ):
        self.pools = {key: pool.fork() for key, pool in pools.items()}
        self.members = {
            (key, member.ref): member
            for key, pool in pools.items()
            for member in pool.members
        }
        self.end, self.sweep = end, sweep
        #: the other places of who has one
        self.others: dict[Place, list[Place]] = {
            place: [other for other in places if other != place]
            for places in people
            for place in places
        }
        self.closings: list[tuple[datetime, int, Hashable, Hashable]] = []
        self.numbers = count()  # keeps what closes at one moment in order
        self.changes = deque(sorted(changes, key=lambda change: change[0]))
        #: leads waiting by pool, in the order they came, and why
        self.waiting: dict[Hashable, list[tuple[Arrival, str]]] = {}
        #: when to try a pool's waiting leads again; its backlog may set it earlier
        self.retry: dict[Hashable, datetime] = {}
        self.result = Replay()

    def all(
        self,
        arrivals: Iterable[Arrival],
        closings: Iterable[tuple[datetime, Hashable, Hashable]],
    ) -> Replay:
        for at, key, ref in closings:
            self._closes(at, key, ref)
        came = [arrival for arrival in arrivals if arrival.at < self.end]
        for arrival in sorted(came, key=lambda arrival: arrival.at):
            self._until(arrival.at)
            if arrival.pool is None:
                self._nobody(arrival, NO_RULE)
            elif not self._place(arrival, arrival.at):
                reason = self._try_again(arrival, arrival.at)
                self.waiting.setdefault(arrival.pool, []).append((arrival, reason))
        self._until(self.end)
        for waiting in self.waiting.values():
            for arrival, reason in waiting:
                self._nobody(arrival, reason)
        return self.result

    def _until(self, moment: datetime) -> None:
        """Let happen what happens up to a moment: other settings, leads closed,
        sweeps."""
        while True:
            key = min(self.retry, key=self.retry.__getitem__, default=None)
            sweep = self.retry[key] if key is not None else datetime.max
            closing = self.closings[0][0] if self.closings else datetime.max
            change = self.changes[0][0] if self.changes else datetime.max
            first = min(sweep, closing, change)
            if first > moment or first >= self.end:
                return
            if change == first:
                self._change(change)
            elif closing == first:
                at, _nth, key, ref = heapq.heappop(self.closings)
                for pool, member in (key, ref), *self.others.get((key, ref), ()):
                    self.pools[pool].close(member, at)
                    if self.waiting.get(pool):
                        self._sweep_at(pool, at)
            else:
                del self.retry[key]
                self._sweep(key, sweep)

    def _change(self, at: datetime) -> None:
        """Take over all settings of a moment."""
        by_pool: dict[Hashable, dict[Hashable, Member]] = {}
        while self.changes and self.changes[0][0] == at:
            _at, key, member = self.changes.popleft()
            by_pool.setdefault(key, {})[member.ref] = member
            self.members[key, member.ref] = member
        for key, settings in by_pool.items():
            self.pools[key] = self.pools[key].changed(settings)
            if self.waiting.get(key):
                self._sweep_at(key, at)

    def _sweep(self, key: Hashable, at: datetime) -> None:
        waiting, self.waiting[key] = self.waiting[key], []
        #: why nobody gets one of a kind: not tried again at this moment
        hopeless: dict[tuple[object, ...], str] = {}
        for arrival, _reason in waiting:
            lead = arrival.lead
            kind = lead.must, lead.skills, lead.language, lead.country
            kind += lead.excluded, lead.strangers
            if kind not in hopeless:
                if self._place(arrival, at):
                    continue
                hopeless[kind] = self._try_again(arrival, at)
            self.waiting[key].append((arrival, hopeless[kind]))

    def _place(self, arrival: Arrival, at: datetime) -> bool:
        key, pool = arrival.pool, self.pools[arrival.pool]
        ref = pool.choose(arrival.lead, at, arrival.method)
        if ref is None:
            return False
        for other, member in self.others.get((key, ref), ()):
            self.pools[other].give(member, at)
        calendar = self.members[key, ref].calendar
        due_at = None
        if arrival.sla is not None:
            due_at = first_clock(calendar, arrival.at, at, arrival.sla(at)).due_at
        self.result.outcomes.append(
            Outcome(arrival.lead.ref, key, ref, at, due_at=due_at)
        )
        self.result.counts[key, ref] += 1
        self.result.per_day[key, ref, local_date(at, calendar.tz)] += 1
        if arrival.closed_at is not None:
            self._closes(max(arrival.closed_at, at), key, ref)
        return True

    def _nobody(self, arrival: Arrival, reason: str) -> None:
        self.result.outcomes.append(
            Outcome(arrival.lead.ref, arrival.pool, reason=reason)
        )
        self.result.unassigned[reason] += 1

    def _closes(self, at: datetime, key: Hashable, ref: Hashable) -> None:
        heapq.heappush(self.closings, (at, next(self.numbers), key, ref))

    def _try_again(self, arrival: Arrival, at: datetime) -> str:
        """See to it that a lead nobody gets now is tried again; why nobody does."""
        decision = self.pools[arrival.pool].why_nobody(arrival.lead, at)
        assert decision is not None  # asked right after nobody was found
        if decision.until:
            self._sweep_at(arrival.pool, decision.until)
        return decision.reason

    def _sweep_at(self, key: Hashable, at: datetime) -> None:
        """Remember the first sweep at or after a moment."""
        late = (at - datetime.min) % self.sweep
        at = at + (self.sweep - late if late else timedelta())
        self.retry[key] = min(at, self.retry.get(key, at))
