# SPDX-License-Identifier: LGPL-3.0-or-later
"""Items go into the inbox once, however often they come."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lead_connectors.inbox.engine import Database
from lead_connectors.inbox.rows import clean, item_row
from lead_connectors.inbox.schema import (
    DELIVERED,
    DISMISSED,
    ERASED,
    INCOMPLETE,
    PARKED,
    WAITING,
    is_state,
    items,
)
from lead_connectors.sources.base import Item

__all__ = ["upsert"]


def upsert(
    db: Database,
    conn: sa.Connection,
    source: str,
    found: Sequence[Item],
    receipt_id: int | None,
    replay: int,
) -> int:
    """Store items inside a transaction; returns how many were new or completed.

    What is known already stays as it is, unless ``replay`` says otherwise (see the
    schema) or a whole lead comes for what was only a reference.
    """
    if not found:
        return 0
    now = db.clock(conn)
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
    result = conn.execute(
        _statement(db.is_sqlite, replay),
        list(rows.values()),
        execution_options={"preserve_rowcount": True},
    )
    return max(result.rowcount, 0)


# By the level of a replay: the states that it leaves as they are.
_KEPT = {
    1: (DELIVERED, DISMISSED, ERASED),
    2: (DISMISSED, ERASED),
    3: (ERASED,),
}


# Kept, as SQLAlchemy takes longer to put it together than SQLite to carry it out.
@functools.cache
def _statement(is_sqlite: bool, replay: int) -> sa.Insert:
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(items)
    new = insert.excluded
    if replay:
        submission: sa.ColumnElement[Any] = sa.func.coalesce(
            new.submission, items.c.submission
        )
        reference: sa.ColumnElement[Any] = sa.func.coalesce(
            new.reference, items.c.reference
        )
        # not IN: such a list is written anew for each of many rows
        where = sa.and_(*(items.c.state != state for state in _KEPT[replay]))
    else:
        # a poll brings whole what a webhook could only refer to
        submission, reference = new.submission, items.c.reference
        where = sa.and_(
            is_state(items, INCOMPLETE) | is_state(items, PARKED),
            items.c.submission.is_(None),
            new.submission.is_not(None),
        )
    return insert.on_conflict_do_update(
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
