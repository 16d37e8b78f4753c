# SPDX-License-Identifier: LGPL-3.0-or-later
"""What Prometheus sees."""

from __future__ import annotations

from pathlib import Path

import requests
from support.ad_platform import Platform
from support.running import leads_body, live, post, wait_until, write_config

from lead_connectors.odoo.memory import MemoryOdoo

API = """
[sources.api]
type = "test_api"
secret = "env:TEST_SECRET"
api = "{api}"
"""


def counters(base: str) -> dict[str, float]:
    """Name and labels -> value, of every counter."""
    text = requests.get(f"{base}/metrics", timeout=10).text
    rows = [line.rpartition(" ") for line in text.splitlines() if "_total" in line]
    return {name: float(value) for name, _, value in rows if name[:1] != "#"}


def test_counters_are_there_before_their_first_event(tmp_path: Path) -> None:
    """Else `increase()` misses it: it sees nothing in a series that begins at 1."""
    odoo = MemoryOdoo()
    with Platform() as running:
        running.add(1)
        config = write_config(tmp_path, extra=API.format(api=running.url))
        with live(config, odoo) as (_, base):
            wait_until(lambda: len(odoo.rows) == 1)  # the poll's
            before = counters(base)
            post(base, leads_body("a", "b"))
            post(base, leads_body("c", test=True))
            post(base, b"no lead", signature="forged")
            post(base, b"no lead")
            post(base, b"no lead", source="nobody")
            requests.get(f"{base}/hooks/bare", timeout=10)
            requests.put(f"{base}/hooks/bare", timeout=10)
            wait_until(lambda: len(odoo.rows) == 4)
            wait_until(lambda: counters(base)[PARKED] == 1)
            # counted a moment after Odoo has the row
            wait_until(lambda: counters(base)[TEST] == 1)
            after = counters(base)
    assert after.keys() == before.keys()
    assert before[PARKED] == 0 and before[FORGED] == 0 and before[TEST] == 0
    assert (after[FORGED], after[TEST], after[NOBODY]) == (1, 1, 1)


PARKED = 'lead_connectors_parked_total{source="signed"}'
FORGED = 'lead_connectors_refused_total{source="signed",status="403"}'
TEST = 'lead_connectors_delivered_total{source="signed",status="test"}'
NOBODY = 'lead_connectors_refused_total{source="",status="404"}'
