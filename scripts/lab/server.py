# SPDX-License-Identifier: LGPL-3.0-or-later
"""Odoo: its configuration, its programs, its web server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from .environments import Environment
from .odoo_home import core_addons, odoo_home
from .postgres import Postgres
from .process import Process, Server, free_port
from .system import LAB, ROOT, files_fingerprint

OUR_ADDONS = ROOT / "addons"
DATA = LAB / "odoo-data"
START_TIMEOUT = 180
# Every call by odoorpc would log that /jsonrpc is deprecated.
LOG_HANDLERS = (":INFO", "odoo.addons.rpc.controllers.jsonrpc:ERROR")


def filestore(database: str) -> Path:
    return DATA / "filestore" / database


def addons_fingerprint() -> str:
    """A hash of all files of our addons that a database depends on."""
    return files_fingerprint([OUR_ADDONS]) if OUR_ADDONS.is_dir() else ""


def write_config(path: Path, postgres: Postgres, options: dict[str, object]) -> Path:
    """Write an Odoo configuration file for the lab's cluster; returns its path."""
    addons = [*core_addons(odoo_home())]
    if OUR_ADDONS.is_dir() and any(OUR_ADDONS.glob("*/__manifest__.py")):
        addons.append(OUR_ADDONS)
    values: dict[str, object] = {
        "addons_path": ",".join(map(str, addons)),
        "data_dir": DATA,
        "db_host": postgres.host,
        "db_port": postgres.port,
        "db_user": postgres.user,
        "http_interface": "127.0.0.1",
        "log_handler": ",".join(LOG_HANDLERS),
        # The lab must never send a mail, even where a mail server listens.
        "smtp_server": "127.0.0.1",
        "smtp_port": 9,
        # A slow machine, or one busy with a benchmark, is not a runaway request.
        "limit_time_cpu": 600,
        "limit_time_real": 1200,
    }
    DATA.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {value}" for name, value in (values | options).items()]
    path.write_text("\n".join(["[options]", *lines, ""]))
    return path


def odoo_argv(environment: Environment, *arguments: str | Path) -> list[str]:
    return [str(environment.python), "-m", "odoo", *map(str, arguments)]


class Odoo(Server):
    """A running Odoo server on one database, at 127.0.0.1. A context manager.

    :param port: a free one if not given
    :param workers: 0 for one process with threads, else that many processes
    :param cron_threads: 0 (no scheduled jobs) unless asked for
    :param extra: further command-line options
    :raises LabError: if it does not answer, with the end of its log
    """

    ready_path = "/web/login"  # needs the database's registry

    def __init__(
        self,
        postgres: Postgres,
        environment: Environment,
        database: str,
        *,
        port: int | None = None,
        workers: int = 0,
        cron_threads: int = 0,
        extra: Sequence[str] = (),
    ) -> None:
        self.postgres = postgres
        self.environment = environment
        self.database = database
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.workers = workers
        self.cron_threads = cron_threads
        self.extra = list(extra)
        self.log = LAB / "log" / f"odoo-{database}-{self.port}.log"

    def start(self) -> Self:
        """Start it and return when it answers requests on its database."""
        config = write_config(
            LAB / "config" / f"odoo-{self.database}-{self.port}.conf",
            self.postgres,
            {
                "http_port": self.port,
                "gevent_port": free_port(),
                "workers": self.workers,
                "max_cron_threads": self.cron_threads,
                "dbfilter": f"^{self.database}$",
                "list_db": False,
            },
        )
        self.log.unlink(missing_ok=True)
        self.process = Process(
            odoo_argv(self.environment, "-c", config, "-d", self.database, *self.extra),
            log=self.log,
            env=self.environment.environ(),
        )
        self.process.wait_until(self.answers, what="Odoo", timeout=START_TIMEOUT)
        return self

    def session(self, login: str, password: str = "") -> Any:
        """An odoorpc session of a user; the password is the login if not given."""
        import odoorpc  # of the connector's environment; to serve needs none

        rpc = odoorpc.ODOO("127.0.0.1", "jsonrpc", self.port, timeout=600)
        rpc.login(self.database, login, password or login)
        return rpc


def install_arguments(modules: Iterable[str], demo: bool) -> list[str]:
    arguments = ["-i", ",".join(modules), "--stop-after-init", "--no-http"]
    return [*arguments, "--with-demo"] if demo else arguments
