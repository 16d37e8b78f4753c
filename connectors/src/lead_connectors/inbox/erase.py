# SPDX-License-Identifier: LGPL-3.0-or-later
"""A person's data leaves the inbox; what stays is a row that keeps it from coming back.

Everything that holds the address or number is erased, whoever sent it. Of a raw
request with several people only this one's lead goes, and the request's bytes: the
other leads have theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lead_connectors.inbox.claims import FREE
from lead_connectors.inbox.engine import Database
from lead_connectors.inbox.person import Person
from lead_connectors.inbox.schema import (
    DELIVERED,
    DISMISSED,
    DONE,
    ERASED,
    INCOMPLETE,
    NEW,
    is_state,
    items,
    receipts,
)
from lead_connectors.inbox.trim import NO_META

__all__ = ["Erased", "erase"]

_STEP = 50  # rows in memory: a body may have a MB


@dataclass(slots=True)
class Erased:
    """What held the person, as keys (i12, r7).

    ``undelivered``: those of ``items`` that had not reached Odoo. ``named``: items
    whose very id is the address or number; it stays, or they would come again.
    ``unread``: how many leads and requests could not be looked into yet.
    """

    items: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    undelivered: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    unread: int = 0


def erase(db: Database, person: Person, note: str, *, dry_run: bool = False) -> Erased:
    """Find and erase; with ``dry_run`` only find. ``note`` becomes the rows' reason.

    Parse what is new before: the leads of an unread request can't be told apart, so
    it is left alone.
    """
    done = Erased()
    bodies: set[int] = set()
    for row in _rows(db, receipts, receipts.c.state, receipts.c.meta, receipts.c.body):
        if person.in_bytes(bytes(row.body or b"")) or person.in_text(row.meta):
            if row.state == NEW and not dry_run:
                done.unread += 1
            else:
                bodies.add(row.id)
    ids: list[int] = []
    for row in _rows(
        db,
        items,
        items.c.receipt_id,
        items.c.state,
        items.c.external_id,
        items.c.submission,
        items.c.reference,
    ):
        if person.in_text(row.external_id):
            done.named.append(f"i{row.id}")
        if person.in_text(f"{row.submission or ''} {row.reference or ''}"):
            ids.append(row.id)
            if row.state not in (DELIVERED, DISMISSED):
                done.undelivered.append(f"i{row.id}")
            if row.receipt_id is not None:
                bodies.add(row.receipt_id)
    with db.read() as conn:
        wanted = sa.select(sa.func.count()).where(is_state(items, INCOMPLETE))
        done.unread += conn.scalar(wanted) or 0
    full = list(_with_body(db, sorted(bodies)))
    done.items = [f"i{key}" for key in ids]
    done.receipts = [f"r{key}" for key in full]
    if not dry_run:
        # bodies first: broken off there, the next run finds the same items again
        _empty_receipts(db, full, note)
        _empty_items(db, ids, note)
        db.forget()
    return done


def _rows(
    db: Database, table: sa.Table, *columns: sa.ColumnElement[Any]
) -> Iterator[Any]:
    last = 0
    while True:
        with db.read() as conn:
            found = conn.execute(
                sa.select(table.c.id, *columns)
                .where(table.c.id > last)
                .order_by(table.c.id)
                .limit(_STEP)
            ).all()
        if not found:
            return
        last = found[-1].id
        yield from found


def _chunks(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(keys), 500):
        yield keys[at : at + 500]


def _with_body(db: Database, keys: Sequence[int]) -> Iterator[int]:
    """Of these receipts, those that still have something to erase."""
    for chunk in _chunks(keys):
        with db.read() as conn:
            yield from conn.scalars(
                sa.select(receipts.c.id)
                .where(receipts.c.id.in_(chunk), receipts.c.body.is_not(None))
                .order_by(receipts.c.id)
            )


def _empty_receipts(db: Database, keys: Sequence[int], note: str) -> None:
    for chunk in _chunks(keys):
        with db.write() as conn:
            conn.execute(
                sa.update(receipts)
                .where(receipts.c.id.in_(chunk), receipts.c.state != NEW)
                .values(
                    state=sa.case((receipts.c.state == DONE, DONE), else_=DISMISSED),
                    body=None,
                    meta=NO_META,
                    reason=note,
                )
            )


def _empty_items(db: Database, keys: Sequence[int], note: str) -> None:
    for chunk in _chunks(keys):
        with db.write() as conn:
            conn.execute(
                sa.update(items)
                .where(items.c.id.in_(chunk))
                .values(
                    state=ERASED,
                    submission=None,
                    reference=None,
                    size=0,
                    reason=note,
                    **FREE,
                )
            )
