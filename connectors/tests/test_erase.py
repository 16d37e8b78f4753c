# SPDX-License-Identifier: LGPL-3.0-or-later
"""A person leaves the inbox for good, and nobody else does. On both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import sqlalchemy as sa
from support.items import AT, item
from support.running import write_config
from test_cli import Run

from lead_connectors.errors import ConfigError
from lead_connectors.inbox import Inbox, report
from lead_connectors.inbox.erase import erase
from lead_connectors.inbox.person import Person
from lead_connectors.inbox.schema import items, receipts
from lead_connectors.inbox.store import receipt_row
from lead_connectors.inbox.upkeep import replay
from lead_connectors.odoo.client import IngestResult
from lead_connectors.sources.base import Item, Receipt
from lead_connectors.submission import Contact, Submission

CREATED = IngestResult("created", 11, 21, "")
EMAIL = "lena.vogt@example.com"
PHONE = "+491712345678"


@pytest.fixture
def inbox(inbox_url: str) -> Iterator[Inbox]:
    inbox = Inbox(inbox_url)
    inbox.open(alone=True)
    yield inbox
    inbox.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


def store(inbox: Inbox, *bodies: bytes, query: bytes = b"", at: datetime = AT) -> None:
    rows = [receipt_row("web", Receipt(b, at), b, (), query) for b in bodies]
    inbox.insert_receipts(rows)


def lena(key: str, **contact: str) -> Item:
    submission = Submission(
        channel="web",
        external_id=key,
        submitted_at=AT,
        contact=Contact(name="Lena Vogt", **contact),
    )
    return Item(key, submission)


def state_of(inbox: Inbox) -> dict[str, str]:
    with inbox.db.read() as conn:
        rows = conn.execute(sa.select(items).order_by(items.c.id)).all()
    for row in rows:
        if row.state == "erased":
            assert (row.submission, row.reference) == (None, None)
            assert row.reason == "erased today"
    return {row.external_id: row.state for row in rows}


def bodies(inbox: Inbox) -> list[Any]:
    with inbox.db.read() as conn:
        found = conn.execute(sa.select(receipts).order_by(receipts.c.id)).all()
    assert all("utm" not in row.meta for row in found if row.body is None)
    return [row.body and bytes(row.body) for row in found]


# -- who is meant ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "lena.vogt@example.com",
        "Lena <Lena.Vogt@EXAMPLE.com>, please",
        '{"email": "lena.vogt@example.com."}',
        json.dumps({"text": "write to\nlena.vogt@example.com"}),
        '{"email": "lena.vogt\\u0040example.com"}',
        urlencode({"email": "lena.vogt@example.com", "x": "ä"}),
        quote(urlencode({"page": "https://x.example/?mail=lena.vogt@example.com"})),
        "https://www.example.com/?email=lena.vogt%2540example.com",
    ],
)
def test_an_address_however_it_is_written(text: str) -> None:
    assert Person(EMAIL).in_text(text)
    assert Person(" mailto:Lena.Vogt@Example.com").in_bytes(text.encode("utf-16"))
    assert not Person("vogt@example.com").in_text(text)
    assert not Person("lena.vogt@example.co").in_text(text)
    assert not Person("lena.vogt@example.com.vn").in_text(text)


def test_an_address_with_a_plus() -> None:
    person = Person("lena+news@example.com")
    for text in (
        '{"email": "lena+news@example.com"}',
        '{"text": "to\\nlena+news@example.com"}',
        "email=lena%2Bnews%40example.com",
    ):
        assert person.in_text(text)
        assert not Person("news@example.com").in_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "+491712345678",
        "p:+49 171 2345678",
        "0049 (171) 234-5678",
        "+49 (0)171 / 2345678",
        "0171 2345678",
        "1712345678",
        '{"phone": 491712345678}',
        "tel=%2B49+171+2345678",
        "tel=0171+2345678&x=1",
        "2026-11-22T08:49:14+00:00 0171 2345678",
        "٠١٧١ ٢٣٤٥٦٧٨",
        json.dumps("٠١٧١٢٣٤٥٦٧٨"),
    ],
)
def test_a_number_however_it_is_written(text: str) -> None:
    assert Person(PHONE).in_text(text)
    assert Person("0049 171 2345678").in_bytes(text.encode())
    assert not Person("+4917123456789").in_text(text)
    assert not Person("+49712345678").in_text(text)


@pytest.mark.parametrize(
    "text", ["+44 171 2345678", "0033 171 2345678", "91712345678", "17123456780", "171"]
)
def test_a_number_of_somebody_else(text: str) -> None:
    assert not Person(PHONE).in_text(text)


def test_numbers_of_other_countries() -> None:
    assert Person("+79161234567").in_text("8 (916) 123-45-67")
    assert Person("+16505550123").in_text("1-650-555-0123")
    assert Person("+16505550123").in_text("(650) 555-0123")
    assert Person("+390669812345").in_text("06 698 12345")


@pytest.mark.parametrize(
    "text", ["", "Lena Vogt", "0171 2345678", "@example.com", "12"]
)
def test_what_is_no_person(text: str) -> None:
    with pytest.raises(ConfigError, match="neither"):
        Person(text)


# -- what is erased -------------------------------------------------------------------


def test_only_this_person_goes(inbox: Inbox) -> None:
    raw = f"two people, one is {EMAIL}".encode()
    store(inbox, raw, b"somebody else", f"no lead: {EMAIL}".encode(), b"by query")
    store(inbox, b"{}", query=b"utm_source=x&email=lena.vogt%40example.com")
    with inbox.new_receipts(10, 1 << 20) as batch:
        two, other, bad, empty, asked = batch.receipts
        batch.found += [
            (two, [lena("lena", email=EMAIL), item("lan")]),
            (other, [item("an")]),
            (empty, []),
            (asked, []),
        ]
        batch.parked.append((bad, "no JSON"))
    inbox.mark_delivered((i, CREATED) for i in inbox.claim_waiting(1, 1 << 20))
    inbox.add_items("web", [lena("again", email="Lena.Vogt@example.com")])
    inbox.add_items("web", [lena("by phone", phone=PHONE)])
    before = state_of(inbox), bodies(inbox)

    found = erase(inbox.db, Person(EMAIL), "erased today", dry_run=True)
    assert (found.items, found.receipts) == (["i1", "i4"], ["r1", "r3", "r5"])
    assert (found.undelivered, found.unread) == (["i4"], 0)
    assert (state_of(inbox), bodies(inbox)) == before

    assert erase(inbox.db, Person(EMAIL), "erased today") == found
    assert state_of(inbox) == {
        "lena": "erased",
        "lan": "waiting",
        "an": "waiting",
        "again": "erased",
        "by phone": "waiting",
    }
    assert bodies(inbox) == [None, b"somebody else", None, b"by query", None]
    assert report.parked(inbox.db) == []
    assert len(erase(inbox.db, Person(EMAIL), "again").items) == 0
    assert erase(inbox.db, Person(PHONE), "erased today").items == ["i5"]
    sent = {i.external_id for i in inbox.claim_waiting(10, 1 << 20)}
    assert sent == {"lan", "an"}


def test_nothing_brings_the_person_back(inbox: Inbox) -> None:
    """Not a poll, not the platform's second try, not a replay of everything."""
    reference = Item("lena", reference={"leadgen_id": "lena"})
    store(inbox, b"only ids")
    with inbox.new_receipts(10, 1 << 20) as batch:
        batch.found.append((batch.receipts[0], [reference]))
    inbox.add_items("web", [lena("lena", email=EMAIL)])
    [claimed] = inbox.claim_waiting(10, 1 << 20)
    assert erase(inbox.db, Person(EMAIL), "erased today").items == ["i1"]
    inbox.mark_delivered([(claimed, CREATED)])  # it was on its way just then
    inbox.retry([(claimed, "no answer", 0)])
    assert state_of(inbox) == {"lena": "erased"}

    assert inbox.add_items("web", [lena("lena", email=EMAIL)]) == 0
    store(inbox, b"only ids")
    for replayed in (False, True):
        with inbox.new_receipts(10, 1 << 20) as batch:
            assert batch.receipts
            batch.found += [(one, [reference]) for one in batch.receipts]
        assert state_of(inbox) == {"lena": "erased"}
        if not replayed:
            replay(inbox.db, everything=True)
            replay(inbox.db, keys=["i1"])
    assert replay(inbox.db, keys=["i1"]).items == 0
    assert state_of(inbox) == {"lena": "erased"}


def test_an_unread_request_is_left_for_the_next_time(inbox: Inbox) -> None:
    store(inbox, EMAIL.encode())
    inbox.add_items("web", [Item("x", reference={"id": "x"})])
    assert erase(inbox.db, Person(EMAIL), "erased today").unread == 2
    assert bodies(inbox) == [EMAIL.encode()]


def test_an_id_that_is_the_address(inbox: Inbox) -> None:
    """A file whose `external_id` is mapped to its e-mail column."""
    inbox.add_items("files", [lena(EMAIL, email=EMAIL)])
    found = erase(inbox.db, Person(EMAIL), "erased today")
    assert found.items == found.named == ["i1"]
    assert inbox.add_items("files", [lena(EMAIL, email=EMAIL)]) == 0


def test_nothing_is_left_in_the_files(tmp_path: Path) -> None:
    """Neither in pages that are free now, nor in the log of changes."""
    inbox = Inbox(f"sqlite:///{tmp_path / 'inbox.sqlite'}")
    inbox.open(alone=True)
    filler = [f"n{n}@example.org {'x' * (n * 37 % 9000)}".encode() for n in range(300)]
    mine = [f"{EMAIL} {'y' * size}".encode() for size in (10, 3000, 90_000)]
    store(inbox, *filler[:150], *mine, *filler[150:])
    with inbox.new_receipts(1000, 1 << 30) as batch:
        for n, one in enumerate(batch.receipts):
            found = lena(f"l{n}", email=EMAIL) if n in (150, 151) else item(n)
            batch.found.append((one, [found]))
    inbox.mark_delivered((i, CREATED) for i in inbox.claim_waiting(1000, 1 << 30))
    assert EMAIL.encode() in files(tmp_path)
    erase(inbox.db, Person(EMAIL), "erased today")
    assert EMAIL.encode() not in files(tmp_path)
    assert b"n299@example.org" in files(tmp_path)
    inbox.close()


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("inbox.sqlite*"))


# -- the command ----------------------------------------------------------------------


def test_the_command(tmp_path: Path, inbox_url: str, run: Run) -> None:
    config = write_config(tmp_path, inbox=f'url = "{inbox_url}"')
    inbox = Inbox(inbox_url)
    inbox.open(alone=True)
    leads = [{"id": "l", "email": EMAIL}, {"id": "o", "email": "lan@example.com"}]
    body = json.dumps({"leads": leads}).encode()
    inbox.insert_receipts([receipt_row("signed", Receipt(body, AT), body, (), b"")])
    command = ("erase", EMAIL.upper(), "--config", config)

    code, text = run("erase", "Lena Vogt", "--config", config)
    assert code == 2 and "country code" in text
    code, text = run(*command, "--dry-run", "--json")
    assert (code, json.loads(text)["receipts"]) == (0, ["r1"])
    assert bodies(inbox) == [body]
    code, text = run(*command)  # reads it first: the other lead must not go
    assert code == 0 and "1 items, 1 raw requests are erased" in text
    assert "not in Odoo yet, and never will be: i1" in text
    assert EMAIL not in text.lower() and "Privacy Lookup" in text
    assert bodies(inbox) == [None]
    assert [i.external_id for i in inbox.claim_waiting(10, 1 << 20)] == ["o"]
    code, text = run(*command, "--json")
    assert code == 0 and json.loads(text) == {
        "items": [],
        "receipts": [],
        "undelivered": [],
        "named": [],
        "unread": 0,
        "dry_run": False,
    }
    code, text = run("status", "--config", config)
    assert code == 0 and "erased" in text
    inbox.close()
