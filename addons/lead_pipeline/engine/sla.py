# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""The clock of a lead's first owner: from when the lead reached us, if that is fair.

What counts for the lead is how long it waits for a person, so the clock runs from when
it was captured, in the working time of whoever gets it. A lead that comes at night
costs its owner nothing by that. But one that waited while its owner was at work
(everybody was at a limit, no rule took it, leads were not given out yet) may be late
before anybody has it. Nobody is blamed for that: an owner who gets less than half of
the time gets all of it, from the hand-out. What was promised to the lead stays on
record.
"""

from datetime import datetime
from typing import NamedTuple

from .business_time import Calendar


class Clock(NamedTuple):
    """``due_at``: until when the owner has; ``remind_at``: when to remind them;
    ``promised_at``: when it was due since the lead was captured. None: never."""

    due_at: datetime | None
    remind_at: datetime | None
    promised_at: datetime | None


def first_clock(
    calendar: Calendar,
    captured: datetime,
    given: datetime,
    seconds: int,
    quiet: int | None = None,
) -> Clock:
    """The clock of the first owner.

    :param calendar: when the owner is at work
    :param captured: when the lead could first be worked; a moment after ``given`` is
        taken for that
    :param given: when the owner got it
    :param seconds: of working time to the first touch
    :param quiet: of these, before the reminder (default: no reminder)
    """
    quiet = seconds if quiet is None else quiet
    captured = min(captured, given)
    promised = calendar.add_business(captured, seconds)
    gone = calendar.business_seconds(captured, given)
    if gone * 2 > seconds:
        return Clock(
            calendar.add_business(given, seconds),
            calendar.add_business(given, quiet),
            promised,
        )
    remind = calendar.add_business(captured, quiet) if gone <= quiet else promised
    return Clock(promised, remind, promised)
