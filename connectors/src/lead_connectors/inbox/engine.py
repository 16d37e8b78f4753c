# SPDX-License-Identifier: LGPL-3.0-or-later
"""Connections to the inbox's database, SQLite or PostgreSQL, and its schema."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from lead_connectors.errors import ConfigError, ConnectorError
from lead_connectors.inbox import schema

__all__ = ["Database", "InboxUnavailable"]

# Any number does, as long as no other program of the same database takes it.
_MIGRATION_LOCK = 0x6C656164


class InboxUnavailable(ConnectorError):
    """The database can't be read or written now (disk full, no connection)."""


class Database:
    """One engine, with `read()` and `write()` transactions.

    ``clock`` gives seconds since 1970. On PostgreSQL the server's clock is used, so
    that all replicas live in one time.
    """

    def __init__(self, url: str) -> None:
        parsed = sa.make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        # where it is, without the password
        self.where = parsed.render_as_string(hide_password=True)
        self.path = parsed.database if self.is_sqlite else None
        # SQLite lets one write at a time and makes the others poll; a lock is fairer.
        self._write_lock: contextlib.AbstractContextManager[Any]
        if self.is_sqlite:
            self._write_lock = threading.Lock()
            self.engine = sa.create_engine(
                parsed,
                connect_args={"timeout": 30, "check_same_thread": False},
                pool_size=8,
                max_overflow=8,
            )
            sa.event.listen(self.engine, "connect", _sqlite_connect)
            sa.event.listen(self.engine, "begin", _sqlite_begin)
        else:
            self._write_lock = contextlib.nullcontext()
            try:
                self.engine = sa.create_engine(
                    parsed, pool_pre_ping=True, pool_size=8, max_overflow=8
                )
            except ModuleNotFoundError:
                raise ConfigError(
                    "an inbox on PostgreSQL needs psycopg:"
                    " pip install 'lead-connectors[postgres]'"
                ) from None
        self._writer = self.engine.execution_options(write=True)

    def clock(self, conn: sa.Connection) -> float:
        """Seconds since 1970 by the one clock that leases are measured with."""
        if self.is_sqlite:
            return time.time()
        seconds = sa.func.extract("epoch", sa.func.clock_timestamp())
        return float(conn.scalar(sa.select(sa.cast(seconds, sa.Double))) or 0)

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one moment. Raises InboxUnavailable."""
        with _translated(self.where), self.engine.connect() as conn:
            yield conn

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is on disk when this returns. Raises InboxUnavailable."""
        with _translated(self.where), self._write_lock, self._writer.begin() as conn:
            yield conn

    def migrate(self) -> None:
        """Create or upgrade the tables; several replicas may try at once."""
        if self.path is not None:
            _create_private(self.path)
        with self.write() as conn:
            if not self.is_sqlite:
                conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            schema.metadata.create_all(conn)
            found = conn.scalar(sa.select(schema.schema_version.c.version))
            if found is None:
                conn.execute(
                    sa.insert(schema.schema_version).values(version=schema.VERSION)
                )
            elif found > schema.VERSION:
                raise ConfigError(
                    f"the inbox {self.where} was written by a newer release (schema"
                    f" {found}, this one knows {schema.VERSION}): install that release"
                )
            elif found < schema.VERSION:
                # 2 has more states, and indexes for them
                for table in schema.metadata.tables.values():
                    for index in table.indexes:
                        index.create(conn, checkfirst=True)
                conn.execute(
                    sa.update(schema.schema_version).values(version=schema.VERSION)
                )

    def forget(self) -> None:
        """Leave nothing of what was deleted in SQLite's files.

        The pages are overwritten already (``secure_delete``), but their old contents
        stand in the -wal until it is written back. Raises InboxUnavailable when others
        hold it for long. PostgreSQL does this by its vacuum.
        """
        if not self.is_sqlite:
            return
        with _translated(self.where), self._write_lock, self.engine.connect() as conn:
            raw = conn.connection.driver_connection
            assert raw is not None
            busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise InboxUnavailable(
                f"inbox {self.where}: erased, but the old bytes stand in the -wal until"
                " others let go of it: run it again"
            )

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _create_private(path: str) -> None:
    """An empty file for the owner alone, whatever the umask; -wal and -shm follow it.

    Only where there is none yet: closing a second handle of a database file would drop
    the locks that SQLite holds on it. What is wrong with the folder SQLite itself says.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


@contextlib.contextmanager
def _translated(where: str) -> Iterator[None]:
    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        # the driver's words alone: SQLAlchemy's would show the rows
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise InboxUnavailable(f"inbox {where}: {cause}") from None


def _sqlite_connect(connection: Any, record: Any) -> None:
    # We say ourselves when transactions begin: the driver's own way starts them late.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a commit is on disk when it returns
        "foreign_keys=ON",
        "secure_delete=ON",  # what is trimmed or erased is gone from the file
        "journal_size_limit=67108864",
        "cache_size=-4096",  # 4 MB a connection: memory is promised to be small
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _sqlite_begin(conn: sa.Connection) -> None:
    write = conn.get_execution_options().get("write")
    # IMMEDIATE: wait for the writer's turn at the start, never fail in the middle
    conn.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
