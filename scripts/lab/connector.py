# SPDX-License-Identifier: LGPL-3.0-or-later
"""The connector, as its operator runs it: a configuration, a process, commands."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from .environments import Environment, python_env
from .process import Process, Server

START_TIMEOUT = 60


class Connector(Server):
    """``lead-connectors serve`` on a configuration file. A context manager.

    :param config: connectors.toml; its [web] table must name host and port
    :param secrets: the environment variables that the file refers to
    """

    ready_path = "/healthz"

    def __init__(self, config: Path, secrets: Mapping[str, str]) -> None:
        web = tomllib.loads(config.read_text())["web"]
        self.config = config
        self.url = f"http://{web['host']}:{web['port']}"
        self.log = config.with_name("connector.log")
        self.environment: Environment = python_env("connectors")
        self.environ = self.environment.environ(**secrets)

    def start(self) -> Self:
        """Start it and return when it takes requests.

        :raises LabError: with the end of its log, if it does not
        """
        program = self.environment.bin("lead-connectors")
        self.process = Process(
            [program, "serve", "-c", self.config], log=self.log, env=self.environ
        )
        self.process.wait_until(
            self.answers, what="The connector", timeout=START_TIMEOUT
        )
        return self

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command on the same configuration (``status``, ``replay``, ...)."""
        program = self.environment.bin("lead-connectors")
        return subprocess.run(
            [program, *arguments, "-c", self.config],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
