# SPDX-License-Identifier: LGPL-3.0-or-later
"""Nurture is killed while it sends SMS; a provider of real HTTP counts."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from at_work import at_work, wait_for

from lab import Lab

LEADS = 120
KILLS = 6
#: SMS that go to the provider in one request
TOGETHER = 10
SETUP = """
params = env["ir.config_parameter"]
params.set_param("sms.endpoint", "http://127.0.0.1:PORT")
params.set_param("sms.session.batch.size", TOGETHER)
env.company.lead_nurture_cap = 0
env.company.lead_nurture_sms_consent_required = False
env["sms.sms"].search([]).write({"state": "canceled"})
template = env["sms.template"].create({
    "name": "Killed", "model_id": env["ir.model"]._get_id("crm.lead"),
    "body": "Hello {{ object.contact_name }}",
})
track = env["lead.nurture.track"].create({
    "name": "Killed", "days": "all", "hour_from": 0, "hour_to": 24,
    "on_holidays": True, "holdout_percent": 0,
    "user_id": env.ref("base.user_admin").id,
    "stage_ids": [(0, 0, {
        "name": "SMS", "delay": 0, "channel": "sms", "sms_template_id": template.id,
    })],
})
track.action_start()
leads = env["crm.lead"].create([
    {"name": f"Killed {n}", "contact_name": f"Duc {n}",
     "phone": f"+49151{n:08d}", "country_id": env.ref("base.de").id}
    for n in range(LEADS)
])
env["lead.nurture"]._enrol(leads, track)
env.cr.commit()
"""
JOBS = """
jobs = (
    lambda: env["lead.nurture"]._cron_run(batch=23),
    lambda: env["sms.sms"]._process_queue(),
)
"""
#: dies without a word, as by kill -9, between two steps
DIE = """
import os, signal
Sms = type(env["sms.sms"])
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""
BEFORE_THE_CLAIM = """
Sms._claim_nurture = lambda self: die()
"""
AFTER_THE_CLAIM = """
plain = Sms._claim_nurture
def trapped(self):
    plain(self)
    die()
Sms._claim_nurture = trapped
"""
BEFORE_IT_IS_WRITTEN = """
Sms._handle_call_result_hook = lambda self, results: die()
"""
RESULT = """
import json
touches = env["lead.nurture.touch"].search([("lead_id.name", "like", "Killed %")])
print("result=" + json.dumps([
    [one.lead_id.phone_sanitized, one.state, one.reason or ""] for one in touches]))
"""


class Provider(ThreadingHTTPServer):
    """Takes SMS as Odoo's in-app service does, is slow to answer, and counts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.received: Counter[str] = Counter()
        self.lock = threading.Lock()


class Answer(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = [one for each in body["params"]["messages"] for one in each["numbers"]]
        with self.server.lock:
            self.server.received.update(one["number"] for one in asked)
        time.sleep(0.05)
        taken = [
            {"uuid": one["uuid"], "state": "success", "credit": 1} for one in asked
        ]
        answer = json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": taken})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        try:
            self.wfile.write(answer.encode())
        except ConnectionError:
            pass  # whoever asked was killed

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def database(the_lab: Lab, provider: Provider) -> Iterator[str]:
    setup = SETUP.replace("PORT", str(provider.server_port))
    setup = setup.replace("TOGETHER", str(TOGETHER)).replace("LEADS", str(LEADS))
    with the_lab.temporary("killed_sms") as name:
        the_lab.shell(name, setup)
        yield name


def test_no_sms_goes_out_twice(
    the_lab: Lab, database: str, provider: Provider, tmp_path: Path
) -> None:
    kills = 0
    for trap, taken in (
        (BEFORE_THE_CLAIM, 0),
        (AFTER_THE_CLAIM, 0),
        (BEFORE_IT_IS_WRITTEN, TOGETHER),
    ):
        before = provider.received.total()
        with at_work(the_lab, database, tmp_path, 1, DIE + trap + JOBS) as process:
            assert process.popen.wait(120) == -9, process.log_tail()
        assert provider.received.total() == before + taken
        kills += trap != BEFORE_THE_CLAIM
    chance = random.Random(7)
    for _ in range(KILLS):
        with at_work(the_lab, database, tmp_path, 1000, JOBS) as process:
            wait_for(tmp_path / "ready", process, 60)
            time.sleep(chance.uniform(0.05, 0.6))
            process.kill()
        kills += 1
    with at_work(the_lab, database, tmp_path, LEADS, JOBS) as process:
        wait_for(tmp_path / "done", process, 240)
        process.popen.wait(60)

    assert set(provider.received.values()) == {1}, "somebody got it twice"
    rows = json.loads(the_lab.shell(database, RESULT).partition("result=")[2])
    assert len(rows) == LEADS
    assert {state for _number, state, _reason in rows} == {"sent"}
    # of these nobody can know; they are listed for a person
    unsure = {number for number, _state, reason in rows if reason == "stopped"}
    assert 2 * TOGETHER <= len(unsure) <= kills * TOGETHER
    everybody = {number for number, _state, _reason in rows}
    missing = everybody - set(provider.received)
    assert missing <= unsure
    assert TOGETHER <= len(missing)
