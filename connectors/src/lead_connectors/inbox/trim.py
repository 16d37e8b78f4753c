# SPDX-License-Identifier: LGPL-3.0-or-later
"""What was kept for long enough goes, a few rows at a time, so that nobody waits."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lead_connectors.inbox.engine import Database
from lead_connectors.inbox.report import Parked
from lead_connectors.inbox.schema import (
    DELIVERED,
    DISMISSED,
    DONE,
    INCOMPLETE,
    PARKED,
    WAITING,
    is_state,
    items,
    receipts,
)

__all__ = ["NO_META", "expire", "trim"]

# ``meta`` of a receipt without its body: headers and query go too.
NO_META = '{"method": "", "content_type": "", "headers": {}, "query": {}}'


def expire(db: Database, keep_days: float, limit: int = 200) -> list[Parked]:
    """Dismiss up to ``limit`` parked things that nobody mended in time.

    They are as old as their arrival. Call it again until nothing comes back.
    """
    note = f" (dismissed: nobody replayed it within {keep_days:g} days)"
    expired = []
    with db.write() as conn:
        before = db.clock(conn) - keep_days * 86400
        for prefix, table in (("i", items), ("r", receipts)):
            came = table.c.created_at if table is items else table.c.received_at
            old = (
                sa.select(table.c.id)
                .where(is_state(table, PARKED), came < before)
                .order_by(table.c.id)
                .limit(limit)
            )
            rows = conn.execute(
                sa.update(table)
                .where(table.c.id.in_(old), is_state(table, PARKED))
                .values(
                    state=DISMISSED, reason=sa.func.coalesce(table.c.reason, "") + note
                )
                .returning(table.c.id, table.c.source, table.c.reason)
            )
            expired += [Parked(f"{prefix}{row.id}", *row[1:]) for row in rows]
    return expired


def trim(
    db: Database, keep_days: float, after: int = 0, limit: int = 200
) -> int | None:
    """Drop up to ``limit`` bodies and submissions that are older and settled.

    The rows stay, so that a repeat is still known as one. Call it again with what it
    returned as ``after``, until that is None: nothing is left to trim.
    """
    with db.read() as conn:
        before = db.clock(conn) - keep_days * 86400
        bodies = conn.scalars(
            sa.select(receipts.c.id)
            .where(receipts.c.id > after, receipts.c.body.is_not(None))
            .where(receipts.c.received_at < before, _SETTLED, ~_NEEDED)
            .order_by(receipts.c.id)
            .limit(limit)
        ).all()
        submissions = [
            key
            for state, since in _UNTRIMMED
            for key in conn.scalars(
                sa.select(items.c.id)
                .where(is_state(items, state), items.c.submission.is_not(None))
                .where(since < before)
                .limit(limit)
            )
        ]
    if not bodies and not submissions:
        return None
    with db.write() as conn:
        conn.execute(
            sa.update(receipts)
            .where(receipts.c.id.in_(bodies), _SETTLED)
            .values(body=None, meta=NO_META)
        )
        conn.execute(
            sa.update(items)
            .where(items.c.id.in_(submissions))
            .where(items.c.state.in_((DELIVERED, DISMISSED)))
            .values(submission=None, reference=None)
        )
    return bodies[-1] if bodies else after


_SETTLED = receipts.c.state.in_((DONE, DISMISSED))
# a receipt one of whose leads may still be sent from it
_NEEDED: sa.Exists = (
    sa.select(items.c.id)
    .where(items.c.receipt_id == receipts.c.id)
    .where(items.c.state.in_((INCOMPLETE, WAITING, PARKED)))
    .exists()
)
_UNTRIMMED: tuple[tuple[str, sa.Column[Any]], ...] = (
    (DELIVERED, items.c.delivered_at),
    (DISMISSED, items.c.created_at),
)
