# SPDX-License-Identifier: LGPL-3.0-or-later
"""The lab's Odoo 19 with our addons, for development."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping

from lab import ADDONS, LAB, Lab, LabError, Postgres, main, require_port, say
from lab.system import remove

USAGE = """\
./scripts/odoo                        serve database `dev` at ODOO_PORT (8069),
                                      made with our addons and demo data if missing
./scripts/odoo -d NAME ...            any options of `odoo`, e.g.
    -d dev -u lead_pipeline             update the addon, then serve
    -d x -i lead_pipeline --with-demo --stop-after-init
    -d x --test-enable --test-tags /lead_pipeline --stop-after-init
./scripts/odoo shell -d NAME          any sub-command of `odoo`
./scripts/odoo db list
./scripts/odoo db new NAME [MODULE..] fresh one from the template (seconds)
./scripts/odoo db copy FROM TO
./scripts/odoo db drop NAME
./scripts/odoo psql NAME [ARGS]       PostgreSQL's own shell
./scripts/odoo clean                  remove all databases, environments and logs"""

DATABASE = "dev"


def command(arguments: list[str]) -> int:
    if arguments and arguments[0] in ("help", "--help", "-h"):
        print(USAGE)
        return 0
    if arguments == ["clean"]:
        Postgres().destroy()
        remove(LAB)
        return 0
    # Odoo listens unless told not to; know before anything is set up.
    listens = not {"--stop-after-init", "--no-http"} & set(arguments) and (
        not arguments or arguments[0].startswith("-")
    )
    port = require_port("ODOO_PORT", 8069) if listens else None
    with Lab() as lab:
        if arguments[:1] == ["db"]:
            return manage(lab, arguments[1:])
        if arguments[:1] == ["psql"]:
            argv = [str(lab.postgres.bin / "psql"), *arguments[1:]]
            return foreground(argv, lab.postgres.environ())
        if not arguments:
            if DATABASE not in lab.postgres.databases():
                lab.database(DATABASE)
            say(f"Odoo: http://127.0.0.1:{port}/odoo (admin, admin). Ctrl-C to stop")
            arguments = ["-d", DATABASE, f"--db-filter=^{DATABASE}$"]
        if port and not any(a.startswith(("--http-port", "-p")) for a in arguments):
            arguments = [*arguments, f"--http-port={port}"]
        return foreground(lab.argv(*arguments), lab.environment.environ())


def foreground(argv: list[str], environ: Mapping[str, str]) -> int:
    """Run a program in the terminal; Ctrl-C is its business, not ours."""
    guard = ["setpriv", "--pdeathsig", "TERM", "--"]
    process = subprocess.Popen([*guard, *argv], env=dict(environ))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    return process.wait()


def manage(lab: Lab, arguments: list[str]) -> int:
    match arguments:
        case ["list"]:
            for name in lab.postgres.databases():
                print(name)
        case ["new", name, *modules]:
            lab.database(name, modules or ADDONS)
        case ["copy", source, target]:
            if source not in lab.postgres.databases():
                raise LabError(f"no database {source}")
            lab.copy(source, target)
        case ["drop", name]:
            lab.drop(name)
        case _:
            raise LabError("use: odoo db list | new NAME | copy FROM TO | drop NAME")
    return 0


if __name__ == "__main__":
    main(command)
