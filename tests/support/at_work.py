# SPDX-License-Identifier: LGPL-3.0-or-later
"""Odoo doing its jobs in a process of its own, which a test may kill."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from lab import LAB, Lab, Process

# as Odoo's own jobs do, in small batches, so that a kill finds it in the middle
WORK = """
Path = __import__("pathlib").Path
Conflict = __import__("psycopg2").errors.SerializationFailure
Path(READY).touch()
for turn in range(ROUNDS):
    for job in jobs:
        try:
            job()
            env.cr.commit()
        except Conflict:  # another worker was faster: Odoo runs the job again
            env.cr.rollback()
LAST
Path(DONE).touch()
"""


def at_work(
    lab: Lab,
    database: str,
    folder: Path,
    rounds: int,
    first: str,
    last: str = "",
    options: Iterable[str] = (),
) -> Process:
    """A process that does some jobs again and again. It makes the file ``ready`` in the
    folder when it begins, and ``done`` when it is through.

    :param first: Python that it runs before; it sets ``jobs``, functions
    :param last: Python that it runs after
    :param options: of the server
    """
    ready, done = folder / "ready", folder / "done"
    ready.unlink(missing_ok=True)
    done.unlink(missing_ok=True)
    script = folder / "work.py"
    text = WORK.replace("READY", repr(str(ready))).replace("DONE", repr(str(done)))
    text = text.replace("ROUNDS", str(rounds)).replace("LAST", last)
    script.write_text(first + text)
    return Process(
        lab.argv("shell", "-d", database, *options, "--no-http", "--log-level=warn"),
        log=LAB / "log" / "killed.log",
        env=lab.environment.environ(),
        stdin=script,
    )


def wait_for(path: Path, process: Process, seconds: float) -> None:
    """Until a process has made a file.

    :raises AssertionError: it ended, or takes longer, with the end of its log
    """
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert process.popen.poll() is None, process.log_tail()
        assert time.monotonic() < deadline, process.log_tail()
        time.sleep(0.02)
