# SPDX-License-Identifier: LGPL-3.0-or-later
"""Reads data/*.tsv once: a code, then every name it is known by."""

from __future__ import annotations

from importlib import resources

from lead_connectors.normalise.text import clean_line

__all__ = ["fold", "load"]


def fold(name: str) -> str:
    """A name as the tables hold it: one casefolded line, no dots at its ends."""
    return clean_line(name, 100).casefold().strip(" .,;:()*").replace("’", "'")


def load(table: str) -> dict[str, str]:
    """Every folded name -> its code. A name claimed twice belongs to the first."""
    text = (
        resources.files("lead_connectors.normalise")
        .joinpath("data", f"{table}.tsv")
        .read_text(encoding="utf-8")
    )
    names: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            code, *known = line.split("\t")
            for name in known:
                names.setdefault(fold(name), code)
    return names
