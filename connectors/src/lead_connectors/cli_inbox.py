# SPDX-License-Identifier: LGPL-3.0-or-later
"""The commands for what lies in the inbox. ``cli`` puts them beside the others."""

from __future__ import annotations

import getpass
import os
import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from lead_connectors.cli_base import (
    DEFAULT,
    PROBLEMS,
    ConfigOption,
    JsonOption,
    chosen,
    load_config,
    opened,
    say,
)
from lead_connectors.errors import ConfigError

__all__ = ["COMMANDS"]

SourceOption = Annotated[str | None, typer.Option(help="Only this source.")]
IdOption = Annotated[
    list[str] | None, typer.Option("--id", help="As `status` shows it: i12, r7.")
]
ParkedOption = Annotated[bool, typer.Option("--parked", help="What was parked.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only count.")]


def status(config: ConfigOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Show what came in, what waits and what is parked. 1: something is wrong."""
    from lead_connectors.commands.status import gather, show

    setup = load_config(config)
    found = gather(opened(setup), setup.settings.inbox.keep_days)
    if as_json:
        say(found)
    else:
        from rich.console import Console

        show(found, Console())
    if found["problems"] or found["parked"]:
        raise SystemExit(PROBLEMS)


def replay(
    source: SourceOption = None,
    parked: ParkedOption = False,
    dismissed: Annotated[
        bool, typer.Option("--dismissed", help="What was dismissed, by whomever.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Delivered leads too; Odoo knows them.")
    ] = False,
    ids: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Parse and send again, after the cause was mended."""
    from lead_connectors.inbox.upkeep import replay as run

    keys = _keys(ids)
    if sum((parked, dismissed, everything, bool(keys))) != 1:
        raise ConfigError(
            "say what to replay: --parked, --dismissed, --all, or --id i12"
        )
    setup = load_config(config)
    if source:
        chosen(setup, [source])
    done = run(
        opened(setup).db,
        source=source,
        everything=everything,
        dismissed=dismissed,
        keys=keys,
        dry_run=dry_run,
    )
    if as_json:
        say(asdict(done) | {"dry_run": dry_run})
        return
    verb = "would be" if dry_run else "will be"
    print(
        f"{done.items} items and {done.receipts} raw requests {verb} sent again;"
        " the running service does it"
    )
    if done.gone:
        print(f"! {done.gone} can't: their bytes were trimmed ([inbox] keep_days)")


def dismiss(
    reason: Annotated[str, typer.Option(help="Why; it is kept with them.")],
    source: SourceOption = None,
    parked: ParkedOption = False,
    ids: IdOption = None,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Put parked things aside for good: what will never be a lead."""
    from lead_connectors.inbox.upkeep import dismiss as run

    keys = _keys(ids)
    if parked == bool(keys):
        raise ConfigError("say what to dismiss: --parked, or --id i12")
    if not reason.strip():
        raise ConfigError("--reason is empty: say why, for whoever asks in a year")
    setup = load_config(config)
    # no check of the name: what is parked may be of a source that is gone
    who = os.environ.get("SUDO_USER") or getpass.getuser()
    note = f"dismissed by {who} on {datetime.now(UTC):%Y-%m-%d}: {reason.strip()}"
    done = run(opened(setup).db, note, source=source, keys=keys)
    if as_json:
        say(asdict(done))
    else:
        print(f"{done.items} items and {done.receipts} raw requests are dismissed")
        if done.others:
            print(f"! {done.others} were not: they are not parked")
    if done.others:
        raise SystemExit(PROBLEMS)


def _keys(ids: list[str] | None) -> list[str]:
    for key in ids or []:
        if not re.fullmatch(r"[ir][0-9]{1,18}", key):
            raise ConfigError(f'"{key}" is no id: `lead-connectors status` shows them')
    return ids or []


COMMANDS = (status, replay, dismiss)
