# SPDX-License-Identifier: LGPL-3.0-or-later
"""The way of a lead through the inbox: receipt -> item -> delivered or parked.

Every method is one short transaction, on disk when it returns, and raises
``InboxUnavailable`` when the database can't be used.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from lead_connectors.inbox.claims import FREE, MAX_DELAY, claim, update
from lead_connectors.inbox.engine import Database, InboxUnavailable
from lead_connectors.inbox.rows import (
    INSERT_SIZES,
    ParseBatch,
    ReceiptRow,
    StoredItem,
    StoredReceipt,
    clean,
    first_within,
    insert_sql,
    receipt_row,
    stored_receipt,
)
from lead_connectors.inbox.schema import (
    DELIVERED,
    DISMISSED,
    DONE,
    ERASED,
    INCOMPLETE,
    NEW,
    PARKED,
    WAITING,
    is_state,
    items,
    receipts,
)
from lead_connectors.inbox.upsert import upsert
from lead_connectors.odoo.client import IngestResult
from lead_connectors.sources.base import Item

__all__ = [
    "Inbox",
    "InboxUnavailable",
    "ParseBatch",
    "ReceiptRow",
    "StoredItem",
    "StoredReceipt",
    "receipt_row",
]


class Inbox:
    """The store, on SQLite or PostgreSQL. Thread-safe.

    ``lease_seconds``: how long a claim lasts when its worker says nothing more.
    """

    def __init__(self, url: str, *, lease_seconds: float = 240) -> None:
        self.db = Database(url)
        self.lease_seconds = lease_seconds

    def open(self, *, alone: bool = False) -> None:
        """Create or upgrade the tables.

        ``alone``: this process is the only one on a SQLite inbox, so claims left by a
        killed one are free at once.
        """
        self.db.migrate()
        if alone and self.db.is_sqlite:
            with self.db.write() as conn:
                conn.execute(
                    sa.update(items)
                    .where(items.c.leased_until > 0)
                    .values(leased_until=0, lease=None)
                )

    def close(self) -> None:
        """Give back every connection."""
        self.db.close()

    # -- receipts ---------------------------------------------------------------

    def insert_receipts(self, rows: Sequence[ReceiptRow]) -> None:
        """Store raw requests durably, all or none."""
        mark = "?" if self.db.is_sqlite else "%s"
        at = 0
        with self.db.write() as conn:
            while at < len(rows):
                size = next(size for size in INSERT_SIZES if size <= len(rows) - at)
                chunk = itertools.chain.from_iterable(rows[at : at + size])
                conn.exec_driver_sql(insert_sql(size, mark), tuple(chunk))
                at += size

    @contextlib.contextmanager
    def new_receipts(self, limit: int, max_bytes: int) -> Iterator[ParseBatch]:
        """The oldest unparsed receipts; what the batch holds at the end is stored.

        On PostgreSQL their rows are locked meanwhile. On SQLite two processes may
        parse the same receipt: both find the same items, which are stored once.
        """
        if self.db.is_sqlite:
            with self.db.read() as conn:
                batch = self._load_receipts(conn, limit, max_bytes)
            yield batch
            if batch.found or batch.parked or batch.dismissed:
                with self.db.write() as conn:
                    self._finish(conn, batch)
        else:
            with self.db.write() as conn:
                batch = self._load_receipts(conn, limit, max_bytes)
                yield batch
                self._finish(conn, batch)

    def _load_receipts(
        self, conn: sa.Connection, limit: int, max_bytes: int
    ) -> ParseBatch:
        sizes = conn.execute(
            sa.select(receipts.c.id, receipts.c.size)
            .where(is_state(receipts, NEW))
            .order_by(receipts.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        ids = first_within(sizes, max_bytes)
        if not ids:
            return ParseBatch([])
        rows = conn.execute(
            sa.select(receipts).where(receipts.c.id.in_(ids)).order_by(receipts.c.id)
        )
        return ParseBatch([stored_receipt(row) for row in rows])

    def _finish(self, conn: sa.Connection, batch: ParseBatch) -> None:
        for stored, found in batch.found:
            upsert(self.db, conn, stored.source, found, stored.id, stored.replay)
        if batch.found:
            conn.execute(
                sa.update(receipts)
                .where(receipts.c.id.in_([stored.id for stored, _ in batch.found]))
                .values(state=DONE, replay=0, reason=None)
            )
        for state, aside in ((PARKED, batch.parked), (DISMISSED, batch.dismissed)):
            for stored, reason in aside:
                conn.execute(
                    sa.update(receipts)
                    .where(receipts.c.id == stored.id)
                    .values(state=state, replay=0, reason=clean(reason))
                )

    # -- items ------------------------------------------------------------------

    def add_items(self, source: str, found: Sequence[Item]) -> int:
        """Store what a poll found; what is known already stays as it is.

        Returns how many were new, or completed by this.
        """
        with self.db.write() as conn:
            return upsert(self.db, conn, source, found, None, 0)

    def claim_waiting(self, limit: int, max_bytes: int) -> list[StoredItem]:
        """Lease the oldest items that are ready for Odoo and due."""
        return self._claim(is_state(items, WAITING), limit, max_bytes)

    def claim_incomplete(self, source: str, limit: int) -> list[StoredItem]:
        """Lease the oldest items of a source that must be completed and are due."""
        where = is_state(items, INCOMPLETE) & (items.c.source == source)
        return self._claim(where, limit, 1 << 20)

    def _claim(
        self, where: sa.ColumnElement[bool], limit: int, max_bytes: int
    ) -> list[StoredItem]:
        return claim(
            self.db,
            where,
            limit=limit,
            max_bytes=max_bytes,
            lease_seconds=self.lease_seconds,
        )

    def complete(self, completed: Iterable[tuple[StoredItem, str]]) -> None:
        """Store the submissions (JSON) of items that were only references."""
        update(
            self.db,
            [
                (
                    item,
                    {"submission": text, "size": len(text), "state": WAITING} | _RESET,
                )
                for item, text in completed
            ],
        )

    def mark_delivered(
        self, delivered: Iterable[tuple[StoredItem, IngestResult]]
    ) -> None:
        """Write down Odoo's answers. A second answer keeps the first one's status.

        The lease does not matter here: whoever got the answer, it is true.
        """
        with self.db.write() as conn:
            now = self.db.clock(conn)
            rows = [
                {
                    "b_id": item.id,
                    "b_status": result.status,
                    "b_submission": result.submission_id,
                    "b_lead": result.lead_id,
                    "b_reason": clean(result.reason),
                    "b_now": now,
                }
                for item, result in delivered
            ]
            if rows:
                conn.execute(_MARK_DELIVERED, rows)

    def retry(self, failed: Iterable[tuple[StoredItem, str, float]]) -> None:
        """Count an attempt; the item is due again after so many seconds."""
        with self.db.read() as conn:
            now = self.db.clock(conn)
        update(
            self.db,
            [
                (
                    item,
                    {
                        "attempts": item.attempts + 1,
                        "next_attempt_at": now + min(delay, MAX_DELAY),
                        "reason": clean(reason),
                        **FREE,
                    },
                )
                for item, reason, delay in failed
            ],
        )

    def release(self, claimed: Iterable[StoredItem]) -> None:
        """Give back what was claimed, as if it had never been."""
        update(self.db, [(item, FREE) for item in claimed])

    def park(self, parked: Iterable[tuple[StoredItem, str]]) -> None:
        """Put items aside, with the reason a person will read."""
        update(
            self.db,
            [
                (item, {"state": PARKED, "reason": clean(reason)} | FREE)
                for item, reason in parked
            ],
        )


_RESET: dict[str, Any] = {
    "attempts": 0,
    "next_attempt_at": 0,
    "reason": None,
    **FREE,
}

_erased = items.c.state == ERASED
_answer = sa.bindparam("b_status", type_=sa.Text)
_MARK_DELIVERED = (
    sa.update(items)
    .where(items.c.id == sa.bindparam("b_id"))
    .values(
        # Odoo may have had it in its hands while the person was erased here
        state=sa.case((_erased, ERASED), else_=DELIVERED),
        status=sa.case(
            (items.c.status.is_(None) | (_answer != "duplicate"), _answer),
            else_=items.c.status,
        ),
        submission_id=sa.bindparam("b_submission"),
        lead_id=sa.bindparam("b_lead"),
        reason=sa.case((_erased, items.c.reason), else_=sa.bindparam("b_reason")),
        delivered_at=sa.bindparam("b_now"),
        **FREE,
    )
)
