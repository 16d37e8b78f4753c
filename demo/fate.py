# SPDX-License-Identifier: LGPL-3.0-or-later
"""What became of everything that was sent, as Odoo tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lead_connectors.inbox import Inbox, report
from lead_connectors.inbox.schema import DELIVERED

STATUSES = ("created", "matched", "duplicate", "test", "quarantined", "refused")


@dataclass(frozen=True, slots=True)
class Sent:
    """One lead that was sent. ``refused``: the web door turned it away."""

    source: str
    channel: str
    external_id: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    channel: str
    person: str = ""
    status: str = ""
    lead: str = ""
    owner: str = ""
    reason: str = ""


def delivered(inbox: Inbox, sent: Iterable[Sent]) -> int:
    """How many of these leads have been answered for by Odoo; repeats count once."""
    wanted: dict[str, set[str]] = {}
    for one in sent:
        if not one.refused:
            wanted.setdefault(one.source, set()).add(one.external_id)
    fates = [
        fate
        for source, ids in wanted.items()
        for fate in report.fates(inbox.db, source, sorted(ids))
    ]
    return sum(fate.state == DELIVERED for fate in fates)


def distinct(sent: Iterable[Sent]) -> int:
    """How many leads the inbox should hold."""
    return len({(s.source, s.external_id) for s in sent if not s.refused})


def tell(inbox: Inbox, odoo: Any, sent: list[Sent]) -> list[Row]:
    """A row for everything that was sent, in that order.

    A lead that came twice is told once as what Odoo made of it; what came after is
    ``duplicate``, whether the inbox or Odoo knew it.

    :param odoo: an odoorpc session of somebody who may read leads
    :raises RuntimeError: Odoo does not hold a lead exactly once
    """
    answers = {
        (fate.source, fate.external_id): fate.status
        for source in {one.source for one in sent}
        for fate in report.fates(
            inbox.db, source, [one.external_id for one in sent if one.source == source]
        )
    }
    stored = _submissions(odoo, sent)
    seen: set[tuple[str, str]] = set()
    rows = []
    for one in sent:
        key = (one.source, one.external_id)
        if one.refused:
            rows.append(Row(one.channel, status="refused", reason="not genuine"))
            continue
        row = stored[one.channel, one.external_id]
        status = "duplicate" if key in seen else answers[key]
        seen.add(key)
        rows.append(
            Row(
                row["channel"] or one.channel,
                row["person"],
                status,
                row["lead"],
                row["owner"],
                row["reason"],
            )
        )
    return rows


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """How many ended how; ``sent`` is their sum."""
    found = Counter(row.status for row in rows)
    unknown = set(found) - set(STATUSES)
    if unknown:
        raise RuntimeError(f"no such status: {', '.join(sorted(unknown))}")
    return {"sent": found.total()} | {status: found[status] for status in STATUSES}


def _submissions(
    odoo: Any, sent: Iterable[Sent]
) -> dict[tuple[str, str], dict[str, str]]:
    ids = sorted({one.external_id for one in sent if not one.refused})
    model = odoo.env["lead.submission"]
    fields = ["channel_id", "channel_code", "external_id", "contact_name"]
    found = model.search_read(
        [["external_id", "in", ids]],
        [*fields, "email_normalized", "phone", "lead_id", "reason"],
    )
    leads = sorted({row["lead_id"][0] for row in found if row["lead_id"]})
    owners = {
        lead["id"]: lead["user_id"][1] if lead["user_id"] else ""
        for lead in odoo.env["crm.lead"].read(leads, ["user_id"])
    }
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in found:
        key = (row["channel_code"], row["external_id"])
        if key in rows:
            raise RuntimeError(f"{key} is in Odoo twice")
        lead = row["lead_id"] or (0, "")
        rows[key] = {
            "channel": row["channel_id"][1] if row["channel_id"] else "",
            "person": row["contact_name"]
            or row["email_normalized"]
            or row["phone"]
            or "",
            "lead": lead[1],
            "owner": owners.get(lead[0], ""),
            "reason": row["reason"] or "",
        }
    missing = {(one.channel, one.external_id) for one in sent if not one.refused} - set(
        rows
    )
    if missing:
        raise RuntimeError(f"not in Odoo: {sorted(missing)}")
    return rows
