# SPDX-License-Identifier: LGPL-3.0-or-later
"""Stands in for Meta's Graph API, as far as lead ads go, with its traps.

A filter on ``created_time`` or with a date instead of Unix seconds is silently
ignored; one on another field is "unknown error" 1; throttling is HTTP 400.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lead_connectors.testing.platforms.server import Call, LocalPlatform, Reply

__all__ = ["MetaPlatform", "graph_error"]

_SCOPES = (
    "leads_retrieval pages_show_list pages_read_engagement pages_manage_metadata"
    " pages_manage_ads ads_management"
)
_DEFAULT_FIELDS = "id,created_time,field_data"
_MAX_PAGE = 100
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
}


def graph_error(
    code: int, subcode: int = 0, *, status: int = 400, minutes: int = 0, **more: Any
) -> Reply:
    """An error as Graph answers it; ``minutes`` until access comes back."""
    error = {
        "message": f"(#{code}) something",
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": "AbCdEf123",
        **({"error_subcode": subcode} if subcode else {}),
        **more,
    }
    usage = {
        "17841400000000000": [
            {
                "type": "leadgen",
                "call_count": 100,
                "total_cputime": 20,
                "total_time": 20,
                "estimated_time_to_regain_access": minutes,
            }
        ]
    }
    headers = {"X-Business-Use-Case-Usage": json.dumps(usage)} if minutes else {}
    return Reply(status, {"error": error}, headers)


class MetaPlatform(LocalPlatform):
    """One app, one page, its forms and leads."""

    def __init__(
        self,
        *,
        app_id: str = "600000000000001",
        app_secret: str = "0123456789abcdef0123456789abcdef",
        access_token: str = "EAAinventedPageToken",
        page_id: str = "153125381133001",
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.app_id, self.app_secret = app_id, app_secret
        self.access_token, self.page_id = access_token, page_id
        self.scopes = _SCOPES.split()
        self.token_valid = True
        self.token_expires_at = 0  # Unix seconds; 0: never
        self.require_proof = True
        self.ad_names_allowed = True  # else the token lacks ads_management
        self.legal_content_allowed = True
        self.subscribed = [{"id": app_id, "subscribed_fields": ["leadgen"]}]
        self.lead_access: dict[str, Any] = {"can_access_lead": True}
        self.forms: dict[str, dict[str, Any]] = {}
        self.leads: dict[str, dict[str, Any]] = {}
        self._ids = itertools.count(9007199254740993)  # beyond 2^53

    # what people do on the platform

    def add_form(
        self,
        name: str,
        questions: Sequence[Mapping[str, Any]] = (),
        *,
        locale: str = "en_US",
        checkboxes: Mapping[str, str] | None = None,
    ) -> str:
        """A lead form; ``checkboxes``: key -> legal text. Returns its id."""
        form_id = str(next(self._ids))
        boxes = [{"key": k, "text": v} for k, v in (checkboxes or {}).items()]
        self.forms[form_id] = {
            "id": form_id,
            "name": name,
            "status": "ACTIVE",
            "locale": locale,
            "questions": [dict(question) for question in questions],
            "legal_content": {
                "id": f"legal-{form_id}",
                "custom_disclaimer": {"checkboxes": boxes},
            },
        }
        return form_id

    def submit(
        self,
        form_id: str,
        answers: Mapping[str, str | Sequence[str]],
        *,
        at: datetime | None = None,
        organic: bool = False,
        platform: str = "fb",
        checked: Mapping[str, bool] | None = None,
    ) -> str:
        """A person fills in the form. Returns the lead's id."""
        lead_id = str(next(self._ids))
        at = at or datetime.now(UTC)
        lead: dict[str, Any] = {
            "id": lead_id,
            "created_time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "form_id": form_id,
            "is_organic": organic,
            "platform": platform,
            "field_data": [
                {"name": k, "values": [v] if isinstance(v, str) else list(v)}
                for k, v in answers.items()
            ],
        }
        if checked is not None:
            lead["custom_disclaimer_responses"] = [
                {"checkbox_key": k, "is_checked": "1" if v else ""}
                for k, v in checked.items()
            ]
        if not organic:
            lead |= {
                "ad_id": "23850000000000001",
                "ad_name": "Video A",
                "adset_id": "23850000000000002",
                "adset_name": "Nordics 30-50",
                "campaign_id": "23850000000000003",
                "campaign_name": "Winter",
            }
        self.leads[lead_id] = lead
        return lead_id

    def webhook(self, *lead_ids: str, numbers: bool = True) -> bytes:
        """The body Meta posts for these leads; ids unknown to it are placeholders."""

        def as_id(text: str) -> int | str:
            return int(text) if numbers else text

        changes = []
        for lead_id in lead_ids:
            lead = self.leads.get(lead_id, {"form_id": "444444444444"})
            at = lead.get("created_time")
            seconds = int(_unix(at)) if at else 1_700_000_000
            value: dict[str, Any] = {
                "leadgen_id": as_id(lead_id),
                "page_id": as_id(self.page_id),
                "form_id": as_id(lead["form_id"]),
                "created_time": seconds,
            }
            if "ad_id" in lead:
                value |= {
                    "ad_id": as_id(lead["ad_id"]),
                    "adgroup_id": as_id(lead["ad_id"]),
                }
            changes.append({"field": "leadgen", "value": value})
        entry = {"id": as_id(self.page_id), "time": 1_700_000_001, "changes": changes}
        return json.dumps({"object": "page", "entry": [entry]}).encode()

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers Meta sends with ``body``."""
        digest = hmac.new(self.app_secret.encode(), body, hashlib.sha256).hexdigest()
        return {
            "content-type": "application/json",
            "user-agent": "facebookexternalua",
            "x-hub-signature-256": f"sha256={digest}",
        }

    # what Graph answers

    def answer(self, call: Call) -> Reply:
        path = re.sub(r"^/v\d+\.\d+", "", call.path).strip("/")
        query = call.form()
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if path == "debug_token":
            return self._debug_token(token, query)
        if token != self.access_token or not self.token_valid:
            return graph_error(190, 463, status=401)
        proof = hmac.new(
            self.app_secret.encode(), token.encode(), hashlib.sha256
        ).hexdigest()
        if self.require_proof and query.get("appsecret_proof") != proof:
            return graph_error(100)
        node, _, edge = path.partition("/")
        if node == self.page_id:
            return self._page(edge, query)
        if node in self.forms:
            return self._form(call.method, self.forms[node], edge, query)
        if node in self.leads and not edge:
            return self._pick(self.leads[node], query)
        return graph_error(100, 33)

    def _debug_token(self, token: str, query: Mapping[str, str]) -> Reply:
        if token not in (f"{self.app_id}|{self.app_secret}", self.access_token):
            return graph_error(190)
        data = {
            "app_id": self.app_id,
            "is_valid": self.token_valid
            and query.get("input_token") == self.access_token,
            "expires_at": self.token_expires_at,
            "scopes": self.scopes,
        }
        return Reply(200, {"data": data})

    def _page(self, edge: str, query: Mapping[str, str]) -> Reply:
        if edge == "leadgen_forms":
            return self._paged(list(self.forms.values()), query)
        if edge == "subscribed_apps":
            # this edge tells its fields unasked
            return self._paged(
                self.subscribed, {**query, "fields": "id,subscribed_fields"}
            )
        page = {
            "id": self.page_id,
            "access_token": self.access_token,
            "has_lead_access": {"page_id": self.page_id, **self.lead_access},
        }
        return self._pick(page, query)

    def _form(
        self, method: str, form: dict[str, Any], edge: str, query: Mapping[str, str]
    ) -> Reply:
        if edge == "leads":
            return self._leads(form["id"], query)
        if edge == "test_leads" and method == "POST":
            asked = {q["key"]: q for q in form["questions"]} or {"full_name": {}}
            dummy = {key: f"<test lead: dummy data for {key}>" for key in asked}
            dummy["email"] = "test@meta.com"
            return Reply(200, {"id": self.submit(form["id"], dummy, organic=True)})
        if "legal_content" in query.get("fields", "") and (
            not self.legal_content_allowed
        ):
            return graph_error(100)
        return self._pick(form, query)

    def _leads(self, form_id: str, query: Mapping[str, str]) -> Reply:
        rows = [lead for lead in self.leads.values() if lead["form_id"] == form_id]
        rows.sort(key=lambda lead: _unix(lead["created_time"]), reverse=True)
        for rule in json.loads(query.get("filtering", "[]")):
            if rule["field"] == "created_time" or not isinstance(rule["value"], int):
                continue  # the documented trap: no error, no filter
            if rule["field"] != "time_created":
                return graph_error(1, status=500)
            keep = _OPERATORS[rule["operator"]]
            rows = [r for r in rows if keep(_unix(r["created_time"]), rule["value"])]
        return self._paged(rows, query)

    def _paged(self, rows: list[dict[str, Any]], query: Mapping[str, str]) -> Reply:
        size = min(int(query.get("limit", 25)), _MAX_PAGE)
        start = int(query.get("after") or 0)
        picked = []
        for row in rows[start : start + size]:
            reply = self._pick(row, query)
            if reply.status != 200:
                return reply
            picked.append(reply.json)
        answer: dict[str, Any] = {"data": picked}
        if picked:
            answer["paging"] = {"cursors": {"after": str(start + len(picked))}}
            if start + size < len(rows):
                # as the real one: the next address holds the token
                answer["paging"]["next"] = f"{self.url}/?access_token=leaky"
        return Reply(200, answer)

    def _pick(self, node: Mapping[str, Any], query: Mapping[str, str]) -> Reply:
        fields = query.get("fields", _DEFAULT_FIELDS)
        while "{" in fields:  # the fields of a field, innermost first
            fields = re.sub(r"\{[^{}]*\}", "", fields)
        wanted = fields.split(",")
        if not self.ad_names_allowed and "campaign_name" in wanted:
            return graph_error(200, status=403)
        picked = {key: node[key] for key in wanted if key in node}
        return Reply(200, {**picked, "id": node["id"]})


def _unix(created_time: str) -> float:
    return datetime.strptime(created_time, "%Y-%m-%dT%H:%M:%S%z").timestamp()
