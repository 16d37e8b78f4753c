# SPDX-License-Identifier: LGPL-3.0-or-later
"""A local HTTP server on a free loopback port, in a thread, as a context manager."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Call", "LocalPlatform", "Reply"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request the platform got. ``headers`` keys are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """Query and form body together, as Graph reads them."""
        pairs = parse_qsl(self.body.decode(), keep_blank_values=True)
        return {**self.query, **dict(pairs)}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    json: Any
    headers: dict[str, str] = field(default_factory=dict)


class LocalPlatform:
    """Subclass and write ``answer``. Use as ``with MyPlatform() as platform:``."""

    def __init__(self, port: int = 0) -> None:
        self.calls: list[Call] = []
        self._failures: deque[Reply] = deque()
        self.lock = threading.Lock()
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                parts = urlsplit(self.path)
                call = Call(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {k.lower(): v for k, v in self.headers.items()},
                    self.rfile.read(size),
                )
                reply = platform._reply(call)
                data = json.dumps(reply.json).encode()
                self.send_response(reply.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = _do

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fail(self, reply: Reply, times: int = 1) -> None:
        """Answer the next ``times`` calls with ``reply``, whatever they ask."""
        self._failures.extend([reply] * times)

    def _reply(self, call: Call) -> Reply:
        with self.lock:
            self.calls.append(call)
            if self._failures:
                return self._failures.popleft()
            return self.answer(call)

    def answer(self, call: Call) -> Reply:
        """The platform's own answer; called with ``lock`` held."""
        raise NotImplementedError
