# SPDX-License-Identifier: LGPL-3.0-or-later
"""Leads put straight into an inbox, and workers run without threads."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lead_connectors.deliver.worker import Worker
from lead_connectors.inbox import Inbox, report
from lead_connectors.sources.base import Item
from lead_connectors.submission import Contact, Submission

AT = datetime(2026, 11, 22, 8, 49, 14, tzinfo=UTC)


def item(key: Any, **contact: str) -> Item:
    """A whole lead; each key is a person of their own."""
    submission = Submission(
        channel="web",
        external_id=str(key),
        submitted_at=AT,
        contact=Contact(email=f"lan.{key}@example.com", **contact),
    )
    return Item(str(key), submission)


def fill(inbox: Inbox, keys: Iterable[Any], source: str = "web") -> None:
    inbox.add_items(source, [item(key) for key in keys])


@contextlib.contextmanager
def reopened(folder: Path) -> Iterator[Inbox]:
    """The inbox of a folder, as a service that starts finds it."""
    inbox = Inbox(f"sqlite:///{folder / 'inbox.sqlite'}")
    inbox.open(alone=True)
    try:
        yield inbox
    finally:
        inbox.close()


def run_until_quiet(worker: Worker, inbox: Inbox, within: float = 20) -> None:
    """Step until nothing waits."""
    end = time.monotonic() + within
    while report.live(inbox.db)["waiting"]:
        assert time.monotonic() < end, report.live(inbox.db)
        time.sleep(min(worker.step(), 0.005))
