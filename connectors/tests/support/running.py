# SPDX-License-Identifier: LGPL-3.0-or-later
"""The service as the operator runs it (a process), and inside the test (a thread)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
import uvicorn
from lead_test_sources import sign

from lead_connectors.config import load
from lead_connectors.odoo.client import OdooClient
from lead_connectors.service import Service
from lead_connectors.web.limits import impatient_protocol
from support.odoo_server import API_KEY, DATABASE, LOGIN

SECRET = "0a1b2c3d-signing-secret"
TOKEN = "4e5f6a7b-address-token"
HERE = Path(__file__).parent

SECRETS = {
    "TEST_ODOO_KEY": API_KEY,
    "TEST_SECRET": SECRET,
    "TEST_TOKEN": TOKEN,
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_config(
    folder: Path,
    *,
    odoo: str = "http://127.0.0.1:9",
    port: int | None = None,
    extra: str = "",
    odoo_extra: str = "",
    web_extra: str = "",
    inbox: str = "",
    deliver: str = "",
    sources: str | None = None,
) -> Path:
    """A configuration with the sources `signed` and `bare`."""
    path = folder / "connectors.toml"
    path.write_text(
        f"""
[odoo]
url = "{odoo}"
database = "{DATABASE}"
login = "{LOGIN}"
api_key = "env:TEST_ODOO_KEY"
timeout = 5
{odoo_extra}

[web]
port = {port or free_port()}
{web_extra}

[inbox]
{inbox}

[deliver]
odoo_longest = 0.3
retry_first = 0.05
retry_longest = 0.2
stop_within = 5
{deliver}

[log]
format = "json"
"""
        + (
            sources
            if sources is not None
            else """
[sources.signed]
type = "test_signed"
secret = "env:TEST_SECRET"

[sources.bare]
type = "test_bare"
token = "env:TEST_TOKEN"
"""
        )
        + extra
    )
    return path


def leads_body(*ids: Any, **more: Any) -> bytes:
    """A body with these leads; each is a person of their own."""
    leads = [{"id": i, "email": f"nguyen.{i}@example.com", **more} for i in ids]
    return json.dumps({"leads": leads}).encode()


def post(
    base: str, body: bytes, *, signature: str | None = None, source: str = "signed"
) -> requests.Response:
    """What a platform does."""
    headers = {"x-signature": signature or sign(SECRET, body)}
    return requests.post(
        f"{base}/hooks/{source}", data=body, headers=headers, timeout=20
    )


def wait_until(true: Callable[[], Any], within: float = 15, every: float = 0.02) -> Any:
    """What ``true`` returned, as soon as it is."""
    end = time.monotonic() + within
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still not true after {within} s")
        time.sleep(every)


class Process:
    """``lead-connectors serve``. ``crash``: see support/crash.py."""

    def __init__(self, config: Path, crash: str = "") -> None:
        self.config = config
        self.base = f"http://127.0.0.1:{load(config).settings.web.port}"
        self.log = config.parent / f"service-{time.monotonic_ns()}.log"
        self._out = self.log.open("wb")
        main = (
            [str(HERE / "crash.py"), crash]
            if crash
            else ["-c", "from lead_connectors.cli import main; main()"]
        )
        path = os.pathsep.join([str(HERE / "plugin"), str(HERE.parent)])
        self.process = subprocess.Popen(
            [sys.executable, *main, "serve", "--config", str(config)],
            env={**os.environ, **SECRETS, "PYTHONPATH": path},
            stdout=self._out,
            stderr=self._out,
        )

    def ready(self) -> Process:
        """Wait until it answers."""

        def answers() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(requests.RequestException):
                return requests.get(f"{self.base}/healthz", timeout=2).ok
            return False

        wait_until(answers, 20)
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._out.close()


@contextlib.contextmanager
def process(config: Path, crash: str = "") -> Iterator[Process]:
    running = Process(config, crash)
    try:
        yield running
    finally:
        running.close()


@contextlib.contextmanager
def live(config: Path, odoo: OdooClient | None = None) -> Iterator[tuple[Service, str]]:
    """The service in this process: real sockets, and its objects at hand."""
    setup = load(config)
    service = Service(setup, odoo)
    web = setup.settings.web
    server = uvicorn.Server(
        uvicorn.Config(
            service.app,
            host="127.0.0.1",
            port=web.port,
            http=impatient_protocol(web.slow_after),
            ws="none",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=2,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        yield service, f"http://127.0.0.1:{web.port}"
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()
