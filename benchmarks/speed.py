# SPDX-License-Identifier: LGPL-3.0-or-later
"""From the webhook to the owner: ten leads a second for a minute, end to end.

A real connector takes signed webhooks at a steady pace, whatever becomes of them, and
hands them to two Odoo workers, which match, score and give each lead to one of eight
people and tell them. Watched in the database: a lead counts when its owner's message is
committed. Seconds from sending the request, the median and the 95th of a hundred; and
the part of them that the connector took to accept.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import os
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import psycopg
from load import body
from support import report

import lab
from lab.access import connector_access
from lead_connectors.sources.standard_webhooks import sign

SECRET = "whsec_" + base64.b64encode(b"known to this benchmark alone").decode()
CHANNEL = {"name": "Shop", "code": "shop", "channel_type": "form"}
CONFIG = """
[odoo]
url = "{url}"
database = "{database}"
login = "connector"
api_key = "env:BENCH_KEY"

[web]
host = "127.0.0.1"
port = {port}
rate_limit = 0

[sources.shop]
type = "standard_webhooks"
secret = "env:BENCH_SECRET"
"""
SETUP = """
salesman = env.ref("sales_team.group_sale_salesman")
calendar = env["resource.calendar"].create({
    "name": "Always",
    "attendance_ids": [(0, 0, {"name": "Day", "dayofweek": str(day), "hour_from": 0,
                               "hour_to": 24, "day_period": "morning"})
                       for day in range(7)],
})
users = env["res.users"].create([
    {"name": f"Member {n}", "login": f"member{n}", "notification_type": "inbox",
     "group_ids": [(4, salesman.id)]}
    for n in range(8)
])
env["lead.distribution.rule"].search([]).active = False
pool = env["lead.pool"].create({
    "name": "Speed",
    "member_ids": [(0, 0, {"user_id": user.id, "resource_calendar_id": calendar.id})
                   for user in users],
})
env["lead.distribution.rule"].create({"name": "All", "pool_id": pool.id})
env["ir.config_parameter"].set_param("lead_pipeline.distribution", True)
# what else a demo database does meanwhile
(env["ir.cron"].search([]) - env.ref("lead_pipeline.ir_cron_distribute")).active = False
env.cr.commit()
"""
TOLD = """
SELECT assignment.id, lead.email_normalized
  FROM lead_assignment assignment JOIN crm_lead lead ON lead.id = assignment.lead_id
 WHERE assignment.id > %s AND assignment.told_at IS NOT NULL
   AND lead.email_normalized = ANY(%s)
"""


def watch(url: str, sent: dict[str, float], told: dict[str, float], done: int) -> None:
    """Look every 20 ms for owners who have been told."""
    with psycopg.connect(url, autocommit=True) as connection:
        deadline = time.monotonic() + 300
        while len(told) < done and time.monotonic() < deadline:
            waiting = [email for email in list(sent) if email not in told]
            rows = connection.execute(TOLD, (0, waiting)).fetchall()
            now = time.perf_counter()
            for _id, email in rows:
                told.setdefault(email, now)
            time.sleep(0.02)


def post(port: int, number: int) -> float:
    """Send one lead; seconds until it was accepted."""
    content = body(number)
    headers = sign(SECRET, f"msg_{number}", datetime.now(UTC), content)
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(
        "POST",
        "/hooks/shop",
        content,
        {**headers, "Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200, answer.status
    return time.perf_counter() - start


def send(
    port: int, first: int, count: int, rate: float, sent: dict[str, float]
) -> list[float]:
    """Send leads at a steady pace, each when its time has come."""
    accepted = []
    with ThreadPoolExecutor(16) as threads:
        start = time.perf_counter()
        for nth in range(count):
            time.sleep(max(0.0, start + nth / rate - time.perf_counter()))
            email = f"lena.vogt.{first + nth}@example.com"
            sent[email] = time.perf_counter()
            accepted.append(threads.submit(post, port, first + nth))
        return [one.result() for one in accepted]


def percentiles(seconds: list[float]) -> tuple[float, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return round(cuts[49], 3), round(cuts[94], 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=10, help="leads a second")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    count = int(options.rate * options.seconds)
    folder = Path(tempfile.mkdtemp(prefix="bench-speed-", dir=lab.LAB))
    sent: dict[str, float] = {}
    told: dict[str, float] = {}
    try:
        with lab.Lab() as it, it.temporary("bench_speed") as database:
            key = connector_access(it, database, [CHANNEL])
            it.shell(database, SETUP)
            os.environ |= {"BENCH_KEY": key, "BENCH_SECRET": SECRET}
            with it.odoo(database, workers=2, cron_threads=1) as odoo:
                path = folder / "connectors.toml"
                port = lab.free_port()
                path.write_text(
                    CONFIG.format(url=odoo.url, database=database, port=port)
                )
                url = it.postgres.url(database)
                with lab.Connector(path, {}):
                    # both workers load their registries, the connector logs in
                    warm: tuple[dict[str, float], dict[str, float]] = ({}, {})
                    send(port, 1_000_000, 20, 5, warm[0])
                    watch(url, *warm, 20)
                    assert len(warm[1]) == 20, "the owners were not told"
                    watcher = threading.Thread(
                        target=watch, args=(url, sent, told, count)
                    )
                    watcher.start()
                    accepted = send(port, 2_000_000, count, options.rate, sent)
                    watcher.join()
    finally:
        shutil.rmtree(folder)
    assert len(told) == count, f"{count - len(told)} owners were not told"
    waited = [told[email] - moment for email, moment in sent.items()]
    p50, p95 = percentiles(waited)
    accept50, accept95 = percentiles(accepted)
    print(f"accepted   p50 {accept50:6.3f} s   p95 {accept95:6.3f} s")
    print(f"told       p50 {p50:6.3f} s   p95 {p95:6.3f} s   max {max(waited):.3f} s")
    report(
        name="speed",
        n=count,
        rate=options.rate,
        p50=p50,
        p95=p95,
        worst=round(max(waited), 3),
        accepted_p95=accept95,
    )


if __name__ == "__main__":
    main()
