# SPDX-License-Identifier: LGPL-3.0-or-later
"""A small real HTTP server that speaks Odoo's /jsonrpc and /json/2."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lead_connectors.odoo.client import OdooError
from lead_connectors.odoo.memory import MemoryOdoo

API_KEY = "0123456789abcdef-odoo-key"
LOGIN = "connector"
DATABASE = "production"


@dataclass
class Raw:
    """An HTTP answer of the test's choice. ``cut``: close after so many bytes."""

    status: int
    body: bytes
    content_type: str = "application/json"
    cut: int | None = None


class Failing(Exception):
    """Odoo raises this inside: ``name`` is the class, as Odoo reports it."""

    def __init__(self, name: str, message: str = "it broke") -> None:
        super().__init__(message)
        self.name = name


@dataclass
class OdooServer:
    """``answer`` may return a Raw, or raise Failing, for a call of a method."""

    url: str
    memory: MemoryOdoo = field(default_factory=MemoryOdoo)
    answer: Callable[[str], Raw | None] = lambda method: None
    requests: list[str] = field(default_factory=list)

    def run(self, model: str, method: str, arguments: dict[str, Any]) -> Any:
        self.requests.append(method)
        raw = self.answer(method)
        if raw is not None:
            return raw
        try:
            return self.memory.call(model, method, **arguments)
        except OdooError as error:
            raise Failing("builtins.KeyError", str(error)) from None


@contextlib.contextmanager
def odoo_server(port: int = 0) -> Iterator[OdooServer]:
    """The server, for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.startswith("/json/2/"):
                self._send(_json2(server, self.path, dict(self.headers), body))
            else:
                self._send(_jsonrpc(server, self.path, json.loads(body)))

        def _send(self, raw: Raw) -> None:
            self.send_response(raw.status)
            self.send_header("Content-Type", raw.content_type)
            self.send_header("Content-Length", str(len(raw.body)))
            with contextlib.suppress(BrokenPipeError):  # nobody waits any more
                self.end_headers()
                self.wfile.write(raw.body[: raw.cut])
            if raw.cut is not None:
                self.close_connection = True

    httpd = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    httpd.daemon_threads = True
    server = OdooServer(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def _failure(name: str, message: str) -> dict[str, Any]:
    trace = f"Traceback (most recent call last):\n  SECRET-TRACE {message}"
    return {"name": name, "message": message, "arguments": [message], "debug": trace}


def _json2(server: OdooServer, path: str, headers: dict[str, str], body: bytes) -> Raw:
    _, _, _, model, method = path.split("/")
    if headers.get("Authorization") != f"bearer {API_KEY}":
        failure = _failure("werkzeug.exceptions.Unauthorized", "Invalid apikey")
        return Raw(401, json.dumps(failure).encode())
    assert headers["X-Odoo-Database"] == DATABASE
    try:
        result = server.run(model, method, json.loads(body))
    except Failing as failing:
        short = failing.name.rpartition(".")[2]
        statuses = {"AccessError": 403, "ValidationError": 422, "LockError": 409}
        status = statuses.get(short, 500)
        return Raw(status, json.dumps(_failure(failing.name, str(failing))).encode())
    return result if isinstance(result, Raw) else Raw(200, json.dumps(result).encode())


def _jsonrpc(server: OdooServer, path: str, call: dict[str, Any]) -> Raw:
    def answer(result: Any) -> Raw:
        return Raw(200, json.dumps({"jsonrpc": "2.0", "result": result}).encode())

    if path == "/web/webclient/version_info":
        return answer({"server_version": "19.0"})
    params = call["params"]
    args = params["args"]
    if params["method"] == "login":
        server.requests.append("login")
        return answer(7 if args == [DATABASE, LOGIN, API_KEY] else False)
    model, method = args[3], args[4]
    if method == "context_get":
        return answer({"lang": "en_US"})
    try:
        result = server.run(model, method, args[6])
    except Failing as failing:
        error = {
            "code": 0,
            "message": "Odoo Server Error",
            "data": _failure(failing.name, str(failing)),
        }
        return Raw(200, json.dumps({"jsonrpc": "2.0", "error": error}).encode())
    return result if isinstance(result, Raw) else answer(result)
