# SPDX-License-Identifier: LGPL-3.0-or-later
"""What is parked: replayed, dismissed, or too old at last. On both databases."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.items import fill, item, reopened
from support.running import live, wait_until, write_config

from lead_connectors.deliver.trimmer import Trimmer
from lead_connectors.inbox import Inbox, report
from lead_connectors.inbox.schema import items, receipts, schema_version
from lead_connectors.inbox.store import receipt_row
from lead_connectors.inbox.upkeep import Dismissed, Replayed, dismiss, replay
from lead_connectors.metrics import Metrics
from lead_connectors.odoo.client import IngestResult
from lead_connectors.odoo.memory import MemoryOdoo
from lead_connectors.sources.base import Receipt
from lead_connectors.testing.source_suite import NOW

CREATED = IngestResult("created", 11, 21, "")
DAY = 86400.0


@pytest.fixture
def inbox(inbox_url: str) -> Iterator[Inbox]:
    inbox = Inbox(inbox_url)
    inbox.open(alone=True)
    yield inbox
    inbox.close()


def store(inbox: Inbox, *bodies: bytes) -> None:
    rows = [receipt_row("web", Receipt(b, NOW), b, (), b"") for b in bodies]
    inbox.insert_receipts(rows)


def age(inbox: Inbox, days: float) -> None:
    """Everything there came so long ago."""
    at = time.time() - days * DAY
    with inbox.db.write() as conn:
        conn.execute(sa.update(items).values(created_at=at, delivered_at=at))
        conn.execute(sa.update(receipts).values(received_at=at))


def rows(inbox: Inbox, table: sa.Table) -> list[Any]:
    with inbox.db.read() as conn:
        return list(conn.execute(sa.select(table).order_by(table.c.id)))


def park_all(inbox: Inbox, reason: str = "Odoo failed") -> None:
    inbox.park((one, reason) for one in inbox.claim_waiting(100, 1 << 20))


def test_dismissed_is_no_problem_any_more(inbox: Inbox) -> None:
    store(inbox, b"no lead")
    with inbox.new_receipts(10, 1 << 20) as batch:
        batch.parked.append((batch.receipts[0], "no JSON"))
    fill(inbox, ["a", "b"])
    fill(inbox, ["c"], source="other")
    park_all(inbox)
    assert dismiss(inbox.db, "by ana: spam", keys=["i1", "r7"]) == Dismissed(0, 1, 1)
    assert dismiss(inbox.db, "by ana: old", source="web") == Dismissed(1, 1, 0)
    assert [one.key for one in report.parked(inbox.db)] == ["i3"]
    states = [(row.state, row.reason) for row in rows(inbox, items)]
    assert states[0] == ("dismissed", "Odoo failed (by ana: spam)")
    assert states[2] == ("parked", "Odoo failed")
    assert [row.reason for row in rows(inbox, receipts)] == ["no JSON (by ana: old)"]
    assert inbox.add_items("web", [item("a")]) == 0  # a repeat is still known
    assert ("receipt", "dismissed", 1) in {
        (count.what, count.state, count.count) for count in report.counts(inbox.db)
    }


def test_what_was_dismissed_comes_back_only_by_name(inbox: Inbox) -> None:
    store(inbox, b"two")
    with inbox.new_receipts(10, 1 << 20) as batch:
        batch.found.append((batch.receipts[0], [item("good"), item("spam")]))
    park_all(inbox)
    dismiss(inbox.db, "spam", keys=["i2"])
    for everything in (False, True):
        assert replay(inbox.db, everything=everything) == Replayed(0, 1, 0)
        with inbox.new_receipts(10, 1 << 20) as batch:
            batch.found.append((batch.receipts[0], [item("good"), item("spam")]))
        [good] = inbox.claim_waiting(10, 1 << 20)
        assert good.external_id == "good"
        inbox.mark_delivered([(good, CREATED)])
    assert replay(inbox.db, dismissed=True, dry_run=True) == Replayed(0, 1, 0)
    assert replay(inbox.db, keys=["i2"]) == Replayed(0, 1, 0)
    with inbox.new_receipts(10, 1 << 20) as batch:
        batch.found.append((batch.receipts[0], [item("spam")]))
    assert [i.external_id for i in inbox.claim_waiting(10, 1 << 20)] == ["spam"]


def test_too_old_is_given_up_and_its_data_goes(inbox: Inbox) -> None:
    store(inbox, b"no lead", b"robot", b"two")
    with inbox.new_receipts(10, 1 << 20) as batch:
        bad, robot, two = batch.receipts
        batch.parked.append((bad, "no JSON"))
        batch.dismissed.append((robot, "a robot"))
        batch.found.append((two, [item("a"), item("b")]))
    park_all(inbox)
    dismiss(inbox.db, "spam", keys=["i2"])
    metrics = Metrics()
    trimmer = Trimmer(inbox, 90, metrics)

    age(inbox, 89)
    while trimmer.step() < 100:
        pass
    assert report.parked_before(inbox.db, 83 * DAY) == 2  # `status` warns of them
    assert report.parked_before(inbox.db, 90 * DAY) == 0
    assert all(row.body for row in rows(inbox, receipts))
    assert all(row.submission for row in rows(inbox, items))

    age(inbox, 91)
    while trimmer.step() < 100:
        pass
    assert report.parked(inbox.db) == []
    found = rows(inbox, receipts)
    assert [(row.state, row.body) for row in found] == [
        ("dismissed", None),
        ("dismissed", None),
        ("done", None),
    ]
    assert found[0].reason == "no JSON (dismissed: nobody replayed it within 90 days)"
    assert {(row.state, row.submission) for row in rows(inbox, items)} == {
        ("dismissed", None)
    }
    too_old = metrics.dismissed.labels("web", "too_old")
    assert sum(s.value for m in too_old.collect() for s in m.samples[:1]) == 2
    assert replay(inbox.db, dismissed=True) == Replayed(0, 0, 4)


def test_waiting_leads_are_never_too_old(inbox: Inbox) -> None:
    store(inbox, b"one", b"new")
    with inbox.new_receipts(1, 1 << 20) as batch:
        batch.found.append((batch.receipts[0], [item("a")]))
    age(inbox, 1000)
    trimmer = Trimmer(inbox, 90, Metrics())
    while trimmer.step() < 100:
        pass
    assert all(row.body for row in rows(inbox, receipts))
    assert [i.external_id for i in inbox.claim_waiting(10, 1 << 20)] == ["a"]


@pytest.mark.parametrize("trimmed", [False, True])
def test_a_dry_run_counts_what_a_replay_does(inbox: Inbox, trimmed: bool) -> None:
    """Each lead once: its raw request is not counted beside it."""
    store(inbox, b"one", b"two", b"parked", b"no lead in it")
    with inbox.new_receipts(10, 1 << 20) as batch:
        one, two, bad, none = batch.receipts
        batch.found += [(one, [item("a")]), (two, [item("b"), item("c")]), (none, [])]
        batch.parked.append((bad, "no JSON"))
    inbox.mark_delivered((i, CREATED) for i in inbox.claim_waiting(2, 1 << 20))
    fill(inbox, ["polled"])
    park_all(inbox)
    if trimmed:
        with inbox.db.write() as conn:
            conn.execute(
                sa.update(receipts).where(receipts.c.state == "done").values(body=None)
            )
    expected = Replayed(1, 4, 1) if trimmed else Replayed(2, 4, 0)
    for dry_run in (True, False):
        assert replay(inbox.db, everything=True, dry_run=dry_run) == expected


def test_an_inbox_of_the_first_schema_is_upgraded(inbox: Inbox) -> None:
    fill(inbox, ["a"])
    with inbox.db.write() as conn:
        conn.exec_driver_sql("DROP INDEX receipts_dismissed")
        conn.exec_driver_sql("DROP INDEX items_dismissed_untrimmed")
        conn.execute(sa.update(schema_version).values(version=1))
    inbox.open()
    with inbox.db.read() as conn:
        names = {index["name"] for index in sa.inspect(conn).get_indexes("receipts")}
        assert conn.scalar(sa.select(schema_version.c.version)) == 2
    assert "receipts_dismissed" in names
    assert len(inbox.claim_waiting(10, 1 << 20)) == 1


def test_a_robot_bothers_nobody(tmp_path: Path) -> None:
    """From the web door to `status`: counted, and no problem."""
    import requests

    from lead_connectors.commands.status import gather

    form = """
[sources.website]
type = "form"
token = "env:TEST_TOKEN"
honeypot = "url"
"""
    odoo = MemoryOdoo()
    config = write_config(tmp_path, extra=form)
    with live(config, odoo) as (service, base):
        hook = f"{base}/hooks/website/4e5f6a7b-address-token"
        robot = {
            "name": "Ann Ito",
            "email": "ann@example.com",
            "url": "http://x.example",
        }
        assert requests.post(hook, data=robot, timeout=10).ok
        person = {"name": "Lan Trần", "email": "lan.tran@example.com", "url": ""}
        assert requests.post(hook, data=person, timeout=10).ok
        wait_until(lambda: len(odoo.rows) == 1)
        text = requests.get(f"{base}/metrics", timeout=10).text
        counted = 'lead_connectors_dismissed_total{source="website",why="robot"} 1.0'
        assert counted in text
        assert 'lead_connectors_parked_total{source="website"} 0.0' in text
    with reopened(tmp_path) as inbox:
        found = gather(inbox, 90)
        assert found["parked"] == [] and found["problems"] == []
        assert json.loads(json.dumps(found))["parked_soon_too_old"]["count"] == 0
        # a field that people fill in after all: nothing is lost
        assert replay(inbox.db, dismissed=True) == Replayed(1, 0, 0)
