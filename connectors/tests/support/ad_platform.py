# SPDX-License-Identifier: LGPL-3.0-or-later
"""A platform's API over real HTTP, for the test sources of type ``test_api``."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lead_connectors.testing.platforms.server import Call, LocalPlatform, Reply


class Platform(LocalPlatform):
    """``status``: what it answers to everything, when not 200."""

    def __init__(self) -> None:
        super().__init__()
        self.leads: dict[str, dict[str, Any]] = {}
        self.counts: dict[str, int] = {}
        self.status = 200
        self.retry_after: float = 0
        self.asked: Counter[str] = Counter()

    def add(self, *ids: Any) -> None:
        for key in ids:
            self.leads[str(key)] = {"id": key, "email": f"minh.{key}@example.com"}

    def answer(self, call: Call) -> Reply:
        status, data = self._find(call.path)
        return Reply(status, data, {"Retry-After": str(self.retry_after)})

    def _find(self, path: str) -> tuple[int, Any]:
        name, _, key = path.strip("/").partition("/")
        self.asked[f"{name}/" if key else name] += 1
        if self.status != 200:
            return self.status, {}
        if name == "counts":
            return 200, self.counts
        if not key:
            return 200, list(self.leads.values())
        return (200, self.leads[key]) if key in self.leads else (404, {})
