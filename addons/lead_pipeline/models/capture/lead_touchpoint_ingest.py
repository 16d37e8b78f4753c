# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ...engine.item import clean_line, read_item, read_time
from .lead_lookup import Lookup
from .lead_touchpoint import KINDS, OUTGOING_KINDS


class LeadTouchpoint(models.Model):
    """Touchpoints that come from outside: calls, clicks and visits."""

    _inherit = "lead.touchpoint"

    @api.model
    def _ingest(self, raw_touchpoints):
        """Calls, clicks and visits of people we may know.

        Items: {"channel", "external_id", "kind", "at" (ISO 8601), "direction"
        ("in"/"out"), "duration" (seconds), "title", "url", "human",
        "contact": {"email", "phone", "country"}, "submission": external id of a
        submission of the same channel, "attribution": {...}}. The lead is that of
        the submission, else the person's open lead, else the newest lost one.

        :return: per item {"channel", "external_id", "status", "touchpoint_id",
            "lead_id", "reason"}; status is created, duplicate, unmatched (nobody
            known: send it again when there is a lead) or refused (reason says why)
        """
        now = fields.Datetime.now()
        rows = [self._read_raw(raw, now) for raw in raw_touchpoints]
        channels = self.env["lead.channel"]._by_code(row["code"] for row in rows)
        for row in rows:
            row["channel"] = channels.get(row["code"], self.env["lead.channel"])
            if not row["reason"] and not row["channel"]:
                row["reason"] = self.env._("There is no channel of this code.")
        usable = [row for row in rows if not row["reason"]]
        self._find_known(usable)
        self._find_leads([row for row in usable if not row["touchpoint_id"]])
        self._create_from_rows(
            [row for row in usable if not row["touchpoint_id"] and row["lead_id"]]
        )
        return [self._row_result(row) for row in rows]

    @api.model
    def _read_raw(self, raw, now):
        """A raw item as a row; ``reason`` says why it can't be used."""
        item = read_item(raw, now)
        data = raw if isinstance(raw, dict) else {}
        kind = data.get("kind")
        at = read_time(data.get("at"))
        duration = data.get("duration")
        reason = ""
        if item.problem:
            reason = self.env._("It has no channel or no external id.")
        elif kind not in dict(KINDS):
            reason = self.env._("Its kind is none of ours.")
        elif not at:
            reason = self.env._("Its time can't be read.")
        default_direction = "out" if kind in OUTGOING_KINDS else "in"
        direction = data.get("direction")
        return {
            "code": item.channel,
            "external_id": item.external_id,
            "item": item,
            "submission": clean_line(data.get("submission"), 500),
            "reason": reason,
            "status": "",
            "touchpoint_id": False,
            "lead_id": False,
            "vals": {
                "kind": kind,
                "at": min(at, now) if at and kind != "meeting" else at,
                "direction": direction
                if direction in ("in", "out")
                else default_direction,
                "duration": duration
                if type(duration) is int and 0 <= duration < 2**31
                else 0,
                "title": clean_line(data.get("title")),
                "url": clean_line(data.get("url"), 2000),
                "human": data.get("human") is not False,
                "external_id": item.external_id,
            },
        }

    @api.model
    def _find_known(self, rows):
        """Mark what came before, in this call or earlier."""
        self.env["lead.capture"]._lock_and_refresh(
            [f"touchpoint:{row['code']}:{row['external_id']}" for row in rows],
            self._table,
            [("external_id", [row["external_id"] for row in rows])],
        )
        known = {}
        for touchpoint in self.search(
            [
                ("channel_id", "in", [row["channel"].id for row in rows]),
                ("external_id", "in", [row["external_id"] for row in rows]),
            ]
        ):
            known[touchpoint.channel_id.id, touchpoint.external_id] = touchpoint
        seen = set()
        for row in rows:
            key = (row["channel"].id, row["external_id"])
            if key in known:
                row["touchpoint_id"] = known[key].id
                row["lead_id"] = known[key].lead_id.id
                row["status"] = "duplicate"
            elif key in seen:
                row["reason"] = self.env._("It is twice in this call.")
            seen.add(key)

    @api.model
    def _find_leads(self, rows):
        submissions = {}
        for submission in self.env["lead.submission"].search(
            [
                ("channel_id", "in", [row["channel"].id for row in rows]),
                ("external_id", "in", [row["submission"] for row in rows]),
                ("lead_id", "!=", False),
            ]
        ):
            key = (submission.channel_id.id, submission.external_id)
            submissions[key] = submission.lead_id.id
        capture = self.env["lead.capture"]
        lookup = Lookup(self.env, [row["item"] for row in rows])
        by_company = {}
        for row in rows:
            row["lead_id"] = submissions.get((row["channel"].id, row["submission"]))
            if not row["lead_id"]:
                person = capture._person(row["item"], row["channel"], lookup)
                by_company.setdefault(row["channel"].company_id, []).append(
                    (row, person)
                )
        for company, pairs in by_company.items():
            index = capture._person_index(company, [person for _row, person in pairs])
            for row, person in pairs:
                known = index.match(person)
                row["lead_id"] = known.ref if known else False

    @api.model
    def _create_from_rows(self, rows):
        rows = [row for row in rows if not row["reason"]]
        origins = self.env["lead.capture.rows"]
        utm = origins._utm_ids([row["item"] for row in rows])
        touchpoints = self.create(
            [
                {
                    **row["vals"],
                    **origins._attribution_vals(row["item"], row["channel"], utm),
                    "lead_id": row["lead_id"],
                    "channel_id": row["channel"].id,
                }
                for row in rows
            ]
        )
        for row, touchpoint in zip(rows, touchpoints, strict=True):
            row["touchpoint_id"] = touchpoint.id
            row["status"] = "created"

    @api.model
    def _row_result(self, row):
        status = "refused" if row["reason"] else row["status"] or "unmatched"
        return {
            "channel": row["code"],
            "external_id": row["external_id"],
            "status": status,
            "touchpoint_id": row["touchpoint_id"] or False,
            "lead_id": row["lead_id"] or False,
            "reason": row["reason"] or False,
        }
