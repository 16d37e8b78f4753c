# SPDX-License-Identifier: LGPL-3.0-or-later
"""Goes on in the connector's environment, where demo/ can use its sources."""

from __future__ import annotations

import os

from lab import ROOT, main, python_env


def command(arguments: list[str]) -> None:
    environment = python_env("connectors")
    paths = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    # this process itself, so that Ctrl-C and signals need nobody in between
    os.execve(
        environment.python,
        [str(environment.python), "-m", "demo", *arguments],
        environment.environ(PYTHONPATH=paths),
    )


if __name__ == "__main__":
    main(command)
