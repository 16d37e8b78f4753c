# SPDX-License-Identifier: LGPL-3.0-or-later
"""The HTTP session that sources and JSON-2 use: timeouts always, TLS verified."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import requests
from requests.adapters import HTTPAdapter

__all__ = ["make_session"]


class _Timeouts(HTTPAdapter):
    """requests waits for ever unless every call says otherwise; here none can."""

    def __init__(self, timeout: tuple[float, float]) -> None:
        self._timeout = timeout
        super().__init__(pool_connections=8, pool_maxsize=32)

    def send(self, request: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        return super().send(request, **kwargs)


def make_session(timeout: float = 30) -> requests.Session:
    """A session; ``timeout``: seconds until the first byte and between bytes."""
    session = requests.Session()
    adapter = _Timeouts((10, timeout))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"lead-connectors/{version('lead-connectors')}"
    return session
