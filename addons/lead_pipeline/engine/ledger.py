# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Whose turn it is, and the proof that the turns are fair.

**The rule.** A lead is one thing to give, and those who could get it now (the *group*)
are owed it by weight: a member of weight w in a group of total weight W is owed w/W of
a lead more. Of those who then are owed anything, it goes to the one who is first to be
owed a whole lead, going on like this; to have got it costs one. Who is not in the group
(away, paused, at a cap, without the language) is owed nothing by this lead, and what he
was owed before stays as it was, however long he is gone.

**As numbers.** A pool has a ``clock``; a lead given in a group of weight W moves it by
1/W. A member has ``pass = start + turns/weight``: the clock at which he has had exactly
his share, so ``owed = weight * (clock - pass)``. Getting a lead moves his pass by
1/weight. While he is not in the group his pass moves with the clock: kept as ``left``,
the clock when he was first left out, and added to ``start`` on his return. With A the
mean pass of the group by weight: due are those with ``pass < A + 1/W``, and of these
the smallest ``pass + 1/weight`` is chosen, ties in the order of the pool.

This is stride scheduling with leave and join (Waldspurger and Weihl, 1995), in the
order of earliest eligible virtual deadline first (Stoica and Abdel-Wahab, 1995), which
for a group that stays the same is the quota method of apportionment (Balinski and
Young, 1975).

**Law 1.** Two members i, j who stood level, and since then could get the same leads
(here together, away together; nights, holidays, caps and skills included), have got
n_i, n_j of them with ``|n_i/w_i - n_j/w_j| <= max(1/w_i, 1/w_j)``, at every moment,
whatever the weights, and whoever else comes and goes. Proof: their starts are the same,
so the difference is that of their passes, d = pass_i - pass_j. It changes when one of
them is chosen, say i, and rises by 1/w_i. If j was due, i came first: pass_i + 1/w_i <=
pass_j + 1/w_j, so now d <= 1/w_j. If j was not due, pass_i < A + 1/W <= pass_j, so now
d < 1/w_i. Either way d is at most the larger of both, and so is -d. QED

**Law 2.** While the group stays the same since all stood level, everyone has got less
than one lead more, and less than one lead less, than his share (the quota; proofs in
the papers). Choosing the smallest pass alone keeps law 1 only: beside 99 members of
weight 1, one of weight 100 then gets 1 of the first 100 leads, not 50.

**Law 3.** Nothing is owed for the time away: after any number of leads without him a
member is owed what he was owed when he left. To raise the pass to the smallest of those
present instead would keep him from a flood as well, but forget whose turn it was: two
people who share an evening shift would come back level every evening, and with one
lead an evening the same one would get them all.

Exact: passes are compared as integers. Only 1/W is rounded when it moves the clock, to
10^-9, for all who are away alike: laws 1 and 2 do not see it, law 3 by that much.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import lcm

#: what the clock of a pool counts a turn of weight 1 as
UNIT = 10**9


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is kept of a member's turns.

    ``turns``: leads got by turn. ``start``, ``left``: readings of the pool's clock, in
    1/``UNIT`` (64 bit integers); None for a start: new, begins level with the clock;
    None for left: was in the group of the last lead.
    """

    turns: int = 0
    start: int | None = None
    left: int | None = None


def owed(ledger: Ledger, weight: int, clock: int) -> float:
    """How many leads a member is owed by his pool, negative when ahead of his share."""
    return entitled(ledger, weight, clock) - ledger.turns


def entitled(ledger: Ledger, weight: int, clock: int) -> float:
    """How many leads were a member's share so far: to compare with ``turns``."""
    if ledger.start is None:
        return 0.0
    seen = clock if ledger.left is None else ledger.left
    return weight * (seen - ledger.start) / UNIT


def reweigh(ledger: Ledger, old: int, new: int, clock: int) -> Ledger:
    """The ledger after a change of weight: the share so far, and with it what is owed,
    stays; from now on the new weight counts."""
    if ledger.start is None:
        return ledger
    seen = clock if ledger.left is None else ledger.left
    start = seen - round_div(old * (seen - ledger.start), new)
    return Ledger(ledger.turns, start, ledger.left)


def refund(ledger: Ledger, weight: int, share: float) -> Ledger:
    """The ledger of a member whose turn shall not count after all (what he got was no
    lead): as if he had been left out.

    :param share: the decision's ``share``; 0 when it took no turn, and nothing changes
    """
    if not share or ledger.start is None:
        return ledger
    start = ledger.start + round(share * UNIT / weight)
    return Ledger(ledger.turns - 1, start, ledger.left)


def round_div(value: int, by: int) -> int:
    """An integer division, rounded half up."""
    return (2 * value + by) // (2 * by)


class Turns:
    """The turns of one pool; members are known by their place in it, from 0.

    :param weights: whole numbers from 1 (ValueError for others)
    :param ledgers: one a weight, as kept
    """

    def __init__(
        self, weights: Sequence[int], ledgers: Iterable[Ledger], clock: int = 0
    ):
        if any(weight < 1 or weight != int(weight) for weight in weights):
            raise ValueError("A weight is a whole number from 1.")
        self.clock = clock
        self._weights = list(weights)
        #: passes are kept in 1/(UNIT * scale), where all of them are whole numbers
        self._scale = lcm(*weights)
        self._steps = [UNIT * self._scale // weight for weight in weights]
        self._turns: list[int] = []
        self._starts: list[int] = []
        self._left: list[int | None] = []
        for ledger in ledgers:
            self._turns.append(ledger.turns)
            self._starts.append(clock if ledger.start is None else ledger.start)
            self._left.append(ledger.left)
        self._passes = [
            start * self._scale + turns * step
            for start, turns, step in zip(
                self._starts, self._turns, self._steps, strict=True
            )
        ]
        self._present = self._left.count(None)

    def ledger(self, place: int) -> Ledger:
        """What to keep of a member."""
        return Ledger(self._turns[place], self._starts[place], self._left[place])

    def take(self, group: Sequence[int]) -> int:
        """Give one lead to the member of a group whose turn it is, in O(members).

        A group of one is no turn: there was nothing to choose, nobody is owed.

        :param group: places, rising, at least one
        :return: the place chosen
        """
        if len(group) == 1:
            return group[0]
        self._gather(group)
        passes, steps = self._passes, self._steps
        weight, total = self._sums(group)
        limit = total + UNIT * self._scale
        # the smallest pass is below the mean, so somebody is due
        place = min(
            [place for place in group if passes[place] * weight < limit],
            key=lambda place: passes[place] + steps[place],
        )
        passes[place] += steps[place]
        self._turns[place] += 1
        self.clock += round_div(UNIT, weight)
        return place

    def owed(self, group: Sequence[int]) -> list[float]:
        """How many leads each of a group is owed within it: their sum is 0."""
        self._gather(group)
        weight, total = self._sums(group)
        unit = weight * UNIT * self._scale
        weights, passes = self._weights, self._passes
        return [
            (total - passes[place] * weight) * weights[place] / unit for place in group
        ]

    def _sums(self, group: Sequence[int]) -> tuple[int, int]:
        """The weight of a group, and the sum of its passes by weight."""
        weights, passes = self._weights, self._passes
        return (
            sum([weights[place] for place in group]),
            sum([weights[place] * passes[place] for place in group]),
        )

    def _gather(self, group: Sequence[int]) -> None:
        """Let return who is in the group, and leave who is not."""
        left = self._left
        for place in group:
            since = left[place]
            if since is not None:
                self._starts[place] += self.clock - since
                self._passes[place] += (self.clock - since) * self._scale
                left[place] = None
                self._present += 1
        if self._present == len(group):
            return
        here = set(group)
        for place, since in enumerate(left):
            if since is None and place not in here:
                left[place] = self.clock
        self._present = len(group)
