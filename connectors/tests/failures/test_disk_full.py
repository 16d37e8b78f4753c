# SPDX-License-Identifier: LGPL-3.0-or-later
"""A full disk: 503 and nothing acknowledged; with room again, all goes on."""

from __future__ import annotations

from pathlib import Path

import requests
import sqlalchemy as sa
from support.running import leads_body, live, post, wait_until, write_config

from lead_connectors.inbox.schema import receipts
from lead_connectors.odoo.memory import MemoryOdoo


def test_disk_full_and_free_again(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    odoo = MemoryOdoo()
    with live(config, odoo) as (service, base):
        assert post(base, leads_body("before")).status_code == 200
        wait_until(lambda: len(odoo.rows) == 1)
        limits = _limit_pages(service.inbox.db.engine)
        answers: dict[str, int] = {}
        for number in range(60):
            key = f"n{number}"
            answer = post(base, leads_body(key, note="x" * 4000))
            answers[key] = answer.status_code
            if answer.status_code != 200:
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) > 0
        assert 503 in answers.values()
        ready = requests.get(f"{base}/readyz", timeout=5)
        # health and metrics still answer at the moment they are needed
        assert requests.get(f"{base}/healthz", timeout=5).status_code == 200
        assert 'status="503"' in requests.get(f"{base}/metrics", timeout=5).text
        assert ready.status_code in {200, 503}

        limits.lift()
        assert post(base, leads_body("after")).status_code == 200
        kept = {"before", "after"} | {k for k, code in answers.items() if code == 200}
        wait_until(lambda: {key for _, key in odoo.rows} >= kept, 20)
        with service.inbox.db.read() as conn:
            stored = conn.scalar(sa.select(sa.func.count()).select_from(receipts))
        assert stored == len(kept)


class _limit_pages:
    """SQLite itself says "disk is full" beyond so many pages."""

    def __init__(self, engine: sa.Engine) -> None:
        with engine.connect() as conn:
            pages = conn.exec_driver_sql("PRAGMA page_count").scalar() or 0
        self._pages = pages + 6
        self._engine = engine
        sa.event.listen(engine, "checkout", self._apply)

    def _apply(self, connection: object, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={self._pages}")  # type: ignore[attr-defined]

    def lift(self) -> None:
        self._pages = 1 << 30
