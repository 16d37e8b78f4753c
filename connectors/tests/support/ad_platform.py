# SPDX-License-Identifier: LGPL-3.0-or-later
"""A platform's API over real HTTP, for the test sources of type ``test_api``."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Platform:
    """``status``: what it answers to everything, when not 200."""

    url: str
    leads: dict[str, dict[str, Any]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    status: int = 200
    retry_after: float = 0
    calls: Counter[str] = field(default_factory=Counter)

    def add(self, *ids: Any) -> None:
        for key in ids:
            self.leads[str(key)] = {"id": key, "email": f"minh.{key}@example.com"}

    def answer(self, path: str) -> tuple[int, Any]:
        name, _, key = path.strip("/").partition("/")
        self.calls[f"{name}/" if key else name] += 1
        if self.status != 200:
            return self.status, {}
        if name == "counts":
            return 200, self.counts
        if not key:
            return 200, list(self.leads.values())
        return (200, self.leads[key]) if key in self.leads else (404, {})


@contextlib.contextmanager
def platform() -> Iterator[Platform]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            status, data = running.answer(self.path.partition("?")[0])
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", str(running.retry_after))
            self.end_headers()
            self.wfile.write(body)

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    running = Platform(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield running
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
