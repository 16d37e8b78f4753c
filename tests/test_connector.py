# SPDX-License-Identifier: LGPL-3.0-or-later
"""The real connector before the real Odoo: every lead once, whatever breaks."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import odoorpc
import pytest
import requests

from lab import Connector, Lab, Odoo, free_port
from lab.access import connector_access

CHANNEL = {"name": "Website", "code": "website", "channel_type": "form"}
TOKEN = "a-long-random-token-of-the-tests"
CONFIG = """
[odoo]
url = "{url}"
database = "{database}"
login = "connector"
api_key = "env:ODOO_API_KEY"
protocol = "{protocol}"
batch_size = 20

[web]
host = "127.0.0.1"
port = {port}

[deliver]
retry_first = 0.2
odoo_longest = 1

[sources.website]
type = "form"
token = "env:WEBSITE_TOKEN"
"""


@dataclass
class Site:
    """A database of its own, and the connector's key to it."""

    the_lab: Lab
    database: str
    key: str
    folder: Path
    port: int

    def odoo(self, **options: Any) -> Odoo:
        return self.the_lab.odoo(self.database, port=self.port, **options)

    def connector(self, *, protocol: str = "odoorpc") -> Connector:
        """One with an inbox of its own; its secrets are only in its environment."""
        folder = self.folder / f"connector-{time.monotonic_ns()}"
        folder.mkdir()
        config = folder / "connectors.toml"
        config.write_text(
            CONFIG.format(
                url=f"http://127.0.0.1:{self.port}",
                database=self.database,
                protocol=protocol,
                port=free_port(),
            )
        )
        secrets = {"ODOO_API_KEY": self.key, "WEBSITE_TOKEN": TOKEN}
        return Connector(config, secrets)

    def counts(self, batch: str) -> tuple[int, int]:
        """Submissions and leads of a batch in Odoo."""
        rpc = odoorpc.ODOO("127.0.0.1", "jsonrpc", self.port, timeout=60)
        rpc.login(self.database, "admin", "admin")
        domain = [["email_normalized", "=like", f"%.{batch}@example.com"]]
        submissions = rpc.env["lead.submission"].search_count(domain)
        return submissions, rpc.env["crm.lead"].search_count(domain)


@pytest.fixture(scope="module")
def site(the_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with the_lab.temporary("connector") as database:
        key = connector_access(the_lab, database, [CHANNEL])
        folder = tmp_path_factory.mktemp("connector")
        yield Site(the_lab, database, key, folder, free_port())


def post(connector: Connector, batch: str, numbers: range) -> None:
    """People fill in the form; every one must be taken."""
    with requests.Session() as http:
        for number in numbers:
            fields = {
                "name": f"ليلى {number}",
                "email": f"layla.{number}.{batch}@example.com",
                "message": "Call me, please.",
            }
            answer = http.post(
                f"{connector.url}/hooks/website/{TOKEN}", data=fields, timeout=30
            )
            assert answer.status_code == 200


def status(connector: Connector) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(connector.run("status", "--json").stdout)
    return found


def delivered(connector: Connector, count: int, within: float = 60) -> None:
    """Wait until Odoo has answered for so many, and none waits."""
    end = time.monotonic() + within
    while True:
        found = status(connector)
        states = {row["state"]: 0 for row in found["counts"]}
        for row in found["counts"]:
            states[row["state"]] += row["count"]
        if states == {"delivered": count}:
            return
        assert time.monotonic() < end, found
        time.sleep(0.3)


def test_odoo_goes_and_comes_back(site: Site) -> None:
    with site.connector() as connector:
        with site.odoo() as odoo:
            post(connector, "away", range(30))
            delivered(connector, 30)
            odoo.kill()
        post(connector, "away", range(30, 80))
        found = status(connector)
        assert found["oldest_waiting_seconds"] is not None
        with site.odoo():
            delivered(connector, 80)
            assert site.counts("away") == (80, 80)


def test_everything_sent_again_changes_nothing(site: Site) -> None:
    with site.odoo(), site.connector() as connector:
        post(connector, "again", range(25))
        delivered(connector, 25)
        assert connector.run("replay", "--all").returncode == 0
        delivered(connector, 25)
        # a new inbox that knows nothing: the platform sends all of it again
        with site.connector() as other:
            post(other, "again", range(25))
            delivered(other, 25)
        submissions, leads = site.counts("again")
        assert leads == 25
        assert submissions in (25, 50)  # forms have no ids: a second time is a repeat


def test_a_connector_killed_while_it_delivers(site: Site) -> None:
    with site.odoo():
        connector = site.connector()
        for start in range(0, 120, 40):
            with contextlib.closing(_Killed(connector)):
                post(connector, "killed", range(start, start + 40))
                time.sleep(0.3)
        with connector:
            delivered(connector, 120)
        assert site.counts("killed") == (120, 120)


class _Killed:
    """Starts a connector, and kills it at the end."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector.start()

    def close(self) -> None:
        self.connector.kill()


def test_json2_and_what_check_says(site: Site) -> None:
    with site.odoo(), site.connector(protocol="json2") as connector:
        post(connector, "json2", range(5))
        delivered(connector, 5)
        assert site.counts("json2") == (5, 5)
        checked = connector.run("check", "--json")
        findings = json.loads(checked.stdout)
        assert checked.returncode == 0, findings
        assert site.key not in checked.stdout + checked.stderr
        assert TOKEN not in connector.log.read_text()
