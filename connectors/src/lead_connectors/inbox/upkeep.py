# SPDX-License-Identifier: LGPL-3.0-or-later
"""Replay and dismissal, in small transactions, so that nobody waits long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lead_connectors.inbox.engine import Database
from lead_connectors.inbox.rows import clean
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

__all__ = ["Dismissed", "Replayed", "dismiss", "replay"]

_STEP = 500


@dataclass(slots=True)
class Replayed:
    """How many receipts are parsed again, items sent again, and items not possible.

    ``gone``: nothing is left to send, because the bytes were trimmed.
    """

    receipts: int = 0
    items: int = 0
    gone: int = 0


@dataclass(slots=True)
class Dismissed:
    """How many were dismissed; ``others``: keys that are not (or no longer) parked."""

    receipts: int = 0
    items: int = 0
    others: int = 0


def replay(
    db: Database,
    *,
    source: str | None = None,
    everything: bool = False,
    dismissed: bool = False,
    keys: Iterable[str] = (),
    dry_run: bool = False,
) -> Replayed:
    """Send parked things again; with ``everything`` delivered ones too, with
    ``dismissed`` those that were dismissed instead.

    Items whose receipt still has its bytes are parsed anew, so that a corrected
    mapping counts. ``keys``: only these, as ``status`` shows them (i12, r7). What was
    erased stays so. Odoo answers ``duplicate`` for what it has; no second lead comes
    of it.
    """
    done = Replayed()
    numbers = _numbers(keys)
    level, states = 1, [PARKED]
    if numbers or dismissed:
        level, states = 3, [DISMISSED]
    elif everything:
        level, states = 2, [PARKED, DELIVERED, DONE]

    def filters(table: sa.Table, kind: str) -> list[sa.ColumnElement[bool]]:
        chosen = (
            table.c.id.in_(numbers[kind]) & (table.c.state != ERASED)
            if numbers
            else _any_state(table, states)
        )
        return [chosen, *([table.c.source == source] if source else [])]

    wanted = filters(items, "i")
    for rows in _walk(db, items, wanted, items.c.receipt_id, *_SENDABLE):
        _replay_items(db, rows, level, done, dry_run)
    # The items stand for their receipts: one whose lead is sent again is not counted
    # once more, nor is one that was trimmed when all its leads were delivered.
    its_items = sa.select(items.c.id).where(items.c.receipt_id == receipts.c.id)
    alone = ~its_items.where(*wanted).exists() & (
        _HAS_BODY.element | ~its_items.exists()
    )
    for rows in _walk(db, receipts, [*filters(receipts, "r"), alone], _HAS_BODY):
        ids = [row.id for row in rows if row.has_body]
        done.gone += len(rows) - len(ids)
        done.receipts += len(ids)
        if ids and not dry_run:
            _parse_again(db, ids, level)
    return done


def dismiss(
    db: Database, note: str, *, source: str | None = None, keys: Iterable[str] = ()
) -> Dismissed:
    """Put parked things aside for good; all of them, or a source's, or ``keys``.

    ``note`` (who, when, why) is added to the reason. The rows stay; bytes and
    submissions go after ``keep_days``.
    """
    done = Dismissed()
    chosen = list(keys)
    numbers = _numbers(chosen)
    with db.write() as conn:
        for kind, table in (("i", items), ("r", receipts)):
            where = [is_state(table, PARKED)]
            if source:
                where.append(table.c.source == source)
            if numbers:
                where.append(table.c.id.in_(numbers[kind]))
            count = conn.execute(
                sa.update(table)
                .where(*where)
                .values(
                    state=DISMISSED,
                    reason=sa.func.coalesce(table.c.reason, "") + clean(f" ({note})"),
                )
            ).rowcount
            if table is items:
                done.items = count
            else:
                done.receipts = count
    if chosen:
        done.others = len(set(chosen)) - done.items - done.receipts
    return done


def _numbers(keys: Iterable[str]) -> dict[str, list[int]]:
    """The ids in keys such as i12 and r7, by kind; {} without keys."""
    numbers: dict[str, list[int]] = {}
    for key in keys:
        numbers = numbers or {"i": [], "r": []}
        numbers[key[0]].append(int(key[1:]))
    return numbers


def _any_state(table: sa.Table, states: Iterable[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(is_state(table, state) for state in states))


_HAS_BODY = receipts.c.body.is_not(None).label("has_body")
_SENDABLE = (
    items.c.submission.is_not(None).label("has_submission"),
    items.c.reference.is_not(None).label("has_reference"),
)


def _walk(
    db: Database,
    table: sa.Table,
    where: list[sa.ColumnElement[bool]],
    *columns: sa.ColumnElement[Any],
) -> Iterable[list[Any]]:
    last = 0
    while True:
        with db.read() as conn:
            rows = list(
                conn.execute(
                    sa.select(table.c.id, *columns)
                    .where(table.c.id > last, *where)
                    .order_by(table.c.id)
                    .limit(_STEP)
                )
            )
        if not rows:
            return
        last = rows[-1].id
        yield rows


def _replay_items(
    db: Database, rows: list[Any], level: int, done: Replayed, dry_run: bool
) -> None:
    wanted = {row.receipt_id for row in rows if row.receipt_id is not None}
    with db.read() as conn:
        alive = set(
            conn.scalars(
                sa.select(receipts.c.id).where(receipts.c.id.in_(wanted), _HAS_BODY)
            )
        )
    reparse, resend, reread = alive, [], []
    for row in rows:
        if row.receipt_id in alive:
            done.items += 1
        elif row.has_submission:
            resend.append(row.id)
        elif row.has_reference:
            reread.append(row.id)
        else:
            done.gone += 1
    done.items += len(resend) + len(reread)
    if dry_run:
        return
    _parse_again(db, list(reparse), level)
    for state, ids in ((WAITING, resend), (INCOMPLETE, reread)):
        if ids:
            with db.write() as conn:
                conn.execute(
                    sa.update(items)
                    .where(items.c.id.in_(ids))
                    .values(
                        state=state,
                        attempts=0,
                        next_attempt_at=0,
                        reason=None,
                        leased_until=0,
                        lease=None,
                    )
                )


def _parse_again(db: Database, ids: list[int], level: int) -> None:
    if ids:
        with db.write() as conn:
            conn.execute(
                sa.update(receipts)
                .where(receipts.c.id.in_(ids))
                .values(state=NEW, replay=level, reason=None)
            )
