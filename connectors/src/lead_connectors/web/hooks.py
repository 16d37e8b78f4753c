# SPDX-License-Identifier: LGPL-3.0-or-later
"""``/hooks/{source}`` and ``/hooks/{source}/{token}``: the door for leads.

This is the hot path: plain ASGI, no logging of requests, nothing but the check and
the wait for the disk. The address may hold a token, so it is never logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import structlog
from prometheus_client import Counter
from starlette.types import Message, Receive, Scope, Send

from lead_connectors.config import WebSection
from lead_connectors.errors import Refuse
from lead_connectors.inbox import GroupCommit, InboxUnavailable
from lead_connectors.inbox.store import receipt_row
from lead_connectors.metrics import Metrics
from lead_connectors.sources.base import Answer, Receipt, Source
from lead_connectors.web.limits import (
    BodyReader,
    Bucket,
    Buckets,
    ClientGone,
    TooMany,
    client_address,
)

__all__ = ["PREFIX", "Hooks"]

PREFIX = "/hooks/"

log = structlog.get_logger()

_RETRY_SECONDS = b"30"  # what a platform is told when the inbox can't take it


_Messages = tuple[Message, Message]


class _Door:
    """One source, with what the hot path needs looked up beforehand."""

    def __init__(self, source: Source[Any], web: WebSection, metrics: Metrics) -> None:
        self.source = source
        self.token = source.config.token
        self.bucket = Bucket(web.rate_limit, web.rate_burst) if web.rate_limit else None
        self.kept = frozenset(name.lower() for name in source.kept_headers)
        self.received: Counter = metrics.received.labels(source.name)
        self.accepted = _messages(source.accepted)


class Hooks:
    """The ASGI application behind both routes."""

    def __init__(
        self,
        sources: Mapping[str, Source[Any]],
        commit: GroupCommit,
        web: WebSection,
        metrics: Metrics,
    ) -> None:
        self._doors = {
            name: _Door(source, web, metrics) for name, source in sources.items()
        }
        self._commit = commit
        self._web = web
        self._metrics = metrics
        self._bodies = BodyReader(web.body_limit)
        self._refusals = Buckets(web.refused_limit, web.refused_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``scope["path"]`` is /hooks/SOURCE or /hooks/SOURCE/TOKEN."""
        name, slash, token = scope["path"][len(PREFIX) :].partition("/")
        door = self._doors.get(name)
        try:
            answer = await self._handle(door, token if slash else None, scope, receive)
        except ClientGone:
            return
        except Refuse as refuse:
            answer = self._refuse(door, refuse, scope)
        except InboxUnavailable as error:
            log.error("not stored", reason=str(error))
            self._metrics.refused.labels(door.source.name if door else "", "503").inc()
            answer = _messages(Answer(503, b"try again later"), _RETRY_SECONDS)
        except Exception:
            # The platform sends again; a 4xx would tell some of them to give up.
            name = door.source.name if door else ""
            log.exception("hook failed", source=name)
            self._metrics.refused.labels(name, "500").inc()
            answer = _messages(Answer(500, b"internal error"))
        for message in answer:
            await send(message)

    async def _handle(
        self, door: _Door | None, token: str | None, scope: Scope, receive: Receive
    ) -> _Messages:
        if door is None:
            raise Refuse("no such source", status=404)
        raw: list[tuple[bytes, bytes]] = scope["headers"]
        method: str = scope["method"]
        if method not in {"GET", "POST"}:
            raise Refuse("only POST here", status=405)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in raw}
        if wait := self._blocked(scope, raw):
            raise TooMany("too many refused requests", wait)
        if door.token is not None and method != "GET":
            given = token if token is not None else headers.pop("x-lead-token", "")
            if not door.token.matches(given):
                raise Refuse("wrong or missing token", status=403)
        body = await self._bodies.read(receive, headers.get("content-length"))
        query = scope["query_string"]
        request = Receipt(
            body=body,
            received_at=datetime.now(UTC),
            method=method,
            content_type=headers.get("content-type", ""),
            headers=headers,
            query=dict(parse_qsl(query.decode("latin-1"))) if query else {},
        )
        source = door.source
        if method == "GET":
            return _messages(source.handshake(request))
        source.verify(request)
        if door.bucket is not None and not door.bucket.take():
            raise TooMany("too many requests", door.bucket.wait())
        kept = tuple((key, headers[key]) for key in door.kept if key in headers)
        await self._commit.store(
            receipt_row(source.name, request, source.redact(request), kept, query)
        )
        door.received.inc()
        return door.accepted

    def _blocked(self, scope: Scope, raw: list[tuple[bytes, bytes]]) -> int:
        if not self._refusals.any:
            return 0
        return self._refusals.blocked(self._address(scope, raw))

    def _address(self, scope: Scope, raw: list[tuple[bytes, bytes]]) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        return client_address(peer, raw, self._web.trusted_proxies)

    def _refuse(self, door: _Door | None, refuse: Refuse, scope: Scope) -> _Messages:
        name = door.source.name if door else ""  # never what a stranger made up
        self._metrics.refused.labels(name, str(refuse.status)).inc()
        retry_after = b""
        if isinstance(refuse, TooMany):
            retry_after = str(refuse.wait).encode()
        else:
            self._refusals.spend(self._address(scope, scope["headers"]))
        if door is None:
            answer = Answer(refuse.status, str(refuse).encode())
        else:
            answer = door.source.refused(refuse.status, str(refuse))
        return _messages(answer, retry_after)


def _messages(answer: Answer, retry_after: bytes = b"") -> _Messages:
    """An answer as ASGI has it."""
    headers = [
        (b"content-type", answer.content_type.encode("latin-1")),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    if answer.location:
        headers.append((b"location", answer.location.encode("latin-1", "ignore")))
    if retry_after:
        headers.append((b"retry-after", retry_after))
    if answer.status in {408, 413}:
        # the rest of the request is not wanted
        headers.append((b"connection", b"close"))
    return (
        {"type": "http.response.start", "status": answer.status, "headers": headers},
        {"type": "http.response.body", "body": answer.body},
    )
