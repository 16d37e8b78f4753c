# SPDX-License-Identifier: LGPL-3.0-or-later
"""Replay and trimming. Both walk in small transactions, so that nobody waits long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lead_connectors.inbox.engine import Database
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

__all__ = ["Replayed", "replay", "trim"]

_STEP = 500


@dataclass(slots=True)
class Replayed:
    """How many receipts are parsed again, items sent again, and items not possible.

    ``gone``: nothing is left to send, because the bytes were trimmed.
    """

    receipts: int = 0
    items: int = 0
    gone: int = 0


def replay(
    db: Database,
    *,
    source: str | None = None,
    everything: bool = False,
    keys: Iterable[str] = (),
    dry_run: bool = False,
) -> Replayed:
    """Send parked things again; with ``everything`` delivered ones too.

    Items whose receipt still has its bytes are parsed anew, so that a corrected
    mapping counts. ``keys``: only these, as ``status`` shows them (i12, r7).
    Odoo answers ``duplicate`` for what it has; no second lead comes of it.
    """
    done = Replayed()
    numbers = {"i": [0], "r": [0]}  # never an empty list: the filter must stay
    chosen = list(keys)
    for key in chosen:
        numbers[key[0]].append(int(key[1:]))

    def filters(table: sa.Table, kind: str) -> list[sa.ColumnElement[bool]]:
        wanted = []
        if source:
            wanted.append(table.c.source == source)
        if chosen:
            wanted.append(table.c.id.in_(numbers[kind]))
        elif table is items:
            wanted.append(
                table.c.state.in_((PARKED, DELIVERED))
                if everything
                else is_state(table, PARKED)
            )
        else:
            wanted.append(
                table.c.state.in_((PARKED, DONE))
                if everything
                else is_state(table, PARKED)
            )
        return wanted

    level = 2 if everything or chosen else 1
    # items first: their receipts are still told apart from those parsed anew below
    for rows in _walk(db, items, filters(items, "i"), items.c.receipt_id, *_SENDABLE):
        _replay_items(db, rows, level, done, dry_run)
    for rows in _walk(db, receipts, filters(receipts, "r"), _HAS_BODY):
        ids = [row.id for row in rows if row.has_body]
        done.gone += len(rows) - len(ids)
        done.receipts += len(ids)
        if ids and not dry_run:
            _parse_again(db, ids, level)
    return done


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


def trim(
    db: Database, keep_days: float, after: int = 0, limit: int = 200
) -> int | None:
    """Drop up to ``limit`` bodies and submissions that are older and delivered.

    The rows stay, so that a repeat is still known as one. Call it again with what it
    returned as ``after``, until that is None: nothing is left to trim.
    """
    with db.read() as conn:
        before = db.clock(conn) - keep_days * 86400
        undelivered = (
            sa.select(items.c.id)
            .where(items.c.receipt_id == receipts.c.id, items.c.state != DELIVERED)
            .exists()
        )
        bodies = conn.scalars(
            sa.select(receipts.c.id)
            .where(receipts.c.id > after, receipts.c.body.is_not(None))
            .where(receipts.c.received_at < before)
            .where(receipts.c.state == DONE, ~undelivered)
            .order_by(receipts.c.id)
            .limit(limit)
        ).all()
        submissions = conn.scalars(
            sa.select(items.c.id)
            .where(is_state(items, DELIVERED), items.c.submission.is_not(None))
            .where(items.c.delivered_at < before)
            .limit(limit)
        ).all()
    if not bodies and not submissions:
        return None
    with db.write() as conn:
        conn.execute(
            sa.update(receipts)
            .where(receipts.c.id.in_(bodies), receipts.c.state == DONE)
            .values(body=None, meta=_TRIMMED)
        )
        conn.execute(
            sa.update(items)
            .where(items.c.id.in_(submissions), is_state(items, DELIVERED))
            .values(submission=None, reference=None)
        )
    return bodies[-1] if bodies else after


_TRIMMED = '{"method": "", "content_type": "", "headers": {}, "query": {}}'
