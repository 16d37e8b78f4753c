# SPDX-License-Identifier: LGPL-3.0-or-later
"""SIGTERM in the middle of the work: what is under way ends, and nothing is lost."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
import sqlalchemy as sa
from support.items import reopened
from support.odoo_server import OdooServer, Raw
from support.running import leads_body, post, process, wait_until, write_config

from lead_connectors.inbox.schema import items


def test_stop_under_load(tmp_path: Path, odoo: OdooServer) -> None:
    config = write_config(tmp_path, odoo=odoo.url)
    acknowledged: set[str] = set()
    stop = threading.Event()

    def client(number: int) -> None:
        for count in range(10_000):
            if stop.is_set():
                return
            try:
                if post(service.base, leads_body(f"{number}-{count}")).ok:
                    acknowledged.add(f"{number}-{count}")
            except requests.RequestException:
                return

    with process(config) as service, ThreadPoolExecutor(8) as pool:
        service.ready()
        for number in range(8):
            pool.submit(client, number)
        wait_until(lambda: len(acknowledged) > 30)
        assert service.terminate() == 0, service.log.read_text()
        stop.set()
        assert "Traceback" not in service.log.read_text()

    with process(config) as service:
        service.ready()
        wait_until(lambda: {key for _, key in odoo.memory.rows} >= acknowledged)
        assert service.terminate() == 0


def test_stop_while_odoo_thinks(tmp_path: Path, odoo: OdooServer) -> None:
    """The running batch ends and is marked: it is not sent again."""

    def answer(method: str) -> Raw | None:
        if method == "ingest":
            called.set()
            time.sleep(1)
        return None

    called = threading.Event()
    odoo.answer = answer
    config = write_config(tmp_path, odoo=odoo.url)
    with process(config) as service:
        service.ready()
        assert post(service.base, leads_body(1)).status_code == 200
        assert called.wait(10)
        assert service.terminate() == 0
    with reopened(tmp_path) as inbox, inbox.db.read() as conn:
        assert conn.scalars(sa.select(items.c.state)).all() == ["delivered"]
    assert odoo.requests.count("ingest") == 1


def test_many_signals(tmp_path: Path, odoo: OdooServer) -> None:
    """A second signal comes while the first is handled: one stop, and an end."""
    config = write_config(tmp_path, odoo=odoo.url)
    with process(config) as service:
        service.ready()
        assert post(service.base, leads_body(1)).status_code == 200
        end = time.monotonic() + 0.3
        while time.monotonic() < end and service.process.poll() is None:
            service.process.send_signal(signal.SIGTERM)
        # one that comes after the stop, as Python itself ends, is not ours to handle
        assert service.process.wait(20) in (0, -signal.SIGTERM)
        assert '"event": "stopped"' in service.log.read_text()


def test_second_service_on_one_sqlite_inbox(tmp_path: Path, odoo: OdooServer) -> None:
    config = write_config(tmp_path, odoo=odoo.url)
    with process(config) as first:
        first.ready()
        with process(config) as second:
            assert second.process.wait(20) == 2
            assert "another service uses the inbox" in second.log.read_text()
        assert first.terminate() == 0


def test_taken_port(tmp_path: Path, odoo: OdooServer) -> None:
    port = int(odoo.url.rpartition(":")[2])
    config = write_config(tmp_path, odoo=odoo.url, port=port)
    with process(config) as service:
        assert service.process.wait(20) == 2
        assert f"can't listen on 127.0.0.1:{port}" in service.log.read_text()
