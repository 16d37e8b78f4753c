# SPDX-License-Identifier: LGPL-3.0-or-later
"""``lead-connectors check`` for Meta: what is wrong, and which button cures it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from lead_connectors.errors import ConnectorError, Retry
from lead_connectors.sources._json import id_text
from lead_connectors.sources._meta_graph import Graph
from lead_connectors.sources.base import Finding

__all__ = ["page", "token"]

_SCOPES = {
    "leads_retrieval": True,
    "pages_show_list": True,
    "pages_read_engagement": True,
    "pages_manage_metadata": True,
    "pages_manage_ads": True,
    "ads_management": False,  # without it leads arrive, but without campaign names
}
_SOON = timedelta(days=14)


def token(graph: Graph, access_token: str, app_id: str) -> Iterator[Finding]:
    """Is the token valid, for how long, and may it do what we need?"""
    try:
        data = graph.get("debug_token", input_token=access_token).get("data")
    except ConnectorError as error:
        yield Finding(
            False,
            f"the access token can't be examined: {error}",
            "check app_id and app_secret (App Dashboard > Settings > Basic), then"
            " make a new access token",
            unreachable=isinstance(error, Retry),
        )
        return
    data = data if isinstance(data, dict) else {}
    if data.get("is_valid") is not True:
        yield Finding(
            False,
            "the access token is not valid",
            "make a new one: Business Settings > System users > Generate token",
        )
        return
    yield _expiry(data)
    if app_id and id_text(data.get("app_id")) != app_id:
        yield Finding(
            False,
            f"the access token belongs to app {id_text(data.get('app_id'))}, not"
            f" {app_id}",
            "generate the token for the app whose id and secret are configured",
        )
    scopes = data.get("scopes")
    granted = scopes if isinstance(scopes, list) else []
    for scope, needed in _SCOPES.items():
        if scope not in granted:
            yield Finding(
                not needed,
                f"the access token lacks the permission {scope}",
                f"generate the token again with {scope} ticked",
                warning=not needed,
            )


def _expiry(data: dict[str, Any]) -> Finding:
    ends = [
        int(at)
        for key in ("expires_at", "data_access_expires_at")
        if isinstance(at := data.get(key), int | float) and at > 0
    ]
    if not ends:
        return Finding(True, "the access token is valid and does not expire")
    left = datetime.fromtimestamp(min(ends), UTC) - datetime.now(UTC)
    what = f"the access token is valid for {max(left.days, 0)} more days"
    if left < _SOON:
        cure = "generate a new one now; a system user's token need not expire"
        return Finding(True, what, cure, warning=True)
    return Finding(True, what)


def page(
    graph_of: Callable[[str], Graph], page_id: str, app_id: str
) -> Iterator[Finding]:
    """Does this page send us its leads, and may we read them?"""
    try:
        graph = graph_of(page_id)
        apps = list(graph.rows(f"{page_id}/subscribed_apps", limit=100))
        yield _subscription(apps, page_id, app_id)
        access = graph.get(page_id, fields="has_lead_access").get("has_lead_access")
        yield _lead_access(access if isinstance(access, dict) else {}, page_id)
        forms = sum(1 for _ in graph.rows(f"{page_id}/leadgen_forms", fields="id"))
        yield Finding(True, f"page {page_id}: {forms} lead forms can be read")
    except ConnectorError as error:
        yield Finding(
            False,
            f"page {page_id} can't be read: {error}",
            "give the token's user the task ADVERTISE on this page, and check page_ids",
            unreachable=isinstance(error, Retry),
        )


def _subscription(apps: list[dict[str, Any]], page_id: str, app_id: str) -> Finding:
    ours = [a for a in apps if not app_id or id_text(a.get("id")) == app_id]
    for one in ours:
        if "leadgen" in (one.get("subscribed_fields") or ()):
            return Finding(True, f"page {page_id} is subscribed to leadgen")
    lacking = "the app is subscribed, but not to leadgen" if ours else "no subscription"
    return Finding(
        False,
        f"page {page_id} sends no leads: {lacking}",
        f"POST /{page_id}/subscribed_apps?subscribed_fields=leadgen with the page's"
        " token (Graph API Explorer); until then leads come by the poll only",
    )


def _lead_access(access: dict[str, Any], page_id: str) -> Finding:
    if access.get("can_access_lead") is True:
        return Finding(True, f"page {page_id}: leads access is granted")
    reason = str(access.get("failure_reason") or "no reason given")[:200]
    return Finding(
        False,
        f"page {page_id}: leads access is blocked: {reason}",
        str(access.get("failure_resolution") or "")[:300]
        or "Business Settings > Integrations > Leads access: assign the app (CRM)",
    )
