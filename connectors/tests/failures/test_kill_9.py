# SPDX-License-Identifier: LGPL-3.0-or-later
"""kill -9 between every two steps: what was acknowledged arrives, and arrives once."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from support.odoo_server import OdooServer
from support.running import (
    leads_body,
    live,
    post,
    process,
    wait_until,
    write_config,
)

from lead_connectors.inbox import Inbox, report
from lead_connectors.inbox.schema import receipts

CLIENT = "lead_connectors.odoo.client:OdooClient"
STORE = "lead_connectors.inbox.store:Inbox"
STEPS = {
    "bytes not yet on disk": f"{STORE}.insert_receipts:before",
    "on disk, not yet answered": f"{STORE}.insert_receipts:after",
    "parsed, items not yet stored": f"{STORE}._finish:before",
    "items stored, not yet committed": f"{STORE}._finish:after",
    "receipt done, nothing claimed": f"{STORE}.claim_waiting:before",
    "claimed, not yet sent": f"{STORE}.claim_waiting:found",
    "about to be sent": f"{CLIENT}.ingest:before",
    "Odoo has it, we do not know": f"{CLIENT}.ingest:after",
    "about to be marked": f"{STORE}.mark_delivered:before",
    "marked": f"{STORE}.mark_delivered:after",
}


@pytest.mark.parametrize("crash", STEPS.values(), ids=STEPS.keys())
def test_one_lead_whatever_the_moment(
    crash: str, tmp_path: Path, odoo: OdooServer
) -> None:
    config = write_config(tmp_path, odoo=odoo.url)
    body = leads_body("a-1")
    acknowledged = False
    with process(config, crash) as service:
        with contextlib.suppress(AssertionError):
            service.ready()  # some steps are taken without any lead
        with contextlib.suppress(requests.RequestException):
            acknowledged = post(service.base, body).status_code == 200
        assert service.process.wait(20) == -9

    with live(config) as (restarted, base):
        if not acknowledged:  # then the platform sends again
            assert post(base, body).status_code == 200
        wait_until(lambda: odoo.memory.rows)
        wait_until(lambda: not any(report.live(restarted.inbox.db).values()))

    assert list(odoo.memory.rows) == [("signed", "a-1")]
    assert len(odoo.memory.leads) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_acknowledged_under_load_is_on_disk(seed: int, tmp_path: Path) -> None:
    """Group commit: no answer leaves before the bytes it speaks of are written."""
    config = write_config(tmp_path, odoo="http://127.0.0.1:9")
    acknowledged: list[str] = []
    stop = threading.Event()

    def client(number: int) -> None:
        count = 0
        while not stop.is_set():
            key = f"{number}-{count}"
            count += 1
            try:
                if post(service.base, leads_body(key)).status_code == 200:
                    acknowledged.append(key)
            except requests.RequestException:
                return

    with process(config) as service, ThreadPoolExecutor(12) as pool:
        service.ready()
        for number in range(12):
            pool.submit(client, number)
        wait_until(lambda: len(acknowledged) > 50)
        time.sleep(random.Random(seed).uniform(0, 0.3))
        service.kill()
        stop.set()

    inbox = Inbox(f"sqlite:///{tmp_path / 'inbox.sqlite'}")
    with inbox.db.read() as conn:
        stored = b"\n".join(conn.scalars(sa.select(receipts.c.body)))
    inbox.close()
    assert [k for k in acknowledged if f'"{k}"'.encode() not in stored] == []
