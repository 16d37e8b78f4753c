# SPDX-License-Identifier: LGPL-3.0-or-later
"""People and events put the same leads on a track at the same moment: each lead is on
it once, and nothing else of what they do is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import odoorpc
import pytest

from lab import Lab, Odoo

LEADS = 12
REPS = ("amal", "bjarne")
SETUP = """
env["ir.cron"].search([]).active = False
env["res.users"].create([
    {"name": login, "login": login, "password": login,
     "group_ids": [(4, env.ref("sales_team.group_sale_salesman_all_leads").id)]}
    for login in REPS
])
segment = env["lead.segment"].create(
    {"name": "Kiel", "domain": "[('city', '=', 'Kiel')]"})
track = env["lead.nurture.track"].create({
    "name": "Twice", "holdout_percent": 0, "segment_id": segment.id,
    "user_id": env.ref("base.user_admin").id,
    "stage_ids": [(0, 0, {"name": "Look", "channel": "task", "summary": "Look"})],
})
track.action_start()
env["crm.lost.reason"].create({"name": "Twice", "nurture_track_id": track.id})
env["crm.lead"].create([
    {"name": f"Twice {n}", "contact_name": f"Noor {n}", "user_id": False,
     "email_from": f"noor.{n}@example.com"} for n in range(LEADS)
])
env.cr.commit()
""".replace("REPS", repr(REPS)).replace("LEADS", str(LEADS))
# one of them waits for the other, in the same transaction as something else
IN_THE_MIDDLE = """
import threading
from odoo import api, SUPERUSER_ID
lead, other = env["crm.lead"].create([
    {"name": "Middle", "email_from": "middle@example.com"},
    {"name": "Other", "email_from": "other@example.com"}])
track = env["lead.nurture.track"].search([("name", "=", "Twice")])
env.cr.commit()
def work():
    with env.registry.cursor() as cr:
        mine = api.Environment(cr, SUPERUSER_ID, {})
        mine["crm.lead"].browse(other.id).description = "<p>kept</p>"
        leads = mine["crm.lead"].browse([lead.id, other.id])
        mine["lead.nurture"]._enrol(leads, mine["lead.nurture.track"].browse(track.id))
thread = threading.Thread(target=work)
with env.registry.cursor() as cr:
    first = api.Environment(cr, SUPERUSER_ID, {})
    first["lead.nurture"]._enrol(
        first["crm.lead"].browse(lead.id), first["lead.nurture.track"].browse(track.id))
    first.flush_all()
    thread.start()
    thread.join(3)
    assert thread.is_alive(), "it had to wait"
thread.join(30)
env.cr.rollback()
env.invalidate_all()
assert len(lead.enrolment_ids) == 1 and len(other.enrolment_ids) == 1
assert "kept" in other.description
print("fine")
"""


@pytest.fixture(scope="module")
def workers(the_lab: Lab) -> Iterator[Odoo]:
    """A database with leads and a track, served by two processes."""
    with the_lab.temporary("twice", demo=False) as database:
        the_lab.shell(database, SETUP)
        with the_lab.odoo(database, workers=2) as odoo:
            yield odoo


def by_hand(rpc: Any, lead: int) -> None:
    [track] = rpc.env["lead.nurture.track"].search([("name", "=", "Twice")])
    wizard = rpc.env["lead.nurture.enrol"].create(
        {"track_id": track, "lead_ids": [(6, 0, [lead])]}
    )
    rpc.execute("lead.nurture.enrol", "action_enrol", [wizard])


def by_losing_it(rpc: Any, lead: int) -> None:
    [reason] = rpc.env["crm.lost.reason"].search([("name", "=", "Twice")])
    wizard = rpc.env["crm.lead.lost"].create(
        {"lead_ids": [(6, 0, [lead])], "lost_reason_id": reason}
    )
    rpc.execute("crm.lead.lost", "action_lost_reason_apply", [wizard])


def by_segment(rpc: Any, lead: int) -> None:
    rpc.execute("crm.lead", "write", [lead], {"city": "Kiel"})


def test_one_waits_for_the_other(the_lab: Lab, workers: Odoo) -> None:
    assert "fine" in the_lab.shell(workers.database, IN_THE_MIDDLE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (by_hand, by_hand),
        (by_losing_it, by_losing_it),
        (by_segment, by_hand),
        (by_segment, by_losing_it),
    ],
)
def test_two_doors_at_once(
    workers: Odoo, one: Callable[[Any, int], None], other: Callable[[Any, int], None]
) -> None:
    admin, *reps = (workers.session(login) for login in ("admin", *REPS))
    fresh = [("name", "like", "Twice %"), ("enrolment_ids", "=", False)]
    leads = admin.env["crm.lead"].search(fresh, limit=3)
    assert len(leads) == 3
    with ThreadPoolExecutor(2) as pool:
        for lead in leads:
            doors = [
                pool.submit(door, rpc, lead)
                for door, rpc in zip((one, other), reps, strict=True)
            ]
            for door in doors:
                try:
                    door.result(60)
                except odoorpc.error.RPCError as error:
                    # whoever comes second by hand is told so
                    assert "None of these can start" in str(error)
    journeys = admin.env["lead.nurture.enrolment"].search_read(
        [("lead_id", "in", leads)], ["lead_id"]
    )
    assert sorted(journey["lead_id"][0] for journey in journeys) == sorted(leads)
