# SPDX-License-Identifier: LGPL-3.0-or-later
"""What the inbox holds, for people and monitors. Reads only; no personal data."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lead_connectors.inbox.engine import Database
from lead_connectors.inbox.schema import (
    DISMISSED,
    INCOMPLETE,
    NEW,
    PARKED,
    WAITING,
    is_state,
    items,
    receipts,
)

__all__ = [
    "Count",
    "Fate",
    "Parked",
    "counts",
    "fates",
    "live",
    "oldest",
    "parked",
    "parked_before",
]


@dataclass(frozen=True, slots=True)
class Count:
    """How many of a source are in a state. ``what``: receipt or item."""

    source: str
    what: str
    state: str
    status: str
    count: int


@dataclass(frozen=True, slots=True)
class Parked:
    """One thing put aside. ``key``: what ``replay --id`` takes."""

    key: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one item."""

    source: str
    external_id: str
    state: str
    status: str
    submission_id: int | None
    lead_id: int | None
    reason: str


def live(db: Database) -> dict[str, int]:
    """How many need work or a person, by state. Cheap: reads small indexes only."""
    table = {
        "new": (receipts, NEW),
        "incomplete": (items, INCOMPLETE),
        "waiting": (items, WAITING),
        "parked": (items, PARKED),
        "parked_receipts": (receipts, PARKED),
    }
    with db.read() as conn:
        return {
            name: conn.scalar(
                sa.select(sa.func.count())
                .select_from(rows)
                .where(is_state(rows, state))
            )
            or 0
            for name, (rows, state) in table.items()
        }


def oldest(db: Database) -> float | None:
    """Seconds that the oldest undelivered lead has waited; None: nothing waits."""
    # the lowest id is the oldest: no index on time is needed
    queries = [
        sa.select(receipts.c.received_at).where(is_state(receipts, NEW)),
        sa.select(items.c.created_at).where(is_state(items, WAITING)),
        sa.select(items.c.created_at).where(is_state(items, INCOMPLETE)),
    ]
    with db.read() as conn:
        now = db.clock(conn)
        found = [
            at
            for query in queries
            if (at := conn.scalar(query.order_by(sa.text("id")).limit(1))) is not None
        ]
    return max(0.0, now - min(found)) if found else None


def counts(db: Database) -> list[Count]:
    """Everything, by source and state; of receipts only those that are not done."""
    with db.read() as conn:
        by_item = conn.execute(
            sa.select(
                items.c.source, items.c.state, items.c.status, sa.func.count()
            ).group_by(items.c.source, items.c.state, items.c.status)
        ).all()
        by_receipt = [
            row
            for state in (NEW, PARKED, DISMISSED)
            for row in conn.execute(
                sa.select(
                    receipts.c.source,
                    sa.literal(state),
                    sa.literal(""),
                    sa.func.count(),
                )
                .where(is_state(receipts, state))
                .group_by(receipts.c.source)
            )
        ]
    return [
        Count(source, "item", state, status or "", count)
        for source, state, status, count in sorted(by_item, key=str)
    ] + [
        Count(source, "receipt", state, "", count)
        for source, state, _, count in by_receipt
    ]


def parked(db: Database, limit: int = 20) -> list[Parked]:
    """The newest things put aside."""
    with db.read() as conn:
        rows = [
            (prefix, row)
            for prefix, table in (("i", items), ("r", receipts))
            for row in conn.execute(
                sa.select(table.c.id, table.c.source, table.c.reason)
                .where(is_state(table, PARKED))
                .order_by(table.c.id.desc())
                .limit(limit)
            )
        ]
    return [Parked(f"{key}{row.id}", row.source, row.reason or "") for key, row in rows]


def parked_before(db: Database, age: float) -> int:
    """How many parked things came more than ``age`` seconds ago."""
    with db.read() as conn:
        before = db.clock(conn) - age
        return sum(
            conn.scalar(
                sa.select(sa.func.count())
                .select_from(table)
                .where(is_state(table, PARKED), came < before)
            )
            or 0
            for table, came in (
                (items, items.c.created_at),
                (receipts, receipts.c.received_at),
            )
        )


def fates(db: Database, source: str, external_ids: list[str]) -> list[Fate]:
    """What became of these items of a source; unknown ones are left out."""
    with db.read() as conn:
        rows = conn.execute(
            sa.select(items).where(
                items.c.source == source, items.c.external_id.in_(external_ids)
            )
        ).all()
    return [
        Fate(
            row.source,
            row.external_id,
            row.state,
            row.status or "",
            row.submission_id,
            row.lead_id,
            row.reason or "",
        )
        for row in rows
    ]
