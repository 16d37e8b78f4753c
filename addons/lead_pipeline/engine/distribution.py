# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who gets a lead: one decision of one pool, with everything that led to it.

Of the members, those who may get the lead now are *free*: active, fit for it, here, not
paused, under every cap. A method narrows them down, and the turn (:mod:`.ledger`)
decides among those who are left, so that every method is fair where it does not care:

========  =============================================================================
method    the turn is among
========  =============================================================================
TURN      all who are free: the weighted turn
LOAD      those with the fewest open leads for their weight
OWNER     the lead's owner alone if free, else all who are free
MATCH     those who meet the most of the lead's wishes
========  =============================================================================

A :class:`Pool` is a worksheet: filled with rows as kept, asked lead by lead in the
order of time, and then its changes are written back. Asked in one batch or in many, it
answers the same. Nothing grows with the leads. The caller holds a lock meanwhile.
"""

from bisect import insort
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import lcm
from typing import NamedTuple

from .business_time import local_date
from .ledger import Turns, reweigh
from .members import (
    ABSENCES,
    CAPS,
    EXCLUDED,
    INACTIVE,
    OPEN_CAP,
    STRANGER,
    Candidate,
    Lead,
    Member,
    changes_at,
    hindrance,
    over_cap,
    unfit,
    wishes_met,
)

TURN, LOAD, OWNER, MATCH = METHODS = ("turn", "load", "owner", "match")
#: the reason of who got the lead; the others of the free lost it by a method's name
CHOSEN = "chosen"
#: why it was who it was, beside the methods: nobody else was free
ONLY = "only"
#: why it was nobody: no active member; none works for its company; none is fit; the fit
#: had it already, are away, are at their cap, or some this and some that
NOBODY, STRANGERS, UNFIT, HAD_IT, ALL_AWAY, ALL_CAPPED, ALL_BUSY = UNPLACED = (
    "nobody",
    "company",
    "unfit",
    "had_it",
    "away",
    "capped",
    "busy",
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Who got a lead and why, or why nobody.

    ``chosen``: the member's ref, None: nobody. ``reason``: what decided, a method or
    ONLY; of UNPLACED for nobody. ``until``: for nobody, when to ask again at the
    earliest (UTC; None: when something else changes). ``share``: the part of a lead
    that was the chosen one's by weight; 0 when there was no turn. ``candidates``: all
    members in the order of the pool, each with one reason.
    """

    lead: Hashable
    at: datetime
    chosen: Hashable | None
    reason: str
    until: datetime | None
    share: float
    candidates: tuple[Candidate, ...]


class _Free(NamedTuple):
    """Who may get a lead, narrowed down to those the turn is among."""

    places: list[int]
    group: list[int]
    method: str  # that narrowed, or TURN


class Pool:
    """The members of a pool while leads are given out.

    :param members: in the order that breaks ties; ValueError for one that comes twice,
        or for a weight that is no whole number from 1
    :param clock: as kept for the pool
    """

    def __init__(self, members: Iterable[Member], clock: int = 0):
        self.members = tuple(members)
        self._places = {member.ref: nth for nth, member in enumerate(self.members)}
        if len(self._places) < len(self.members):
            raise ValueError("Nobody takes turns twice in one pool.")
        self._turns = Turns(
            [member.weight for member in self.members],
            [member.ledger for member in self.members],
            clock,
        )
        self._loads = [member.load for member in self.members]
        #: why a member gets nothing now, and who is free; known for a span of time
        self._held: list[Candidate | None] = []
        self._free: list[int] = []
        self._from = self._until = datetime.min

    @property
    def clock(self) -> int:
        """To be kept for the pool."""
        return self._turns.clock

    def changes(self) -> list[Member]:
        """The members whose ``load`` or ``ledger`` is to be written, as they are now.
        A new member's ledger is among them, before the first lead too."""
        now = self._as_they_are()
        return [new for new, old in zip(now, self.members, strict=True) if new != old]

    def fork(self) -> "Pool":
        """The same pool, to try something out."""
        return Pool(self._as_they_are(), self.clock)

    def changed(self, settings: Mapping[Hashable, Member]) -> "Pool":
        """The same pool with other settings of some members, from now on: what they
        have got stays, and with another weight also what they are owed.

        :param settings: by ref; their ``load`` and ``ledger`` are not used
        """
        members = []
        for old in self._as_they_are():
            new = settings.get(old.ref, old)
            ledger = reweigh(old.ledger, old.weight, new.weight, self.clock)
            members.append(replace(new, load=old.load, ledger=ledger))
        return Pool(members, self.clock)

    def decide(self, lead: Lead, at: datetime, method: str = TURN) -> Decision:
        """Give a lead to somebody, or say why not. O(members).

        :param at: now, UTC; not before the last decision's
        :param method: of METHODS (ValueError)
        """
        free = self._who_is_free(lead, at, method)
        if not free:
            return self._unplaced(lead, at)
        group = free.group
        owed = self._turns.owed(group) if len(group) > 1 else []
        place = self._turns.take(group)
        candidates = self._candidates(lead, free, place, owed)
        total = sum([self.members[one].weight for one in group])
        share = self.members[place].weight / total if owed else 0.0
        self._give(place, at)
        ref, reason = self.members[place].ref, _decided_by(free)
        return Decision(lead.ref, at, ref, reason, None, share, candidates)

    def choose(self, lead: Lead, at: datetime, method: str = TURN) -> Hashable | None:
        """As :meth:`decide`, without the story."""
        free = self._who_is_free(lead, at, method)
        if not free:
            return None
        place = self._turns.take(free.group)
        self._give(place, at)
        return self.members[place].ref

    def why_nobody(self, lead: Lead, at: datetime) -> Decision | None:
        """What :meth:`decide` would say if it found nobody; None: it would find one."""
        return None if self._who_is_free(lead, at, TURN) else self._unplaced(lead, at)

    def obstacle(self, ref: Hashable, lead: Lead, at: datetime) -> Candidate | None:
        """Why this member may not get this lead now, None: may. For who takes a lead
        instead of waiting for the turn."""
        self._look(at)
        place = self._places[ref]
        reason = unfit(self.members[place], lead)
        return Candidate(ref, reason) if reason else self._held[place]

    def give(self, ref: Hashable, at: datetime) -> None:
        """Count a lead that a member got without a turn: it fills the caps."""
        self._look(at)
        self._give(self._places[ref], at)

    def close(self, ref: Hashable, at: datetime) -> None:
        """Count a lead of a member that is in work no longer."""
        self._look(at)
        place = self._places[ref]
        load = self._loads[place]
        load = self._loads[place] = replace(load, open=max(0, load.open - 1))
        held = self._held[place]
        if held and held.reason == OPEN_CAP:
            self._held[place] = over_cap(self.members[place], load, at)
            if not self._held[place]:
                insort(self._free, place)

    def _as_they_are(self) -> list[Member]:
        return [
            replace(member, load=self._loads[place], ledger=self._turns.ledger(place))
            for place, member in enumerate(self.members)
        ]

    def _look(self, at: datetime) -> None:
        """See who is here, unless that is known to be as it was."""
        if self._from <= at < self._until:
            return
        self._from, self._until = at, datetime.max
        self._held = []
        for member, load in zip(self.members, self._loads, strict=True):
            self._held.append(hindrance(member, load, at))
            self._until = min(self._until, changes_at(member, at))
        self._free = [place for place, held in enumerate(self._held) if not held]

    def _give(self, place: int, at: datetime) -> None:
        member = self.members[place]
        day = local_date(at, member.calendar.tz)
        load = self._loads[place] = self._loads[place].one_more(day)
        if not self._held[place]:
            held = self._held[place] = over_cap(member, load, at)
            if held:
                self._free = [one for one in self._free if one != place]

    def _who_is_free(self, lead: Lead, at: datetime, method: str) -> _Free | None:
        if method not in METHODS:
            raise ValueError(f"No such method: {method}")
        self._look(at)
        free = self._free
        if lead.must or lead.excluded or lead.strangers:
            free = [one for one in free if not unfit(self.members[one], lead)]
        if not free:
            return None
        if method == LOAD:
            return _Free(free, self._least_loaded(free), LOAD)
        if method == MATCH:
            scores = [wishes_met(self.members[one], lead) for one in free]
            best = max(scores)
            group = [one for one, met in zip(free, scores, strict=True) if met == best]
            return _Free(free, group, MATCH)
        if method == OWNER and self._places.get(lead.owner) in free:
            return _Free(free, [self._places[lead.owner]], OWNER)
        return _Free(free, free, TURN)

    def _least_loaded(self, free: list[int]) -> list[int]:
        """Those with the least open/weight: as whole numbers, by their multiples."""
        common = lcm(*(self.members[one].weight for one in free))
        loads = [
            self._loads[one].open * (common // self.members[one].weight) for one in free
        ]
        least = min(loads)
        return [one for one, load in zip(free, loads, strict=True) if load == least]

    def _candidates(
        self, lead: Lead, free: _Free, chosen: int, owed: list[float]
    ) -> tuple[Candidate, ...]:
        """Every member with one reason."""
        between: dict[int, float | None] = dict.fromkeys(free.group)
        between.update(zip(free.group, owed, strict=False))  # a group of one owes none
        total = sum([self.members[one].weight for one in free.group])
        candidates = self._passed_over(lead)
        for place in free.places:
            member = self.members[place]
            after = score = None
            reason = TURN if place in between else free.method
            if place == chosen:
                reason = CHOSEN
            before = between.get(place)
            if before is not None:
                after = before + member.weight / total - (place == chosen)
            if free.method == MATCH:
                score = wishes_met(member, lead)
            candidates[place] = Candidate(
                member.ref, reason, None, before, after, score
            )
        return tuple(candidates)

    def _passed_over(self, lead: Lead) -> list[Candidate | None]:
        """Why members may not get a lead now, None for those who may."""
        if not (lead.must or lead.excluded or lead.strangers):
            return self._held.copy()
        held = []
        for member, hindered in zip(self.members, self._held, strict=True):
            reason = unfit(member, lead)
            held.append(Candidate(member.ref, reason) if reason else hindered)
        return held

    def _unplaced(self, lead: Lead, at: datetime) -> Decision:
        candidates = tuple(self._passed_over(lead))
        reason = _why_nobody(candidates)
        untils = [one.until for one in candidates if one.until]
        until = min(untils, default=None)
        return Decision(lead.ref, at, None, reason, until, 0.0, candidates)


def _decided_by(free: _Free) -> str:
    if free.method == OWNER:
        return OWNER
    if len(free.places) == 1:
        return ONLY
    return free.method if len(free.group) == 1 else TURN


def _why_nobody(candidates: Iterable[Candidate]) -> str:
    reasons = {one.reason for one in candidates} - {INACTIVE}
    if not reasons:
        return NOBODY
    fit = reasons & (ABSENCES | CAPS)
    if not fit:
        if EXCLUDED in reasons:
            return HAD_IT
        return STRANGERS if reasons == {STRANGER} else UNFIT
    if fit <= ABSENCES:
        return ALL_AWAY
    return ALL_CAPPED if fit <= CAPS else ALL_BUSY
