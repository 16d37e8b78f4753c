# SPDX-License-Identifier: LGPL-3.0-or-later
"""Odoo's own tests of ``crm``, on a database without our addon and on one with it.

All of them run with every module loaded, also those that Odoo's own builds run while
crm is being installed: there our addon would not be there yet.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from lab import ADDONS, LAB, Lab, ensure_browser, main, say
from lab.odoo_tests import TestRun, read_log
from lab.process import Process, free_port

USAGE = """\
./scripts/crm-suite [TAGS]   compare the outcome of Odoo's tests without and with our
                             addon; TAGS are Odoo's test tags, /crm if not given"""
SCRIPT = """
from odoo.tests.shell import run_tests
run_tests(env, {tags!r}, modules=["crm"])
"""


def suite(lab: Lab, name: str, modules: Iterable[str], tags: str) -> TestRun:
    """Run the tests on a fresh database with demo data, as Odoo's own builds do."""
    say(f"Running {tags} {name} our addon ...")
    started = time.monotonic()
    log = LAB / "log" / f"crm-suite-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    script = log.with_suffix(".py")
    script.write_text(SCRIPT.format(tags=tags))
    with lab.temporary(f"crm_suite_{name}", modules) as database:
        arguments = ["shell", "-d", database, f"--http-port={free_port()}"]
        with Process(
            lab.argv(*arguments),
            stdin=script,
            log=log,
            env=lab.environment.environ(),
        ) as process:
            process.popen.wait()
    run = read_log(log.read_text(errors="replace"))
    say(f"    {run.tests} tests in {time.monotonic() - started:.0f} s, log: {log}")
    return run


def command(arguments: list[str]) -> int:
    if arguments[:1] in (["help"], ["--help"], ["-h"]):
        print(USAGE)
        return 0
    tags = ",".join(arguments) or "/crm"
    ensure_browser()
    with Lab() as lab:
        without = suite(lab, "without", (), tags)
        with_ours = suite(lab, "with", ADDONS, tags)
    same = without.tests > 0 and numbers(without) == numbers(with_ours)
    same = same and without.failed == with_ours.failed
    print(f"{'':10}{'without':>10}{'with':>10}")
    for key, value in numbers(without).items():
        print(f"{key:10}{value:>10}{numbers(with_ours)[key]:>10}")
    for title, names in (
        ("fails only with our addon", with_ours.failed - without.failed),
        ("fails only without our addon", without.failed - with_ours.failed),
        ("fails in both", without.failed & with_ours.failed),
    ):
        for test in sorted(names):
            print(f"{title}: {test}")
    summary = {
        "name": "crm-suite",
        "without": numbers(without),
        "with": numbers(with_ours),
        "same": same,
    }
    print(json.dumps(summary))
    return 0 if same else 1


def numbers(run: TestRun) -> dict[str, int]:
    return {"tests": run.tests, "failed": run.failures, "errors": run.errors}


if __name__ == "__main__":
    main(command)
