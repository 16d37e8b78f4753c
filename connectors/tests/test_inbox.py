# SPDX-License-Identifier: LGPL-3.0-or-later
"""The inbox on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from support.items import fill, item

from lead_connectors.errors import ConfigError
from lead_connectors.inbox import Inbox, marks, report, trim, upkeep
from lead_connectors.inbox.schema import items, receipts, schema_version
from lead_connectors.inbox.store import receipt_row
from lead_connectors.odoo.client import IngestResult
from lead_connectors.sources.base import Item, Receipt

CREATED = IngestResult("created", 11, 21, "")
DUPLICATE = IngestResult("duplicate", 11, 21, "")


@pytest.fixture
def inbox(inbox_url: str) -> Iterator[Inbox]:
    inbox = Inbox(inbox_url)
    inbox.open(alone=True)
    yield inbox
    inbox.close()


def store(inbox: Inbox, *bodies: bytes, source: str = "web") -> None:
    at = datetime(2025, 11, 22, 8, 49, 14, 250000, tzinfo=UTC)
    inbox.insert_receipts(
        [
            receipt_row(
                source,
                Receipt(body, at, content_type="text/plain"),
                body,
                (("content-type", "text/plain"),),
                b"a=1&b=%C3%A9",
            )
            for body in bodies
        ]
    )


def state_of(inbox: Inbox, key: str) -> Any:
    with inbox.db.read() as conn:
        return conn.execute(sa.select(items).where(items.c.external_id == key)).one()


def test_a_receipt_comes_back_as_it_was(inbox: Inbox) -> None:
    body = bytes(range(256))
    store(inbox, body)
    with inbox.new_receipts(10, 1 << 20) as batch:
        [stored] = batch.receipts
        batch.found.append((stored, []))
    assert stored.receipt.body == body
    assert stored.receipt.received_at.microsecond == 250000
    assert stored.receipt.query == {"a": "1", "b": "é"}
    assert stored.receipt.headers == {"content-type": "text/plain"}
    with inbox.new_receipts(10, 1 << 20) as batch:
        assert batch.receipts == []


@pytest.mark.parametrize("count", [1, 3, 16, 341, 1000])
def test_any_number_in_one_transaction(inbox: Inbox, count: int) -> None:
    store(inbox, *[b"%d" % number for number in range(count)])
    with inbox.db.read() as conn:
        bodies = conn.scalars(sa.select(receipts.c.body).order_by(receipts.c.id)).all()
    assert [int(body) for body in bodies] == list(range(count))


def test_batches_are_limited_in_bytes_and_never_empty(inbox: Inbox) -> None:
    store(inbox, b"x" * 900, b"x" * 200, b"x")
    with inbox.new_receipts(10, 1000) as batch:
        assert len(batch.receipts) == 1
        batch.found += [(stored, []) for stored in batch.receipts]
    with inbox.new_receipts(10, 10) as batch:
        assert len(batch.receipts) == 1


def test_what_comes_twice_is_one(inbox: Inbox) -> None:
    assert inbox.add_items("web", [item("a"), item("b"), item("a")]) == 2
    assert inbox.add_items("web", [item("b"), item("c")]) == 1
    assert inbox.add_items("other", [item("a")]) == 1
    assert len(inbox.claim_waiting(10, 1 << 20)) == 4


def test_a_poll_completes_what_a_webhook_referred_to(inbox: Inbox) -> None:
    inbox.add_items("web", [Item("a", reference={"id": "a"})])
    assert inbox.claim_waiting(10, 1 << 20) == []
    assert inbox.add_items("web", [item("a")]) == 1
    assert [i.external_id for i in inbox.claim_waiting(10, 1 << 20)] == ["a"]


def test_a_double_click_with_two_ids_is_one(inbox: Inbox) -> None:
    first = item("t1")
    second = Item("t2", item("t2").submission, same_as=("t1", "t0"))
    assert inbox.add_items("web", [first]) == 1
    assert inbox.add_items("web", [second]) == 0
    assert inbox.add_items("other", [second]) == 1  # another source, another lead
    both = Item("t9", item("t9").submission), Item("t8", None, {"a": 1}, ("t9",))
    assert inbox.add_items("web", both) == 1


def test_ids_that_no_database_can_hold(inbox: Inbox) -> None:
    """NUL and halves of surrogate pairs come in; no neighbour suffers."""
    nasty = [Item(key, reference={"k": key}) for key in ("a\x00b", "\ud800", "ok")]
    assert inbox.add_items("web", nasty) == 3
    assert inbox.add_items("web", nasty) == 0


def test_a_lost_claim_changes_nothing(inbox: Inbox) -> None:
    fill(inbox, ["a"])
    [old] = inbox.claim_waiting(10, 1 << 20)
    inbox.release([old])
    [new] = inbox.claim_waiting(10, 1 << 20)
    inbox.park([(old, "too late")])
    inbox.retry([(old, "too late", 1)])
    inbox.release([old])
    assert state_of(inbox, "a").state == "waiting"
    assert inbox.claim_waiting(10, 1 << 20) == []
    inbox.mark_delivered([(new, CREATED)])
    row = state_of(inbox, "a")
    assert (row.state, row.status, row.lead_id) == ("delivered", "created", 21)


def test_a_second_answer_keeps_the_first_status(inbox: Inbox) -> None:
    fill(inbox, ["a", "b"])
    claimed = inbox.claim_waiting(10, 1 << 20)
    inbox.mark_delivered((i, CREATED) for i in claimed)
    inbox.mark_delivered((i, DUPLICATE) for i in claimed)
    assert state_of(inbox, "b").status == "created"


def test_replay_of_what_was_parked(inbox: Inbox) -> None:
    store(inbox, b"bad", b"good")
    with inbox.new_receipts(10, 1 << 20) as batch:
        batch.parked.append((batch.receipts[0], "no JSON"))
        batch.found.append((batch.receipts[1], [item("x")]))
    fill(inbox, ["polled"])
    inbox.park((i, "no") for i in inbox.claim_waiting(10, 1 << 20))
    assert report.live(inbox.db)["parked"] == 2

    assert upkeep.replay(inbox.db, dry_run=True) == upkeep.Replayed(1, 2, 0)
    assert report.live(inbox.db)["new"] == 0
    assert upkeep.replay(inbox.db) == upkeep.Replayed(1, 2, 0)
    assert [i.external_id for i in inbox.claim_waiting(10, 1 << 20)] == ["polled"]
    with inbox.new_receipts(10, 1 << 20) as batch:
        assert [stored.replay for stored in batch.receipts] == [1, 1]
        # the mapping was corrected meanwhile: the new submission counts
        batch.found += [(batch.receipts[0], [item("y")])]
        batch.found += [(batch.receipts[1], [item("x", name="Lan Trần")])]
    found = {i.external_id: i.submission for i in inbox.claim_waiting(10, 1 << 20)}
    assert set(found) == {"x", "y"} and "Lan Tr" in str(found["x"])


def test_replay_leaves_delivered_neighbours_alone(inbox: Inbox) -> None:
    store(inbox, b"two")
    with inbox.new_receipts(10, 1 << 20) as batch:
        batch.found.append((batch.receipts[0], [item("ok"), item("bad")]))
    ok, bad = inbox.claim_waiting(10, 1 << 20)
    inbox.mark_delivered([(ok, CREATED)])
    inbox.park([(bad, "no")])
    upkeep.replay(inbox.db)
    with inbox.new_receipts(10, 1 << 20) as batch:
        batch.found.append((batch.receipts[0], [item("ok"), item("bad")]))
    assert [i.external_id for i in inbox.claim_waiting(10, 1 << 20)] == ["bad"]


def test_trimming_keeps_rows_and_whatever_is_not_delivered(inbox: Inbox) -> None:
    store(inbox, b"delivered", b"waiting", b"parked")
    with inbox.new_receipts(10, 1 << 20) as batch:
        first, second, third = batch.receipts
        batch.found += [(first, [item("a")]), (second, [item("b")])]
        batch.parked.append((third, "no"))
    done, _ = inbox.claim_waiting(10, 1 << 20)
    inbox.mark_delivered([(done, CREATED)])
    assert trim.trim(inbox.db, keep_days=1) is not None  # received long ago
    assert state_of(inbox, "a").submission is not None  # delivered just now
    after: int | None = 0
    while after is not None:
        after = trim.trim(inbox.db, keep_days=-1, after=after)
    with inbox.db.read() as conn:
        bodies = conn.scalars(sa.select(receipts.c.body).order_by(receipts.c.id)).all()
    assert bodies == [None, b"waiting", b"parked"]
    assert state_of(inbox, "a").submission is None
    assert state_of(inbox, "b").submission is not None
    # still known as one, and honest about what a replay can't do any more
    assert inbox.add_items("web", [item("a")]) == 0
    assert upkeep.replay(inbox.db, everything=True, dry_run=True).gone >= 1


def test_counts(inbox: Inbox) -> None:
    assert report.oldest(inbox.db) is None
    store(inbox, b"raw")
    fill(inbox, ["a", "b", "c"])
    [a, *_] = inbox.claim_waiting(1, 1 << 20)
    inbox.mark_delivered([(a, CREATED)])
    counted = {(c.what, c.state, c.status): c.count for c in report.counts(inbox.db)}
    assert counted == {
        ("item", "delivered", "created"): 1,
        ("item", "waiting", ""): 2,
        ("receipt", "new", ""): 1,
    }
    assert (report.oldest(inbox.db) or 0) > 0


def test_marks(inbox: Inbox) -> None:
    marks.put(inbox.db, "web", seen_until=5.5)
    marks.problem(inbox.db, "web", "token refused")
    found = marks.get(inbox.db, "web")
    assert (found.seen_until, found.problem) == (5.5, "token refused")
    marks.problem(inbox.db, "web", None)
    [found] = marks.all_marks(inbox.db)
    assert found.problem is None and found.ok_at is not None


def test_an_inbox_of_a_newer_release(inbox: Inbox) -> None:
    inbox.open()  # again, harmless
    with inbox.db.write() as conn:
        conn.execute(sa.update(schema_version).values(version=99))
    with pytest.raises(ConfigError, match="newer release"):
        inbox.open()


def test_the_work_is_found_by_an_index(tmp_path: Any) -> None:
    """With millions of delivered rows, looking for work must not read them."""
    inbox = Inbox(f"sqlite:///{tmp_path / 'i.sqlite'}")
    inbox.open()
    queries = {
        "SELECT id, size FROM items WHERE state = 'waiting' AND (next_attempt_at <= 1"
        " OR next_attempt_at > 5) AND (leased_until <= 1 OR leased_until > 9)"
        " ORDER BY id LIMIT 9": "items_waiting",
        "SELECT id, size FROM receipts WHERE state = 'new' ORDER BY id LIMIT 9": (
            "receipts_new"
        ),
        "SELECT id FROM items WHERE state = 'incomplete' AND source = 'a'"
        " ORDER BY id LIMIT 9": "items_incomplete",
        "SELECT count(*) FROM items WHERE state = 'parked'": "items_parked",
        "SELECT id FROM items WHERE state = 'delivered' AND submission IS NOT NULL"
        " AND delivered_at < 5 LIMIT 9": "items_untrimmed",
    }
    with inbox.db.read() as conn:
        for query, index in queries.items():
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
            assert index in str(plan), (query, plan)
            assert "TEMP B-TREE" not in str(plan)
    inbox.close()
