# SPDX-License-Identifier: LGPL-3.0-or-later
"""The web door against forgers, giants, slow ones and floods. Nothing is stored."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from lead_test_sources import sign
from support.running import (
    SECRET,
    TOKEN,
    leads_body,
    live,
    post,
    wait_until,
    write_config,
)

from lead_connectors.inbox import report
from lead_connectors.odoo.memory import MemoryOdoo
from lead_connectors.service import Service

GOOGLE = """
[sources.google]
type = "google_ads"
google_key = "env:TEST_SECRET"
"""
LIMITS = "body_limit = 5000\nslow_after = 1\nrefused_burst = 20\nrefused_limit = 0.1"
Live = tuple[Service, str]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Live]:
    config = write_config(tmp_path, web_extra=LIMITS)
    with live(config, MemoryOdoo()) as both:
        yield both


def nothing_stored(service: Service) -> bool:
    found = report.counts(service.inbox.db)
    return found == []


def test_forged_signature(running: Live) -> None:
    service, base = running
    body = leads_body(1)
    assert post(base, body, signature="0" * 64).status_code == 403
    assert post(base, body, signature=sign("other", body)).status_code == 403
    assert post(base, body + b" ", signature=sign(SECRET, body)).status_code == 403
    assert nothing_stored(service)


def test_token(running: Live) -> None:
    service, base = running
    url, body = f"{base}/hooks/bare", leads_body(1)
    for wrong in ("", "/", "/wrong", f"/{TOKEN}x", f"/{TOKEN[:-1]}", "/%00%ff"):
        answer = requests.post(url + wrong, data=body, allow_redirects=False)
        assert answer.status_code in {307, 403}, wrong
    assert nothing_stored(service)
    headers = {"X-Lead-Token": TOKEN}
    assert requests.post(url, data=body, headers=headers).status_code == 200
    assert requests.post(f"{url}/{TOKEN}", data=body).status_code == 200


def test_unknown_places_and_methods(running: Live) -> None:
    service, base = running
    assert post(base, leads_body(1), source="nobody").status_code == 404
    assert requests.get(f"{base}/hooks/signed").status_code == 405
    assert requests.put(f"{base}/hooks/signed").status_code == 405
    assert requests.get(f"{base}/").status_code == 404
    assert nothing_stored(service)


def test_huge_body(running: Live) -> None:
    service, base = running
    body = leads_body(1, note="x" * 6000)
    answer = post(base, body)
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"

    def chunks() -> Iterator[bytes]:
        yield from (body[at : at + 1000] for at in range(0, len(body), 1000))

    headers = {"x-signature": sign(SECRET, body)}
    chunked = requests.post(f"{base}/hooks/signed", data=chunks(), headers=headers)
    assert chunked.status_code == 413
    assert nothing_stored(service)


def exchange(base: str, *parts: bytes, pause: float = 0) -> bytes:
    """Raw bytes in, everything that comes back until the other side closes."""
    port = int(base.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        try:
            for part in parts:
                sock.sendall(part)
                time.sleep(pause)
            answer = b""
            while got := sock.recv(4096):
                answer += got
        except (BrokenPipeError, ConnectionResetError):
            return b""
        return answer


def head(length: int | None, body: bytes = b"") -> bytes:
    lines = [b"POST /hooks/signed HTTP/1.1", b"Host: x", b"Connection: close"]
    lines.append(b"X-Signature: " + sign(SECRET, body).encode())
    if length is not None:
        lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def test_lying_content_length(running: Live) -> None:
    """Too short: what comes is not what was signed. Too long: it never is complete."""
    service, base = running
    body = leads_body(1)
    short = exchange(base, head(10, body) + body)
    assert b" 200 " not in short
    started = time.monotonic()
    assert exchange(base, head(len(body) + 1, body) + body) == b""
    assert time.monotonic() - started < 4
    assert nothing_stored(service)


def test_slow_loris(running: Live) -> None:
    """Many who send byte by byte are cut off, and nobody else has to wait."""
    service, base = running
    port = int(base.rpartition(":")[2])
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    try:
        for number, sock in enumerate(slow):
            # a third nothing at all, a third half a head, a third half a body
            sock.sendall([b"", b"POST /hooks/signed HT", head(100) + b"{"][number % 3])
        started = time.monotonic()
        assert post(base, leads_body(1)).status_code == 200
        assert time.monotonic() - started < 0.8
        for sock in slow:
            sock.settimeout(4)
            assert sock.recv(100) == b""
        assert time.monotonic() - started < 5
    finally:
        for sock in slow:
            sock.close()
    # and whoever drips into a kept connection too
    assert exchange(base, *[b"P", b"O", b"S", b"T"] * 3, pause=0.2) in {b"", BAD}


BAD = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\n\r\nInvalid HTTP request received."
)


def test_endless_head(running: Live) -> None:
    _, base = running
    line = b"X-Filler: " + b"a" * 1000 + b"\r\n"
    assert exchange(base, b"POST /hooks/signed HTTP/1.1\r\n", *[line] * 500) == b""


def test_flood_of_forgeries_is_cut_short(running: Live) -> None:
    _, base = running
    body = leads_body(1)
    codes = [post(base, body, signature="00").status_code for _ in range(25)]
    assert codes[:20] == [403] * 20
    assert codes[21:] == [429] * 4
    wait = post(base, body, signature="00").headers["Retry-After"]
    assert 1 <= int(wait) <= 10


def test_forgers_behind_an_unknown_proxy_lock_nobody_out(running: Live) -> None:
    """Everyone would have the proxy's address: then addresses do not count."""
    _, base = running
    url, body = f"{base}/hooks/signed", leads_body(1)
    via = {"X-Forwarded-For": "203.0.113.9"}
    for _ in range(30):
        headers = via | {"x-signature": "00"}
        assert requests.post(url, data=body, headers=headers).status_code == 403
    headers = via | {"x-signature": sign(SECRET, body)}
    assert requests.post(url, data=body, headers=headers).status_code == 200


def test_rate_of_a_source(tmp_path: Path) -> None:
    config = write_config(tmp_path, web_extra="rate_limit = 1\nrate_burst = 3")
    with live(config, MemoryOdoo()) as (service, base):
        codes = [post(base, leads_body(n)).status_code for n in range(6)]
        assert codes[:3] == [200] * 3 and 429 in codes[3:]
        kept = codes.count(200)
        odoo = service.odoo
        assert isinstance(odoo, MemoryOdoo)
        wait_until(lambda: len(odoo.rows) == kept)


def test_too_many_is_not_the_end_for_google(tmp_path: Path) -> None:
    """Google drops a lead on any 4xx and sends it again on a 5xx."""
    limits = "rate_limit = 0.1\nrate_burst = 1"
    config = write_config(tmp_path, web_extra=limits, extra=GOOGLE)
    with live(config, MemoryOdoo()) as (_, base):
        lead = {"lead_id": "1", "google_key": SECRET, "user_column_data": []}
        answers = [requests.post(f"{base}/hooks/google", json=lead) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [200, 503]
    assert int(answers[1].headers["Retry-After"]) >= 1
