# SPDX-License-Identifier: LGPL-3.0-or-later
"""Child processes that never outlive us, and the ports they listen on."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from .system import LabError


class Process:
    """A program in a process group of its own, logging to a file.

    It gets ``stop_signal`` when the lab process dies, even by SIGKILL. Start it
    from the main thread: the kernel ties that promise to the starting thread.
    Use as a context manager, or call ``stop``.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stdin: Path = Path(os.devnull),
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.log = log
        self.stop_signal = stop_signal
        guard = ["setpriv", "--pdeathsig", stop_signal.name.removeprefix("SIG")]
        if user:
            account = pwd.getpwnam(user)
            guard += ["--reuid", user, "--regid", str(account.pw_gid), "--init-groups"]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output, stdin.open("rb") as source:
            self.popen = subprocess.Popen(
                [*guard, "--", *(str(part) for part in argv)],
                stdin=source,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    def wait_until(
        self, ready: Callable[[], bool], *, what: str, timeout: float
    ) -> None:
        """Return once ``ready()`` is true.

        :raises LabError: with the end of the log, if the program ends before, or
            if ``timeout`` seconds pass (the program is stopped then)
        """
        deadline = time.monotonic() + timeout
        while not ready():
            if self.popen.poll() is not None:
                raise LabError(f"{what} ended while starting:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.stop(grace=2)
                raise LabError(
                    f"{what} was not ready in {timeout:.0f} s:\n{self.log_tail()}"
                )
            time.sleep(0.05)

    def log_tail(self, lines: int = 30) -> str:
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in text[-lines:])

    def stop(self, grace: float = 20) -> None:
        """Ask it to stop, wait ``grace`` seconds, then kill all of its group."""
        if self.popen.poll() is None:
            self.popen.send_signal(self.stop_signal)
            try:
                self.popen.wait(grace)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self) -> None:
        """Kill it and all it started, at once (the crash of the failure tests)."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()


class Server:
    """A program that answers HTTP at ``url``. A context manager."""

    url: str
    ready_path = "/"  # answers as soon as all is well
    process: Process | None = None

    @property
    def pid(self) -> int:
        """The main process; with workers, their parent."""
        assert self.process is not None, "not started"
        return self.process.pid

    def start(self) -> Self:
        """Start it and return when it answers."""
        raise NotImplementedError

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}{self.ready_path}", timeout=60):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """Stop it gracefully; killed with all it started if it takes too long."""
        if self.process:
            self.process.stop()

    def kill(self) -> None:
        """Kill it and all it started at once, as a crash would."""
        if self.process:
            self.process.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()


def free_port() -> int:
    """A TCP port that nobody listens on at 127.0.0.1 just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_port(variable: str, default: int) -> int:
    """The port named by an environment variable, or the default.

    :raises LabError: if it is not a port number, or if somebody listens there
    """
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise LabError(f"{variable}={text} is not a port number")
    port = int(text)
    with socket.socket() as probe:
        # As servers do, or a port would seem taken for a minute after its last use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LabError(
                f"port {port} is not free ({error.strerror});"
                f" choose another one with {variable}"
            ) from None
    return port
