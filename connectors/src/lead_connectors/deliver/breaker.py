# SPDX-License-Identifier: LGPL-3.0-or-later
"""The circuit breaker before Odoo."""

from __future__ import annotations

import threading
import time

from lead_connectors.deliver.worker import backoff

__all__ = ["Breaker"]


class Breaker:
    """Closed while Odoo answers; open for a while after a failure; then half open,
    when one probe decides.

    Pauses are measured with the monotonic clock: a wall clock that jumps changes
    nothing. Thread-safe.
    """

    def __init__(self, *, first: float = 1.0, longest: float = 60.0) -> None:
        self._first = first
        self._longest = longest
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0
        self.reason = ""

    def pause(self) -> float:
        """Seconds until Odoo may be tried; 0: now."""
        with self._lock:
            return max(0.0, self._open_until - time.monotonic())

    @property
    def half_open(self) -> bool:
        """After a failure, until the next success."""
        return self._failures > 0

    def failed(self, reason: str) -> None:
        """A call failed: leave Odoo alone for a growing, random time."""
        with self._lock:
            self._failures += 1
            self.reason = reason
            pause = backoff(self._failures, self._first, self._longest)
            self._open_until = time.monotonic() + pause

    def succeeded(self) -> None:
        """A call worked."""
        with self._lock:
            self._failures = 0
            self._open_until = 0.0
            self.reason = ""
