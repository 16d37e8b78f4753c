# SPDX-License-Identifier: LGPL-3.0-or-later
"""One new touchpoint on a lead that has 10, 1 000 or 100 000: it costs the same.

The whole of it: the touchpoint is created by the ORM, first and last touch, totals and
both scores are brought up to date, and it is committed. Of an activity without limit,
and of one with a limit a day. The leads take turns, so that a noisy machine is noisy
for all of them; medians.
"""

from __future__ import annotations

import argparse

from score_support import measure
from support import report

import lab

SCRIPT = """
from statistics import median

SIZES = [10, 1_000, 100_000]
make_leads(2 * len(SIZES))
env.cr.execute("SELECT id FROM crm_lead ORDER BY id DESC LIMIT %s", [2 * len(SIZES)])
ids = [row[0] for row in env.cr.fetchall()]
leads = {}
for kind in ("form_submit", "page_view"):
    for size in SIZES:
        leads[kind, size] = env["crm.lead"].browse(ids.pop())
        make_touchpoints(kind, f"id = {leads[kind, size].id}", size, 30)
env.cr.execute("ANALYZE lead_touchpoint")
activate(make_model())
times = {place: [] for place in leads}
for turn in range(ROUNDS + 10):
    for (kind, size), lead in leads.items():
        start = time.perf_counter()
        env["lead.touchpoint"].create(
            {
                "lead_id": lead.id,
                "kind": kind,
                "at": fields.Datetime.now() - timedelta(seconds=turn),
                "url": "/pricing",
            }
        )
        env.cr.commit()
        if turn >= 10:
            times[kind, size].append(1000 * (time.perf_counter() - start))
report(
    form=[median(times["form_submit", size]) for size in SIZES],
    page=[median(times["page_view", size]) for size in SIZES],
)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=150)
    options = parser.parse_args()
    with lab.Lab() as it, it.temporary("bench_touch") as database:
        script = SCRIPT.replace("ROUNDS", str(options.rounds))
        figures = measure(it, database, script)
    for name, label in (("form", "no limit"), ("page", "limited")):
        shown = "  ".join(f"{each:6.2f}" for each in figures[name])
        print(f"ms a touch, {label:8}  {shown}   at 10, 1 000, 100 000 touchpoints")
    ratio = max(figures[name][-1] / figures[name][0] for name in ("form", "page"))
    report(
        name="touch",
        n=100_000,
        ms=[round(each, 2) for each in figures["form"]],
        ms_limited=[round(each, 2) for each in figures["page"]],
        ratio=round(ratio, 2),
    )


if __name__ == "__main__":
    main()
