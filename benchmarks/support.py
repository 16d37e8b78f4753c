# SPDX-License-Identifier: LGPL-3.0-or-later
"""What the benchmarks share: a fresh Odoo, RPC sessions, invented leads, memory."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lab
from lab.access import connector_access

CHANNEL = {"name": "Benchmark", "code": "bench", "channel_type": "ad"}


@contextlib.contextmanager
def odoo_with_addon(
    name: str, **options: Any
) -> Iterator[tuple[lab.Lab, lab.Odoo, str]]:
    """A fresh database with Odoo's demo company, served; yields lab, server, key."""
    with lab.Lab() as it:
        database = it.database(f"bench_{name}")
        key = connector_access(it, database, [CHANNEL])
        try:
            with it.odoo(database, **options) as odoo:
                yield it, odoo, key
        finally:
            it.drop(database)


def lead_item(number: int, channel: str = "bench") -> dict[str, Any]:
    """One submission as ads send them, of an invented person."""
    return {
        "channel": channel,
        "external_id": f"bench-{number}",
        "submitted_at": "2026-11-20T09:00:00Z",
        "contact": {
            "name": f"Lena Vogt {number}",
            "email": f"lena.vogt.{number}@example.com",
            "phone": f"+49151{number:08d}",
            "company": f"Vogt {number} GmbH",
            "job_title": "Head of Sales",
            "city": "Kiel",
            "zip": "24103",
            "country": "DE",
            "lang": "de",
        },
        "subject": "Demo request",
        "message": "Please call me back, ideally in the morning.",
        "answers": [{"key": "size", "label": "Company size", "value": "11-50"}],
        "attribution": {
            "utm_source": "facebook",
            "utm_medium": "paid",
            "campaign_name": f"Campaign {number % 10}",
            "fbclid": f"IwAR{number}",
        },
        "consents": [
            {"purpose": "email", "granted": True, "text": "Yes, write to me."}
        ],
        "payload": {"id": str(number), "form_id": "123", "platform": "fb"},
    }


def core_values(number: int) -> dict[str, Any]:
    """The same person as plain values of ``crm.lead.create``."""
    contact = lead_item(number)["contact"]
    return {
        "name": f"{contact['name']}: Demo request",
        "contact_name": contact["name"],
        "email_from": contact["email"],
        "phone": contact["phone"],
        "partner_name": contact["company"],
        "function": contact["job_title"],
        "city": contact["city"],
        "zip": contact["zip"],
        "description": lead_item(number)["message"],
        "type": "lead",
        "user_id": False,
    }


def memory(pid: int, field: str = "VmRSS") -> float:
    """Memory of a process in MB: VmRSS now, VmHWM at its highest."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(rf"{field}:\s+(\d+) kB", status)
    assert match
    return int(match[1]) / 1024


def reset_peak(pid: int) -> None:
    """Let VmHWM start again from what is in use now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


class Stopwatch:
    """``with Stopwatch() as watch: ...; watch.seconds``."""

    seconds = 0.0

    def __enter__(self) -> Stopwatch:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.seconds = time.perf_counter() - self._start


def report(**figures: Any) -> None:
    """Print the result as the last line: one JSON object."""
    sys.stdout.flush()
    print(json.dumps(figures), flush=True)
