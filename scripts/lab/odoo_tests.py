# SPDX-License-Identifier: LGPL-3.0-or-later
"""What an Odoo log says of a test run, and of anything that should not be there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

HEAD = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+"
    r" (?P<level>[A-Z]+) (?P<database>\S+) (?P<logger>\S+): (?P<text>.*)"
)
RESULT = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")
FAILED = re.compile(r"^(?:FAIL|ERROR): (?:Subtest )?(\S+)")

# Warnings and errors that say nothing about our addons, each with the reason.
ACCEPTED = (
    # Odoo's Debian package leaves out a library that is not free; only the blurred
    # background of video calls would use it.
    re.compile(r"selfie_segmentation"),
    # The lab prints no reports.
    re.compile(r"wkhtmltopdf", re.IGNORECASE),
    # Without a GeoIP database visitors have no country; so it is in most companies.
    re.compile(r"geoip", re.IGNORECASE),
)


@dataclass
class TestRun:
    """The outcome of Odoo's tests: numbers, failed tests, entries worth a look."""

    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0
    failed: set[str] = field(default_factory=set)
    unexpected: list[str] = field(default_factory=list)


def read_log(text: str) -> TestRun:
    """Read a log: sums over all runs in it; ``unexpected`` holds whole entries.

    An entry is unexpected if it is a warning or worse and no pattern of ACCEPTED
    knows it. Tests that failed are among them, with their tracebacks.
    """
    run = TestRun()
    for entry in entries(text):
        head = HEAD.match(entry)
        if head is None:
            continue
        message = head["text"]
        result = RESULT.search(message)
        if result and head["logger"] in ("odoo.tests.result", "odoo.tests.shell"):
            run.failures += int(result[1])
            run.errors += int(result[2])
            run.tests += int(result[3])
            continue  # the failures themselves are entries of their own
        if message.startswith("skipped "):
            run.skipped += 1
        if found := FAILED.match(message):
            run.failed.add(found[1])
        if head["level"] in ("WARNING", "ERROR", "CRITICAL") and not any(
            pattern.search(entry) for pattern in ACCEPTED
        ):
            run.unexpected.append(entry)
    return run


def entries(text: str) -> list[str]:
    """Log entries with the lines that belong to them."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if HEAD.match(line) or not found:
            found.append([])
        found[-1].append(line)
    return ["\n".join(lines) for lines in found]
