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
    with opened(setup) as inbox:
        found = gather(inbox, setup.settings.inbox.keep_days)
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
    with opened(setup) as inbox:
        done = run(
            inbox.db,
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
    with opened(setup) as inbox:
        done = run(inbox.db, note, source=source, keys=keys)
    if as_json:
        say(asdict(done))
    else:
        print(f"{done.items} items and {done.receipts} raw requests are dismissed")
        if done.others:
            print(f"! {done.others} were not: they are not parked")
    if done.others:
        raise SystemExit(PROBLEMS)


def erase(
    person: Annotated[str, typer.Argument(metavar="EMAIL_OR_PHONE")],
    dry_run: DryRunOption = False,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Erase a person from the inbox; afterwards do the same in Odoo."""
    from lead_connectors.deliver.parser import Parser
    from lead_connectors.inbox.erase import erase as run
    from lead_connectors.inbox.person import Person
    from lead_connectors.metrics import Metrics
    from lead_connectors.service import make_sources

    wanted = Person(person)
    setup = load_config(config)
    note = f"erased on {datetime.now(UTC):%Y-%m-%d}"
    with opened(setup) as inbox:
        parser = Parser(inbox, make_sources(setup.sources), Metrics())
        while not dry_run and parser.step() == 0:
            pass  # of an unread request nobody knows which lead is whose
        done = run(inbox.db, wanted, note, dry_run=dry_run)
    if as_json:
        say(asdict(done) | {"dry_run": dry_run})
        return
    verb = "would be" if dry_run else "are"
    print(f"{len(done.items)} items, {len(done.receipts)} raw requests {verb} erased")
    for keys, what in (
        ([*done.items, *done.receipts], "these"),
        (done.undelivered, "not in Odoo yet, and never will be"),
        (done.named, "the id itself is the address; it stays, or they come again"),
    ):
        if keys:
            print(f"    {what}: {', '.join(keys)}")
    if done.unread:
        print(
            f"! {done.unread} leads were not read yet, whosever they are: run it again"
        )
    if not dry_run:
        print("Now erase the person in Odoo: the contact, Actions > Privacy Lookup")


def _keys(ids: list[str] | None) -> list[str]:
    for key in ids or []:
        if not re.fullmatch(r"[ir][0-9]{1,18}", key):
            raise ConfigError(f'"{key}" is no id: `lead-connectors status` shows them')
    return ids or []


COMMANDS = (status, replay, dismiss, erase)
