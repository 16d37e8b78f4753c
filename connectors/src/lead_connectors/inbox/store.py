# SPDX-License-Identifier: LGPL-3.0-or-later
"""The way of a lead through the inbox: receipt -> item -> delivered or parked.

Every method is one short transaction, on disk when it returns, and raises
``InboxUnavailable`` when the database can't be used.

Claims are leases, so that any number of replicas may work on one PostgreSQL. A lease
and a waiting time are measured with the database's own clock; one that lies further
ahead than it could have been set was made before that clock jumped back, and counts
as over. Being wrong costs a second delivery, which Odoo knows as a duplicate.
"""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lead_connectors.inbox.engine import Database, InboxUnavailable
from lead_connectors.inbox.rows import (
    INSERT_SIZES,
    ParseBatch,
    ReceiptRow,
    StoredItem,
    StoredReceipt,
    clean,
    insert_sql,
    item_row,
    receipt_row,
    stored_receipt,
)
from lead_connectors.inbox.schema import (
    DELIVERED,
    DONE,
    INCOMPLETE,
    NEW,
    PARKED,
    WAITING,
    is_state,
    items,
    receipts,
)
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

# No waiting time is ever set further ahead than this; more means a clock jumped.
MAX_DELAY = 6 * 3600.0


class Inbox:
    """The store, on SQLite or PostgreSQL. Thread-safe.

    ``lease_seconds``: how long a claim lasts when its worker says nothing more.
    """

    def __init__(self, url: str, *, lease_seconds: float = 240) -> None:
        self.db = Database(url)
        self.lease_seconds = lease_seconds
        self._insert: Callable[[sa.Table], Any] = (
            sqlite.insert if self.db.is_sqlite else postgresql.insert
        )

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
            if batch.found or batch.parked:
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
        ids = _first_within(sizes, max_bytes)
        if not ids:
            return ParseBatch([])
        rows = conn.execute(
            sa.select(receipts).where(receipts.c.id.in_(ids)).order_by(receipts.c.id)
        )
        return ParseBatch([stored_receipt(row) for row in rows])

    def _finish(self, conn: sa.Connection, batch: ParseBatch) -> None:
        for stored, found in batch.found:
            self._upsert(conn, stored.source, found, stored.id, stored.replay)
        if batch.found:
            conn.execute(
                sa.update(receipts)
                .where(receipts.c.id.in_([stored.id for stored, _ in batch.found]))
                .values(state=DONE, replay=0, reason=None)
            )
        for stored, reason in batch.parked:
            conn.execute(
                sa.update(receipts)
                .where(receipts.c.id == stored.id)
                .values(state=PARKED, replay=0, reason=clean(reason))
            )

    # -- items ------------------------------------------------------------------

    def add_items(self, source: str, found: Sequence[Item]) -> int:
        """Store what a poll found; what is known already stays as it is.

        Returns how many were new, or completed by this.
        """
        with self.db.write() as conn:
            return self._upsert(conn, source, found, None, 0)

    def _upsert(
        self,
        conn: sa.Connection,
        source: str,
        found: Sequence[Item],
        receipt_id: int | None,
        replay: int,
    ) -> int:
        if not found:
            return 0
        now = self.db.clock(conn)
        # one statement must not touch a row twice: the last of equal ids counts
        rows = {
            row["external_id"]: row
            for row in (
                item_row(source, item, receipt_id, now)
                for item in _without_repeats(conn, source, found)
            )
        }
        if not rows:
            return 0
        insert = self._insert(items)
        new = insert.excluded
        if replay:
            submission: sa.ColumnElement[Any] = sa.func.coalesce(
                new.submission, items.c.submission
            )
            reference: sa.ColumnElement[Any] = sa.func.coalesce(
                new.reference, items.c.reference
            )
            where = None if replay > 1 else items.c.state != DELIVERED
        else:
            # a poll brings whole what a webhook could only refer to
            submission, reference = new.submission, items.c.reference
            where = (
                (is_state(items, INCOMPLETE) | is_state(items, PARKED))
                & items.c.submission.is_(None)
                & new.submission.is_not(None)
            )
        upsert = insert.on_conflict_do_update(
            index_elements=["source", "external_id"],
            set_={
                "submission": submission,
                "reference": reference,
                "size": new.size,
                "state": sa.case((submission.is_not(None), WAITING), else_=INCOMPLETE),
                "attempts": 0,
                "next_attempt_at": 0,
                "leased_until": 0,
                "lease": None,
                "reason": None,
            },
            where=where,
        )
        result = conn.execute(
            upsert,
            list(rows.values()),
            execution_options={"preserve_rowcount": True},
        )
        return max(result.rowcount, 0)

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
        lease = uuid.uuid4().hex
        with self.db.write() as conn:
            now = self.db.clock(conn)
            due = _passed(items.c.next_attempt_at, now, MAX_DELAY)
            free = _passed(items.c.leased_until, now, 2 * self.lease_seconds)
            sizes = conn.execute(
                sa.select(items.c.id, items.c.size)
                .where(where, due, free)
                .order_by(items.c.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            ).all()
            ids = _first_within(sizes, max_bytes)
            if not ids:
                return []
            rows = conn.execute(
                sa.update(items)
                .where(items.c.id.in_(ids))
                .values(lease=lease, leased_until=now + self.lease_seconds)
                .returning(
                    items.c.id,
                    items.c.source,
                    items.c.external_id,
                    items.c.created_at,
                    items.c.attempts,
                    items.c.submission,
                    items.c.reference,
                )
            ).all()
        claimed = [
            StoredItem(
                row.id,
                row.source,
                row.external_id,
                row.created_at,
                row.attempts,
                lease,
                row.submission,
                row.reference,
            )
            for row in rows
        ]
        return sorted(claimed, key=lambda item: item.id)

    def complete(self, completed: Iterable[tuple[StoredItem, str]]) -> None:
        """Store the submissions (JSON) of items that were only references."""
        self._update(
            (item, {"submission": text, "size": len(text), "state": WAITING} | _RESET)
            for item, text in completed
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
        self._update(
            (
                item,
                {
                    "attempts": item.attempts + 1,
                    "next_attempt_at": now + min(delay, MAX_DELAY),
                    "reason": clean(reason),
                    **_FREE,
                },
            )
            for item, reason, delay in failed
        )

    def release(self, claimed: Iterable[StoredItem]) -> None:
        """Give back what was claimed, as if it had never been."""
        self._update((item, dict(_FREE)) for item in claimed)

    def park(self, parked: Iterable[tuple[StoredItem, str]]) -> None:
        """Put items aside, with the reason a person will read."""
        self._update(
            (item, {"state": PARKED, "reason": clean(reason)} | _FREE)
            for item, reason in parked
        )

    def _update(self, changes: Iterable[tuple[StoredItem, dict[str, Any]]]) -> None:
        """Change claimed items; one whose lease was lost meanwhile is left alone."""
        rows = [
            {"b_id": item.id, "b_lease": item.lease}
            | {f"new_{name}": value for name, value in values.items()}
            for item, values in changes
        ]
        if not rows:
            return
        names = [name[4:] for name in rows[0] if name.startswith("new_")]
        statement = (
            sa.update(items)
            .where(items.c.id == sa.bindparam("b_id"))
            .where(items.c.lease == sa.bindparam("b_lease"))
            .values({name: sa.bindparam(f"new_{name}") for name in names})
        )
        with self.db.write() as conn:
            conn.execute(statement, rows)


_FREE: dict[str, Any] = {"lease": None, "leased_until": 0}
_RESET: dict[str, Any] = {
    "attempts": 0,
    "next_attempt_at": 0,
    "reason": None,
    **_FREE,
}

_answer = sa.bindparam("b_status", type_=sa.Text)
_MARK_DELIVERED = (
    sa.update(items)
    .where(items.c.id == sa.bindparam("b_id"))
    .values(
        state=DELIVERED,
        status=sa.case(
            (items.c.status.is_(None) | (_answer != "duplicate"), _answer),
            else_=items.c.status,
        ),
        submission_id=sa.bindparam("b_submission"),
        lead_id=sa.bindparam("b_lead"),
        reason=sa.bindparam("b_reason"),
        delivered_at=sa.bindparam("b_now"),
        **_FREE,
    )
)


def _passed(
    column: sa.Column[Any], now: float, longest: float
) -> sa.ColumnElement[bool]:
    return (column <= now) | (column > now + longest)


def _first_within(sizes: Sequence[Any], max_bytes: int) -> list[int]:
    """The first ids whose sizes add up to at most ``max_bytes``, and at least one."""
    ids: list[int] = []
    total = 0
    for row in sizes:
        total += row.size
        if ids and total > max_bytes:
            break
        ids.append(row.id)
    return ids


def _without_repeats(
    conn: sa.Connection, source: str, found: Sequence[Item]
) -> list[Item]:
    """``found`` without what came before under another of its ids (``same_as``)."""
    if not any(item.same_as for item in found):
        return list(found)
    ids = {key for item in found for key in (item.external_id, *item.same_as)}
    known = set(
        conn.scalars(
            sa.select(items.c.external_id).where(
                items.c.source == source,
                items.c.external_id.in_([clean(key) for key in ids]),
            )
        )
    )
    kept = []
    for item in found:
        if item.external_id in known or not known.intersection(item.same_as):
            kept.append(item)
            known.add(item.external_id)
    return kept
