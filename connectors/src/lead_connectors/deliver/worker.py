# SPDX-License-Identifier: LGPL-3.0-or-later
"""A thread that does one step after another, and sleeps when there is none."""

from __future__ import annotations

import random
import threading

import structlog

from lead_connectors.inbox import InboxUnavailable

__all__ = ["Worker", "backoff"]

log = structlog.get_logger()


def backoff(failures: int, first: float, longest: float) -> float:
    """Seconds to wait after so many failures in a row: exponential, full jitter.

    Full jitter: anything between nothing and the limit, so that many who failed
    together do not come back together.
    """
    limit = min(longest, first * 2.0 ** min(failures - 1, 30))
    return random.uniform(0, limit)


class Worker:
    """Calls ``step`` until stopped. An error never ends it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._failures = 0

    def step(self) -> float:
        """Do a little; return the seconds until the next step (0: there is more)."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do: do not sleep on."""
        self._wake.set()

    def stop(self) -> None:
        """Ask it to end after the current step; returns at once."""
        self.stopping.set()
        self._wake.set()

    def join(self, timeout: float) -> bool:
        """Wait for the end; False if it is still at work."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self.stopping.is_set():
            self._wake.clear()
            pause = self.guarded_step()
            if pause > 0:
                self._wake.wait(pause)

    def guarded_step(self) -> float:
        """One step; after an error the pause is a growing one."""
        try:
            pause = self.step()
        except InboxUnavailable as error:
            self._failures += 1
            log.error("inbox unavailable", worker=self.name, reason=str(error))
        except Exception:
            self._failures += 1
            log.exception("worker failed", worker=self.name)
        else:
            self._failures = 0
            return pause
        return 0.2 + backoff(self._failures, 0.5, 30)
