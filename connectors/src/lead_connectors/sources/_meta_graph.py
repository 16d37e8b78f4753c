# SPDX-License-Identifier: LGPL-3.0-or-later
"""Meta's Graph API: one call, pages of a list, and what each error means for us."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests

from lead_connectors.errors import ConnectorError, Park, Retry, StopSource

__all__ = ["Denied", "Graph", "Missing", "Unsupported"]

_TIMEOUT = (10, 60)  # connect, read; seconds
_MAX_PAGES = 5_000
# wait and try again: service, app, user, page and custom limits, blocked for a while
_RETRY = {2, 4, 17, 32, 368, 613, 80000, 80001, 80004, 80005}
_THROTTLED = {4, 17, 32, 613, 80000, 80001, 80004, 80005}
_UNKNOWN_LIMIT = 5  # code 1 looks transient, but also answers a wrong filter
_MISSING_LIMIT = 3
_MISSING_WAIT = 900.0


class Missing(Retry):
    """100/33: the object is not there, or not visible to us: the same answer."""


class Denied(StopSource):
    """A permission is missing; with fewer fields it may work."""


class Unsupported(Park):
    """The request itself is wrong: repeating it changes nothing."""


class Graph:
    """Calls with one access token. Texts of errors hold codes and no answers: Meta
    repeats tokens in some of its messages."""

    def __init__(
        self, http: requests.Session, base: str, token: str, app_secret: str = ""
    ) -> None:
        self._http = http
        self._base = base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._proof = {}
        if app_secret:
            proof = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256)
            self._proof = {"appsecret_proof": proof.hexdigest()}

    def get(self, path: str, **params: str | int) -> dict[str, Any]:
        return self._call("GET", path, params)

    def post(self, path: str, **params: str | int) -> dict[str, Any]:
        return self._call("POST", path, params)

    def rows(self, path: str, **params: str | int) -> Iterator[dict[str, Any]]:
        """Every row of a list, page after page.

        Never follows ``paging.next``: that address carries the token.
        """
        seen: set[str] = set()
        for _ in range(_MAX_PAGES):
            page = self.get(path, **params)
            rows = page.get("data")
            yield from (row for row in rows or () if isinstance(row, dict))
            paging = page.get("paging") or {}
            after = str((paging.get("cursors") or {}).get("after") or "")
            if not rows or not paging.get("next") or not after or after in seen:
                return
            seen.add(after)
            params["after"] = after
        raise Retry(f"Graph: more than {_MAX_PAGES} pages of {path}")

    def _call(
        self, method: str, path: str, params: Mapping[str, str | int]
    ) -> dict[str, Any]:
        try:
            response = self._http.request(
                method,
                f"{self._base}/{path}",
                params={**params, **self._proof},
                headers=self._headers,
                timeout=_TIMEOUT,
                # a redirect would carry the token to another host
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # its text holds the address with all parameters
            raise Retry(f"Graph can't be reached ({type(error).__name__})") from None
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.status_code == 200 and isinstance(body, dict):
            if "error" not in body:
                return body
        raise _error(response, body)


def _error(response: requests.Response, body: Any) -> ConnectorError:
    """What to do about an answer that is no success."""
    error = body.get("error") if isinstance(body, dict) else None
    status = response.status_code
    if not isinstance(error, dict):
        limit = None if status >= 500 or status == 429 else _UNKNOWN_LIMIT
        return Retry(f"Graph answered HTTP {status}", limit=limit)
    code, subcode = _int(error.get("code")), _int(error.get("error_subcode"))
    what = f"Graph error {code}" + (f"/{subcode}" if subcode else "")
    if trace := re.sub(r"[^\w-]", "", str(error.get("fbtrace_id", "")))[:40]:
        what += f" (fbtrace_id {trace})"
    if code in _RETRY or error.get("is_transient") is True:
        after = _regain_seconds(response) if code in _THROTTLED else None
        kind = "rate limit" if code in _THROTTLED else "temporary"
        return Retry(f"{what}: {kind}", after=after)
    if code == 190 or code == 102:
        return StopSource(f"{what}: the access token is not valid (any more)")
    if code == 10 or 200 <= code <= 299:
        return Denied(f"{what}: the token lacks a permission")
    if code == 100 and subcode == 33:
        return Missing(
            f"{what}: not there, or not visible to this token",
            after=_MISSING_WAIT,
            limit=_MISSING_LIMIT,
        )
    if code == 1:
        return Retry(f"{what}: unknown to Meta itself", limit=_UNKNOWN_LIMIT)
    if code in (3, 100, 2500) or status < 500:
        return Unsupported(f"{what}: Meta does not accept the request")
    return Retry(f"{what}: HTTP {status}")


def _int(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _regain_seconds(response: requests.Response) -> float | None:
    """Seconds until access comes back, by the usage header (which counts minutes)."""
    try:
        usage = json.loads(response.headers.get("X-Business-Use-Case-Usage", ""))
        minutes = [
            float(one["estimated_time_to_regain_access"])
            for entries in usage.values()
            for one in entries
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    longest = max(minutes, default=0.0)
    return min(longest, 24 * 60) * 60 if longest > 0 else None


class Remembered:
    """What a call found, for an hour: labels of a form, the token of a page.

    Only spares calls; forgetting everything changes no result.
    """

    def __init__(self, seconds: float = 3600, size: int = 1000) -> None:
        self._seconds, self._size = seconds, size
        self._values: dict[str, tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def get(self, key: str, read: Callable[[], Any]) -> Any:
        now = time.monotonic()
        with self._lock:
            found = self._values.get(key)
        if found and now - found[0] < self._seconds:
            return found[1]
        value = read()
        with self._lock:
            if len(self._values) >= self._size:
                self._values.clear()
            self._values[key] = (now, value)
        return value
