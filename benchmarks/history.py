# SPDX-License-Identifier: LGPL-3.0-or-later
"""Brings the history of an online course provider into Odoo, as its leads came in.

The file (``leads_history.csv``, beside the project) has 4 620 anonymous leads with
outcomes and no dates. Each is handed to ``ingest`` by the connector's user: where it
began is the channel, where it came from the attribution, what it said are answers. Then
what the file tells of later is written: the totals of the site, the outcome, and dates,
spread over the last eleven months.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lab
from lab.access import LOGIN, connector_access

DATA = lab.ROOT.parent / "shared" / "data"
FILE = "leads_history.csv"
BATCH = 250
#: how the file writes that nothing is known
UNKNOWN = ("", "?")
LOAD = """
import csv, io
from datetime import datetime, timedelta
from odoo import fields
rows = {rows!r}
cr = env.cr
cr.execute("SELECT s.external_id, s.lead_id FROM lead_submission s")
leads = dict(cr.fetchall())
won = env.ref("crm.stage_lead4")
reason = env["crm.lost.reason"].search([], limit=1)
now = fields.Datetime.now()
values = []
for place, (ident, visits, pages, seconds, converted) in enumerate(rows):
    came = now - timedelta(days=330) + timedelta(days=300) * place / len(rows)
    values.append((leads[ident], visits, pages, seconds, bool(converted), came))
# plain SQL: what a lead became is dated by when it became so, and that is long ago
cr.execute('''
    UPDATE crm_lead AS lead
       SET visit_count = new.visits, page_count = new.pages,
           site_seconds = new.seconds, create_date = new.came,
           date_closed = new.came + interval '20 days', active = new.won,
           stage_id = CASE WHEN new.won THEN %s ELSE lead.stage_id END,
           lost_reason_id = CASE WHEN NOT new.won THEN %s END,
           probability = CASE WHEN new.won THEN 100 ELSE 0 END,
           automated_probability = CASE WHEN new.won THEN 100 ELSE 0 END,
           won_status = CASE WHEN new.won THEN 'won' ELSE 'lost' END
      FROM unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::bool[],
                  %s::timestamp[])
           AS new(id, visits, pages, seconds, won, came)
     WHERE lead.id = new.id''',
    [won.id, reason.id, *map(list, zip(*values))])
cr.execute('''
    UPDATE lead_touchpoint SET at = create_date FROM crm_lead
     WHERE crm_lead.id = lead_id AND lead_id = ANY(%s)''', [list(leads.values())])
env.invalidate_all()
# Odoo counts afresh what it bases its probability on
env["ir.config_parameter"].set_param("crm.pls_start_date", "2000-01-01")
env["crm.lead"]._cron_update_automated_probabilities()
cr.commit()
"""


@dataclass(frozen=True, slots=True)
class Past:
    """One line of the file; numbers that are not known are None."""

    ident: str
    origin: str
    source: str
    visits: int | None
    seconds: int | None
    pages: float | None  # per visit
    specialization: str
    occupation: str
    won: bool

    @property
    def all_pages(self) -> int:
        return round((self.visits or 0) * (self.pages or 0))


def read(folder: Path) -> list[Past]:
    """:raises LabError: the file is not there"""
    path = folder / FILE
    if not path.is_file():
        raise lab.LabError(f"{path} is missing: say where it is with --data")
    with path.open(newline="") as file:
        return [
            Past(
                line["ProspectID"],
                line["LeadOrigin"],
                line["LeadSource"],
                _number(line["TotalVisits"], int),
                _number(line["TotalTime"], int),
                _number(line["PageViews"], float),
                line["Specialization"],
                line["Occupation"],
                line["Converted"] == "1",
            )
            for line in csv.DictReader(file)
        ]


def _number(text: str, kind: type) -> Any:
    return None if text in UNKNOWN else kind(float(text))


def channel_code(origin: str) -> str:
    return re.sub(r"[^a-z]+", "-", origin.lower())


def prepare(it: lab.Lab, database: str, past: list[Past]) -> str:
    """Make a channel for each origin; returns the connector's key."""
    origins = sorted({one.origin for one in past})
    return connector_access(
        it,
        database,
        [
            {"name": origin, "code": channel_code(origin), "channel_type": "form"}
            for origin in origins
        ],
    )


def item(past: Past) -> dict[str, Any]:
    """The lead as a source would have sent it. The data is anonymous: the address is
    made from its id."""
    answers = [
        {"key": key, "label": key.capitalize(), "value": value}
        for key, value in (
            ("specialization", past.specialization),
            ("occupation", past.occupation),
        )
        if value not in UNKNOWN
    ]
    source = {} if past.source in UNKNOWN else {"utm_source": past.source}
    return {
        "channel": channel_code(past.origin),
        "external_id": past.ident,
        "contact": {"email": f"{past.ident}@example.com"},
        "subject": "Course",
        "answers": answers,
        "attribution": source,
    }


def bring_in(it: lab.Lab, odoo: lab.Odoo, key: str, past: list[Past]) -> None:
    """Ingest all, then write what the file knows of later."""
    submissions = odoo.session(LOGIN, key).env["lead.submission"]
    for start in range(0, len(past), BATCH):
        items = [item(one) for one in past[start : start + BATCH]]
        results = submissions.ingest(items)
        wrong = [row for row in results if row["status"] != "created"]
        assert not wrong, wrong[:3]
    rows = [
        (one.ident, one.visits or 0, one.all_pages, one.seconds or 0, int(one.won))
        for one in past
    ]
    it.shell(odoo.database, LOAD.format(rows=rows))
