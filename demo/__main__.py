# SPDX-License-Identifier: LGPL-3.0-or-later
"""Sets up, starts, plays, shows; see ``./scripts/demo --help``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import threading
from pathlib import Path

from rich.console import Console

from demo import fate, show
from demo.play import play
from demo.setup import CHANNELS, make_secrets, write_config
from lab import LAB, Connector, Lab, LabError, main, require_port
from lab.access import connector_access
from lead_connectors.config import load
from lead_connectors.service import make_inbox
from lead_connectors.testing.platforms.meta import MetaPlatform


def command(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./scripts/demo",
        description="Odoo 19 with the addon, the connector, and about sixty leads of"
        " every source through its real web door. Stays until Ctrl-C.",
        epilog="Ports: ODOO_PORT (8069) and CONNECTORS_PORT (8070).",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="stop after the table; the last line is one JSON object",
    )
    options = parser.parse_args(arguments)
    ports = require_port("ODOO_PORT", 8069), require_port("CONNECTORS_PORT", 8070)
    if ports[0] == ports[1]:
        raise LabError("ODOO_PORT and CONNECTORS_PORT must differ")
    for left in LAB.glob("demo-*"):  # by runs that were killed
        if not Path(f"/proc/{left.name.removeprefix('demo-')}").exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = LAB / f"demo-{os.getpid()}"
    try:
        run(folder, *ports, stay=not options.once)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def run(folder: Path, odoo_port: int, port: int, *, stay: bool) -> None:
    # progress goes to standard error, results to standard output
    console = Console(stderr=True, highlight=False)
    secrets = make_secrets()
    meta = MetaPlatform(
        app_secret=secrets["META_APP_SECRET"], access_token=secrets["META_ACCESS_TOKEN"]
    )
    with Lab() as it, it.temporary("demo") as database, meta:
        console.print("Starting Odoo and the connector ...")
        secrets["ODOO_API_KEY"] = connector_access(
            it, database, CHANNELS, distribute=True
        )
        with it.odoo(database, port=odoo_port, cron_threads=1) as odoo:
            path = write_config(
                folder,
                odoo_url=odoo.url,
                database=database,
                port=port,
                meta_url=meta.url,
            )
            os.environ.update(secrets)  # where a configuration finds its secrets
            with Connector(path, secrets) as connector:
                config = load(path)
                inbox = make_inbox(config)
                sent = play(connector.url, config, inbox, meta, secrets, console)
                rpc = odoo.session("admin")
                rows = fate.tell(inbox, rpc, sent)
                inbox.close()
                show.table(rows)
                if stay:
                    show.addresses(odoo.url, connector.url, secrets["WEBSITE_TOKEN"])
                    threading.Event().wait()
    version = ".".join(rpc.version.split(".")[:2])
    print(json.dumps(fate.totals(rows) | {"odoo": version}))


if __name__ == "__main__":
    main(command)
