# SPDX-License-Identifier: LGPL-3.0-or-later
"""A platform that throttles, breaks or refuses our token: its leads wait."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ad_platform import Platform
from support.running import live, post, wait_until, write_config

from lead_connectors.inbox import marks, report
from lead_connectors.odoo.memory import MemoryOdoo
from lead_connectors.service import Service

SOURCE = """
[sources.api]
type = "test_api"
secret = "env:TEST_SECRET"
api = "{api}"
"""
Live = tuple[Service, str, Platform, MemoryOdoo]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Live]:
    odoo = MemoryOdoo()
    with Platform() as api:
        config = write_config(
            tmp_path,
            sources=SOURCE.format(api=api.url),
            deliver="source_pause = 0.3\nmax_attempts = 3",
        )
        with live(config, odoo) as (service, base):
            wait_until(lambda: api.asked["counts"])  # the first poll is over
            yield service, base, api, odoo


def hook(base: str, *ids: int) -> None:
    body = json.dumps({"leads": [{"id": i} for i in ids]}).encode()
    assert post(base, body, source="api").status_code == 200


def test_refused_token(running: Live) -> None:
    """Nothing is parked, one item is tried now and then, and a person is told."""
    service, base, api, odoo = running
    db = service.inbox.db
    api.add(*range(30))
    api.status = 401
    hook(base, *range(30))
    problem = wait_until(lambda: marks.get(db, "api").problem)
    assert "make a new one" in problem
    tried = api.asked["leads/"]
    wait_until(lambda: api.asked["leads/"] >= tried + 2)
    assert api.asked["leads/"] <= tried + 4
    live_now = report.live(db)
    assert (live_now["incomplete"], live_now["parked"]) == (30, 0)
    api.status = 200
    wait_until(lambda: len(odoo.leads) == 30)
    wait_until(lambda: marks.get(db, "api").problem is None)


def test_throttled(running: Live) -> None:
    service, base, api, odoo = running
    api.add(*range(5))
    api.status, api.retry_after = 429, 0.5
    hook(base, *range(5))
    wait_until(lambda: api.asked["leads/"])
    api.status = 200
    wait_until(lambda: len(odoo.leads) == 5)
    assert report.live(service.inbox.db)["parked"] == 0


def test_broken_for_too_long(running: Live) -> None:
    """After the attempts that were allowed: parked with the reason, and replayable."""
    service, base, api, odoo = running
    api.add(1)
    api.status = 500
    hook(base, 1)
    [parked] = wait_until(lambda: report.parked(service.inbox.db))
    assert parked.reason == "after 3 attempts: API: 500"
    api.status = 200
    from lead_connectors.inbox.upkeep import replay

    assert replay(service.inbox.db).items == 1
    wait_until(lambda: len(odoo.leads) == 1)
