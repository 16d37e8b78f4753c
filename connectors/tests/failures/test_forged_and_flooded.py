# SPDX-License-Identifier: LGPL-3.0-or-later
"""The web door against forgers, giants, slow ones and floods. Nothing is stored."""

from __future__ import annotations

import contextlib
import gzip
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from lead_test_sources import sign
from support.items import reopened
from support.running import (
    SECRET,
    TOKEN,
    Process,
    leads_body,
    live,
    post,
    process,
    wait_until,
    write_config,
)

from lead_connectors.inbox import marks, report
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


def test_half_bodies_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Nobody has signed them yet. Leads, which come in one piece, pass them by."""
    config = write_config(tmp_path, web_extra="slow_after = 5")
    with process(config) as service:
        service.ready()
        port = int(service.base.rpartition(":")[2])
        before = memory_mb(service)
        half = head(1_000_000) + b"x" * 900_000
        crowd = []
        try:
            for _ in range(150):
                crowd.append(socket.create_connection(("127.0.0.1", port), timeout=5))
                with contextlib.suppress(OSError):  # told to come later, and cut off
                    crowd[-1].sendall(half)
            assert post(service.base, leads_body(1)).status_code == 200
            assert memory_mb(service) < before + 60
            last = crowd[-1].recv(1000)
            assert b" 429 " in last and b"retry-after: 10" in last
        finally:
            for sock in crowd:
                sock.close()

        def room_again() -> bool:
            large = leads_body(2, note="x" * 900_000)
            return post(service.base, large).status_code == 200

        wait_until(room_again)


def memory_mb(service: Process) -> float:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def test_made_up_sources_leave_no_trace_in_metrics(running: Live) -> None:
    _, base = running

    def lines() -> list[str]:
        text = requests.get(f"{base}/metrics").text
        return [line.partition("} ")[0] for line in text.splitlines()]

    with requests.Session() as stranger:
        assert stranger.post(f"{base}/hooks/made-up").status_code == 404
        before = lines()
        for number in range(300):
            stranger.post(f"{base}/hooks/made-up-{number}")
    assert len(lines()) == len(before)
    assert "made-up" not in "".join(lines())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/hooks/%ff%fe", 404),
        (b"/hooks/%00%0a", 404),
        (b"/hooks/bare/%ff%00", 403),
        (b"/hooks/../metrics", 404),
        (b"/hooks/\xff\xfe", 400),
        (b"http://elsewhere.example/hooks/nobody", 404),
    ],
)
def test_strange_paths(running: Live, path: bytes, status: int) -> None:
    _, base = running
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: x", b"Connection: close"]
    answer = exchange(base, b"\r\n".join([*lines, b"Content-Length: 0", b"", b""]))
    assert answer.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_only_post(running: Live, method: str) -> None:
    service, base = running
    body = leads_body(1)
    headers = {"x-signature": sign(SECRET, body)}
    answer = requests.request(
        method, f"{base}/hooks/signed", data=body, headers=headers
    )
    assert answer.status_code == 405
    assert nothing_stored(service)


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: -5",
        b"Content-Length: 99999999999999999999",
        b"Content-Length: \xb2",
    ],
)
def test_two_readings_of_one_request(running: Live, lengths: bytes) -> None:
    """A proxy and we must never disagree about where a request ends."""
    service, base = running
    start = b"POST /hooks/signed HTTP/1.1\r\nHost: x\r\n" + lengths
    assert b" 400 " in exchange(base, start + b"\r\n\r\n0\r\n\r\n")
    assert nothing_stored(service)


def test_chunks_without_a_length(running: Live) -> None:
    service, base = running
    body = leads_body(1)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    start = head(None, body)[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
    assert b" 200 " in exchange(base, start + chunks)
    odoo = service.odoo
    assert isinstance(odoo, MemoryOdoo)
    wait_until(lambda: len(odoo.rows) == 1)


def test_gzip_bomb_is_kept_as_it_came(tmp_path: Path) -> None:
    """Nothing is unpacked: what can't be read is parked, whatever it would become."""
    config = write_config(tmp_path)
    bomb = gzip.compress(b" " * 300_000_000, 1)[:1_000_000]
    headers = {"content-encoding": "gzip", "x-lead-token": TOKEN}
    with process(config) as service:
        service.ready()
        before = memory_mb(service)
        url = f"{service.base}/hooks/bare"
        assert requests.post(url, data=bomb, headers=headers).status_code == 200
        with reopened(tmp_path) as inbox:
            wait_until(lambda: report.live(inbox.db)["parked_receipts"] == 1)
        assert memory_mb(service) < before + 30


def test_asking_often_if_it_is_ready_writes_seldom(running: Live) -> None:
    service, base = running
    with requests.Session() as monitor:
        answers = [monitor.get(f"{base}/readyz") for _ in range(5)]
        assert all(answer.status_code == 200 for answer in answers)
        first = marks.get(service.inbox.db, "@ready").ok_at
        started = time.monotonic()
        while time.monotonic() - started < 0.3:
            assert monitor.get(f"{base}/readyz").ok
    then = marks.get(service.inbox.db, "@ready").ok_at
    assert first and then and (then == first or then - first >= 0.99)


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
