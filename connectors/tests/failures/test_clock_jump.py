# SPDX-License-Identifier: LGPL-3.0-or-later
"""The wall clock jumps, by hours, either way: nothing is stuck and nothing missed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.items import fill, reopened

from lead_connectors.config import DeliverSection
from lead_connectors.deliver.breaker import Breaker
from lead_connectors.deliver.poller import start_of
from lead_connectors.inbox import report
from lead_connectors.inbox.marks import Mark

DAY = 86400.0
REAL = time.time


def jump(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(time, "time", lambda: REAL() + seconds)


@pytest.mark.parametrize("seconds", [-DAY, -3600, 3600, DAY])
def test_claims_end(
    seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reopened(tmp_path) as inbox:
        fill(inbox, [1])
        assert len(inbox.claim_waiting(10, 1 << 20)) == 1
        assert inbox.claim_waiting(10, 1 << 20) == []
        jump(monkeypatch, seconds)
        assert len(inbox.claim_waiting(10, 1 << 20)) == 1


@pytest.mark.parametrize("seconds", [-10 * DAY, 10 * DAY])
def test_waiting_times_end(
    seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reopened(tmp_path) as inbox:
        fill(inbox, [1])
        [item] = inbox.claim_waiting(10, 1 << 20)
        inbox.retry([(item, "busy", 3600)])
        assert inbox.claim_waiting(10, 1 << 20) == []
        jump(monkeypatch, seconds)
        assert len(inbox.claim_waiting(10, 1 << 20)) == 1
        assert (report.oldest(inbox.db) or 0) >= 0


def test_breaker_does_not_care(monkeypatch: pytest.MonkeyPatch) -> None:
    breaker = Breaker(first=0.2, longest=0.2)
    breaker.failed("away")
    jump(monkeypatch, -10 * DAY)
    assert breaker.pause() <= 0.2


def test_polls_read_again_what_a_jump_made_doubtful() -> None:
    now = REAL()
    settings = DeliverSection()

    def days_back(seen_until: float | None) -> float:
        start = start_of(Mark("meta", seen_until=seen_until), settings, now)
        return (datetime.fromtimestamp(now, UTC) - start).total_seconds() / DAY

    assert days_back(None) == pytest.approx(90)
    assert days_back(now - DAY) == pytest.approx(1 + 1 / 24)
    assert days_back(now + DAY) == pytest.approx(7)
