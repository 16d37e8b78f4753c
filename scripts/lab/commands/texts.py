# SPDX-License-Identifier: LGPL-3.0-or-later
"""Exports the texts of our addons, from which translations are made."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from lab import ADDONS, ROOT, Lab, main, say
from lab.system import run

USAGE = """\
./scripts/texts           write addons/*/i18n/*.pot anew where texts changed
./scripts/texts --check   only tell which are out of date"""
DATES = re.compile(r'^"(POT-Creation|PO-Revision)-Date: .*$', re.MULTILINE)


def outdated(lab: Lab) -> dict[Path, str]:
    """The files of texts that are not what Odoo exports today, and what it exports.

    The dates in their heads don't count.
    """
    files = sorted(ROOT.glob("addons/*/i18n/*.pot"))
    found = {}
    with (
        lab.temporary("texts", ADDONS, demo=False) as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        for file in files:
            output = Path(folder) / file.name
            options = ["-d", database, "-l", "pot", "-o", str(output), file.stem]
            run(
                lab.argv("i18n export", *options),
                what=f"Exporting the texts of {file.stem}",
                env=lab.environment.environ(),
            )
            text = output.read_text(encoding="utf-8")
            if DATES.sub("", text) != DATES.sub("", file.read_text(encoding="utf-8")):
                found[file] = text
    return found


def command(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(USAGE)
        return 0 if arguments[0] in ("help", "--help", "-h") else 2
    with Lab() as lab:
        found = outdated(lab)
    for file, text in found.items():
        say(f"{file.relative_to(ROOT)} is out of date")
        if not arguments:
            file.write_text(text, encoding="utf-8")
    return 1 if found and arguments else 0


if __name__ == "__main__":
    main(command)
