# SPDX-License-Identifier: LGPL-3.0-or-later
"""Real workers that write the scores of the same leads at the same moment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lab import Lab, Odoo
from lab.access import LOGIN, connector_access

CHANNEL = {"name": "Calls", "code": "twice-calls", "channel_type": "form"}
LEADS = 400
MODEL = """
model = env["lead.score.model"].create({
    "name": "Twice",
    "sequence": 0,
    "half_life": 36500,
    "activity_ids": [
        (0, 0, {"name": "Call", "kind": "call_in", "points": 3}),
        (0, 0, {"name": "Page", "kind": "page_view", "points": 2, "capped": True,
                "cap": 1000, "window_days": 7}),
    ],
    "criterion_ids": [(0, 0, {
        "name": "Title",
        "field_id": env["ir.model.fields"]._get("crm.lead", "function").id,
        "option_ids": [(0, 0, {"operator": "word", "value": "CEO", "points": 10}),
                       (0, 0, {"operator": "filled", "points": 5})],
    })],
})
model.action_activate()
env["crm.lead"].create([
    {"name": f"Lead {n}", "function": "Sales", "email_from": f"duc.{n}@example.com"}
    for n in range(LEADS)
])
env["lead.score.model"]._cron_rescore()
env.cr.commit()
""".replace("LEADS", str(LEADS))
DRAFT = """
draft = env["lead.score.model"].search([("name", "=", "Twice")])._new_version()
draft.criterion_ids.option_ids[1].points = 8
draft.action_activate()
env.cr.commit()
env.registry.signal_changes()  # as after a request
env["lead.score.model"]._cron_rescore(20)
env.cr.commit()
leads = env["crm.lead"].search([("name", "like", "Lead %")])
assert not draft.rescored_until
assert set(leads.mapped("quality_score")) <= {80, 100}, leads.mapped("quality_score")
print("fine")
"""
FIRST = """
models = env["lead.score.model"]
draft = models.search([("name", "=", "Twice"), ("state", "=", "active")])._new_version()
draft.activity_ids[0].points = 4
draft.action_activate()
env.cr.commit()
env.registry.signal_changes()
env["lead.score.model"]._cron_rescore(100)
env.cr.commit()
assert not draft.rescored_until
env.cr.execute("SELECT count(*) FROM crm_lead WHERE name LIKE 'Lead %'")
leads = env.cr.fetchone()
env.cr.execute(
    "SELECT count(*) FROM lead_score JOIN crm_lead ON crm_lead.id = lead_id"
    " WHERE name LIKE 'Lead %' AND score_model_id IS NOT NULL"
)
assert env.cr.fetchone() == leads
print("fine")
"""


@pytest.fixture(scope="module")
def workers(the_lab: Lab) -> Iterator[tuple[Odoo, str]]:
    """A database with a score model in use, served by two processes."""
    with the_lab.temporary("score_twice") as database:
        key = connector_access(the_lab, database, [CHANNEL])
        the_lab.shell(database, MODEL)
        with the_lab.odoo(database, workers=2) as odoo:
            yield odoo, key


def test_no_touch_is_lost(workers: tuple[Odoo, str]) -> None:
    odoo, key = workers
    sessions = [odoo.session(LOGIN, key) for _ in range(2)]
    rounds = 12

    def call(caller: int, number: int) -> list[dict[str, Any]]:
        touchpoints = [
            {
                "channel": CHANNEL["code"],
                "external_id": f"{caller}-{number}-{kind}",
                "kind": kind,
                "at": "2026-11-20T09:00:00Z",
                "contact": {"email": "duc.7@example.com"},
            }
            for kind in ("call_in", "page_view")
        ]
        submissions = sessions[caller].env["lead.submission"]
        return list(submissions.ingest_touchpoints(touchpoints))

    with ThreadPoolExecutor(2) as pool:
        for number in range(rounds):
            calls = [pool.submit(call, caller, number) for caller in range(2)]
            for done in calls:
                assert {row["status"] for row in done.result()} == {"created"}
    admin = odoo.session("admin")
    leads = admin.env["crm.lead"]
    [lead] = leads.search_read(
        [("email_normalized", "=", "duc.7@example.com")], ["engagement_score"]
    )
    assert lead["engagement_score"] == 2 * rounds * (3 + 2)
    explained = leads.explain_score(lead["id"])
    assert explained["engagement"]["shown"] == lead["engagement_score"]


@pytest.mark.parametrize(
    ("activate", "title", "score"), [(DRAFT, "CEO", 100), (FIRST, "Cook", 80)]
)
def test_others_work_while_a_model_is_activated(
    the_lab: Lab, workers: tuple[Odoo, str], activate: str, title: str, score: int
) -> None:
    odoo, _key = workers
    admin = odoo.session("admin")
    leads = admin.env["crm.lead"]
    ids = leads.search([("name", "like", "Lead %")])
    assert len(ids) == LEADS
    if activate == FIRST:  # the rows of others come while it adds its own
        the_lab.postgres.sql("DELETE FROM lead_score", odoo.database)
    with ThreadPoolExecutor(1) as pool:
        activation = pool.submit(the_lab.shell, odoo.database, activate)
        written = 0
        while not activation.done():
            leads.write([ids[written % LEADS]], {"function": title})
            written += 1
        assert "fine" in activation.result()
    assert written > 20
    scored = leads.search_count(
        [("id", "in", ids), ("function", "=", title), ("quality_score", "=", score)]
    )
    assert scored == min(written, LEADS)
