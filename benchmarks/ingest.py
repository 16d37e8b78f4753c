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
    connector_session,
    core_values,
    lead_item,
    memory,
    odoo_with_addon,
    report,
    reset_peak,
    session,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=3000, help="new people")
    parser.add_argument("--baseline", type=int, default=100, help="single creates")
    parser.add_argument("--batch", type=int, default=250, help="items a call")
    options = parser.parse_args()

    with odoo_with_addon("ingest") as (_it, odoo, key):
        ours = connector_session(odoo, odoo.database, key)
        admin = session(odoo, odoo.database, "admin", "admin")
        submissions = ours.env["lead.submission"]
        leads = admin.env["crm.lead"]
        # warm up both ways: registry, caches, prepared code
        submissions.ingest([lead_item(9_000_000 + n) for n in range(50)])
        for number in range(5):
            leads.create(core_values(9_100_000 + number))

        def ingest(prefix: str, count: int) -> float:
            items = [lead_item(number) for number in range(count)]
            for item in items:
                item["external_id"] = f"{prefix}-{item['external_id']}"
            with Stopwatch() as watch:
                for start in range(0, count, options.batch):
                    results = submissions.ingest(items[start : start + options.batch])
                    other = [row for row in results if row["status"] != prefix]
                    assert not other, other[:3]
            return count / watch.seconds

        def one_by_one(start: int, count: int) -> float:
            with Stopwatch() as watch:
                for number in range(start, start + count):
                    leads.create(core_values(8_000_000 + number))
            return count / watch.seconds

        # first of all: memory once used is not given back, and would hide it
        reset_peak(odoo.pid)
        idle = memory(odoo.pid)
        submissions.ingest([lead_item(7_000_000 + number) for number in range(500)])
        extra = memory(odoo.pid, "VmHWM") - idle

        # the baseline before and after, so that a noisy machine shows
        before = one_by_one(0, options.baseline // 2)
        created = ingest("created", options.items)
        matched = ingest("matched", options.items)
        after = one_by_one(options.baseline, options.baseline // 2)
        baseline = 2 / (1 / before + 1 / after)

        print(f"one create a lead          {before:8.1f} /s, then {after:.1f} /s")
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
