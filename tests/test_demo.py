# SPDX-License-Identifier: LGPL-3.0-or-later
"""``./scripts/demo`` as a visitor runs it: what it prints, and what it leaves."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import LAB, ROOT, Lab, free_port

ENDINGS = ("created", "matched", "duplicate", "test", "quarantined", "refused")


@dataclass
class Demo:
    """One run; ``ports`` of Odoo and the connector."""

    process: subprocess.Popen[str]
    ports: tuple[int, int]
    output: Path

    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.text() or self.process.poll() is not None, 180)
        assert words in self.text()

    def nothing_left(self, the_lab: Lab) -> None:
        wait_until(lambda: not any(map(listens, self.ports)), 30)
        assert not (LAB / f"demo-{self.process.pid}").exists()
        assert f"demo_{self.process.pid}" not in the_lab.postgres.databases()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def start(*arguments: str) -> Demo:
        ports = free_port(), free_port()
        output = tmp_path / f"output-{len(started)}.txt"
        environ = {"ODOO_PORT": str(ports[0]), "CONNECTORS_PORT": str(ports[1])}
        with output.open("w") as file:
            process = subprocess.Popen(
                [ROOT / "scripts" / "demo", *arguments],
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )
        started.append(Demo(process, ports, output))
        return started[-1]

    yield start
    for demo in started:
        demo.process.terminate()
        demo.process.wait(60)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(true: Callable[[], bool], within: float) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, f"still not true after {within} s"
        time.sleep(0.1)


def test_every_lead_has_one_ending(start: Callable[..., Demo], the_lab: Lab) -> None:
    demo = start("--once")
    demo.process.wait(300)
    lines = demo.text().splitlines()
    assert demo.process.returncode == 0, demo.text()
    result = json.loads(lines[-1])
    assert list(result) == ["sent", *ENDINGS, "odoo"]
    assert result["sent"] == sum(result[ending] for ending in ENDINGS)
    assert 55 <= result["sent"] <= 70
    assert all(result[ending] > 0 for ending in ENDINGS)
    assert result["odoo"] == "19.0"
    assert sum("│" in line for line in lines) >= result["sent"]  # the table
    demo.nothing_left(the_lab)


def test_it_stays_until_ctrl_c(start: Callable[..., Demo], the_lab: Lab) -> None:
    demo = start()
    demo.wait_for("Ctrl-C stops")
    assert all(map(listens, demo.ports))
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(60) == 130
    assert "Traceback" not in demo.text()
    demo.nothing_left(the_lab)


def test_a_killed_one_leaves_no_process(
    start: Callable[..., Demo], the_lab: Lab
) -> None:
    demo = start()
    demo.wait_for("webhooks sent")
    demo.process.kill()
    demo.process.wait(10)
    wait_until(lambda: not any(map(listens, demo.ports)), 30)


def test_a_taken_port_is_told_in_one_line(start: Callable[..., Demo]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = subprocess.run(
            [ROOT / "scripts" / "demo", "--once"],
            env={**os.environ, "ODOO_PORT": str(free_port()), "CONNECTORS_PORT": port},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.strip().splitlines()
    assert port in line and "CONNECTORS_PORT" in line
