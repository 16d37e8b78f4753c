# SPDX-License-Identifier: LGPL-3.0-or-later
"""Nurture is killed at any moment, again and again; a real mail server counts."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from at_work import at_work, wait_for

from lab import Lab, Process, free_port

LEADS = 150
KILLS = 8
SETUP = """
env.company.lead_nurture_cap = 0
template = env["mail.template"].create({
    "name": "Killed", "model_id": env["ir.model"]._get_id("crm.lead"),
    "subject": "Hello {{ object.contact_name }}", "email_from": "sales@example.com",
    "body_html": '<p>Hello <t t-out="object.contact_name"/></p>',
})
track = env["lead.nurture.track"].create({
    "name": "Killed", "days": "all", "hour_from": 0, "hour_to": 24,
    "on_holidays": True, "holdout_percent": 0,
    "user_id": env.ref("base.user_admin").id,
    "stage_ids": [
        (0, 0, {"name": "Mail", "delay": 0, "template_id": template.id}),
        (0, 0, {"name": "Task", "delay": 0, "channel": "task", "summary": "Look"}),
    ],
})
track.action_start()
env["mail.mail"].search([("state", "=", "outgoing")]).write({"state": "cancel"})
env.cr.commit()
"""
ENROL = """
leads = env["crm.lead"].create([
    {"name": f"Killed {n}", "contact_name": f"Duc {n}",
     "email_from": f"NAME.{n}@example.com"}
    for n in range(LEADS)
])
track = env["lead.nurture.track"].search([("name", "=", "Killed")])
env["lead.nurture"]._enrol(leads, track)
env.cr.commit()
"""
RESULT = """
import json
from collections import Counter
touches = env["lead.nurture.touch"].search([("lead_id.name", "like", "Killed %")])
activities = env["mail.activity"].search_count([("summary", "=", "Look")])
states = Counter((t.channel, t.state) for t in touches)
print("result=" + json.dumps({
    "touches": [[*key, n] for key, n in states.items()],
    "activities": activities,
    "stopped": touches.filtered(lambda t: t.reason == "stopped").lead_id.mapped(
        "email_normalized"),
    "waiting": env["mail.mail"].search_count([("state", "=", "outgoing")]),
}))
"""


class Sink:
    """A mail server that keeps count. It is slow to answer, so that many kills come
    after it has a mail and before anybody knows."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.message_ids: list[str] = []
        self.refused: set[str] = set()
        self.lock = threading.Lock()

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.first_time(address, "grey"):
            return "451 Greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content)
        if self.first_time(envelope.rcpt_tos[0], "full"):
            return "452 No space left"
        with self.lock:
            self.received.update(envelope.rcpt_tos)
            self.message_ids.append(message["Message-Id"])
        if self.first_time(envelope.rcpt_tos[0], "cut"):
            server.transport.abort()
        await asyncio.sleep(0.03)
        return "250 OK"

    def first_time(self, address: str, trouble: str) -> bool:
        """Whether this address begins so and comes for the first time."""
        if not address.startswith(f"{trouble}.") or address in self.refused:
            return False
        self.refused.add(address)
        return True


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    handler, port = Sink(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


@pytest.fixture
def database(the_lab: Lab) -> Iterator[str]:
    with the_lab.temporary("killed") as name:
        the_lab.shell(name, SETUP)
        yield name


def worker(
    lab: Lab,
    database: str,
    port: int,
    folder: Path,
    rounds: int,
    first: str = "",
    last: str = "",
) -> Process:
    """Odoo at work on nurture and its mails; a process that may be killed."""
    jobs = """
jobs = (
    lambda: env["lead.nurture"]._cron_run(batch=7),
    lambda: env["mail.mail"].process_email_queue(),
)
"""
    server = ("--smtp=127.0.0.1", f"--smtp-port={port}")
    return at_work(lab, database, folder, rounds, first + jobs, last, server)


def enrol(name: str, number: int) -> str:
    """Python that enrols so many leads with addresses of this name."""
    return ENROL.replace("NAME", name).replace("LEADS", str(number))


def test_killed_at_any_moment(
    the_lab: Lab, database: str, sink: tuple[Sink, int], tmp_path: Path
) -> None:
    handler, port = sink
    the_lab.shell(database, enrol("duc", LEADS))
    chance = random.Random(5)
    for _ in range(KILLS):
        process = worker(the_lab, database, port, tmp_path, rounds=1000)
        with process:
            wait_for(tmp_path / "ready", process, 60)
            time.sleep(chance.uniform(0.1, 6))
            process.kill()
    assert 0 < len(handler.message_ids)
    process = worker(the_lab, database, port, tmp_path, rounds=3)
    with process:
        wait_for(tmp_path / "done", process, 240)
        process.popen.wait(60)

    assert set(handler.received.values()) == {1}, "somebody got it twice"
    result = json.loads(the_lab.shell(database, RESULT).partition("result=")[2])
    assert sorted(result["touches"]) == [
        ["email", "sent", LEADS],
        ["task", "sent", LEADS],
    ]
    assert result["activities"] == LEADS
    assert result["waiting"] == 0
    # Whom a kill met in the tenth of a millisecond before the dot got nothing, and is
    # listed for a person to decide: nobody is lost unseen, and hardly anybody at all.
    assert len(result["stopped"]) <= KILLS
    everybody = {f"duc.{number}@example.com" for number in range(LEADS)}
    missing = everybody - set(handler.received)
    assert missing <= set(result["stopped"])
    assert len(missing) <= 1


# ----------------------------------------------------------------------------------
# at each point between two steps
# ----------------------------------------------------------------------------------

#: dies without a word, as by kill -9
DIE = """
import os, signal, smtplib, time
from odoo.addons.mail.models.mail_mail import MailMail as CoreMail
Mail, Nurture = type(env["mail.mail"]), type(env["lead.nurture"])
def die(*_args, **_kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
def before(owner, name, when=lambda *args: True):
    plain = getattr(owner, name)
    def trapped(*args, **kwargs):
        if when(*args):
            die()
        return plain(*args, **kwargs)
    setattr(owner, name, trapped)
def after(owner, name, when=lambda *args: True, wait=0):
    plain = getattr(owner, name)
    def trapped(*args, **kwargs):
        result = plain(*args, **kwargs)
        if when(*args):
            time.sleep(wait)
            die()
        return result
    setattr(owner, name, trapped)
"""
DOT = 'lambda self, data: data == b".\\r\\n"'
TEXT = "lambda self, data: len(data) > 500"
#: the server does not have the mail: it goes out later, by itself
LATER = {
    "the touch is made, not committed": 'before(Nurture, "_go_on")',
    "the mail is queued": 'before(Mail, "process_email_queue")',
    "the mail is looked at again": 'before(Mail, "_check_nurture")',
    "the mail is locked": 'before(Mail, "_hand_over")',
    "the server greets": 'before(smtplib.SMTP, "mail")',
    "the server has the address": 'after(smtplib.SMTP, "rcpt")',
    "the server asks for the text": f'before(smtplib.SMTP, "send", {TEXT})',
    "the server has the text": f'after(smtplib.SMTP, "send", {TEXT})',
    "the claim is not committed": """
plain = Mail._claim
def claim(self, commit):
    plain(self, False)
    die()
Mail._claim = claim
""",
}
#: nobody can know whether the server has it; and whether it does
UNSURE = {
    "the claim is committed": ('after(Mail, "_claim")', False),
    "the dot is on its way": (f'after(smtplib.SMTP, "send", {DOT}, 0.2)', True),
    "the server said yes": ('before(Mail, "_postprocess_sent_message")', True),
    "it is written, not committed": ('after(CoreMail, "_send", len)', True),
}
#: all is written
DONE = {"the mail is done": 'after(Mail, "_hand_over")'}
STATE = """
import json
from pathlib import Path
env["lead.nurture.touch"].invalidate_model()
found = env["lead.nurture.touch"].search(
    [("channel", "=", "email"), ("lead_id.email_from", "like", "NAME.%")])
Path(STATE).write_text(json.dumps([
    [one.id, one.lead_id.email_from, one.state, one.reason or "", one.can_send_again]
    for one in found]))
"""


def work(
    lab: Lab, database: str, port: int, folder: Path, name: str, first: str = ""
) -> list[list[Any]]:
    """Let Odoo do all that there is to do.

    :param first: Python that it runs before
    :return: [touch, address, state, reason, can be sent again] of leads of this name
    """
    at_once = """
from datetime import timedelta
from odoo.addons.lead_pipeline.models.nurture import lead_nurture_mails
lead_nurture_mails.TRY_AGAIN = timedelta(0)
"""
    found = folder / "state"
    last = STATE.replace("NAME", name).replace("STATE", repr(str(found)))
    first += at_once
    process = worker(lab, database, port, folder, rounds=3, first=first, last=last)
    with process:
        wait_for(folder / "done", process, 120)
        process.popen.wait(60)
    return list(json.loads(found.read_text()))


def test_killed_between_two_steps(
    the_lab: Lab, database: str, sink: tuple[Sink, int], tmp_path: Path
) -> None:
    """Only from the claim to the note that it was taken is a mail in doubt: it is not
    sent twice, and is shown to a person, who settles it."""
    handler, port = sink
    points = {
        **{what: (trap, None) for what, trap in LATER.items()},
        **UNSURE,
        **{what: (trap, None) for what, trap in DONE.items()},
    }
    for place, (what, (trap, taken)) in enumerate(points.items()):
        name = f"point{place}"
        first = enrol(name, 2) + DIE + trap + "\n"
        with worker(the_lab, database, port, tmp_path, 1, first=first) as process:
            assert process.popen.wait(120) == -9, (what, process.log_tail())
        touches = work(the_lab, database, port, tmp_path, name)
        got = Counter({key: n for key, n in handler.received.items() if name in key})
        assert {row[2] for row in touches} == {"sent"}, (what, touches)
        doubtful = [row for row in touches if row[3]]
        if taken is None:
            assert not doubtful, (what, doubtful)
        else:
            assert len(doubtful) == 1, (what, touches)
            [(touch, address, _state, reason, again)] = doubtful
            assert (reason, again) == ("stopped", True), what
            assert got[address] == taken, what
            action = "went_out" if taken else "send_again"
            press = f'env["lead.nurture.touch"].browse({touch}).action_{action}()\n'
            settled = work(the_lab, database, port, tmp_path, name, first=press)
            assert {(row[2], row[3]) for row in settled} == {("sent", "")}, what
        everybody = {f"{name}.0@example.com": 1, f"{name}.1@example.com": 1}
        got = Counter({key: n for key, n in handler.received.items() if name in key})
        assert got == everybody, (what, got)


def test_two_workers_at_once(
    the_lab: Lab, database: str, sink: tuple[Sink, int], tmp_path: Path
) -> None:
    """Odoo runs a job in one worker at a time; should it not, nothing is sent twice."""
    handler, port = sink
    the_lab.shell(database, enrol("both", 60))
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = (worker(the_lab, database, port, folder, 5) for folder in folders)
    with one, two:
        for process, folder in zip((one, two), folders, strict=True):
            wait_for(folder / "done", process, 240)
    touches = work(the_lab, database, port, tmp_path, "both")
    assert {(row[2], row[3]) for row in touches} == {("sent", "")}
    assert len(handler.received) == 60
    assert set(handler.received.values()) == {1}


OPENED_TOO_SOON = """
Mail = type(env["mail.mail"])
plain = Mail._postprocess_sent_message
def opened(self, *args, **kwargs):
    with env.registry.cursor() as cr:
        cr.execute(
            "UPDATE mailing_trace SET open_datetime = now() WHERE id = ANY(%s)",
            [self.mailing_trace_ids.ids])
    return plain(self, *args, **kwargs)
Mail._postprocess_sent_message = opened
"""


def test_a_gateway_opens_a_mail_before_it_takes_it(
    the_lab: Lab, database: str, sink: tuple[Sink, int], tmp_path: Path
) -> None:
    """Two who write on it at once leave no doubt where the server has answered."""
    handler, port = sink
    first = enrol("soon", 3) + OPENED_TOO_SOON
    touches = work(the_lab, database, port, tmp_path, "soon", first=first)
    assert [(row[2], row[3]) for row in touches] == [("sent", "")] * 3
    assert list(handler.received.values()) == [1] * 3


def test_a_server_in_trouble(
    the_lab: Lab, database: str, sink: tuple[Sink, int], tmp_path: Path
) -> None:
    """What it refuses for now is sent later; what it may have taken is not."""
    handler, port = sink
    names = {"grey": "", "full": "", "cut": "stopped", "fine": ""}
    first = "".join(enrol(name, 2) for name in names)
    work(the_lab, database, port, tmp_path, "fine", first=first)
    for name, reason in names.items():
        touches = work(the_lab, database, port, tmp_path, name)
        assert {(row[2], row[3]) for row in touches} == {("sent", reason)}, name
    assert set(handler.received.values()) == {1}
    assert len(handler.received) == 8
