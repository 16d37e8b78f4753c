# SPDX-License-Identifier: LGPL-3.0-or-later
"""Leads a second through ``ingest`` over odoorpc, against one ``create`` a lead.

One Odoo worker. All items are of new people, then the same people enquire again, so
that matching has something to find. The baseline writes plain values, fewer than an
item has, no owner (so nobody to tell), and looks for nobody. Also the memory of 500
items above a worker that has worked, but not on that many at once.
"""

from __future__ import annotations

import argparse

from support import (
    Stopwatch,
    core_values,
    lead_item,
    memory,
    odoo_with_addon,
    report,
    reset_peak,
)

from lab.access import LOGIN


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=3000, help="new people")
    parser.add_argument("--baseline", type=int, default=100, help="single creates")
    parser.add_argument("--batch", type=int, default=250, help="items a call")
    options = parser.parse_args()

    with odoo_with_addon("ingest") as (_it, odoo, key):
        ours = odoo.session(LOGIN, key)
        admin = odoo.session("admin")
        submissions = ours.env["lead.submission"]
        leads = admin.env["crm.lead"]
        # warm up both ways: registry, caches, prepared code
        submissions.ingest([lead_item(9_000_000 + n) for n in range(50)])
        for number in range(5):
            leads.create(core_values(9_100_000 + number))

        def ingest(start: int, count: int, status: str) -> float:
            items = [lead_item(number) for number in range(start, start + count)]
            for item in items:
                item["external_id"] = f"{status}-{item['external_id']}"
            with Stopwatch() as watch:
                results = submissions.ingest(items)
            other = [row for row in results if row["status"] != status]
            assert not other, other[:3]
            return watch.seconds

        def one_by_one(start: int, count: int) -> float:
            with Stopwatch() as watch:
                for number in range(start, start + count):
                    leads.create(core_values(8_000_000 + number))
            return watch.seconds

        # first of all: memory once used is not given back, and would hide it
        reset_peak(odoo.pid)
        idle = memory(odoo.pid)
        submissions.ingest([lead_item(7_000_000 + number) for number in range(500)])
        extra = memory(odoo.pid, "VmHWM") - idle

        # in turns, so that a machine that is busy now and then slows down all alike
        starts = range(0, options.items, options.batch)
        singles = max(1, options.baseline // len(starts))
        seconds = {"single": 0.0, "created": 0.0, "matched": 0.0}
        for start in starts:
            count = min(options.batch, options.items - start)
            seconds["single"] += one_by_one(start, singles)
            seconds["created"] += ingest(start, count, "created")
            seconds["matched"] += ingest(start, count, "matched")
        baseline = singles * len(starts) / seconds["single"]
        created = options.items / seconds["created"]
        matched = options.items / seconds["matched"]
        print(f"one create a lead          {baseline:8.1f} /s")
        print(f"ingest, new people         {created:8.1f} /s")
        print(f"ingest, known people       {matched:8.1f} /s")
        print(f"memory of 500 items        {extra:8.1f} MB above idle ({idle:.0f} MB)")
        report(
            name="ingest",
            n=options.items,
            ours=round(created, 1),
            baseline=round(baseline, 1),
            ratio=round(created / baseline, 1),
            matched=round(matched, 1),
            extra_mb=round(extra, 1),
        )


if __name__ == "__main__":
    main()
