# SPDX-License-Identifier: LGPL-3.0-or-later
"""Signed lead webhooks, and a process that sends them over many connections.

One loop over raw sockets, the requests made beforehand, so that on two cores the
sender is never what is measured: it costs a tenth of what any server here does.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import selectors
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lead_connectors.sources.standard_webhooks import sign

__all__ = ["Load", "body", "send"]

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"^HTTP/1\.0|connection: *close", re.IGNORECASE)
_MESSAGE = (
    "We are comparing offers for next spring and would like to see the product with"
    " our own figures. Two of us will join: purchasing, and the workshop's foreman."
    " Mornings are best, by phone or video, in English or German."
)


@dataclass(frozen=True)
class Load:
    """What one round sends.

    :param pid: of the server, whose processor time is read
    :param number: of the round's first lead, so that none is sent twice
    """

    pid: int
    port: int
    path: str
    secret: str
    number: int
    requests: int
    connections: int


def body(number: int) -> bytes:
    """What a form or ad tool sends of one invented person; about 1.5 KB."""
    person = f"lena.vogt.{number}@example.com"
    lead = {
        "type": "lead.submitted",
        "timestamp": "2026-11-20T09:00:00Z",
        "data": {
            "id": f"bench-{number}",
            "subject": "Demo request",
            "message": _MESSAGE,
            "contact": {
                "name": f"Lena Vogt {number}",
                "email": person,
                "phone": f"+49151{number:08d}",
                "company": f"Vogt {number} GmbH",
                "job_title": "Head of Sales",
                "website": f"https://vogt-{number}.example.com",
                "city": "Kiel",
                "zip": "24103",
                "country": "DE",
                "lang": "de",
            },
            "answers": [
                {"key": "size", "label": "Company size", "value": "11-50"},
                {"key": "when", "label": "When do you decide?", "value": "3 months"},
            ],
            "attribution": {
                "utm_source": "facebook",
                "utm_medium": "paid",
                "utm_campaign": f"spring-{number % 10}",
                "fbclid": f"IwAR{number:040d}",
                "landing_page": "https://www.example.com/demo?utm_source=facebook",
                "referrer": "https://m.facebook.com/",
                "campaign_id": "23851234567890123",
                "ad_id": "23851234567890456",
                "form_id": "1234567890123456",
                "form_name": "Demo, German, short",
            },
            "consents": [
                {
                    "purpose": "email",
                    "granted": True,
                    "text": "Yes, write to me about the product. I may end this"
                    " at any time with one click.",
                    "version": "2026-03",
                }
            ],
        },
    }
    return json.dumps(lead).encode()


def _request(load: Load, number: int) -> bytes:
    content = body(number)
    signed = sign(load.secret, f"msg_{number}", datetime.now(UTC), content)
    lines = [
        f"POST {load.path} HTTP/1.1",
        f"Host: 127.0.0.1:{load.port}",
        "User-Agent: benchmark/1.0",
        "Accept: */*",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *(f"{name}: {value}" for name, value in signed.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def send(load: Load) -> tuple[float, float]:
    """Send it all from a process of its own.

    Returns seconds from the first byte to the last answer, and how many seconds of
    processor time the server (without its children) used meanwhile.

    :raises AssertionError: at the first answer that is not 200
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_send, (load,))


def _send(load: Load) -> tuple[float, float]:
    last = load.number + load.requests
    requests = iter([_request(load, number) for number in range(load.number, last)])
    selector = selectors.DefaultSelector()
    cpu, start = _cpu_seconds(load.pid), time.perf_counter()
    for _, request in zip(range(load.connections), requests, strict=False):
        _open(load.port, selector, request)
    while selector.get_map():
        for key, _ in selector.select(60):
            sock, parts = key.fileobj, key.data
            parts.append(sock.recv(65536))
            assert parts[-1], "the server closed the connection without an answer"
            answer = b"".join(parts)
            head, end, content = answer.partition(b"\r\n\r\n")
            length = _LENGTH.search(head) if end else None
            if length is None or len(content) < int(length[1]):
                continue
            assert answer[8:13] == b" 200 ", answer[:300]
            parts.clear()
            request = next(requests, None)
            if request is not None and not _CLOSES.search(head):
                sock.sendall(request)
                continue
            selector.unregister(sock)
            sock.close()
            if request is not None:
                _open(load.port, selector, request)
    return time.perf_counter() - start, _cpu_seconds(load.pid) - cpu


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _open(port: int, selector: selectors.BaseSelector, request: bytes) -> None:
    sock = socket.create_connection(("127.0.0.1", port), timeout=120)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(request)
    selector.register(sock, selectors.EVENT_READ, [])
