# SPDX-License-Identifier: LGPL-3.0-or-later
"""Odoo by JSON-2: ``POST /json/2/<model>/<method>`` with the key as bearer."""

from __future__ import annotations

from typing import Any

import requests

from lead_connectors.config import OdooSection
from lead_connectors.http import make_session
from lead_connectors.odoo.client import (
    OdooClient,
    OdooDenied,
    OdooError,
    OdooGarbled,
    OdooRejected,
    OdooUnreachable,
    error_for,
)

__all__ = ["Json2Client"]


class Json2Client(OdooClient):
    """One call is one request and one transaction; there is no session to lose."""

    def __init__(self, settings: OdooSection) -> None:
        self._settings = settings
        self._http = make_session(settings.timeout)

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        url = f"{self._settings.url}/json/2/{model}/{method}"
        try:
            response = self._http.post(
                url,
                json=arguments,
                headers={
                    "Authorization": f"bearer {self._settings.api_key.reveal()}",
                    "X-Odoo-Database": self._settings.database,
                },
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # the class only: its text can hold the whole request
            raise OdooUnreachable(f"{self._settings.url}: {_reason(error)}") from None
        if response.status_code != 200:
            raise self._failure(response)
        try:
            return response.json()
        except ValueError:
            raise OdooGarbled(f"{url} answers something that is not JSON") from None

    def _failure(self, response: requests.Response) -> OdooError:
        """By status and the exception's name; the ``debug`` traceback stays there."""
        status = response.status_code
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or "name" not in body:
            if status in {401, 403}:
                return self._denied()
            if status == 404:
                return OdooDenied(
                    f"{self._settings.url} has no JSON-2 or no database"
                    f" {self._settings.database}: check [odoo] url and database, or"
                    ' use protocol = "odoorpc"'
                )
            return OdooUnreachable(f"{self._settings.url} answers {status}")
        name, message = str(body["name"]), str(body.get("message") or "")
        if status == 401:
            return self._denied()
        if status == 403:
            return OdooDenied(f"Odoo refuses: {message[:300]}")
        if status == 404:
            return OdooDenied(
                f"Odoo does not know what is called ({message[:200]}): is the addon"
                " lead_pipeline installed?"
            )
        if status == 409 or status in {429, 502, 503, 504}:
            return OdooUnreachable(f"Odoo is busy ({status})")
        if status in {400, 413, 422}:
            return OdooRejected(f"Odoo refuses what was sent: {message[:300]}")
        return error_for(name, message)

    def _denied(self) -> OdooDenied:
        return OdooDenied(
            "Odoo does not accept the API key: make a new one for the connector's user"
            " (keys of ordinary users end after 90 days) and set [odoo] api_key"
        )


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS certificate is not accepted"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__
