# SPDX-License-Identifier: LGPL-3.0-or-later
"""Two real workers, the same person, the same moment: one lead."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lab import Lab, Odoo
from lab.access import LOGIN, connector_access

CHANNELS = [
    {"name": "Ads", "code": "twice-ads", "channel_type": "ad"},
    {"name": "Form", "code": "twice-form", "channel_type": "form"},
]


@pytest.fixture(scope="module")
def workers(the_lab: Lab) -> Iterator[tuple[Odoo, str]]:
    """A database of its own, served by two processes; and the connector's key."""
    with the_lab.temporary("twice") as database:
        key = connector_access(the_lab, database, CHANNELS)
        with the_lab.odoo(database, workers=2) as odoo:
            yield odoo, key


def item(channel: str, external_id: str, number: int) -> dict[str, Any]:
    return {
        "channel": channel,
        "external_id": external_id,
        "contact": {"name": f"Amal {number}", "email": f"amal.{number}@example.com"},
        "attribution": {"utm_source": f"Twice {number % 3}"},
    }


def test_one_lead_for_two_callers(workers: tuple[Odoo, str]) -> None:
    odoo, key = workers
    sessions = [odoo.session(LOGIN, key) for _ in range(2)]

    def deliver(caller: int, number: int) -> list[dict[str, Any]]:
        channel = CHANNELS[caller]["code"]
        submissions = sessions[caller].env["lead.submission"]
        return list(submissions.ingest([item(channel, f"n{number}", number)]))

    with ThreadPoolExecutor(2) as pool:
        for number in range(6):
            calls = [pool.submit(deliver, caller, number) for caller in range(2)]
            one, other = (call.result()[0] for call in calls)
            assert {one["status"], other["status"]} == {"created", "matched"}
            assert one["lead_id"] == other["lead_id"]


def test_one_row_for_the_same_item_twice(workers: tuple[Odoo, str]) -> None:
    odoo, key = workers
    sessions = [odoo.session(LOGIN, key) for _ in range(2)]

    def deliver(caller: int, number: int) -> list[dict[str, Any]]:
        submissions = sessions[caller].env["lead.submission"]
        return list(submissions.ingest([item("twice-ads", f"same{number}", 50)]))

    with ThreadPoolExecutor(2) as pool:
        for number in range(4):
            calls = [pool.submit(deliver, caller, number) for caller in range(2)]
            one, other = (call.result()[0] for call in calls)
            assert "duplicate" in {one["status"], other["status"]}
            assert one["submission_id"] == other["submission_id"]
