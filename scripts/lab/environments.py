# SPDX-License-Identifier: LGPL-3.0-or-later
"""The Python environments: one for Odoo, one for the connector, one for lint."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .odoo_home import odoo_home
from .system import LAB, ROOT, LabError, fingerprint, locked, remove, run, say

REQUIREMENTS = ROOT / "requirements"
CONNECTORS = ROOT / "connectors"
# The machine's interpreter, also when the lab is used from one of its environments:
# else each caller would build environments of its own.
PYTHON = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Environment:
    """A virtual environment that exists and is complete."""

    path: Path

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def bin(self, name: str) -> Path:
        return self.path / "bin" / name

    def environ(self, **extra: str) -> dict[str, str]:
        """The process environment to run its programs in; the lab importable."""
        environ = dict(os.environ)
        environ["PATH"] = f"{self.path / 'bin'}{os.pathsep}{environ.get('PATH', '')}"
        environ["PYTHONPATH"] = str(ROOT / "scripts")
        environ["VIRTUAL_ENV"] = str(self.path)
        return environ | extra


def python_env(name: str) -> Environment:
    """The environment ``odoo``, ``connectors`` or ``lint``, built when needed.

    It is kept under a hash of all that it is made of, so a change to the
    requirements builds a new one; older ones go after a day, when no program can
    still be running in them.

    :raises LabError: if pip cannot install the requirements
    """
    arguments, files, home = recipe(name)
    key = fingerprint(
        [
            sys.version,
            str(PYTHON),
            str(home),
            *arguments,
            *(path.read_bytes() for path in files),
        ]
    )
    path = LAB / f"venv-{name}-{key}"
    complete = path / "complete"
    if not complete.is_file():
        with locked(LAB / f"venv-{name}.lock"):
            if not complete.is_file():
                remove(path)  # an attempt that was broken off
                for old in LAB.glob(f"venv-{name}-*"):
                    if old.stat().st_mtime < time.time() - 86400:
                        remove(old)
                build(path, name, arguments, home)
                complete.touch()
    return Environment(path)


def recipe(name: str) -> tuple[list[str], list[Path], Path | None]:
    """What pip installs, the files that define it, and Odoo's folder if needed."""
    if name == "odoo":
        files = [REQUIREMENTS / "odoo.txt"]
        return ["-r", str(files[0])], files, odoo_home()
    if name == "lint":
        files = [REQUIREMENTS / "lint.txt"]
        return ["-r", str(files[0])], files, None
    if name == "connectors":
        files = [REQUIREMENTS / "tests.txt"]
        arguments = ["-r", str(files[0])]
        if (CONNECTORS / "pyproject.toml").is_file():
            files.append(CONNECTORS / "pyproject.toml")
            arguments += ["-e", f"{CONNECTORS}[dev,postgres]"]
        return arguments, files, None
    raise LabError(f"no such Python environment: {name}")


def build(path: Path, name: str, arguments: list[str], home: Path | None) -> None:
    say(f"Setting up the Python environment for {name} (once) ...")
    run([PYTHON, "-m", "venv", path], what="Creating the environment")
    pip = [str(path / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    run(
        [*pip, "install", "--no-input", "--quiet", *arguments],
        what=f"Installing the Python packages for {name}",
    )
    if home:
        # A .pth entry comes after the environment's own packages, so that other
        # packages beside Odoo (as in /usr/lib/python3/dist-packages) do not win.
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = path / "lib" / version / "site-packages"
        (packages / "odoo-home.pth").write_text(f"{home}\n")
