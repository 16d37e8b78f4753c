# SPDX-License-Identifier: LGPL-3.0-or-later
"""Fixtures for everybody."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.odoo_server import OdooServer, odoo_server
from support.running import SECRETS

from lead_connectors import log


@pytest.fixture(autouse=True)
def _secrets_and_log(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    log.set_up("json", "info")


@pytest.fixture
def odoo() -> Iterator[OdooServer]:
    """A stand-in for Odoo behind real HTTP."""
    with odoo_server() as server:
        yield server


@pytest.fixture(scope="session")
def pg_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server, without a database.

    ``LEAD_CONNECTORS_TEST_PG_URL`` names one; else a private cluster is made with the
    machine's own initdb, on a socket, as another user when we are root.
    """
    if given := os.environ.get("LEAD_CONNECTORS_TEST_PG_URL"):
        yield given
        return
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not tools:
        pytest.skip("no PostgreSQL on this machine")
    folder = Path(tmp_path_factory.mktemp("pg", numbered=True))
    prefix: list[str] = []
    if os.getuid() == 0:
        # the server will not run as root; its folder must be reachable for it
        folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
        shutil.chown(folder, "postgres")
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = folder / "data"

    def run(tool: str, *args: str) -> None:
        command = [*prefix, str(tools[-1] / tool), *args]
        with (folder / "log").open("ab") as out:
            subprocess.run(command, check=True, stdout=out, stderr=out, cwd=folder)

    try:
        run("initdb", "-D", str(data), "-U", "tester", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-D", str(data), "-w", "-o", options, "start")
        yield f"postgresql://tester@/postgres?host={folder}"
    finally:
        if data.exists():
            subprocess.run(
                [*prefix, str(tools[-1] / "pg_ctl"), "-D", str(data), "-m", "fast",
                 "stop"],
                check=False, stdout=subprocess.DEVNULL, cwd=folder,
            )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pg_url(pg_cluster: str) -> Iterator[str]:
    """An empty database of its own."""
    import sqlalchemy as sa

    url = sa.make_url(pg_cluster).set(drivername="postgresql+psycopg")
    name = f"inbox_{os.getpid()}_{os.urandom(3).hex()}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(sa.text(f"CREATE DATABASE {name}"))
    yield url.set(drivername="postgresql", database=name).render_as_string(
        hide_password=False
    )
    with admin.connect() as conn:
        conn.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def inbox_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Both databases, one after the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'inbox.sqlite'}"
    return str(request.getfixturevalue("pg_url"))
