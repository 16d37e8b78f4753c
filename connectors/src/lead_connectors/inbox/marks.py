# SPDX-License-Identifier: LGPL-3.0-or-later
"""How far each source was polled, and what is wrong with it or with Odoo."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lead_connectors.inbox.engine import Database
from lead_connectors.inbox.schema import marks

__all__ = ["ODOO", "Mark", "all_marks", "get", "only_one", "problem", "put"]

ODOO = "@odoo"  # no source can have this name


@dataclass(frozen=True, slots=True)
class Mark:
    """Times are seconds since 1970, UTC; None: never."""

    name: str
    seen_until: float | None = None
    ok_at: float | None = None
    problem: str | None = None
    problem_at: float | None = None
    reconciled_at: float | None = None


def all_marks(db: Database) -> list[Mark]:
    """Every mark, by name."""
    with db.read() as conn:
        rows = conn.execute(sa.select(marks).order_by(marks.c.name))
        return [Mark(**row._mapping) for row in rows]


def get(db: Database, name: str) -> Mark:
    """One mark; an empty one if nothing was noted yet."""
    with db.read() as conn:
        row = conn.execute(sa.select(marks).where(marks.c.name == name)).first()
    return Mark(**row._mapping) if row else Mark(name)


def put(db: Database, name: str, **values: Any) -> None:
    """Change columns of a mark."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    with db.write() as conn:
        conn.execute(
            insert(marks)
            .values(name=name, **values)
            .on_conflict_do_update(index_elements=["name"], set_=values)
        )


def problem(db: Database, name: str, text: str | None) -> None:
    """Note what is wrong now; None: it works (again)."""
    with db.read() as conn:
        now = db.clock(conn)
    if text is None:
        put(db, name, problem=None, problem_at=None, ok_at=now)
    else:
        put(db, name, problem=text[:1000], problem_at=now)


@contextlib.contextmanager
def only_one(db: Database, what: str) -> Iterator[bool]:
    """True for one process at a time; the others get False at once, and go on.

    On SQLite there is one service process, so it is always True.
    """
    if db.is_sqlite:
        yield True
        return
    digest = hashlib.sha256(f"lead-connectors {what}".encode()).digest()
    key = int.from_bytes(digest[:8], "big", signed=True)
    # The lock lives as long as this connection: a killed process gives it back.
    with db.engine.connect() as conn:
        conn = conn.execution_options(isolation_level="AUTOCOMMIT")
        got = bool(conn.scalar(sa.select(sa.func.pg_try_advisory_lock(key))))
        try:
            yield got
        finally:
            if got:
                conn.execute(sa.select(sa.func.pg_advisory_unlock(key)))
