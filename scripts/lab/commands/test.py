# SPDX-License-Identifier: LGPL-3.0-or-later
"""Every check and test of the project, step by step, with one result at the end."""

from __future__ import annotations

import os
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

    def run(self, name: str, step: Callable[[], Result]) -> None:
        print(f"{name:22} ", end="", flush=True)
        started = time.monotonic()
        try:
            result = step()
        except LabError as error:
            result = Result(failed=1, output=str(error))
        seconds = time.monotonic() - started
        verdict = "ok" if not result.failed else f"{result.failed} FAILED"
        skipped = f", {result.skipped} skipped" if result.skipped else ""
        print(f"{verdict:12} {result.passed:5} passed{skipped} {seconds:8.1f} s")
        if result.failed:
            print("\n".join(f"    {line}" for line in result.output.splitlines()))
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
        argv,
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


# -- the steps ------------------------------------------------------------------------


def step_lint(runner: Runner, _tags: list[str]) -> None:
    for name in lint.CHECKS:

        def one(name: str = name) -> Result:
            ok, output = lint.check(name)
            return Result(passed=1) if ok else Result(failed=1, output=output)

        runner.run(f"lint: {name}", one)


def step_types(runner: Runner, _tags: list[str]) -> None:
    environment = python_env("connectors")
    mypy = [str(environment.bin("mypy")), "--no-error-summary"]
    for name, folder in (("connectors", CONNECTORS), ("scripts", ROOT)):
        if environment.bin("mypy").exists() and (folder / "pyproject.toml").is_file():
            call = lambda folder=folder: program(  # noqa: E731
                mypy, folder, environment.environ()
            )
            runner.run(f"types: {name}", call)


def step_engine(runner: Runner, _tags: list[str]) -> None:
    if ENGINE.is_dir():
        runner.run("engine", lambda: pytest("engine", ROOT, [str(ENGINE)]))


def step_connectors(runner: Runner, _tags: list[str]) -> None:
    if not (CONNECTORS / "tests").is_dir():
        return
    runner.run("connectors", lambda: connectors_pytest(["tests"]))


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


def step_addons(runner: Runner, tags: list[str]) -> None:
    modules = our_modules()
    if modules:
        tags = tags or [f"/{module}" for module in modules]
        runner.run("addons", lambda: addon_tests(",".join(tags)))


def our_modules() -> list[str]:
    return sorted(p.parent.name for p in (ROOT / "addons").glob("*/__manifest__.py"))


def addon_tests(tags: str) -> Result:
    """Install our addons on Odoo's CRM with demo data, running their tests.

    Installing is part of what is tested. Like OCA's checklog, any warning in the log
    fails the run.
    """
    ensure_browser()
    database = f"test_addons_{os.getpid()}"
    with Lab() as it:
        it.database(database, ())
        log = LAB / "log" / "addons.log"
        log.unlink(missing_ok=True)
        try:
            process = Process(
                it.argv(
                    *("-d", database, "-i", ",".join(ADDONS), "--with-demo"),
                    *("--test-tags", tags, "--stop-after-init"),
                    f"--http-port={free_port()}",
                ),
                log=log,
                env=it.environment.environ(),
            )
            with process:
                process.popen.wait()
        finally:
            it.drop(database)
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


def step_e2e(runner: Runner, _tags: list[str]) -> None:
    if any(END_TO_END.glob("test_*.py")):
        ensure_browser()
        ignore = f"--ignore={ENGINE}"
        # The cluster stays up between the tests that start and stop Odoo.
        runner.run("e2e", lambda: pytest("e2e", ROOT, [str(END_TO_END), ignore]))


STEPS: dict[str, Callable[[Runner, list[str]], None]] = {
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


def command(arguments: list[str]) -> int:
    if arguments[:1] in (["help"], ["--help"], ["-h"]):
        print(USAGE)
        return 0
    runner = Runner()
    tags = [argument for argument in arguments if argument.startswith("/")]
    names = [argument for argument in arguments if argument not in tags]
    if names == ["--fast"]:
        names = list(FAST)
    if all(name in STEPS for name in names):
        for name in names or STEPS:
            STEPS[name](runner, tags)
    else:
        runner.run("pytest", lambda: passed_through(arguments))
    return runner.finish()


if __name__ == "__main__":
    main(command)
