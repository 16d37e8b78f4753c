# SPDX-License-Identifier: LGPL-3.0-or-later
"""The commands.

Exit codes: 0 all is well; 1 problems were found; 2 the configuration or the command
is wrong; 3 something could not be reached (Odoo, a platform, the service, the inbox),
whatever else was found.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import files
from typing import Annotated, Any

import typer

from lead_connectors import cli_inbox
from lead_connectors.cli_base import (
    DEFAULT,
    PROBLEMS,
    UNREACHABLE,
    USAGE,
    ConfigOption,
    JsonOption,
    app,
    chosen,
    fail,
    load_config,
    opened,
    say,
)
from lead_connectors.errors import ConfigError, ConnectorError, Park
from lead_connectors.inbox import InboxUnavailable
from lead_connectors.secrets import hide_secrets
from lead_connectors.sources.base import Finding

__all__ = ["app", "main"]


def main() -> None:
    """The entry point: errors become one clear line and an exit code."""
    try:
        app()
    except ConfigError as error:
        fail(error, USAGE)
    except InboxUnavailable as error:
        fail(error, UNREACHABLE)


@app.command()
def serve(config: ConfigOption = DEFAULT) -> None:
    """Run the service: take webhooks, poll platforms, deliver to Odoo."""
    from lead_connectors.service import serve as run

    run(load_config(config, quiet=False))


@app.command()
def sync(
    sources: Annotated[list[str] | None, typer.Argument(help="Default: all.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC)."),
    ] = None,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Read platforms and files now, deliver, and compare the counts."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    from lead_connectors.commands.drain import NotDelivered, drain
    from lead_connectors.commands.sync import compare_counts, sync_source
    from lead_connectors.service import Service

    setup = load_config(config)
    names = chosen(setup, sources or [])
    service = Service(setup)
    pollable = [s for n in names if (s := service.sources[n]).can_poll]
    start = since.replace(tzinfo=UTC) if since else None
    results, undelivered = [], ""
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"))
    hidden = as_json or not sys.stderr.isatty()
    with closing(service.inbox), Progress(*columns, disable=hidden) as bar:
        service.inbox.open()
        for source in pollable:
            task = bar.add_task(f"{source.name}: reading", total=source.size_hint())

            def found(
                seen: int, new: int, task: Any = task, name: str = source.name
            ) -> None:
                text = f"{name}: {seen} read, {new} new"
                bar.update(task, description=text, completed=seen)

            results.append(sync_source(service, source, start, found))
        task = bar.add_task("delivering", total=None)
        try:
            left = drain(
                service,
                lambda left: bar.update(task, description=f"{left} to deliver"),
            )
            for source, result in zip(pollable, results, strict=True):
                compare_counts(service, source, result)
        except NotDelivered as error:
            left, undelivered = -1, str(error)
    if as_json:
        rows = [result.as_dict() for result in results]
        say({"sources": rows, "undelivered": undelivered or left})
    else:
        _show_sync(results, left, undelivered)
    if undelivered:
        raise SystemExit(UNREACHABLE)
    if any(result.problem or result.missing for result in results):
        raise SystemExit(PROBLEMS)


def _show_sync(results: list[Any], left: int, undelivered: str) -> None:
    if not results:
        print("nothing to read: these sources only send webhooks")
    for result in results:
        mark = "✗" if result.problem else "✓"
        line = f"{mark} {result.source}: {result.seen} read, {result.new} new"
        print(hide_secrets(f"{line} {result.problem}".rstrip()))
        for row in result.counts:
            if row.get("difference"):
                print(
                    f"  ! {row['day']}: the platform counts {row['platform']},"
                    f" Odoo {row['ours']}"
                )
    if undelivered:
        print(hide_secrets(f"✗ not delivered, kept in the inbox: {undelivered}"))
    elif left:
        print(f"! {left} wait for another try; `lead-connectors status` tells why")
    else:
        print("✓ nothing waits")


for command in cli_inbox.COMMANDS:
    app.command()(command)


@app.command()
def check(
    sources: Annotated[list[str] | None, typer.Argument(help="Default: all.")] = None,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Look at Odoo, the inbox and every source; say what is wrong and the cure."""
    from lead_connectors.commands.check import (
        check_inbox,
        check_odoo,
        check_source,
        check_web,
    )
    from lead_connectors.service import make_inbox, make_odoo, make_sources

    setup = load_config(config)
    names = chosen(setup, sources or [])
    made = make_sources(setup.sources)
    parts: list[tuple[str, Iterator[Finding]]] = [
        ("inbox", check_inbox(make_inbox(setup))),
        ("web", check_web(setup)),
        ("odoo", check_odoo(make_odoo(setup), setup)),
        *((name, check_source(made[name])) for name in names),
    ]
    findings = [(where, found) for where, part in parts for found in part]
    bad = [found for _, found in findings if not found.ok]
    if as_json:
        say(
            [
                {
                    "where": where,
                    "ok": found.ok,
                    "warning": found.warning,
                    "what": found.what,
                    "cure": found.cure,
                    "unreachable": found.unreachable,
                }
                for where, found in findings
            ]
        )
    else:
        for where, found in findings:
            sign = "✗" if not found.ok else "!" if found.warning else "✓"
            print(hide_secrets(f"{sign} {where}: {found.what}"))
            if found.cure and sign != "✓":
                print(hide_secrets(f"    {found.cure}"))
    if any(found.unreachable for found in bad):
        raise SystemExit(UNREACHABLE)
    if bad:
        raise SystemExit(PROBLEMS)


@app.command("send-test")
def send_test(
    source: str,
    within: Annotated[float, typer.Option(help="Seconds to wait.")] = 60,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Send a marked test lead through the running service, and follow it to Odoo."""
    from dataclasses import asdict

    from lead_connectors.commands.send_test import NoService, follow, send
    from lead_connectors.service import make_sources

    setup = load_config(config)
    chosen(setup, [source])
    made = make_sources(setup.sources)[source]
    try:
        request = send(setup, made)
    except NoService as error:
        fail(error, UNREACHABLE)
    except Park as error:
        raise ConfigError(str(error)) from None
    except ConnectorError as error:
        fail(error, PROBLEMS)
    with opened(setup) as inbox:
        fates = follow(inbox, made, request, within)
    if as_json:
        say([asdict(fate) for fate in fates])
    for fate in fates:
        if not as_json:
            end = f"{fate.state} {fate.status} {fate.reason}".rstrip()
            print(hide_secrets(f"{fate.external_id}: {end}"))
    if not fates or any(fate.state != "delivered" for fate in fates):
        if not as_json:
            print(f"not delivered within {within:.0f} s; see `lead-connectors status`")
        raise SystemExit(PROBLEMS)


@app.command()
def init(config: ConfigOption = DEFAULT) -> None:
    """Write a commented connectors.toml to begin with."""
    text = files("lead_connectors").joinpath("connectors.example.toml").read_text()
    try:
        with config.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError:
        raise ConfigError(f"{config} exists already; nothing was changed") from None
    print(f"{config} is written: read it, then run `lead-connectors check`")
