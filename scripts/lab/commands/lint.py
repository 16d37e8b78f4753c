# SPDX-License-Identifier: LGPL-3.0-or-later
"""Static checks, the same ones that pre-commit and ./scripts/test run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from lab import ROOT, LabError, main, python_env

USAGE = """\
./scripts/lint                  all of them, on the whole project
./scripts/lint NAME [FILE..]    one: ruff, format, pylint, oca, files
./scripts/lint --fix [FILE..]   let ruff repair and format what it can
./scripts/lint pre-commit ...   the tool pre-commit itself"""

# git's own check for trailing white space and conflict markers, of the whole tree
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
# Matters of taste on which Odoo's own modules differ from OCA's.
OCA_DISABLED = "xml-header-wrong,xml-field-numeric-without-eval,xml-tag-position"

Commands = list[list[str]]


def tracked(*patterns: str) -> list[str]:
    """The project's files of some patterns, but not those deleted just now."""
    output = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [name for name in output.splitlines() if (ROOT / name).is_file()]


def ruff(files: list[str]) -> Commands:
    return [["ruff", "check", "--quiet", "--force-exclude", *(files or ["."])]]


def formatted(files: list[str]) -> Commands:
    names = files or ["."]
    return [["ruff", "format", "--quiet", "--diff", "--force-exclude", *names]]


def pylint(files: list[str]) -> Commands:
    # pylint-odoo looks at whole modules, whatever file changed.
    modules = sorted({"/".join(f.split("/")[:2]) for f in files or addon_files()})
    if not modules:
        return []
    return [["pylint", "--rcfile=.pylintrc-mandatory", *modules]]


def oca(files: list[str]) -> Commands:
    manifests = [f for f in addon_files() if f.endswith("/__manifest__.py")]
    catalogues = [f for f in addon_files() if f.endswith((".po", ".pot"))]
    commands = []
    if manifests:
        option = f"--disable={OCA_DISABLED}"
        commands.append(["oca-checks-odoo-module", option, *manifests])
    if catalogues:
        commands.append(["oca-checks-po", *catalogues])
    return commands


def plain(files: list[str]) -> Commands:
    names = files or tracked()

    def ending(*ends: str) -> list[str]:
        return [name for name in names if name.endswith(ends)]

    commands: Commands = [["git", "diff", "--check", EMPTY_TREE, "--", *names]]
    for tool, chosen in (
        ("check-yaml", ending(".yaml", ".yml")),
        ("check-toml", ending(".toml")),
        ("check-xml", ending(".xml", ".svg")),
        ("check-json", ending(".json")),
        ("debug-statement-hook", ending(".py")),
        ("check-merge-conflict", names),
        ("check-added-large-files", names),
    ):
        if chosen:
            commands.append([tool, *chosen])
    return commands


def addon_files() -> list[str]:
    return tracked("addons/*/**", "addons/*/*")


CHECKS: dict[str, Callable[[list[str]], Commands]] = {
    "ruff": ruff,
    "format": formatted,
    "pylint": pylint,
    "oca": oca,
    "files": plain,
}


def check(name: str, files: list[str] | None = None) -> tuple[bool, str]:
    """Run one check; (passed, what it printed)."""
    environment = python_env("lint")
    ok, output = True, ""
    for command in CHECKS[name](files or []):
        result = subprocess.run(
            command,
            cwd=ROOT,
            env=environment.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ok = ok and result.returncode == 0
        output += result.stdout if result.returncode else ""
    return ok, output


def command(arguments: list[str]) -> int:
    if arguments[:1] in (["help"], ["--help"], ["-h"]):
        print(USAGE)
        return 0
    environment = python_env("lint")
    if arguments[:1] == ["--fix"]:
        names = arguments[1:] or ["."]
        for argv in (["ruff", "check", "--fix"], ["ruff", "format"]):
            subprocess.run([*argv, *names], cwd=ROOT, env=environment.environ())
        return 0
    if arguments[:1] == ["pre-commit"]:
        return subprocess.run(arguments, cwd=ROOT, env=environment.environ()).returncode
    if arguments and arguments[0] not in CHECKS:
        raise LabError(f"no check {arguments[0]}; there are: {', '.join(CHECKS)}")
    failed = False
    for name in arguments[:1] or CHECKS:
        ok, output = check(name, arguments[1:])
        print(f"{name:10} {'ok' if ok else 'FAILED'}\n{output}".rstrip())
        failed = failed or not ok
    return int(failed)


if __name__ == "__main__":
    main(command)
