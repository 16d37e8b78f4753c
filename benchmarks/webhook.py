# SPDX-License-Identifier: LGPL-3.0-or-later
"""Durable webhooks a second, against a no-op endpoint and against Odoo's own webhook.

The connector takes signed leads and answers 200 when they are on the disk, while
100 000 more wait in its inbox for an Odoo that is away. The no-op has the same server
below it and throws the body away. Odoo's webhook is an automation rule that makes a
lead, served by two workers. The same process sends to all three, taking turns.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import multiprocessing
import os
import shutil
import sqlite3
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import uvicorn
from load import Load, body, send
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from support import memory, report

import lab
from lead_connectors.config import WebSection
from lead_connectors.config import load as load_config
from lead_connectors.inbox import Inbox
from lead_connectors.service import server_config
from lead_connectors.sources.base import Item, Receipt

SECRET = "whsec_" + base64.b64encode(b"known to this benchmark alone").decode()

CONFIG = """
[odoo]
url = "http://127.0.0.1:{odoo}"
database = "away"
login = "connector"
api_key = "env:BENCH_KEY"

[web]
host = "127.0.0.1"
port = {port}
rate_limit = 0

[log]
format = "json"

[sources.shop]
type = "standard_webhooks"
secret = "env:BENCH_SECRET"
"""

# What a lead from a webhook is in Odoo alone: a rule on crm.lead, and code, as a rule
# has to run on a record that is there already.
RULE = """
model = env["ir.model"]._get("crm.lead")
rule = env["base.automation"].create({
    "name": "Benchmark",
    "model_id": model.id,
    "trigger": "on_webhook",
    "record_getter": "model.search([], limit=1)",
    "action_server_ids": [(0, 0, {
        "name": "Make a lead",
        "model_id": model.id,
        "state": "code",
        "code": '''
data = payload["data"]
contact = data["contact"]
env["crm.lead"].create({
    "name": contact["name"] + ": " + data["subject"],
    "contact_name": contact["name"],
    "email_from": contact["email"],
    "phone": contact["phone"],
    "partner_name": contact["company"],
    "function": contact["job_title"],
    "website": contact["website"],
    "city": contact["city"],
    "zip": contact["zip"],
    "description": data["message"],
    "type": "lead",
    "user_id": False,
})
''',
    })],
})
env.cr.commit()
print("path=/web/hook/" + rule.webhook_uuid)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=15_000, help="a round")
    parser.add_argument("--rounds", type=int, default=7, help="of each, by turns")
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--waiting", type=int, default=100_000, help="in the inbox")
    parser.add_argument("--baseline", type=int, default=120, help="leads by Odoo's own")
    options = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="bench-webhook-", dir=lab.LAB))
    try:
        figures = connector_and_noop(folder, options)
    finally:
        shutil.rmtree(folder)
    with odoo_webhook() as rounds:
        baseline = rounds(options.baseline)
    print(f"Odoo   {baseline:8.1f} /s by its own webhook, two workers")
    report(
        name="webhook",
        n=options.requests * options.rounds,
        ours=round(figures["ours"]),
        noop=round(figures["noop"]),
        baseline=round(baseline, 1),
        ratio=round(figures["ours"] / baseline, 1),
        share=round(figures["ours"] / figures["noop"], 3),
        memory_mb=round(figures["memory"], 1),
    )


def connector_and_noop(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Requests a second of both, and the connector's memory at its highest in MB."""
    fill(folder, options.waiting)
    rounds: dict[str, list[tuple[float, float]]] = {"noop": [], "ours": []}
    numbers = itertools.count(1_000_000, options.requests)
    with noop() as empty, connector(folder) as ours:
        servers = {"noop": empty, "ours": ours}

        def one_round(name: str, requests: int) -> tuple[float, float]:
            pid, port = servers[name]
            seconds, cpu = send(
                Load(
                    pid=pid,
                    port=port,
                    path="/hooks/shop",
                    secret=SECRET,
                    number=next(numbers),
                    requests=requests,
                    connections=options.connections,
                )
            )
            return requests / seconds, cpu / requests * 1e6

        warm_up = min(2000, options.requests)
        for name in servers:
            one_round(name, warm_up)
        for _ in range(options.rounds):
            for name in servers:
                rounds[name].append(one_round(name, options.requests))
        sent = warm_up + options.requests * options.rounds
        peak = memory(servers["ours"][0], "VmHWM")
    kept = stored(folder)
    assert kept == sent, f"{sent} were accepted, {kept} are in the inbox"
    figures = {"memory": peak}
    for name, found in rounds.items():
        rates, cpu = zip(*found, strict=True)
        figures[name] = median(rates)
        print(
            f"{name:6} {figures[name]:8.0f} /s, {median(cpu):.0f} us of CPU each;"
            f" rounds: {' '.join(f'{rate:.0f}' for rate in rates)}"
        )
    print(f"kept   {kept} of {sent} accepted, beside {options.waiting} that wait")
    print(f"memory {peak:8.1f} MB of the connector at its highest")
    return figures


# -- the connector -------------------------------------------------------------


def fill(folder: Path, count: int) -> None:
    """Leads that came while Odoo was away, as the parser leaves them."""
    path = folder / "connectors.toml"
    path.write_text(CONFIG.format(odoo=lab.free_port(), port=lab.free_port()))
    os.environ |= {"BENCH_KEY": "not-needed", "BENCH_SECRET": SECRET}
    setup = load_config(path)
    source = setup.sources[0].kind("shop", setup.sources[0].config, None)
    sample = source.parse(receipt(body(0)))[0].submission
    inbox = Inbox(setup.inbox_url)
    inbox.open()
    for start in range(0, count, 1000):
        keys = [f"waiting-{n}" for n in range(start, min(start + 1000, count))]
        inbox.add_items(
            "shop",
            [Item(k, sample.model_copy(update={"external_id": k})) for k in keys],
        )
    inbox.close()


def receipt(content: bytes) -> Receipt:
    return Receipt(content, datetime.now(UTC), "POST", "application/json")


@contextlib.contextmanager
def connector(folder: Path) -> Iterator[tuple[int, int]]:
    """``lead-connectors serve``, as an operator runs it; yields pid and port."""
    path = folder / "connectors.toml"
    with lab.Connector(path, {}) as running:
        yield running.pid, load_config(path).settings.web.port


def stored(folder: Path) -> int:
    """How many of the requests sent are on disk, read past the connector."""
    with contextlib.closing(sqlite3.connect(folder / "inbox.sqlite")) as db:
        return int(db.execute("SELECT count(*) FROM receipts").fetchone()[0])


# -- the no-op -----------------------------------------------------------------


@contextlib.contextmanager
def noop() -> Iterator[tuple[int, int]]:
    """The no-op's server; yields pid and port."""
    port = lab.free_port()
    process = multiprocessing.get_context("spawn").Process(
        target=serve_noop, args=(port,), daemon=True
    )
    process.start()
    try:
        while not answers(port, "/hooks/shop"):
            assert process.is_alive(), "the no-op server did not start"
            time.sleep(0.05)
        assert process.pid
        yield process.pid, port
    finally:
        process.terminate()
        process.join()


def serve_noop(port: int) -> None:
    app = Starlette(
        routes=[Route("/hooks/{source}", read_and_forget, methods=["GET", "POST"])]
    )
    uvicorn.Server(server_config(app, WebSection(port=port))).run()


async def read_and_forget(request: Request) -> Response:
    await request.body()
    return Response(b"{}", media_type="application/json")


# -- Odoo's own ----------------------------------------------------------------


@contextlib.contextmanager
def odoo_webhook() -> Iterator[Any]:
    """Odoo without our addons; yields what sends so many and gives leads a second."""
    with (
        lab.Lab() as it,
        it.temporary("bench_webhook", ("base_automation",)) as database,
    ):
        path = it.shell(database, RULE).partition("path=")[2].strip()
        with it.odoo(database, workers=2) as odoo:
            numbers = itertools.count(5_000_000, 10_000)

            def leads() -> int:
                script = "print(env['crm.lead'].search_count([]))"
                return int(it.shell(database, script))

            def one_round(requests: int) -> float:
                load = Load(
                    odoo.pid, odoo.port, path, SECRET, next(numbers), requests, 4
                )
                return requests / send(load)[0]

            def rounds(requests: int) -> float:
                one_round(20)  # both workers load their registries
                before = leads()
                rates = [one_round(requests // 3) for _ in range(3)]
                made = leads() - before
                assert made == requests // 3 * 3, f"Odoo made {made} leads"
                return median(rates)

            yield rounds


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
