# SPDX-License-Identifier: LGPL-3.0-or-later
"""Group commit: many requests that arrive together share one durable transaction.

One thread writes. While it waits for the disk, the next requests gather; nobody waits
on purpose. A caller goes on when its own bytes are on disk, or gets the error.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from lead_connectors.inbox.store import Inbox, InboxUnavailable, ReceiptRow

__all__ = ["GroupCommit"]

_Waiting = tuple[ReceiptRow, "asyncio.Future[None]"]

# One transaction's share: keeps the answer time of the first in a big crowd low.
_MAX_ROWS = 1000


class GroupCommit:
    """``await store(row)`` returns when the row is on disk.

    ``committed`` is called, in the writing thread, after every transaction.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        committed: Callable[[], None] = lambda: None,
        max_waiting_bytes: int = 32 << 20,
    ) -> None:
        self._inbox = inbox
        self._committed = committed
        self._max_waiting_bytes = max_waiting_bytes
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self.stored = 0  # how many requests so far
        self._changed = threading.Condition()
        self._woken = False
        self._closing = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the writer; must be called inside the event loop that will store."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(
            target=self._run, name="group-commit", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end. Blocks; call it outside of the event loop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    async def store(self, row: ReceiptRow) -> None:
        """Raises InboxUnavailable; then nothing of the row is kept."""
        assert self._loop is not None
        if self._closing:
            raise InboxUnavailable("the service is stopping")
        if self._waiting_bytes > self._max_waiting_bytes:
            raise InboxUnavailable("more comes in than the disk can take")
        future: asyncio.Future[None] = self._loop.create_future()
        with self._changed:
            self._waiting.append((row, future))
            self._waiting_bytes += len(row[4])
        if not self._woken:
            # at the end of this turn of the loop: all requests it read go together
            self._woken = True
            self._loop.call_soon(self._wake)
        await future

    def _wake(self) -> None:
        with self._changed:
            self._woken = False
            self._changed.notify()

    def _run(self) -> None:
        assert self._loop is not None
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                batch = self._waiting[:_MAX_ROWS]
                del self._waiting[:_MAX_ROWS]
                self._waiting_bytes -= sum(len(row[4]) for row, _ in batch)
            error: Exception | None = None
            try:
                self._inbox.insert_receipts([row for row, _ in batch])
            except InboxUnavailable as unavailable:
                error = unavailable
            except Exception as unexpected:  # a bug must not leave callers hanging
                error = InboxUnavailable(f"inbox: {type(unexpected).__name__}")
            self._loop.call_soon_threadsafe(_resolve, batch, error)
            if error is None:
                self.stored += len(batch)
                self._committed()


def _resolve(batch: list[_Waiting], error: Exception | None) -> None:
    for _, future in batch:
        if future.done():  # the client went away
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
