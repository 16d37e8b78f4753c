# SPDX-License-Identifier: LGPL-3.0-or-later
"""The table, and where to look."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from demo.fate import Row

COLOURS = {
    "created": "green",
    "matched": "cyan",
    "quarantined": "yellow",
    "refused": "red",
}


def table(rows: list[Row]) -> None:
    """Everything that was sent and what became of it."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 120)
    grid = Table("channel", "person", "status", "lead", "owner")
    for row in rows:
        colour = COLOURS.get(row.status, "dim")
        grid.add_row(
            row.channel,
            row.person,
            f"[{colour}]{row.status}[/]",
            row.lead or f"[dim]{row.reason}[/]",
            row.owner,
        )
    console.print(grid)


def addresses(odoo: str, connector: str, website_token: str) -> None:
    """Where a visitor can look, and how to send a lead of their own."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"""
Look at it
  a rep's leads          {odoo}/odoo/crm             demo / demo
  channels, submissions  {odoo}/odoo/lead-channels   admin / admin
  the connector          {connector}/metrics

Send one yourself
  curl -d 'name=Your Name' -d 'email=you@example.com' \\
       {connector}/hooks/website-form/{website_token}

Ctrl-C stops everything and leaves nothing behind.""",
        markup=False,
    )
