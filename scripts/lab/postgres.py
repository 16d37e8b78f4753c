# SPDX-License-Identifier: LGPL-3.0-or-later
"""A private PostgreSQL cluster: own folder, own socket, no TCP, real fsync.

Any number of lab processes share it. Each holds a shared lock while it uses the
cluster; a keeper process waits for the exclusive one. So the cluster stops when
the last user is gone, however that user went: the kernel frees the locks.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

from .process import Process
from .system import LAB, ROOT, LabError, fingerprint, locked, remove, run

USER = "odoo"
PORT = "5432"  # names the socket file only; nothing listens on TCP
SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "log_min_messages": "warning",
}
START_TIMEOUT = 60


class Postgres:
    """The running cluster. Use as a context manager, in several processes at once.

    ``host`` is the socket's folder, ``user`` a superuser without password: nobody
    else can enter the folder.

    :param folder: where the cluster lives, if not in this checkout's own place
    """

    user = USER
    port = PORT

    def __init__(self, folder: Path | None = None) -> None:
        self.bin = find_binaries()
        self.folder = folder or cluster_folder()
        self.run_as = cluster_user()
        version = run([self.bin / "postgres", "-V"], what="postgres -V").split()[2]
        self.data = self.folder / f"data-{version.split('.')[0]}"
        self.log = self.folder / "postgres.log"
        self.host = socket_folder(self.folder)
        self._use: IO[str] | None = None

    # -- life ------------------------------------------------------------------

    def __enter__(self) -> Postgres:
        make_private(self.folder, self.run_as)
        make_private(self.host, self.run_as)
        with locked(self.folder / "start.lock"):
            self._use = (self.folder / "users.lock").open("a")
            # Waits while a keeper is shutting the cluster down.
            fcntl.flock(self._use, fcntl.LOCK_SH)
            if not is_locked(self.folder / "keeper.lock"):
                self._start_keeper()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._use is None:
            return
        fcntl.flock(self._use, fcntl.LOCK_UN)
        self._wait_if_last(self._use)
        self._use.close()
        self._use = None

    def _start_keeper(self) -> None:
        environ = dict(os.environ, PYTHONPATH=str(ROOT / "scripts"))
        with (self.folder / "keeper.log").open("w") as log:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "lab.postgres", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                env=environ,
                start_new_session=True,
                text=True,
            )
        assert keeper.stdout is not None
        with keeper.stdout:
            ready = keeper.stdout.readline().strip() == "ready"
        if not ready:
            reason = (self.folder / "keeper.log").read_text().strip()
            raise LabError(f"PostgreSQL did not start:\n{reason}")
        # Not ours to wait for; without this Popen would warn about a child left.
        keeper.returncode = 0

    def _wait_if_last(self, users: IO[str]) -> None:
        """Return when the cluster is down, or at once if others still use it."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and is_locked(self.folder / "keeper.lock"):
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if try_shared(users):
                    fcntl.flock(users, fcntl.LOCK_UN)
                    return  # shared with other users
            else:
                fcntl.flock(users, fcntl.LOCK_UN)  # let the keeper have it
            time.sleep(0.05)

    # -- use -------------------------------------------------------------------

    def url(self, database: str, driver: str = "postgresql") -> str:
        """A connection URL, such as SQLAlchemy (with a driver name) or libpq take."""
        return f"{driver}://{USER}@/{database}?host={self.host}&port={PORT}"

    def environ(self) -> dict[str, str]:
        """What makes libpq programs (psql, pg_dump) talk to this cluster."""
        return dict(os.environ, PGHOST=str(self.host), PGPORT=PORT, PGUSER=USER)

    def sql(self, statement: str, database: str = "postgres") -> list[list[str]]:
        """Run a statement outside a transaction; rows as lists of texts.

        :raises LabError: with PostgreSQL's message
        """
        output = run(
            [
                self.bin / "psql",
                "-XAtq",
                "-F\t",
                "-vON_ERROR_STOP=1",
                *("-d", database),
                *("-c", statement),
            ],
            what="psql",
            env=self.environ(),
        )
        return [line.split("\t") for line in output.splitlines()]

    def databases(self) -> list[str]:
        rows = self.sql(
            "SELECT datname FROM pg_database WHERE NOT datistemplate"
            " AND datname <> 'postgres' ORDER BY 1"
        )
        return [name for (name,) in rows]

    def create(self, database: str, template: str = "template0") -> None:
        """Create a database, as a copy of another one if ``template`` names it."""
        self.sql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')

    def drop(self, database: str) -> None:
        """Drop a database if it exists, throwing out whoever is connected."""
        self.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def destroy(self) -> None:
        """Remove the cluster with all databases.

        :raises LabError: if anybody uses it
        """
        if not self.folder.is_dir():
            return
        with (self.folder / "users.lock").open("a") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LabError("the lab is in use; stop it first") from None
            remove(self.host)
            remove(self.folder)


# -- where and who -----------------------------------------------------------------


def find_binaries() -> Path:
    """The folder of the newest PostgreSQL server on this machine."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    if newest:
        return newest.parent
    if other := shutil.which("initdb"):
        return Path(other).resolve().parent
    raise LabError("missing Debian package, please install: postgresql")


def cluster_user() -> str | None:
    """The account of the server: another one if we are root, which it refuses."""
    return "postgres" if os.getuid() == 0 else None


def cluster_folder() -> Path:
    # That other account may not be able to enter root's checkout.
    if os.getuid() == 0:
        return Path("/var/lib/lead-pipeline") / fingerprint([str(ROOT)])
    return LAB / "postgres"


def socket_folder(folder: Path) -> Path:
    path = folder / "run"
    if len(str(path)) < 80:  # the kernel allows 107 bytes with the file's name
        return path
    name = f"lead-pipeline-{os.getuid()}-{fingerprint([str(folder)])}"
    return Path(tempfile.gettempdir()) / name


def make_private(path: Path, user: str | None) -> None:
    """Create a folder that only ``user`` (and root) can enter."""
    path.mkdir(parents=True, exist_ok=True)
    if path.stat().st_uid == os.getuid():
        path.chmod(0o700)
        if user:
            shutil.chown(path, user)
    elif not user:
        raise LabError(f"{path} belongs to somebody else")


def is_locked(path: Path) -> bool:
    with path.open("a") as handle:
        return not try_shared(handle)


def try_shared(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# -- the keeper's process -----------------------------------------------------------


def keep(folder: Path) -> None:
    """Run the cluster until nobody uses it; the body of the keeper process."""
    postgres = Postgres(folder)
    with (postgres.folder / "keeper.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        initialise(postgres)
        server = start(postgres)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: server.popen.send_signal(2))
        print("ready", flush=True)

        users = (postgres.folder / "users.lock").open("a")

        def stop_when_unused() -> None:
            fcntl.flock(users, fcntl.LOCK_EX)
            server.popen.send_signal(signal.SIGINT)  # a "fast" shutdown

        threading.Thread(target=stop_when_unused, daemon=True).start()
        server.popen.wait()


def initialise(postgres: Postgres) -> None:
    if (postgres.data / "PG_VERSION").is_file():
        return
    work = postgres.folder / "initdb"
    remove(work)
    options = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"]
    initdb = Process(
        [postgres.bin / "initdb", *options, f"--username={USER}", "-D", work],
        log=postgres.log,
        user=postgres.run_as,
        cwd=postgres.folder,
    )
    if initdb.popen.wait():
        raise LabError(initdb.log_tail())
    work.rename(postgres.data)


def start(postgres: Postgres) -> Process:
    clear_stale_server(postgres)
    postgres.log.write_text("")
    settings = SETTINGS | {"unix_socket_directories": str(postgres.host)}
    server = Process(
        [
            postgres.bin / "postgres",
            *("-D", postgres.data),
            *(f"--{name}={value}" for name, value in settings.items()),
        ],
        log=postgres.log,
        user=postgres.run_as,
        cwd=postgres.folder,
        stop_signal=signal.SIGINT,
    )
    pid_file = postgres.data / "postmaster.pid"

    def ready() -> bool:
        try:
            lines = pid_file.read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    server.wait_until(ready, what="PostgreSQL", timeout=START_TIMEOUT)
    return server


def clear_stale_server(postgres: Postgres) -> None:
    """See to what a keeper that was killed left: a server, or its pid file.

    We hold the keeper's lock, so a server that still runs is on its way down. The
    file of a dead one says "ready" until the new one writes its own; if its pid now
    belongs to another program, it would keep PostgreSQL from starting.
    """
    pid_file = postgres.data / "postmaster.pid"
    for attempt in range(200):
        try:
            pid = int(pid_file.read_text().split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
            command = b""
        if str(postgres.data).encode() not in command:
            pid_file.unlink(missing_ok=True)
            return
        if attempt == 100:
            os.kill(pid, signal.SIGQUIT)
        time.sleep(0.1)
    raise LabError(f"an old PostgreSQL (process {pid}) does not stop")


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]))
    except LabError as failure:
        sys.exit(str(failure))
