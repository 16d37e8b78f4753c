# SPDX-License-Identifier: LGPL-3.0-or-later
"""What all commands share: the application, its options, how they print and fail."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from lead_connectors import log
from lead_connectors.config import Config, load
from lead_connectors.errors import ConfigError
from lead_connectors.inbox import Inbox
from lead_connectors.registry import suggest
from lead_connectors.secrets import hide_secrets

__all__ = [
    "DEFAULT",
    "PROBLEMS",
    "UNREACHABLE",
    "USAGE",
    "ConfigOption",
    "JsonOption",
    "app",
    "chosen",
    "fail",
    "load_config",
    "opened",
    "say",
]

PROBLEMS, USAGE, UNREACHABLE = 1, 2, 3

app = typer.Typer(
    help="Brings leads from ad platforms and web forms into Odoo, and loses none.",
    epilog=(
        "Exit codes: 0 fine, 1 problems found, 2 configuration or usage error,"
        " 3 something can't be reached."
    ),
    no_args_is_help=True,
    add_completion=False,
    # tracebacks with variables would show leads and secrets
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="LEAD_CONNECTORS_CONFIG", help="The file to use."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object instead.")]
DEFAULT = Path("connectors.toml")


def fail(error: Exception | str, code: int) -> NoReturn:
    """End with one line on standard error."""
    print(hide_secrets(f"lead-connectors: {error}"), file=sys.stderr)
    raise SystemExit(code)


def say(data: Any) -> None:
    """The one JSON object of ``--json``."""
    print(hide_secrets(json.dumps(data, indent=2, default=str)))


def load_config(path: Path, *, quiet: bool = True) -> Config:
    """The configuration; logging is set up as it says. Raises ConfigError."""
    config = load(path)
    settings = config.settings.log
    # a command's own output is enough; its workers speak up when something breaks
    log.set_up(settings.format, "error" if quiet else settings.level)
    return config


@contextlib.contextmanager
def opened(config: Config) -> Iterator[Inbox]:
    """The inbox, ready. Raises InboxUnavailable."""
    from lead_connectors.service import make_inbox

    with contextlib.closing(make_inbox(config)) as inbox:
        inbox.open()
        yield inbox


def chosen(config: Config, names: list[str]) -> list[str]:
    """``names`` of sources, or all of them. Raises ConfigError for an unknown one."""
    known = [setup.name for setup in config.sources]
    for name in names:
        if name not in known:
            raise ConfigError(
                f'{config.path} has no source "{name}"{suggest(name, known)}.'
                f" Configured: {', '.join(known) or 'none'}"
            )
    return names or known
