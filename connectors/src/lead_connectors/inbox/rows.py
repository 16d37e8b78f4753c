# SPDX-License-Identifier: LGPL-3.0-or-later
"""The inbox's rows and what they are outside of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any
from urllib.parse import parse_qsl

from lead_connectors.inbox.schema import INCOMPLETE, WAITING
from lead_connectors.sources.base import Item, Receipt

__all__ = [
    "INSERT_SIZES",
    "ParseBatch",
    "ReceiptRow",
    "StoredItem",
    "StoredReceipt",
    "clean",
    "first_within",
    "insert_sql",
    "item_row",
    "receipt_row",
    "stored_receipt",
]

# source, received_at (seconds since 1970), size, meta (JSON), body
ReceiptRow = tuple[str, float, int, str, bytes]


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A receipt to be parsed. ``replay``: see the schema."""

    id: int
    source: str
    replay: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class StoredItem:
    """A claimed item. ``submission`` and ``reference`` are JSON texts."""

    id: int
    source: str
    external_id: str
    created_at: float
    attempts: int
    lease: str
    submission: str | None
    reference: str | None


class ParseBatch:
    """Receipts being parsed; ``finish`` says what was found in each of them."""

    def __init__(self, stored: list[StoredReceipt]) -> None:
        self.receipts = stored
        self.found: list[tuple[StoredReceipt, Sequence[Item]]] = []
        self.parked: list[tuple[StoredReceipt, str]] = []
        self.dismissed: list[tuple[StoredReceipt, str]] = []


def receipt_row(
    source: str,
    request: Receipt,
    body: bytes,
    headers: tuple[tuple[str, str], ...],
    query: bytes,
) -> ReceiptRow:
    """What ``Inbox.insert_receipts`` stores for a request."""
    return (
        source,
        request.received_at.timestamp(),
        len(body),
        _meta(request.method, request.content_type, headers, query),
        body,
    )


def _meta(
    method: str, content_type: str, headers: tuple[tuple[str, str], ...], query: bytes
) -> str:
    """The JSON object that ``stored_receipt`` reads, in a third of json.dumps's time:
    it is made while a platform waits."""
    kept = ", ".join([f"{_quoted(key)}: {_quoted(value)}" for key, value in headers])
    asked = json.dumps(dict(parse_qsl(query.decode("latin-1")))) if query else "{}"
    return (
        f'{{"method": {_quoted(method)}, "content_type": {_quoted(content_type)},'
        f' "headers": {{{kept}}}, "query": {asked}}}'
    )


# One statement for many rows: row by row, the driver would hand Python's lock to and
# fro for each of them, while the event loop wants it. Few sizes, so few statements.
INSERT_SIZES = (256, 64, 16, 4, 1)


@functools.cache
def insert_sql(rows: int, mark: str) -> str:
    """An INSERT of so many ``ReceiptRow``; ``mark`` stands for a parameter."""
    row = f"({mark}, {mark}, {mark}, {mark}, {mark}, 'new', 0)"
    return (
        "INSERT INTO receipts (source, received_at, size, meta, body, state, replay)"
        f" VALUES {', '.join([row] * rows)}"
    )


def clean(text: str | None) -> str | None:
    """A text every database can hold: no NUL, no half of a surrogate pair."""
    if text is None:
        return None
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def item_row(
    source: str, item: Item, receipt_id: int | None, now: float
) -> dict[str, Any]:
    """The row of a new item; ``now`` in seconds since 1970."""
    submission = reference = None
    if item.submission is not None:
        submission = json.dumps(item.submission.to_odoo())
    if item.reference:
        reference = json.dumps(dict(item.reference))
    return {
        "source": source,
        "external_id": clean(item.external_id),
        "receipt_id": receipt_id,
        "created_at": now,
        "state": INCOMPLETE if submission is None else WAITING,
        "size": len(submission or ""),
        "reference": reference,
        "submission": submission,
    }


def stored_receipt(row: Any) -> StoredReceipt:
    """A row of ``receipts`` as what came in."""
    meta = json.loads(row.meta)
    receipt = Receipt(
        body=bytes(row.body or b""),
        received_at=datetime.fromtimestamp(row.received_at, UTC),
        method=meta["method"],
        content_type=meta["content_type"],
        headers=meta["headers"],
        query=meta["query"],
    )
    return StoredReceipt(row.id, row.source, row.replay, receipt)


def first_within(sizes: Sequence[Any], max_bytes: int) -> list[int]:
    """The first ids whose sizes add up to at most ``max_bytes``, and at least one."""
    ids: list[int] = []
    total = 0
    for row in sizes:
        total += row.size
        if ids and total > max_bytes:
            break
        ids.append(row.id)
    return ids
