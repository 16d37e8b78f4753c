# SPDX-License-Identifier: LGPL-3.0-or-later
"""A day passes: engagement falls for all leads, and rows are written for few.

All leads have engagement. The job that watches over it runs as if a day had gone by;
the leads that fell below a threshold are written, the others are not (by their place in
the table, which a write would change). Then it runs again: nothing is left to do.
"""

from __future__ import annotations

import argparse

from score_support import measure
from support import report

import lab

SCRIPT = """
from unittest.mock import patch

make_leads(LEADS)
make_touchpoints("form_submit", "TRUE", 1, 40)
make_touchpoints("call_in", "mod(id, 3) = 0", 1, 40)
env.cr.execute("ANALYZE crm_lead; ANALYZE lead_touchpoint")
activate(make_model())
tomorrow = fields.Datetime.now() + timedelta(days=1)
env["crm.lead"]._cron_cool()  # what became due while they were scored
env.cr.execute(
    '''
    CREATE TEMP TABLE place AS
        SELECT id, ctid AS at, COALESCE(cools_at <= %s, false) AS due FROM lead_score
    ''',
    [tomorrow],
)
env.cr.execute("SELECT count(*), count(*) FILTER (WHERE due) FROM place")
count, due = env.cr.fetchone()
env.cr.commit()


def a_day_later():
    start = time.perf_counter()
    with patch.object(fields.Datetime, "now", lambda *_: tomorrow):
        env["crm.lead"]._cron_cool()
    seconds = time.perf_counter() - start
    env.cr.execute(
        '''
        SELECT count(*) FILTER (WHERE due), count(*) FILTER (WHERE NOT due)
          FROM lead_score JOIN place USING (id) WHERE lead_score.ctid <> place.at
        '''
    )
    return seconds, *env.cr.fetchone()


seconds, written, others = a_day_later()
again = a_day_later()
env.cr.execute(
    '''
    SELECT count(*) FROM lead_score WHERE cools_at <= %s
    ''',
    [tomorrow],
)
report(
    leads=count, due=due, written=written, others=others, seconds=seconds,
    again=again, left=env.cr.fetchone()[0],
)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=200_000)
    options = parser.parse_args()
    with lab.Lab() as it, it.temporary("bench_decay") as database:
        script = SCRIPT.replace("LEADS", str(options.leads))
        found = measure(it, database, script)
    print(f"leads with engagement          {found['leads']:8d}")
    print(f"fall below a threshold         {found['due']:8d}")
    print(f"  of them written              {found['written']:8d}", end="")
    print(f"   in {found['seconds']:.1f} s")
    print(f"others written                 {found['others']:8d}")
    print(f"the job with nothing to do     {1000 * found['again'][0]:8.1f} ms")
    assert not found["left"], found
    report(
        name="decay",
        n=found["leads"],
        due=found["due"],
        written=found["written"],
        written_without_need=found["others"],
        seconds=round(found["seconds"], 1),
    )


if __name__ == "__main__":
    main()
