# SPDX-License-Identifier: LGPL-3.0-or-later
"""The lab leaves nothing behind, however it ends, and never harms its neighbours."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from lab import ROOT, LabError, Odoo, Postgres, require_port
from lab.odoo_tests import read_log

USE_CLUSTER = """
import sys, time
from pathlib import Path
from lab import Postgres, main

def command(arguments):
    with Postgres(Path(arguments[0])):
        print("up", flush=True)
        time.sleep(600)

main(command)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for a cluster that the server's account can enter."""
    path = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="lab-"))
    path.chmod(0o711)
    yield path / "cluster"
    shutil.rmtree(path)


def start_user(folder: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", USE_CLUSTER, str(folder)],
        env=dict(os.environ, PYTHONPATH=str(ROOT / "scripts")),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline() == "up\n"
    return process


def processes_of(folder: Path) -> list[str]:
    """Command lines that name the cluster's folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in command and USE_CLUSTER not in command:
            found.append(command)
    return found


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while processes_of(folder):
        assert time.monotonic() < deadline, processes_of(folder)
        time.sleep(0.1)


@pytest.mark.parametrize("death", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_cluster_stops_with_its_last_user(folder: Path, death: signal.Signals) -> None:
    first, second = start_user(folder), start_user(folder)
    first.send_signal(death)
    first.wait(20)
    time.sleep(0.5)
    assert processes_of(folder), "the second user still needs it"
    second.send_signal(death)
    second.wait(20)
    wait_until_gone(folder)


@pytest.mark.parametrize("new_owner", [False, True])
def test_cluster_starts_again_after_a_crash(folder: Path, new_owner: bool) -> None:
    with Postgres(folder) as postgres:
        postgres.create("kept")
        postgres.sql("CREATE TABLE t AS SELECT 42 AS n", "kept")
        pid_file = postgres.data / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    wait_until_gone(folder)
    # The pid in the file may belong to nobody, or to somebody else by now: to us, say.
    if new_owner:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    with Postgres(folder) as postgres:
        assert postgres.sql("SELECT n FROM t", "kept") == [["42"]]


def test_taken_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("ODOO_PORT", str(port))
        with pytest.raises(LabError, match=rf"port {port} .* ODOO_PORT"):
            require_port("ODOO_PORT", 8069)
    assert require_port("ODOO_PORT", 8069) == port
    monkeypatch.setenv("ODOO_PORT", "http")
    with pytest.raises(LabError, match="ODOO_PORT=http is not a port number"):
        require_port("ODOO_PORT", 8069)


def test_odoo_answers_by_both_protocols(
    odoo: Odoo, database: str, admin_key: str
) -> None:
    session = odoo.session("admin", admin_key)
    states = session.env["ir.module.module"].search_read(
        [("name", "=like", "lead_pipeline%")], ["state"]
    )
    assert {row["state"] for row in states} == {"installed"}
    answer = requests.post(
        f"{odoo.url}/json/2/res.users/context_get",
        headers={"Authorization": f"bearer {admin_key}"},
        json={},
        timeout=30,
    )
    assert answer.status_code == 200
    assert answer.json()["uid"] == session.env.uid


def test_log_reader_counts_and_complains() -> None:
    def line(level: str, logger: str, text: str) -> str:
        return f"2026-11-20 10:00:00,000 7 {level} db {logger}: {text}\n"

    run = read_log(
        line("INFO", "odoo.addons.crm.tests.test_x", "Starting TestX.test_a ...")
        + line("INFO", "odoo.addons.crm.tests.test_x", "skipped TestX.test_s : why")
        + line("ERROR", "odoo.addons.crm.tests.test_x", "FAIL: TestX.test_b")
        + "Traceback (most recent call last):\nAssertionError: 1 != 2\n"
        + line("WARNING", "odoo.modules", "Missing license")
        + line("WARNING", "odoo.tools", "selfie_segmentation not found")
        + line("ERROR", "odoo.tests.result", "1 failed, 0 error(s) of 3 tests when x")
    )
    assert (run.tests, run.failures, run.errors, run.skipped) == (3, 1, 0, 1)
    assert run.failed == {"TestX.test_b"}
    failure, warning = run.unexpected
    assert failure.endswith("AssertionError: 1 != 2")
    assert warning.endswith("Missing license")
