# SPDX-License-Identifier: LGPL-3.0-or-later
"""``send-test``: a genuine request through the real door, followed to its end."""

from __future__ import annotations

import time
from typing import Any

import requests

from lead_connectors.config import Config
from lead_connectors.errors import ConnectorError
from lead_connectors.inbox import Inbox, report
from lead_connectors.inbox.report import Fate
from lead_connectors.inbox.schema import DELIVERED, PARKED
from lead_connectors.sources.base import Receipt, Source

__all__ = ["NoService", "TestRefused", "follow", "send"]


class NoService(ConnectorError):
    """Nobody listens at the address."""


class TestRefused(ConnectorError):
    """The door turned the test away."""

    __test__ = False  # not a test class, whatever its name


def address(config: Config) -> str:
    """Where the service listens, as this machine sees it."""
    web = config.settings.web
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(web.host, web.host)
    return f"http://{host}:{web.port}"


def send(config: Config, source: Source[Any]) -> Receipt:
    """Post the source's own sample to the running service. Returns what was sent."""
    base = address(config)
    request = source.send_test(config.settings.web.public_url or base)
    headers = dict(request.headers)
    if request.content_type:
        headers["content-type"] = request.content_type
    if source.config.token is not None:
        headers["x-lead-token"] = source.config.token.reveal()
    url = f"{base}/hooks/{source.name}"
    try:
        answer = requests.request(
            request.method,
            url,
            params=dict(request.query),
            data=request.body,
            headers=headers,
            timeout=15,
        )
    except requests.RequestException as error:
        raise NoService(
            f"nobody answers at {base} ({type(error).__name__}): start the service"
            " with `lead-connectors serve`"
        ) from None
    if answer.status_code >= 300:
        raise TestRefused(
            f"the door answered {answer.status_code}: does the running service use the"
            " same configuration and secrets?"
        )
    return request


def follow(
    inbox: Inbox, source: Source[Any], request: Receipt, within: float
) -> list[Fate]:
    """Wait until every item of the request is delivered or parked, or time is over."""
    wanted = [item.external_id for item in source.parse(request)]
    end = time.monotonic() + within
    while True:
        fates = report.fates(inbox.db, source.name, wanted)
        settled = [fate for fate in fates if fate.state in {DELIVERED, PARKED}]
        if len(settled) >= len(set(wanted)) or time.monotonic() > end:
            return fates
        time.sleep(0.2)
