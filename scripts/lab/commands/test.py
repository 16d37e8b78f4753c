# SPDX-License-Identifier: LGPL-3.0-or-later
"""Every check and test of the project, step by step, with one result at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab import ADDONS, LAB, ROOT, Lab, LabError, Postgres, ensure_browser, main
from lab.commands import lint
from lab.environments import Environment, python_env
from lab.odoo_tests import read_log
from lab.process import Process, free_port

USAGE = """\
./scripts/test                  everything
./scripts/test --fast           what needs no Odoo: lint, types, engine, connectors
./scripts/test STEP..           some steps: lint types engine connectors addons e2e
./scripts/test PATH.. | -OPTION pytest with these arguments, in the right place:
    ./scripts/test connectors/tests/sources -k meta
    ./scripts/test tests/test_demo.py -x
./scripts/test addons /lead_pipeline:TestIngest   Odoo's tests with these test tags"""

FAST = ("lint", "types", "engine", "connectors")
CONNECTORS = ROOT / "connectors"
END_TO_END = ROOT / "tests"
ENGINE = END_TO_END / "engine"


@dataclass
class Result:
    """What one check or suite came to."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    output: str = ""  # of what failed


class Runner:
    """Runs the steps, prints as it goes, keeps the sum."""

    def __init__(self) -> None:
        self.sum = Result()
        self.lock = threading.Lock()

    def run(self, name: str, step: Callable[[], Result]) -> None:
        """Run a step and print its outcome at once; steps may run side by side."""
        started = time.monotonic()
        try:
            result = step()
        except LabError as error:
            result = Result(failed=1, output=str(error))
        seconds = time.monotonic() - started
        verdict = "ok" if not result.failed else f"{result.failed} FAILED"
        skipped = f", {result.skipped} skipped" if result.skipped else ""
        lines = [
            f"{name:18} {verdict:10} {seconds:7.1f} s {result.passed:6} passed{skipped}"
        ]
        if result.failed:
            lines += [f"    {line}" for line in result.output.splitlines()]
        with self.lock:
            print("\n".join(lines), flush=True)
            self.sum.passed += result.passed
            self.sum.failed += result.failed
            self.sum.skipped += result.skipped

    def finish(self) -> int:
        skipped = f", {self.sum.skipped} skipped" if self.sum.skipped else ""
        print(f"{self.sum.passed} passed, {self.sum.failed} failed{skipped}")
        return int(self.sum.failed > 0)


def program(argv: list[str], cwd: Path, environ: Mapping[str, str]) -> Result:
    """A program that passes or fails as a whole."""
    done = subprocess.run(
        ["setpriv", "--pdeathsig", "TERM", "--", *argv],
        cwd=cwd,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        return Result(failed=1, output=done.stdout)
    return Result(passed=1)


def pytest(name: str, cwd: Path, arguments: list[str], **environ: str) -> Result:
    """A pytest suite in the connector's environment, counted from its report."""
    environment: Environment = python_env("connectors")
    report = LAB / "log" / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    argv = ["-m", "pytest", "-q", "--tb=short", "--no-header", f"--junitxml={report}"]
    result = program(
        [str(environment.python), *argv, *arguments],
        cwd,
        environment.environ(**environ),
    )
    if not report.is_file():  # it could not even start
        return Result(failed=1, output=result.output)
    cases = ElementTree.parse(report).getroot().find("testsuite")
    assert cases is not None
    tests, failures, errors, skipped = (
        int(cases.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    # Exit code 1 without a failed test would be a broken run; 5 is "no tests".
    failed = failed or result.failed
    passed = max(tests - failures - errors - skipped, 0)
    return Result(passed, failed, skipped, result.output)


# -- the steps: what each consists of, by name -----------------------------------------

Parts = dict[str, Callable[[], Result]]


def step_lint(_tags: list[str]) -> Parts:
    python_env("lint")

    def one(name: str) -> Result:
        ok, output = lint.check(name)
        return Result(passed=1) if ok else Result(failed=1, output=output)

    return {f"lint: {name}": partial(one, name) for name in lint.CHECKS}


def step_types(_tags: list[str]) -> Parts:
    environment = python_env("connectors")
    mypy = [str(environment.bin("mypy")), "--no-error-summary"]
    return {
        f"types: {name}": partial(program, mypy, folder, environment.environ())
        for name, folder in (("connectors", CONNECTORS), ("scripts", ROOT))
    }


def step_engine(_tags: list[str]) -> Parts:
    python_env("connectors")
    return {"engine": partial(pytest, "engine", ROOT, [str(ENGINE)])}


def step_connectors(_tags: list[str]) -> Parts:
    python_env("connectors")
    return {"connectors": partial(connectors_pytest, ["tests"])}


def connectors_pytest(arguments: list[str]) -> Result:
    """The connector's tests, with an empty PostgreSQL database to try the inbox on."""
    database = f"connectors_test_{os.getpid()}"
    with Postgres() as postgres:
        postgres.drop(database)
        postgres.create(database)
        try:
            url = postgres.url(database, "postgresql+psycopg")
            return pytest(
                "connectors", CONNECTORS, arguments, LEAD_CONNECTORS_TEST_POSTGRES=url
            )
        finally:
            postgres.drop(database)


def step_addons(tags: list[str]) -> Parts:
    tags = tags or [f"/{module}" for module in our_modules()]
    return {"addons": partial(addon_tests, ",".join(tags))}


def our_modules() -> list[str]:
    return sorted(p.parent.name for p in (ROOT / "addons").glob("*/__manifest__.py"))


def addon_tests(tags: str) -> Result:
    """Install our addons on Odoo's CRM with demo data, running their tests.

    Installing is part of what is tested. Like OCA's checklog, any warning in the log
    fails the run.
    """
    ensure_browser()
    log = LAB / "log" / "addons.log"
    log.unlink(missing_ok=True)
    with Lab() as it, it.temporary("test_addons", ()) as database:
        with Process(
            it.argv(
                *("-d", database, "-i", ",".join(ADDONS), "--with-demo"),
                *("--test-tags", tags, "--stop-after-init"),
                f"--http-port={free_port()}",
            ),
            log=log,
            env=it.environment.environ(),
        ) as process:
            process.popen.wait()
    run = read_log(log.read_text(errors="replace"))
    failed = run.failures + run.errors
    others = len(run.unexpected) - failed
    problems = list(run.unexpected)
    if process.popen.returncode and not failed and others <= 0:
        problems.append(f"Odoo ended with {process.popen.returncode}: {log}")
        others = 1
    if not run.tests:
        problems.append(f"no test ran: {log}")
        others = max(others, 1)
    return Result(
        passed=run.tests - failed - run.skipped,
        failed=failed + max(others, 0),
        skipped=run.skipped,
        output="\n".join(problems),
    )


def step_e2e(_tags: list[str]) -> Parts:
    ensure_browser()
    arguments = [str(END_TO_END), f"--ignore={ENGINE}"]
    return {"e2e": partial(pytest, "e2e", ROOT, arguments)}


STEPS: dict[str, Callable[[list[str]], Parts]] = {
    "lint": step_lint,
    "types": step_types,
    "engine": step_engine,
    "connectors": step_connectors,
    "addons": step_addons,
    "e2e": step_e2e,
}


def passed_through(arguments: list[str]) -> Result:
    """pytest with the user's own arguments; paths say which project is meant."""
    inside = [a for a in arguments if a.startswith("connectors")]
    if inside:
        return connectors_pytest([a.removeprefix("connectors/") for a in arguments])
    return pytest("some", ROOT, arguments)


def run_steps(runner: Runner, names: list[str], tags: list[str]) -> None:
    """The fast steps two at a time, then those with Odoo one by one.

    Odoo's must start in the main thread: see lab.Process.
    """
    quick = [
        part for name in names if name in FAST for part in STEPS[name](tags).items()
    ]
    # The longest first, or it would be left alone at the end.
    quick.reverse()
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(runner.run, *part) for part in quick]:
            future.result()
    for name in names:
        if name not in FAST:
            for part in STEPS[name](tags).items():
                runner.run(*part)


def command(arguments: list[str]) -> int:
    if arguments[:1] in (["help"], ["--help"], ["-h"]):
        print(USAGE)
        return 0
    # a shell's background job ignores it, and so would all that the tests interrupt
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runner = Runner()
    tags = [argument for argument in arguments if argument.startswith("/")]
    names = [argument for argument in arguments if argument not in tags]
    if names == ["--fast"]:
        names = list(FAST)
    if all(name in STEPS for name in names):
        run_steps(runner, names or list(STEPS), tags)
    else:
        runner.run("pytest", lambda: passed_through(arguments))
    return runner.finish()


if __name__ == "__main__":
    main(command)
