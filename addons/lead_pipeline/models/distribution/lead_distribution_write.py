# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import json
from collections import defaultdict

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from .crm_lead_sla import SLA_FIELDS
from .lead_assignment import BY_HAND, CHANNEL

#: fields of a lead that say where it is on its way
WRITTEN = (
    *("assignment_id", "waiting_since", "waiting_reason", "waiting_until"),
    *("date_routed", "sla_due_at"),
)


class LeadDistribution(models.AbstractModel):
    """What is written of a round: decisions, owners, what the lead says of them."""

    _inherit = "lead.distribution"

    @api.model
    def _quiet(self):
        """Leads whose new owner is told by us, once for all of them. A decision is
        kept as an assignment, so nothing is noted on each lead."""
        return self.env["crm.lead"].with_context(
            active_test=False,
            lead_distribution_later=True,
            tracking_disable=True,
            mail_auto_subscribe_no_notify=True,
        )

    @api.model
    def _write_leads(self, round_):
        """:param round_: all of its rows are decided"""
        news = [row for row in round_.rows if self._is_news(row)]
        clocks = self._clocks(round_, news)
        assignments = self._write_assignments(round_, news, clocks)
        written = {}
        for row in news:
            written[row.id] = {
                "assignment_id": assignments.get(row.id, row.assignment_id),
                "date_routed": row.date_routed,
            }
            if row.chosen:
                written[row.id]["date_routed"] = row.date_routed or round_.at
                written[row.id]["sla_due_at"] = clocks.get(row.id, {}).get("due_at")
            else:
                written[row.id]["waiting_since"] = row.waiting_since or round_.at
                written[row.id]["waiting_reason"] = row.reason
                written[row.id]["waiting_until"] = row.until
        self._write_fields(written)
        self._write_owners(round_, news)
        # a sweep tells at its end, for all it gave out; who took a lead knows
        if round_.event not in ("sweep", "taken"):
            given = [assignments[row.id] for row in news if row.chosen]
            self._tell(self.env["lead.assignment"].browse(given))

    @api.model
    def _is_news(self, row):
        """Whether a lead that still waits, waits for something else."""
        return (
            row.chosen
            or row.user_id
            or not row.waiting_since
            or (row.reason, row.until) != (row.waiting_reason, row.waiting_until)
        )

    # ------------------------------------------------------------
    # ASSIGNMENTS
    # ------------------------------------------------------------

    @api.model
    def _write_assignments(self, round_, rows, clocks):
        """A decision for each lead that was given to somebody, or waits for another
        reason than before.

        :return: {lead id: id of the assignment}
        """
        told = {}  # many leads that wait have one decision
        decided_by = self._decided_by(round_)
        vals_list = []
        for row in rows:
            if not row.chosen and not row.user_id and row.reason == row.waiting_reason:
                continue
            key = id(row.decision)
            if key not in told:
                told[key] = json.dumps(self._candidates(round_, row))
            vals_list.append(
                {
                    "lead_id": row.id,
                    "at": round_.at,
                    "event": round_.event,
                    "rule_id": row.rule.id if row.rule else False,
                    "pool_id": row.rule.pool_id.id if row.rule else False,
                    "member_id": row.chosen,
                    "user_id": round_.users.get(row.chosen),
                    "previous_user_id": row.user_id,
                    "decided_by_id": decided_by,
                    "reason": row.reason,
                    "until": row.until,
                    "candidates": told[key],
                    "sla_policy_id": (
                        row.rule.sla_policy_id.id if row.rule and row.chosen else False
                    ),
                    **clocks.get(row.id, {}),
                }
            )
        ended = [row.id for row in rows if row.assignment_id]
        return self._replace_assignments(vals_list, round_.at, ended)

    @api.model
    def _replace_assignments(self, vals_list, at, decided):
        """:param decided: ids of leads that may have an assignment already"""
        Assignment = self.env["lead.assignment"]
        news = {vals["lead_id"] for vals in vals_list}
        ended = [lead_id for lead_id in decided if lead_id in news]
        if ended:
            Assignment.search(
                [("lead_id", "in", ended), ("ended_at", "=", False)]
            ).write({"ended_at": at})
        return self._insert_assignments(vals_list)

    @api.model
    def _insert_assignments(self, vals_list):
        """In plain SQL: by the ORM it would be a fifth of giving leads out."""
        if not vals_list:
            return {}
        Assignment = self.env["lead.assignment"]
        names = sorted({name for vals in vals_list for name in vals})
        casts = [SQL(Assignment._fields[name].column_type[1] + "[]") for name in names]
        columns = [[vals.get(name) or None for vals in vals_list] for name in names]
        rows = self.env.execute_query(
            SQL(
                "INSERT INTO lead_assignment (%s) SELECT * FROM unnest(%s)"
                " RETURNING lead_id, id",
                SQL(", ").join(SQL.identifier(name) for name in names),
                SQL(", ").join(
                    SQL("%s::%s", column, cast)
                    for column, cast in zip(columns, casts, strict=True)
                ),
            )
        )
        leads = self.env["crm.lead"].browse(vals["lead_id"] for vals in vals_list)
        leads.invalidate_recordset(["assignment_ids"], flush=False)
        return dict(rows)

    @api.model
    def _candidates(self, round_, row):
        """Everybody who was asked for, as ``lead.assignment`` keeps it."""
        if not row.decision:
            return []
        candidates = []
        for one in row.decision.candidates:
            kept = {
                "member": one.ref,
                "user": round_.users[one.ref],
                "reason": one.reason,
            }
            if one.until:
                kept["until"] = fields.Datetime.to_string(one.until)
            if one.owed is not None:
                kept["owed"] = round(one.owed, 4)
                kept["after"] = round(one.after, 4)
            if one.score is not None:
                kept["score"] = one.score
            candidates.append(kept)
        return candidates

    @api.model
    def _decided_by(self, round_):
        """The person who caused it, where it was not the lead itself."""
        if round_.event in ("reassigned", "rejected") and self.env.uid != SUPERUSER_ID:
            return self.env.uid
        return False

    @api.model
    def _record_by_hand(self, leads, previous):
        """Somebody chose the owner of these leads by hand, or their channel did.

        :param previous: {lead id: user id before}
        """
        if not leads:
            return
        at = fields.Datetime.now()
        service = self.sudo()  # whoever may give a lead away writes its history
        leads = leads.sudo()
        vals_list = []
        for lead in leads:
            vals = {
                "lead_id": lead.id,
                "at": at,
                "event": BY_HAND,
                "user_id": lead.user_id.id,
                "previous_user_id": previous.get(lead.id),
                "decided_by_id": self.env.uid,
                "reason": BY_HAND,
                "told_at": at,  # by Odoo, or because it was oneself
            }
            if not previous and lead.user_id == lead.channel_id.user_id:
                vals |= {"event": "created", "reason": CHANNEL, "decided_by_id": False}
            vals_list.append(vals)
        decided = [lead.id for lead in leads if lead.assignment_id]
        assignments = service._replace_assignments(vals_list, at, decided)
        service._write_fields(
            {
                lead.id: {
                    "assignment_id": assignments[lead.id],
                    "date_routed": lead.date_routed or at,
                }
                for lead in leads
            }
        )
        service._write_told(leads.ids, at)

    # ------------------------------------------------------------
    # LEADS
    # ------------------------------------------------------------

    @api.model
    def _write_owners(self, round_, rows):
        """Owner and team, by the ORM, for others read along: a write for each pair."""
        teams = self._teams(round_, [row for row in rows if row.chosen])
        groups = defaultdict(list)
        for row in rows:
            if row.chosen:
                groups[round_.users[row.chosen], teams[row.id]].append(row.id)
            elif row.user_id:
                groups[False, row.team_id].append(row.id)
        all_ids = [lead_id for lead_ids in groups.values() for lead_id in lead_ids]
        for (user, team), lead_ids in groups.items():
            # what the write reads of one group, it reads for all
            group = self._quiet().browse(lead_ids).with_prefetch(all_ids)
            group = self._at_work(group, user)
            group.write({"user_id": user, "team_id": team})
        # with all that follows from it, for each row once
        self.env["crm.lead"].flush_model()

    @api.model
    def _teams(self, round_, rows):
        """The team of each lead: its pool's; else it keeps its own if the new owner is
        in it; else it is the owner's, as in core, but asked once for all their leads.

        :return: {lead id: team id or False}
        """
        teams, known = {}, {}
        for row in rows:
            team = row.rule.pool_id.team_id.id
            if not team:
                user = round_.users[row.chosen]
                key = user, row.team_id, row.type
                if key not in known:
                    Team = self._at_work(self.env["crm.team"], user)
                    own = Team.browse(row.team_id or [])
                    people = own.member_ids | own.user_id
                    use = "use_leads" if row.type == "lead" else "use_opportunities"
                    known[key] = (
                        own
                        if user in people.ids
                        else Team._get_default_team_id(user, [(use, "=", True)])
                    ).id
                team = known[key]
            teams[row.id] = team
        return teams

    @api.model
    def _at_work(self, records, user_id):
        """Records in the companies of a user: core looks for teams in those of whoever
        writes, which here is the system."""
        user = self.env["res.users"].browse(user_id or [])
        if not user:
            return records
        companies = user.company_id | user.company_ids
        return records.with_context(allowed_company_ids=companies.ids)

    @api.model
    def _write_fields(self, rows):
        """Where leads are on their way. Kept with what else is pending of them, so that
        a lead's row is written once: each time costs all of its indexes.

        :param rows: {lead id: values of WRITTEN}; what is left out is emptied
        """
        leads = self.env["crm.lead"].browse(rows)
        fields_ = [(name, leads._fields[name]) for name in WRITTEN]
        for lead, values in zip(leads, rows.values(), strict=True):
            for name, field in fields_:
                field._update_cache(lead, values.get(name) or None, dirty=True)
        leads.invalidate_recordset(SLA_FIELDS, flush=False)
        self._notice_written(leads, {*WRITTEN})

    @api.model
    def _notice_written(self, leads, names):
        """For scores and segments that read what is written past the ORM."""
        self.env["lead.segment"]._notice(leads, names)
        if not leads._scored_fields().isdisjoint(names):
            leads._rescore()
