# SPDX-License-Identifier: LGPL-3.0-or-later
"""Odoo by JSON-RPC, through odoorpc."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
from typing import Any
from urllib.parse import urlsplit

import odoorpc

from lead_connectors.config import OdooSection
from lead_connectors.odoo.client import (
    OdooClient,
    OdooDenied,
    OdooError,
    OdooGarbled,
    OdooUnreachable,
    error_for,
)

__all__ = ["OdoorpcClient"]


class OdoorpcClient(OdooClient):
    """Logs in at the first call and again after any failure."""

    def __init__(self, settings: OdooSection) -> None:
        self._settings = settings
        self._session: Any = None
        self._lock = threading.Lock()

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        with self._lock:
            try:
                session = self._session or self._login()
                self._session = session
                return session.execute_kw(model, method, [], arguments)
            except Exception as error:
                self._session = None
                raise self._translated(error) from None

    def _login(self) -> Any:
        settings = self._settings
        url = urlsplit(settings.url)
        ssl = url.scheme == "https"
        session = odoorpc.ODOO(
            url.hostname,
            protocol="jsonrpc+ssl" if ssl else "jsonrpc",
            port=url.port or (443 if ssl else 80),
            timeout=settings.timeout,
        )
        try:
            session.login(settings.database, settings.login, settings.api_key.reveal())
        except odoorpc.error.RPCError as error:
            if not error.info:  # odoorpc's own words for "no such user or key"
                raise OdooDenied(
                    f"Odoo's database {settings.database} does not let"
                    f" {settings.login} in: check [odoo] login and api_key (keys of"
                    " ordinary users end after 90 days)"
                ) from None
            raise
        return session

    def _translated(self, error: Exception) -> OdooError:
        """What went wrong, without the traceback that Odoo sends along."""
        url = self._settings.url
        if isinstance(error, OdooError):
            return error
        if isinstance(error, odoorpc.error.RPCError):
            data = error.info.get("data", {}) if isinstance(error.info, dict) else {}
            message = str(data.get("message") or error)
            if "does not exist" in message and self._settings.database in message:
                return OdooDenied(
                    f"Odoo has no database {self._settings.database}: check [odoo]"
                    " database"
                )
            return error_for(str(data.get("name", "")), message)
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
            return OdooUnreachable(f"{url} answers {error.code}")
        if isinstance(error, urllib.error.URLError):
            return OdooUnreachable(f"{url}: {error.reason}")
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            return OdooGarbled(f"{url} answers something that is not JSON")
        if isinstance(error, OSError | http.client.HTTPException):
            return OdooUnreachable(f"{url}: {str(error) or type(error).__name__}")
        if isinstance(error, KeyError | TypeError | AttributeError | ValueError):
            # odoorpc takes the answer's shape for granted
            return OdooGarbled(f"{url} answers no JSON-RPC ({type(error).__name__})")
        return OdooUnreachable(f"{url}: {type(error).__name__}")
