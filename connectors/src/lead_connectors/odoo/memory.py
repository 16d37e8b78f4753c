# SPDX-License-Identifier: LGPL-3.0-or-later
"""An Odoo in memory, for tests: answers as the documented ``ingest`` does."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from lead_connectors.odoo.client import OdooClient, OdooRejected

__all__ = ["MemoryOdoo"]


class MemoryOdoo(OdooClient):
    """Keeps submissions and leads in dictionaries.

    ``fail``: called with each batch before it is worked on; what it raises is raised.
    ``garble``: called with the answer; what it returns is answered instead.
    ``poison``: external ids on which Odoo fails as a whole, and keeps nothing.
    """

    def __init__(self, channels: set[str] | None = None) -> None:
        self.channels = channels  # None: every code is known
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.people: dict[str, int] = {}
        self.leads: list[dict[str, Any]] = []
        self.calls = 0
        self.batches: list[int] = []
        self.counts: list[dict[str, Any]] = []
        self.poison: set[str] = set()
        self.fail: Callable[[list[dict[str, Any]]], None] = lambda batch: None
        self.garble: Callable[[Any], Any] = lambda answer: answer
        self.can_ingest = True
        self.extra_rights: list[str] = []
        self.api_key_expires_at: str | None = None
        self._lock = threading.Lock()

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        with self._lock:
            self.calls += 1
            if method == "ingest":
                return self._ingest(arguments["submissions"])
            self.fail([])
            if method == "ingest_info":
                return self._info()
            if method == "report_counts":
                return self._report_counts(arguments["counts"])
        raise OdooRejected(f"{model}.{method} does not exist")

    def statuses(self) -> Counter[str]:
        """How many submissions ended in which status."""
        return Counter(row["status"] for row in self.rows.values())

    def _ingest(self, batch: list[dict[str, Any]]) -> Any:
        self.batches.append(len(batch))
        self.fail(batch)
        for item in batch:
            if item["external_id"] in self.poison:
                raise OdooRejected("Odoo failed: KeyError: 'poison'")
        return self.garble([self._one(item) for item in batch])

    def _one(self, item: dict[str, Any]) -> dict[str, Any]:
        key = (item["channel"], item["external_id"])
        if key in self.rows:
            return self.rows[key] | {"status": "duplicate"}
        contact = item["contact"]
        person = (contact["email"] or contact["phone"]).lower()
        status, reason, lead_id = "created", "", 0
        if self.channels is not None and item["channel"] not in self.channels:
            status, reason = "quarantined", f"unknown channel {item['channel']}"
        elif item["test"]:
            status = "test"
        elif not person:
            status, reason = "quarantined", "no email and no phone"
        elif person in self.people:
            status, lead_id = "matched", self.people[person]
        else:
            self.leads.append(item)
            lead_id = self.people[person] = len(self.leads)
        self.rows[key] = {
            "channel": item["channel"],
            "external_id": item["external_id"],
            "status": status,
            "submission_id": len(self.rows) + 1,
            "lead_id": lead_id or False,
            "reason": reason,
        }
        return self.rows[key]

    def _info(self) -> dict[str, Any]:
        return {
            "version": "19.0.1.0.0",
            "batch_limit": 500,
            "login": "connector",
            "can_ingest": self.can_ingest,
            "channels": [
                {"code": code, "name": code, "company": "Example"}
                for code in sorted(self.channels or ())
            ],
            "api_key_expires_at": self.api_key_expires_at,
            "extra_rights": self.extra_rights,
        }

    def _report_counts(self, counts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.counts += counts
        ours = Counter(channel for channel, _ in self.rows)
        return [
            {
                "channel": row["channel"],
                "day": row["day"],
                "platform": row["count"],
                "ours": ours[row["channel"]],
                "difference": row["count"] - ours[row["channel"]],
            }
            for row in counts
        ]
