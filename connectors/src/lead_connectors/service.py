# SPDX-License-Identifier: LGPL-3.0-or-later
"""``serve``: all parts together, started and stopped in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import structlog
import uvicorn
from sqlalchemy import make_url
from starlette.applications import Starlette
from starlette.types import ASGIApp

from lead_connectors.config import Config, SourceSetup, WebSection
from lead_connectors.deliver.completer import Completer, completes
from lead_connectors.deliver.deliverer import Deliverer
from lead_connectors.deliver.parser import Parser
from lead_connectors.deliver.poller import Poller
from lead_connectors.deliver.trimmer import Trimmer
from lead_connectors.deliver.worker import Worker
from lead_connectors.errors import ConfigError
from lead_connectors.http import make_session
from lead_connectors.inbox import GroupCommit, Inbox, InboxUnavailable
from lead_connectors.metrics import Metrics
from lead_connectors.odoo.client import OdooClient
from lead_connectors.odoo.json2_client import Json2Client
from lead_connectors.odoo.odoorpc_client import OdoorpcClient
from lead_connectors.sources.base import Source
from lead_connectors.web.app import make_app
from lead_connectors.web.limits import impatient_protocol

__all__ = [
    "Service",
    "make_inbox",
    "make_odoo",
    "make_sources",
    "serve",
    "server_config",
]

log = structlog.get_logger()

# The web door shares Python's lock with parsing; hand it over five times sooner than
# Python would, or every request waits for the parser's turn to end.
_SWITCH_INTERVAL = 0.001
# New objects before the collector looks for cycles; Python's own 700 are a third of
# what a request costs. What it may keep for so long is a few MB.
_GC_THRESHOLDS = (20_000, 20, 20)


def make_odoo(config: Config) -> OdooClient:
    """The client for the protocol that was configured."""
    odoo = config.settings.odoo
    kind = Json2Client if odoo.protocol == "json2" else OdoorpcClient
    return kind(odoo)


def make_inbox(config: Config) -> Inbox:
    """The inbox; not opened yet. A claim outlasts any single call to Odoo."""
    lease = max(120.0, 2 * config.settings.odoo.timeout)
    return Inbox(config.inbox_url, lease_seconds=lease)


def make_sources(setups: tuple[SourceSetup, ...]) -> dict[str, Source[Any]]:
    """The sources by name."""
    return {
        setup.name: setup.kind(setup.name, setup.config, make_session())
        for setup in setups
    }


class Service:
    """Everything that runs in one process."""

    def __init__(self, config: Config, odoo: OdooClient | None = None) -> None:
        self.config = config
        settings = config.settings
        self.metrics = Metrics()
        self.inbox = make_inbox(config)
        self.odoo = odoo or make_odoo(config)
        self.sources = make_sources(config.sources)
        self.metrics.begin(self.sources.values())
        self.deliverer = Deliverer(
            self.inbox,
            self.odoo,
            settings.deliver,
            self.metrics,
            settings.odoo.batch_size,
        )
        self.completers = [
            Completer(
                self.inbox,
                source,
                settings.deliver,
                self.metrics,
                self.deliverer.wake,
            )
            for source in self.sources.values()
            if completes(source)
        ]
        self.commit = GroupCommit(self.inbox, committed=self._wake_parser)
        self.parser = Parser(
            self.inbox,
            self.sources,
            self.metrics,
            self._wake_after_parsing,
            lambda: self.commit.stored,
        )
        self.pollers = [
            Poller(
                self.inbox,
                source,
                self.odoo,
                settings.deliver,
                self.metrics,
                self._wake_after_parsing,
            )
            for source in self.sources.values()
            if source.can_poll
        ]
        self.workers: list[Worker] = [
            self.parser,
            *self.completers,
            self.deliverer,
            *self.pollers,
            Trimmer(self.inbox, settings.inbox.keep_days, self.metrics),
        ]
        self.app = make_app(
            sources=self.sources,
            inbox=self.inbox,
            commit=self.commit,
            deliverer=self.deliverer,
            web=settings.web,
            metrics=self.metrics,
            lifespan=self._lifespan,
        )

    def _wake_parser(self) -> None:
        self.parser.wake()

    def _wake_after_parsing(self) -> None:
        for completer in self.completers:
            completer.wake()
        self.deliverer.wake()

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self.inbox.open(alone=True)
        self.commit.start()
        for worker in self.workers:
            worker.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self._stop)

    def stop_workers(self) -> None:
        """Let nobody begin another step; returns at once."""
        for worker in self.workers:
            worker.stop()

    def _stop(self) -> None:
        """The door is closed: write what was let in, end the steps that run."""
        self.commit.stop()
        self.stop_workers()
        end = time.monotonic() + self.config.settings.deliver.stop_within
        late = [
            worker.name
            for worker in self.workers
            if not worker.join(max(0.1, end - time.monotonic()))
        ]
        if late:
            log.warning("stopped before the end of a step", workers=", ".join(late))
            with contextlib.suppress(InboxUnavailable):
                self.deliverer.give_back()
        self.inbox.close()


class _Server(uvicorn.Server):
    """uvicorn, which also tells the workers as soon as a stop is asked for."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Not in the handler of the signal: a second signal interrupts the handler of
        # the first, which may hold the very lock that it then waits for.
        self._service.stop_workers()
        await super().shutdown(sockets)


def server_config(app: ASGIApp, web: WebSection) -> uvicorn.Config:
    """The web server below an application, as ``serve`` runs it."""
    return uvicorn.Config(
        app,
        host=web.host,
        port=web.port,
        http=impatient_protocol(web.slow_after),
        ws="none",
        access_log=False,  # addresses hold tokens
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(5, int(web.slow_after)),
    )


def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigError if it can't start."""
    web = config.settings.web
    with _only_service(config):
        service = Service(config)
        service.inbox.open(alone=True)  # fail here, in words, not inside the server
        sys.setswitchinterval(_SWITCH_INTERVAL)
        # Requests that wait for the disk together look like a leak to the collector,
        # which then goes through all of them every few hundred objects.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        server = _Server(server_config(service.app, web), service)
        # for a signal before uvicorn listens to them, and for the one that it raises
        # once more after its stop
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)
        log.info(
            "serving",
            address=f"http://{web.host}:{web.port}",
            sources=len(service.sources),
            inbox=service.inbox.db.where,
        )
        try:
            server.run()
        except SystemExit:
            raise ConfigError(
                f"can't listen on {web.host}:{web.port}: the port is taken or not"
                " allowed; choose another with [web] port"
            ) from None
        log.info("stopped")


@contextlib.contextmanager
def _only_service(config: Config) -> Iterator[None]:
    """One service a SQLite inbox. The lock goes with the process, however it ends."""
    if not config.inbox_url.startswith("sqlite"):
        yield
        return
    path = make_url(config.inbox_url).database
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"the inbox's folder can't be written ({path}: {error.strerror}): it must"
            " belong to the user that runs the service"
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(
            f"another service uses the inbox {path}: stop it, or use PostgreSQL for"
            " several replicas"
        ) from None
    try:
        yield
    finally:
        os.close(handle)
