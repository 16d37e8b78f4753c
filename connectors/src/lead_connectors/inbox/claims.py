# SPDX-License-Identifier: LGPL-3.0-or-later
"""Claims: who works on an item just now.

They are leases, so that any number of replicas may work on one PostgreSQL. A lease
and a waiting time are measured with the database's own clock; one that lies further
ahead than it could have been set was made before that clock jumped back, and counts
as over. Being wrong costs a second delivery, which Odoo knows as a duplicate.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from lead_connectors.inbox.engine import Database
from lead_connectors.inbox.rows import StoredItem, first_within
from lead_connectors.inbox.schema import items

__all__ = ["FREE", "MAX_DELAY", "claim", "update"]

# No waiting time is ever set further ahead than this; more means a clock jumped.
MAX_DELAY = 6 * 3600.0

# What an item has that nobody claims.
FREE: dict[str, Any] = {"lease": None, "leased_until": 0}


def claim(
    db: Database,
    where: sa.ColumnElement[bool],
    *,
    limit: int,
    max_bytes: int,
    lease_seconds: float,
) -> list[StoredItem]:
    """Lease the oldest items of ``where`` that are due and not claimed by another."""
    lease = uuid.uuid4().hex
    with db.write() as conn:
        now = db.clock(conn)
        due = _passed(items.c.next_attempt_at, now, MAX_DELAY)
        free = _passed(items.c.leased_until, now, 2 * lease_seconds)
        sizes = conn.execute(
            sa.select(items.c.id, items.c.size)
            .where(where, due, free)
            .order_by(items.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        ids = first_within(sizes, max_bytes)
        if not ids:
            return []
        rows = conn.execute(
            sa.update(items)
            .where(items.c.id.in_(ids))
            .values(lease=lease, leased_until=now + lease_seconds)
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


def update(db: Database, changes: Iterable[tuple[StoredItem, dict[str, Any]]]) -> None:
    """Change columns of claimed items; one whose lease was lost stays as it is."""
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
    with db.write() as conn:
        conn.execute(statement, rows)


def _passed(
    column: sa.Column[Any], now: float, longest: float
) -> sa.ColumnElement[bool]:
    return (column <= now) | (column > now + longest)
