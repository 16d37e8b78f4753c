# SPDX-License-Identifier: LGPL-3.0-or-later
"""Real people who take the next lead at the same moment: nobody gets the same one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import Lab, Odoo

REPS = ("amira", "bao", "chen", "dalia")
LEADS = 60
SETUP = """
env["ir.cron"].search([]).active = False
users = env["res.users"].create([
    {"name": login, "login": login, "password": login,
     "group_ids": [(4, env.ref("sales_team.group_sale_salesman").id)]}
    for login in REPS
])
env["lead.distribution.rule"].search([]).active = False
pool = env["lead.pool"].create({
    "name": "Takers",
    # so that leads wait; whoever asks is here all the same
    "member_ids": [(0, 0, {"user_id": user.id, "paused": True}) for user in users],
})
env["lead.distribution.rule"].create({"name": "All", "pool_id": pool.id})
env["ir.config_parameter"].set_param("lead_pipeline.distribution", True)
env["crm.lead"].create([
    {"name": f"Waiting {n}", "user_id": False, "priority": str(n % 3)}
    for n in range(LEADS)
])
env.cr.commit()
""".replace("REPS", repr(REPS)).replace("LEADS", str(LEADS))
BEHIND_A_LOCK = """
user = env["res.users"].search([("login", "=", "amira")])
waiting = env["crm.lead"].search(
    [("name", "like", "Waiting %"), ("user_id", "=", False)],
    order="priority desc, id desc", limit=2)
best, second = waiting.ids
env.cr.commit()
with env.registry.cursor() as somebody:
    somebody.execute("SELECT id FROM crm_lead WHERE id = %s FOR UPDATE", [best])
    taken, why = env["lead.distribution"]._take_next(user)
assert taken == second, (taken, best, second)
print("fine")
"""
CHECK = """
leads = env["crm.lead"].search([("name", "like", "Waiting %")])
taken = leads.filtered("user_id")
assert set(taken.assignment_id.mapped("event")) == {"taken"}
assert all(lead.assignment_id.user_id == lead.user_id for lead in taken)
# the others only waited before
assert len(taken.assignment_ids.filtered("user_id")) == len(taken)
members = env["lead.pool.member"].search([("pool_id.name", "=", "Takers")])
assert sum(members.mapped("load_today")) == len(taken)
print("fine")
"""


@pytest.fixture(scope="module")
def workers(the_lab: Lab) -> Iterator[Odoo]:
    """A database with leads that wait for four people, served by two processes."""
    with the_lab.temporary("take", demo=False) as database:
        the_lab.shell(database, SETUP)
        with the_lab.odoo(database, workers=2) as odoo:
            yield odoo


def test_nobody_waits_for_a_lead_that_is_held(the_lab: Lab, workers: Odoo) -> None:
    assert "fine" in the_lab.shell(workers.database, BEHIND_A_LOCK)


def test_never_the_same_for_two(the_lab: Lab, workers: Odoo) -> None:
    sessions = [workers.session(login) for login in REPS]
    rounds = 10

    def take(nth: int) -> int:
        action = sessions[nth].execute("crm.lead", "action_take_next", [])
        return int(action["res_id"])

    taken: list[int] = []
    with ThreadPoolExecutor(len(REPS)) as threads:
        for _ in range(rounds):
            calls = [threads.submit(take, nth) for nth in range(len(REPS))]
            taken += [call.result() for call in calls]
    assert len(set(taken)) == len(REPS) * rounds
    admin = workers.session("admin").env["crm.lead"]
    left = admin.search([("name", "like", "Waiting %"), ("user_id", "=", False)])
    # the best went first: who is left has no stars
    priorities = {row["priority"] for row in admin.read(left, ["priority"])}
    assert priorities == {"0"}
    assert "fine" in the_lab.shell(workers.database, CHECK)
