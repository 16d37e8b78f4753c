# SPDX-License-Identifier: LGPL-3.0-or-later
"""Two replicas on one PostgreSQL: nothing twice, nothing left by a killed one."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa
from support.items import fill
from support.odoo_server import OdooServer
from support.running import leads_body, post, process, wait_until, write_config

from lead_connectors.inbox import Inbox, marks, report
from lead_connectors.inbox.schema import items


def test_two_share_the_work_and_one_dies(
    tmp_path: Path, pg_url: str, odoo: OdooServer
) -> None:
    configs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        config = write_config(
            tmp_path / name, odoo=odoo.url, inbox='url = "env:TEST_PG"'
        )
        text = config.read_text().replace('"env:TEST_PG"', f'"{pg_url}"')
        config.write_text(text)
        configs.append(config)
    with process(configs[0]) as one, process(configs[1]) as two:
        one.ready()
        two.ready()
        with ThreadPoolExecutor(8) as pool:
            bases = [one.base, two.base]
            answers = list(
                pool.map(
                    # every lead comes to both of them
                    lambda n: post(bases[n % 2], leads_body(n // 2)).status_code,
                    range(200),
                )
            )
        assert answers == [200] * 200
        one.kill()
        for number in range(100, 150):
            assert post(two.base, leads_body(number)).status_code == 200
        # what the killed one had claimed is free when its lease ends
        inbox = Inbox(pg_url)

        def all_delivered() -> bool:
            with inbox.db.write() as conn:
                # what somebody writes just now is left alone, or the two would wait
                # for each other; a dead process' last statement may still be running
                free = sa.select(items.c.id).with_for_update(skip_locked=True)
                ids = conn.scalars(free).all()
                conn.execute(
                    sa.update(items).where(items.c.id.in_(ids)).values(leased_until=0)
                )
            live = report.live(inbox.db)
            return live["new"] == live["waiting"] == 0

        with contextlib.closing(inbox):
            wait_until(all_delivered, 20, 0.5)
        assert len(odoo.memory.rows) == 150
        assert len(odoo.memory.leads) == 150
        assert two.terminate() == 0


def test_no_item_is_claimed_twice(pg_url: str) -> None:
    inboxes = [Inbox(pg_url) for _ in range(3)]
    inboxes[0].open()
    fill(inboxes[0], range(300))
    claimed: list[int] = []
    start = threading.Barrier(3)

    def claim(inbox: Inbox) -> None:
        start.wait()
        while got := inbox.claim_waiting(7, 1 << 20):
            claimed.extend(item.id for item in got)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(claim, inboxes))
    assert len(claimed) == len(set(claimed)) == 300
    for inbox in inboxes:
        inbox.close()


def test_a_lease_ends_by_the_databases_clock(pg_url: str) -> None:
    killed = Inbox(pg_url, lease_seconds=0.5)
    killed.open()
    fill(killed, ["a"])
    assert len(killed.claim_waiting(1, 1 << 20)) == 1
    other = Inbox(pg_url, lease_seconds=0.5)
    assert other.claim_waiting(1, 1 << 20) == []
    wait_until(lambda: other.claim_waiting(1, 1 << 20), 5)
    killed.close()
    other.close()


def test_one_poller_a_source(pg_url: str) -> None:
    one, two = Inbox(pg_url), Inbox(pg_url)
    with marks.only_one(one.db, "poll meta") as ours:
        assert ours
        with marks.only_one(two.db, "poll meta") as theirs:
            assert not theirs
        with marks.only_one(two.db, "poll google") as another:
            assert another
    with marks.only_one(two.db, "poll meta") as now:
        assert now
    one.close()
    two.close()
