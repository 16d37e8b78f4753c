# SPDX-License-Identifier: LGPL-3.0-or-later
"""The web application: hooks, health, metrics."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio.to_thread
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from lead_connectors.config import WebSection
from lead_connectors.deliver.deliverer import Deliverer
from lead_connectors.inbox import GroupCommit, Inbox, InboxUnavailable, marks, report
from lead_connectors.metrics import Metrics
from lead_connectors.sources.base import Source
from lead_connectors.web.hooks import PREFIX, Hooks

__all__ = ["make_app"]

_GAUGES_EVERY = 5.0
_PROBE_EVERY = 1.0
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def make_app(
    *,
    sources: Mapping[str, Source[Any]],
    inbox: Inbox,
    commit: GroupCommit,
    deliverer: Deliverer,
    web: WebSection,
    metrics: Metrics,
    lifespan: Lifespan,
) -> ASGIApp:
    """The ASGI application of ``serve``."""
    gauges = _Gauges(inbox, metrics)
    probe = _Probe(inbox)

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(request: Request) -> Response:
        # Odoo is told, but does not count: leads are taken while it is away.
        odoo = deliverer.breaker.reason or "ok"
        problem = await anyio.to_thread.run_sync(probe.problem)
        answer = {"inbox": problem or "ok", "odoo": odoo}
        return JSONResponse(answer, 503 if problem else 200)

    async def show_metrics(request: Request) -> Response:
        await anyio.to_thread.run_sync(gauges.refresh)
        return Response(generate_latest(metrics.registry), media_type=_METRICS_TYPE)

    hooks = Hooks(sources, commit, web, metrics)
    rest = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", show_metrics),
        ],
        lifespan=lifespan,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # The hot path goes round the router: it needs one comparison, not five layers.
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await hooks(scope, receive, send)
        else:
            await rest(scope, receive, send)

    return app


class _Probe:
    """Can the inbox be written? Tried once a second at most, whoever asks how often:
    it is a write that leads have to wait for."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._lock = threading.Lock()
        self._at = -_PROBE_EVERY
        self._problem = ""

    def problem(self) -> str:
        """What is wrong, or an empty text. Blocks."""
        with self._lock:
            if time.monotonic() - self._at >= _PROBE_EVERY:
                try:
                    marks.put(self._inbox.db, "@ready", ok_at=time.time())
                    self._problem = ""
                except InboxUnavailable as error:
                    self._problem = str(error)
                self._at = time.monotonic()
            return self._problem


class _Gauges:
    """Counts from the inbox, not read more often than every few seconds."""

    def __init__(self, inbox: Inbox, metrics: Metrics) -> None:
        self._inbox = inbox
        self._metrics = metrics
        self._at = -_GAUGES_EVERY

    def refresh(self) -> None:
        now = time.monotonic()
        if now - self._at < _GAUGES_EVERY:
            return
        self._at = now
        try:
            for state, count in report.live(self._inbox.db).items():
                self._metrics.items.labels(state).set(count)
            self._metrics.oldest_seconds.set(report.oldest(self._inbox.db) or 0)
        except InboxUnavailable:
            # better stale gauges than no metrics at the moment they are needed
            return
