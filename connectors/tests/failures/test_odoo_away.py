# SPDX-License-Identifier: LGPL-3.0-or-later
"""Odoo down and back, refusing us, or answering nonsense: waiting, never parking."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.items import fill, reopened, run_until_quiet
from support.odoo_server import Failing, OdooServer, Raw, odoo_server
from support.running import (
    free_port,
    leads_body,
    live,
    post,
    wait_until,
    write_config,
)

from lead_connectors.config import DeliverSection, load
from lead_connectors.deliver.deliverer import Deliverer
from lead_connectors.inbox import marks, report
from lead_connectors.inbox.schema import items
from lead_connectors.metrics import Metrics
from lead_connectors.service import make_odoo


def test_down_and_back(tmp_path: Path) -> None:
    """Nothing is claimed and no attempt counts while nobody answers."""
    port = free_port()
    config = write_config(tmp_path, odoo=f"http://127.0.0.1:{port}")
    with live(config) as (service, base):
        for number in range(30):
            assert post(base, leads_body(number)).status_code == 200
        wait_until(lambda: service.deliverer.breaker.half_open)
        time.sleep(1)
        with service.inbox.db.read() as conn:
            assert conn.scalar(sa.select(sa.func.max(items.c.attempts))) == 0
        problem = marks.get(service.inbox.db, marks.ODOO).problem
        assert problem and "Connection refused" in problem
        with odoo_server(port) as odoo:
            wait_until(lambda: len(odoo.memory.rows) == 30)
            wait_until(lambda: not any(report.live(service.inbox.db).values()))
        assert marks.get(service.inbox.db, marks.ODOO).problem is None


HALF = json.dumps({"jsonrpc": "2.0", "result": [{"channel": "web"}]}).encode()
BROKEN_ANSWERS = {
    "500": lambda: Raw(500, b"Internal Server Error", "text/html"),
    "half an answer": lambda: Raw(200, HALF, cut=20),
    "a proxy's page": lambda: Raw(200, b"<html>maintenance</html>", "text/html"),
    "other items": lambda: Raw(200, HALF),
    "too few": lambda: Raw(200, b'{"jsonrpc": "2.0", "result": []}'),
    "null": lambda: Raw(200, b"null"),
    "no result": lambda: Raw(200, b'{"jsonrpc": "2.0"}'),
    "a list": lambda: Raw(200, b"[]"),
}


@pytest.mark.parametrize("protocol", ["odoorpc", "json2"])
@pytest.mark.parametrize("kind", BROKEN_ANSWERS)
def test_an_answer_that_cannot_be_true(
    kind: str, protocol: str, tmp_path: Path, odoo: OdooServer
) -> None:
    """Odoo has worked, but its answer is lost: the items go again, once counts."""
    broken = [2]

    def answer(method: str) -> Raw | None:
        if method != "ingest" or not broken[0]:
            return None
        broken[0] -= 1
        odoo.memory.call("lead.submission", "ingest", submissions=SENT)
        return BROKEN_ANSWERS[kind]()

    odoo.answer = answer
    extra = f'protocol = "{protocol}"'
    client = make_odoo(load(write_config(tmp_path, odoo=odoo.url, odoo_extra=extra)))
    with reopened(tmp_path) as inbox:
        fill(inbox, ["x"])
        run_until_quiet(Deliverer(inbox, client, QUICK, Metrics()), inbox)
        assert report.live(inbox.db)["parked"] == 0
    assert broken == [0]
    assert len(odoo.memory.leads) == 1


QUICK = DeliverSection(retry_first=0.001, retry_longest=0.002, odoo_longest=0.001)
SENT = [
    {
        "channel": "web",
        "external_id": "x",
        "test": False,
        "contact": {"email": "lan.x@example.com", "phone": ""},
    }
]


@pytest.mark.parametrize("protocol", ["odoorpc", "json2"])
def test_refused_by_odoo(protocol: str, tmp_path: Path, odoo: OdooServer) -> None:
    """A missing right is told in words; the leads wait until it is given."""

    def answer(method: str) -> Raw | None:
        if denied and method == "ingest":
            raise Failing("odoo.exceptions.AccessError", "You may not do that")
        return None

    denied = True
    odoo.answer = answer
    extra = f'protocol = "{protocol}"'
    config = write_config(tmp_path, odoo=odoo.url, odoo_extra=extra)
    with live(config) as (service, base):
        assert post(base, leads_body(1)).status_code == 200
        db = service.inbox.db
        text = wait_until(lambda: marks.get(db, marks.ODOO).problem)
        assert "You may not do that" in text and "SECRET-TRACE" not in text
        assert report.live(db) | {"waiting": 0} == dict.fromkeys(report.live(db), 0)
        denied = False
        wait_until(lambda: len(odoo.memory.rows) == 1)


@pytest.mark.parametrize("protocol", ["odoorpc", "json2"])
def test_wrong_key(
    protocol: str, tmp_path: Path, odoo: OdooServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_ODOO_KEY", "a-key-that-has-ended")
    extra = f'protocol = "{protocol}"'
    config = write_config(tmp_path, odoo=odoo.url, odoo_extra=extra)
    with live(config) as (service, base):
        assert post(base, leads_body(1)).status_code == 200
        db = service.inbox.db
        text = wait_until(lambda: marks.get(db, marks.ODOO).problem)
        assert "api_key" in text and "90 days" in text
        assert "a-key-that-has-ended" not in text
        assert report.live(db)["parked"] == 0
