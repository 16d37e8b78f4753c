# SPDX-License-Identifier: LGPL-3.0-or-later
"""Where things are, how to speak to the user, how to run and lock."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / ".lab"
IGNORED = {"__pycache__", "tests", "readme"}


class LabError(Exception):
    """Something the user can cure; the message says how. Shown in one line."""


def say(text: str) -> None:
    """Tell the user what is going on, apart from the command's own output."""
    print(text, file=sys.stderr, flush=True)


def main(command: Callable[[list[str]], int | None]) -> None:
    """Run a command with the process' arguments and exit with its code.

    A LabError is shown in one line. SIGINT and SIGTERM unwind the stack, so that
    everything started inside a ``with`` block is stopped.
    """

    def terminate(signum: int, _frame: object) -> None:
        sys.exit(128 + signum)

    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGHUP, terminate)
    try:
        sys.exit(command(sys.argv[1:]) or 0)
    except LabError as error:
        say(f"Error: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """Run a program quietly and return its standard output.

    :param what: what it is for, for the error message
    :raises LabError: with the end of the output, if the program fails
    """
    result = subprocess.run(
        [str(part) for part in argv],
        cwd=cwd,
        env=None if env is None else dict(env),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        lines = (result.stdout + result.stderr).strip().splitlines()
        raise LabError(
            f"{what} failed (exit code {result.returncode}):\n"
            + "\n".join(f"    {line}" for line in lines[-30:])
        )
    return result.stdout


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; the kernel frees it if we are killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def fingerprint(parts: Iterable[str | bytes]) -> str:
    """A short stable hash of some texts, usable in file and database names."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:12]


def files_fingerprint(folders: Iterable[Path]) -> str:
    """A hash of the names and contents of the files below some folders.

    Folders in IGNORED do not count: what is in them changes no database.
    """

    def parts() -> Iterator[str | bytes]:
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                inner = path.relative_to(folder)
                if not IGNORED & set(inner.parts) and path.is_file():
                    yield str(path.relative_to(folder.parent))
                    yield path.read_bytes()

    return fingerprint(parts())


def remove(path: Path) -> None:
    """Delete a folder and all in it, if it is there."""
    shutil.rmtree(path, ignore_errors=True)


def ensure_browser() -> Path:
    """Return the path of Chromium, installed with apt if it is missing.

    :raises LabError: if there is none and it cannot be installed
    """
    script = ROOT / "scripts" / "lib" / "bootstrap.sh"
    result = subprocess.run(["bash", str(script), "browser"], text=True, stderr=-1)
    if result.returncode:
        raise LabError(result.stderr.strip().removeprefix("bootstrap.sh: "))
    for name in (
        os.environ.get("CHROMIUM"),
        "chromium",
        "google-chrome",
        "google-chrome-stable",
    ):
        if name and (found := shutil.which(name)):
            return Path(found)
    raise LabError("no Chromium found; set CHROMIUM to a Chromium or Chrome")
