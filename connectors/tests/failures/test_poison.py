# SPDX-License-Identifier: LGPL-3.0-or-later
"""Items that make Odoo fail: they are found and set aside, the others pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.items import fill, reopened, run_until_quiet

from lead_connectors.config import DeliverSection
from lead_connectors.deliver.deliverer import Deliverer
from lead_connectors.inbox import Inbox, report
from lead_connectors.metrics import Metrics
from lead_connectors.odoo.client import OdooRejected, OdooUnreachable
from lead_connectors.odoo.memory import MemoryOdoo

QUICK = DeliverSection(
    retry_first=0.002, retry_longest=2, odoo_longest=0.001, max_attempts=4
)


def deliverer(inbox: Inbox, odoo: MemoryOdoo) -> Deliverer:
    return Deliverer(inbox, odoo, QUICK, Metrics(), batch_size=100)


def test_one_in_a_batch_of_100(tmp_path: Path) -> None:
    with reopened(tmp_path) as inbox:
        fill(inbox, range(100))
        odoo = MemoryOdoo()
        odoo.poison = {"37"}
        deliverer(inbox, odoo).step()
        assert len(odoo.leads) == 99
        [parked] = report.parked(inbox.db)
        assert "poison" in parked.reason
        assert report.live(inbox.db)["waiting"] == 0
        # found by halving, not one by one
        assert odoo.calls <= 16


@settings(max_examples=25, deadline=None)
# the oldest ones, and more of them than it takes to think that it is Odoo's fault
@example(poison={0, 1, 2, 3, 4})
@example(poison={0, 1, 2, 3, 4, 21, 25, 27, 32, 39})
@given(poison=st.sets(st.integers(0, 39), max_size=12))
def test_any_set_of_them(
    poison: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with reopened(tmp_path_factory.mktemp("inbox")) as inbox:
        fill(inbox, range(40))
        odoo = MemoryOdoo()
        odoo.poison = {str(number) for number in poison}
        run_until_quiet(deliverer(inbox, odoo), inbox)
        live = report.live(inbox.db)
        assert (live["waiting"], live["parked"]) == (0, len(poison))
        assert len(odoo.leads) == 40 - len(poison)


def test_odoo_failing_on_everything_parks_nothing(tmp_path: Path) -> None:
    """An addon that broke in an upgrade is not the leads' fault."""

    def fail(batch: list[dict[str, Any]]) -> None:
        if batch:
            raise OdooRejected("Odoo failed: AttributeError: no such field")

    with reopened(tmp_path) as inbox:
        fill(inbox, range(50))
        odoo = MemoryOdoo()
        odoo.fail = fail
        worker = deliverer(inbox, odoo)
        for _ in range(100):
            worker.step()
        live = report.live(inbox.db)
        assert (live["waiting"], live["parked"]) == (50, 0)
        assert "everything" in worker.breaker.reason
        odoo.fail = lambda batch: None
        run_until_quiet(worker, inbox)
        assert len(odoo.leads) == 50


def test_an_item_that_kills_its_server_process(tmp_path: Path) -> None:
    """No error comes back, only a broken line; still the others get through."""

    def fail(batch: list[dict[str, Any]]) -> None:
        if any(item["external_id"] == "7" for item in batch):
            raise OdooUnreachable("connection reset by peer")

    with reopened(tmp_path) as inbox:
        fill(inbox, range(20))
        odoo = MemoryOdoo()
        odoo.fail = fail
        run_until_quiet(deliverer(inbox, odoo), inbox)
        assert len(odoo.leads) == 19
        [parked] = report.parked(inbox.db)
        assert "connection reset" in parked.reason
