# SPDX-License-Identifier: LGPL-3.0-or-later
"""Stands in for Typeform's API: forms, and responses with since and before."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from lead_connectors.testing.platforms.server import Call, LocalPlatform, Reply

__all__ = ["TypeformPlatform"]

_MAX_PAGE = 1000


class TypeformPlatform(LocalPlatform):
    """``forms``: id -> definition; ``responses``: form id -> list of responses."""

    def __init__(self, access_token: str = "tfp_invented_token", port: int = 0) -> None:
        super().__init__(port)
        self.access_token = access_token
        self.forms: dict[str, dict[str, Any]] = {}
        self.responses: dict[str, list[dict[str, Any]]] = {}

    def answer(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {self.access_token}":
            return Reply(401, {"code": "UNAUTHORIZED"})
        path = re.fullmatch(r"/forms/(\w+)(/responses)?", call.path)
        if not path or path[1] not in self.forms:
            return Reply(404, {"code": "FORM_NOT_FOUND"})
        if not path[2]:
            return Reply(200, self.forms[path[1]])
        rows = sorted(
            self.responses.get(path[1], []),
            key=lambda row: str(row["submitted_at"]),
            reverse=True,
        )
        if since := call.query.get("since"):
            start = datetime.fromisoformat(since)
            rows = [
                r for r in rows if datetime.fromisoformat(r["submitted_at"]) >= start
            ]
        total = len(rows)
        if before := call.query.get("before"):
            tokens = [row["token"] for row in rows]
            rows = rows[tokens.index(before) + 1 :]
        size = min(int(call.query.get("page_size", 25)), _MAX_PAGE)
        return Reply(200, {"total_items": total, "items": rows[:size]})
