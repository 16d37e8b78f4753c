# SPDX-License-Identifier: LGPL-3.0-or-later
"""The kinds of sources that are installed, found by entry point."""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points
from typing import Any

from lead_connectors.errors import ConfigError
from lead_connectors.sources.base import Source

__all__ = ["GROUP", "known_types", "source_class", "suggest"]

GROUP = "lead_connectors.sources"


def known_types() -> list[str]:
    """The ``type`` names that connectors.toml may use."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def source_class(kind: str) -> type[Source[Any]]:
    """The class for a ``type``. Raises ConfigError with the known ones."""
    points = entry_points(group=GROUP, name=kind)
    if not points:
        known = known_types()
        raise ConfigError(
            f'unknown type "{kind}"{suggest(kind, known)}.'
            f" Installed types: {', '.join(known)}"
        )
    try:
        loaded = next(iter(points)).load()
    except Exception as error:
        raise ConfigError(
            f'the source type "{kind}" can\'t be loaded'
            f" ({type(error).__name__}: {error}): reinstall the package it comes from"
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Source)):
        raise ConfigError(f'the source type "{kind}" is not a Source class')
    return loaded


def suggest(word: str, known: list[str]) -> str:
    """``: did you mean "x"?`` or nothing."""
    near = difflib.get_close_matches(word, known, n=1)
    return f': did you mean "{near[0]}"?' if near else ""
