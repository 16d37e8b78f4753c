# SPDX-License-Identifier: LGPL-3.0-or-later
"""Limits of the web door: request rates, body size, slow senders."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from starlette.types import Receive
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lead_connectors.errors import Refuse

__all__ = [
    "BodyReader",
    "Bucket",
    "Buckets",
    "ClientGone",
    "TooMany",
    "client_address",
    "impatient_protocol",
]

_HEAD_LIMIT = 64 << 10


class Bucket:
    """A token bucket: ``rate`` a second, at most ``burst`` at once."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = time.monotonic()

    def _fill(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now

    def take(self) -> bool:
        """One token, if there is one."""
        self._fill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait(self) -> int:
        """Whole seconds until the next token, at least 1."""
        return max(1, math.ceil((1 - self._tokens) / self._rate))

    @property
    def empty(self) -> bool:
        """No token is left now."""
        self._fill()
        return self._tokens < 1


class Buckets:
    """A bucket for each client address, for the last few thousand of them."""

    def __init__(self, rate: float, burst: float, most: int = 4096) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    @property
    def any(self) -> bool:
        """Was anybody refused lately?"""
        return bool(self._buckets)

    def spend(self, address: str) -> None:
        """Count one refusal against an address."""
        if not self._rate or not address:
            return
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = Bucket(self._rate, self._burst)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(address)
        bucket.take()

    def blocked(self, address: str) -> int:
        """Seconds for which the address is turned away; 0: it is welcome."""
        bucket = self._buckets.get(address)
        return bucket.wait() if bucket is not None and bucket.empty else 0


def client_address(
    peer: str, headers: Sequence[tuple[bytes, bytes]], trusted_proxies: int
) -> str:
    """Whom to hold to account for a refused request; empty: unknown, so nobody.

    With a proxy that was not configured everyone would have the proxy's address, and
    one forger would lock out the platforms; such a request is not counted.
    """
    forwarded = b",".join(v for k, v in headers if k == b"x-forwarded-for")
    if not forwarded:
        return peer if not trusted_proxies else ""
    hops = forwarded.decode("latin-1").split(",")
    if not trusted_proxies or len(hops) < trusted_proxies:
        return ""
    return hops[-trusted_proxies].strip()


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


class TooMany(Refuse):
    """Genuine or not, it must come later. ``wait``: seconds, for Retry-After."""

    def __init__(self, reason: str, wait: int) -> None:
        super().__init__(reason, status=429)
        self.wait = wait


class BodyReader:
    """Reads bodies: each at most ``limit`` bytes, unfinished ones ``together``.

    Nobody knows yet who sends them, and a thousand half bodies would fill the memory.
    A lead comes in one piece and is not counted; whoever would go over the sum has
    to come again.
    """

    def __init__(self, limit: int, together: int = 16 << 20) -> None:
        self._limit = limit
        self._together = together
        self.held = 0

    async def read(self, receive: Receive, content_length: str | None) -> bytes:
        """The whole body. Raises Refuse (413), TooMany or ClientGone.

        The limits count the bytes that came, whatever Content-Length claims.
        """
        if content_length is not None and (
            not content_length.isdecimal() or int(content_length) > self._limit
        ):
            raise Refuse("the body is too large", status=413)
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                part: bytes = message.get("body", b"")
                if size + len(part) > self._limit:
                    raise Refuse("the body is too large", status=413)
                if not message.get("more_body"):
                    return b"".join([*parts, part]) if parts else part
                if self.held + len(part) > self._together:
                    raise TooMany("too many large requests at once", 10)
                parts.append(part)
                size += len(part)
                self.held += len(part)
        finally:
            self.held -= size


def impatient_protocol(within: float) -> type[HttpToolsProtocol]:
    """uvicorn's protocol with an end to patience: ``within`` seconds a request.

    uvicorn itself waits for ever for a request that comes byte by byte, and keeps a
    head of any length in memory.
    """

    class Impatient(HttpToolsProtocol):
        _deadline: asyncio.TimerHandle | None = None
        _incoming = True  # a request is expected or partly here
        _in_head = True
        _head_bytes = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._deadline = self.loop.call_later(within, self._too_slow)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            # A request that came in one piece, as nearly all do, needs no timer.
            if self._incoming:
                if self._deadline is None:
                    self._deadline = self.loop.call_later(within, self._too_slow)
                if self._in_head:
                    self._head_bytes += len(data)
                    if self._head_bytes > _HEAD_LIMIT:
                        self.transport.close()
            elif self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def on_message_begin(self) -> None:
            self._incoming = self._in_head = True
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._in_head = False
            self._head_bytes = 0
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._incoming = False
            super().on_message_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None
            super().connection_lost(exc)

        def _too_slow(self) -> None:
            self._deadline = None
            self.transport.close()

    return Impatient
