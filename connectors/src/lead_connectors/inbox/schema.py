# SPDX-License-Identifier: LGPL-3.0-or-later
"""The inbox's tables. Times are seconds since 1970 in UTC.

- ``receipts``: what came in, one raw request a row. It is what was acknowledged.
- ``items``: the leads found in receipts and by polls, one a row, and what became of
  them. ``(source, external_id)`` is unique: whatever comes twice is one.
- ``marks``: one row a source (and ``@odoo``): how far polls came, and what is wrong.

Wide columns stand last, so that counting never reads them.
"""

from __future__ import annotations

import sqlalchemy as sa

VERSION = 2

NEW, DONE = "new", "done"
INCOMPLETE, WAITING, DELIVERED = "incomplete", "waiting", "delivered"
# parked: a person must look. dismissed: somebody did, or nobody has to; it is sent
# again only when asked for by name. erased: never again, whatever brings it.
PARKED, DISMISSED, ERASED = "parked", "dismissed", "erased"

metadata = sa.MetaData()

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Bytes = sa.LargeBinary()

schema_version = sa.Table(
    "schema_version", metadata, sa.Column("version", sa.Integer, nullable=False)
)

receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("received_at", sa.Double, nullable=False),
    # new: to be parsed; done; parked: could not be parsed; dismissed
    sa.Column("state", sa.Text, nullable=False, default=NEW),
    # replay: 1 = parsing overwrites undelivered items, 2 = delivered ones too,
    # 3 = dismissed ones as well
    sa.Column("replay", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text),
    sa.Column("size", sa.Integer, nullable=False),
    # method, content type, kept headers and query as JSON
    sa.Column("meta", sa.Text, nullable=False),
    sa.Column("body", _Bytes),  # null once trimmed
    sqlite_autoincrement=True,
)

items = sa.Table(
    "items",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("receipt_id", _Id),  # null: found by a poll
    sa.Column("created_at", sa.Double, nullable=False),
    # incomplete: only a reference; waiting: ready for Odoo; delivered; parked;
    # dismissed; erased
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("next_attempt_at", sa.Double, nullable=False, default=0),
    sa.Column("leased_until", sa.Double, nullable=False, default=0),
    sa.Column("lease", sa.Text),
    sa.Column("delivered_at", sa.Double),
    sa.Column("status", sa.Text),  # Odoo's answer
    sa.Column("submission_id", _Id),
    sa.Column("lead_id", _Id),
    sa.Column("reason", sa.Text),
    sa.Column("size", sa.Integer, nullable=False, default=0),
    sa.Column("reference", sa.Text),  # JSON: what `complete` must read
    sa.Column("submission", sa.Text),  # JSON; null: to be completed, or trimmed
    sa.UniqueConstraint("source", "external_id", name="items_source_external_id"),
    sqlite_autoincrement=True,
)

marks = sa.Table(
    "marks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("seen_until", sa.Double),  # polls: everything before this was seen
    sa.Column("ok_at", sa.Double),
    sa.Column("problem", sa.Text),
    sa.Column("problem_at", sa.Double),
    sa.Column("reconciled_at", sa.Double),
)


def is_state(table: sa.Table, state: str) -> sa.ColumnElement[bool]:
    """The condition as the indexes below have it: a literal, not a parameter.

    SQLite uses a partial index only where it sees the same constant.
    """
    condition: sa.ColumnElement[bool] = table.c.state == sa.literal_column(f"'{state}'")
    return condition


# None on receipts.received_at: it would double the cost of the one write that a
# waiting platform sees.
def _partial(name: str, where: sa.ColumnElement[bool], *columns: str) -> None:
    """An index on the few rows that still need work, not on the millions that don't."""
    table = receipts if name.startswith("receipts") else items
    sa.Index(
        name,
        *(table.c[column] for column in columns),
        sqlite_where=where,
        postgresql_where=where,
    )


_partial("receipts_new", is_state(receipts, NEW), "id")
_partial("receipts_parked", is_state(receipts, PARKED), "id")
_partial("receipts_dismissed", is_state(receipts, DISMISSED), "source")
_partial("items_waiting", is_state(items, WAITING), "id")
_partial("items_incomplete", is_state(items, INCOMPLETE), "source", "id")
_partial("items_parked", is_state(items, PARKED), "id")
_partial(
    "items_untrimmed",
    is_state(items, DELIVERED) & items.c.submission.is_not(None),
    "delivered_at",
)
_partial(
    "items_dismissed_untrimmed",
    is_state(items, DISMISSED) & items.c.submission.is_not(None),
    "created_at",
)
sa.Index("items_count", items.c.source, items.c.state, items.c.status)
sa.Index("items_receipt", items.c.receipt_id)
