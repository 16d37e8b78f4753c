# SPDX-License-Identifier: LGPL-3.0-or-later
"""``status``: what the inbox holds and what is wrong, for people and for scripts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lead_connectors.inbox import Inbox, marks, report

__all__ = ["gather", "show"]

_WARN_DAYS = 7.0


def gather(inbox: Inbox, keep_days: float) -> dict[str, Any]:
    """Everything as plain JSON; times are ISO 8601 in UTC."""
    db = inbox.db
    days = min(_WARN_DAYS, keep_days / 2)
    noted = [mark for mark in marks.all_marks(db) if mark.name != "@ready"]
    return {
        "inbox": db.where,
        "counts": [asdict(count) for count in report.counts(db)],
        "oldest_waiting_seconds": report.oldest(db),
        "problems": [
            {
                "where": mark.name,
                "problem": mark.problem,
                "since": _iso(mark.problem_at),
            }
            for mark in noted
            if mark.problem
        ],
        "polls": [
            {"source": mark.name, "seen_until": _iso(mark.seen_until)}
            for mark in noted
            if mark.seen_until
        ],
        "parked": [asdict(parked) for parked in report.parked(db)],
        "parked_soon_too_old": {
            "count": report.parked_before(db, (keep_days - days) * 86400),
            "days": days,
        },
    }


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def show(status: dict[str, Any], console: Console) -> None:
    """Tables for a person."""
    table = Table("source", "state", "Odoo's answer", "count", title="Leads")
    for count in status["counts"]:
        state = count["state"] + (" (raw)" if count["what"] == "receipt" else "")
        table.add_row(count["source"], state, count["status"], str(count["count"]))
    if status["counts"]:
        console.print(table)
    else:
        console.print("Nothing came in yet. Try `lead-connectors send-test SOURCE`.")
    oldest = status["oldest_waiting_seconds"]
    if oldest is None:
        console.print("[green]✓[/] nothing waits")
    else:
        console.print(f"[yellow]![/] the oldest has waited {oldest:.0f} s")
    for problem in status["problems"]:
        where = "Odoo" if problem["where"] == marks.ODOO else problem["where"]
        console.print(f"[red]✗[/] {where}: ", end="")
        console.print(f"{problem['problem']} (since {problem['since']})", markup=False)
    if status["parked"]:
        table = Table("id", "source", "reason", title="Parked, newest first")
        for parked in status["parked"]:
            table.add_row(parked["key"], parked["source"], escape(parked["reason"]))
        console.print(table)
        console.print(
            "Mend the cause, then `lead-connectors replay --parked`; what will never be"
            " a lead: `lead-connectors dismiss`.",
            markup=False,
        )
    old = status["parked_soon_too_old"]
    if old["count"]:
        console.print("[yellow]![/] ", end="")
        console.print(
            f"{old['count']} of them are dismissed within {old['days']:g} days, when"
            " [inbox] keep_days is over",
            markup=False,
        )
