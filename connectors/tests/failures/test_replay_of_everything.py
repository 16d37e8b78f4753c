# SPDX-License-Identifier: LGPL-3.0-or-later
"""The whole inbox is sent again, several times: no second lead."""

from __future__ import annotations

from pathlib import Path

from support.running import leads_body, live, post, wait_until, write_config

from lead_connectors.inbox import report
from lead_connectors.inbox.upkeep import replay
from lead_connectors.odoo.memory import MemoryOdoo


def test_no_second_lead(tmp_path: Path) -> None:
    odoo = MemoryOdoo()
    with live(write_config(tmp_path), odoo) as (service, base):
        db = service.inbox.db
        for number in range(25):
            assert post(base, leads_body(number, f"b{number}")).status_code == 200
        assert post(base, leads_body(3)).status_code == 200  # twice by the platform
        assert post(base, b"broken").status_code == 200
        wait_until(lambda: len(odoo.rows) == 50)
        for _ in range(3):
            wait_until(lambda: report.live(db)["new"] + report.live(db)["waiting"] == 0)
            asked = sum(odoo.batches)
            done = replay(db, everything=True)
            assert (done.items, done.gone) == (50, 0)
            service.parser.wake()
            wait_until(lambda: sum(odoo.batches) >= asked + 50)  # noqa: B023
        wait_until(lambda: report.live(db)["waiting"] == 0)
        assert len(odoo.leads) == len(odoo.rows) == 50
        statuses = {c.status for c in report.counts(db) if c.what == "item"}
        assert statuses == {"created"}
