# SPDX-License-Identifier: LGPL-3.0-or-later
"""Runs one of benchmarks/, in the connector's environment, the lab importable."""

from __future__ import annotations

import ast
import subprocess

from lab import ROOT, LabError, main, python_env

FOLDER = ROOT / "benchmarks"


def benchmarks() -> dict[str, str]:
    """Names, and the first line of what each says of itself.

    A benchmark is a module that can be run; what they share has no ``__main__``.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        text = path.read_text()
        if "__main__" in text:
            doc = ast.get_docstring(ast.parse(text)) or ""
            found[path.stem] = doc.partition("\n")[0]
    return found


def command(arguments: list[str]) -> int:
    known = benchmarks()
    if not arguments or arguments[0] in ("help", "--help", "-h"):
        print("usage: ./scripts/bench NAME [options]; the last line printed is JSON")
        for name, summary in known.items():
            print(f"  {name:12} {summary}")
        return 0
    name = arguments[0].replace("-", "_")
    if name not in known:
        raise LabError(f"no benchmark {arguments[0]}; there are: {', '.join(known)}")
    environment = python_env("connectors")
    guard = ["setpriv", "--pdeathsig", "TERM", "--"]
    try:
        return subprocess.run(
            [*guard, environment.python, FOLDER / f"{name}.py", *arguments[1:]],
            cwd=ROOT,
            env=environment.environ(),
        ).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    main(command)
