# SPDX-License-Identifier: LGPL-3.0-or-later
"""Real workers and jobs that give out leads at the same moment: each lead gets one
owner, and each turn is taken once."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import Lab, Odoo
from lab.access import LOGIN, connector_access
from lab.process import Process

CHANNEL = {"name": "Ads", "code": "turns", "channel_type": "ad"}
SETUP = """
calendar = env["resource.calendar"].create({
    "name": "Always", "tz": "UTC",
    "attendance_ids": [(0, 0, {"name": "All day", "dayofweek": str(day),
                               "hour_from": 0, "hour_to": 24, "day_period": "morning"})
                       for day in range(7)],
})
users = env["res.users"].create([
    {"name": name, "login": name.lower(),
     "group_ids": [(4, env.ref("sales_team.group_sale_salesman").id)]}
    for name in ("Amira", "Bao", "Chen", "Dalia")
])
env["lead.distribution.rule"].search([]).active = False
pool = env["lead.pool"].create({
    "name": "Turns",
    "member_ids": [(0, 0, {"user_id": user.id, "resource_calendar_id": calendar.id})
                   for user in users],
})
env["lead.distribution.rule"].create({"name": "All", "pool_id": pool.id})
env["ir.config_parameter"].set_param("lead_pipeline.distribution", True)
env["ir.cron"].search([]).active = False
env.cr.commit()
"""
WAITING = """
env["ir.config_parameter"].set_param("lead_pipeline.distribution", False)
leads = env["crm.lead"].create(
    [{"name": f"NAME {n}", "user_id": False} for n in range(COUNT)]
)
leads.waiting_since = "2026-11-20 10:00:00"
env["ir.config_parameter"].set_param("lead_pipeline.distribution", True)
env.cr.commit()
"""
SWEEP = """
from odoo.fields import Domain
given, _after = env["lead.distribution"]._sweep(
    Domain("waiting_since", "!=", False), batch=BATCH
)
env.cr.commit()
print("swept", sum(given.values()))
"""
CHECK = """
leads = env["crm.lead"].search([("name", "like", "NAME%")])
assert all(lead.user_id for lead in leads), leads.filtered(lambda l: not l.user_id)
assert not any(leads.mapped("waiting_since"))
env.cr.execute(
    "SELECT lead_id FROM lead_assignment"
    " WHERE user_id IS NOT NULL AND lead_id = ANY(%s)"
    " GROUP BY lead_id HAVING count(*) <> 1", [leads.ids])
assert not env.cr.fetchall()
assert all(lead.assignment_id.user_id == lead.user_id for lead in leads)
assert not env["lead.assignment"].search(
    [("user_id", "!=", False), ("told_at", "=", False)])
given = env["lead.assignment"].search_count(
    [("pool_id.name", "=", "Turns"), ("user_id", "!=", False)])
members = env["lead.pool.member"].search([("pool_id.name", "=", "Turns")])
assert sum(members.mapped("turns")) == given, (members.mapped("turns"), given)
assert max(members.mapped("turns")) - min(members.mapped("turns")) <= 1
print("leads", len(leads))
"""


@pytest.fixture(scope="module")
def workers(the_lab: Lab) -> Iterator[tuple[Odoo, str]]:
    """A database with one pool of four people, served by two processes."""
    with the_lab.temporary("turns", demo=False) as database:
        key = connector_access(the_lab, database, [CHANNEL])
        the_lab.shell(database, SETUP)
        with the_lab.odoo(database, workers=2) as odoo:
            yield odoo, key


def check(lab: Lab, odoo: Odoo, name: str) -> int:
    """How many leads of that name there are, all of them given out once and told."""
    answer = lab.shell(odoo.database, CHECK.replace("NAME", name))
    return int(answer.rpartition("leads ")[2].split()[0])


def test_callers_at_the_same_moment(the_lab: Lab, workers: tuple[Odoo, str]) -> None:
    odoo, key = workers
    callers, rounds = 4, 12
    sessions = [odoo.session(LOGIN, key) for _ in range(callers)]

    def deliver(caller: int, number: int) -> Counter[str]:
        items = [
            {
                "channel": CHANNEL["code"],
                "external_id": f"{caller}-{number}-{nth}",
                "contact": {
                    "name": "Nour Saleh",
                    "email": f"nour.{caller}.{number}.{nth}@example.com",
                },
            }
            for nth in range(1 + number % 3)
        ]
        results = sessions[caller].env["lead.submission"].ingest(items)
        return Counter(row["status"] for row in results)

    status: Counter[str] = Counter()
    with ThreadPoolExecutor(callers) as threads:
        for number in range(rounds):
            calls = [threads.submit(deliver, one, number) for one in range(callers)]
            for call in calls:
                status += call.result()
    assert status == {"created": callers * sum(1 + n % 3 for n in range(rounds))}
    assert check(the_lab, odoo, "Nour Saleh") == status["created"]


def test_jobs_and_callers(the_lab: Lab, workers: tuple[Odoo, str]) -> None:
    """Two jobs sweep the same leads, while people bring others and edit them."""
    odoo, key = workers
    count = 300
    made = WAITING.replace("NAME", "Waiting").replace("COUNT", str(count))
    the_lab.shell(odoo.database, made)
    session = odoo.session(LOGIN, key)
    admin = odoo.session("admin").env["crm.lead"]
    ids = admin.search([("name", "like", "Waiting%")])
    sweep = SWEEP.replace("BATCH", "20")
    brought = 0
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(the_lab.shell, odoo.database, sweep) for _ in range(2)]
        while not all(job.done() for job in jobs):
            brought += 1
            item = {
                "channel": CHANNEL["code"],
                "external_id": f"meanwhile-{brought}",
                "contact": {
                    "name": "Waiting no more",
                    "email": f"w.{brought}@example.com",
                },
            }
            [result] = session.env["lead.submission"].ingest([item])
            assert result["status"] == "created"
            admin.write([ids[brought % count]], {"priority": "1"})
        for job in jobs:
            assert "swept" in job.result()
    # what somebody was writing at the moment is left to the next one
    the_lab.shell(odoo.database, sweep)
    assert check(the_lab, odoo, "Waiting") == count + brought


def test_a_job_that_is_killed(
    the_lab: Lab, workers: tuple[Odoo, str], tmp_path: Path
) -> None:
    odoo, _key = workers
    count = 200
    made = WAITING.replace("NAME", "Killed").replace("COUNT", str(count))
    the_lab.shell(odoo.database, made)
    admin = odoo.session("admin").env["crm.lead"]
    waiting = [("name", "like", "Killed%"), ("waiting_since", "!=", False)]
    script = tmp_path / "sweep.py"
    script.write_text(SWEEP.replace("BATCH", "4"))
    argv = the_lab.argv("shell", "-d", odoo.database, "--no-http")
    with Process(
        argv,
        stdin=script,
        log=tmp_path / "sweep.log",
        env=the_lab.environment.environ(),
    ) as process:
        deadline = time.monotonic() + 60
        while admin.search_count(waiting) > count - 20:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.popen.send_signal(signal.SIGKILL)
        process.popen.wait()
    assert admin.search_count(waiting) > 0
    the_lab.shell(odoo.database, SWEEP.replace("BATCH", "500"))
    assert check(the_lab, odoo, "Killed") == count
