# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: how many leads a sweep gives out at once
BATCH = 500
#: how often leads are asked again of which nobody knows when somebody is free
RETRY = timedelta(minutes=15)
#: parameter: the lead at which a sweep had to stop
SWEPT = "lead_pipeline.distribution_swept"
#: what decides who is free, and when it was last written
DECIDING = (
    *("lead_distribution_rule", "lead_pool", "lead_pool_member", "res_users"),
    *("resource_calendar", "resource_calendar_attendance"),
    *("resource_calendar_leaves", "resource_resource", "res_company"),
)


class LeadDistribution(models.AbstractModel):
    """The sweep of what waits, and telling the owners."""

    _inherit = "lead.distribution"

    # ------------------------------------------------------------
    # SWEEP
    # ------------------------------------------------------------

    @api.model
    def _cron_sweep(self):
        """Give out what waits, and tell those who could not be told at once.

        Leads that wait for a moment (a morning, a new month) are asked again then.
        All of them are when something that decides was written, and every quarter of
        an hour: a lead may have been closed that filled somebody's limit.
        """
        if not self._is_on():
            return
        params = self.env["ir.config_parameter"]
        # a sweep that had to stop goes on where it was
        stopped = int(params.get_param(SWEPT) or 0)
        waiting = Domain("waiting_since", "!=", False)
        due = self._due_domain()
        if due.is_true():
            # working hours are written elsewhere: by an employee's form, say
            members = self.env["lead.pool.member"].with_context(active_test=False)
            members.search([("pool_id.active", "=", True)])._keep_history()
        if not stopped:
            waiting &= due
        _given, after = self._sweep(waiting, after=stopped)
        if after != stopped:
            params.set_param(SWEPT, after)

    @api.model
    def _due_domain(self):
        now = fields.Datetime.now()
        last = self.env.ref("lead_pipeline.ir_cron_distribute").lastcall
        if not last or (last - datetime.min) // RETRY < (now - datetime.min) // RETRY:
            return Domain.TRUE
        written = SQL(", ").join(
            SQL("(SELECT max(write_date) FROM %s)", SQL.identifier(table))
            for table in DECIDING
        )
        [[changed]] = self.env.execute_query(SQL("SELECT GREATEST(%s)", written))
        # a transaction writes the moment at which it began
        if changed and changed > last - timedelta(minutes=2):
            return Domain.TRUE
        unasked = Domain("waiting_reason", "=", False)
        return unasked | Domain("waiting_until", "<=", now)

    @api.model
    def _sweep(self, domain, teams=None, event="sweep", after=0, batch=BATCH):
        """Give out leads without an owner, in transactions of a batch each.

        :param domain: which of them
        :param teams: ids of teams: only what goes to their pools
        :param after: begin behind the lead of this id
        :return: (Counter of leads given, by user; id of the last lead that was looked
            at if there was no time for all, else 0)
        """
        given = Counter()
        domain &= Domain("user_id", "=", False)
        Lead = self.env["crm.lead"].with_context(active_test=False)
        rest = Lead.search_count(domain & Domain("id", ">", after))
        progress = self.env["ir.cron"]._commit_progress
        progress(remaining=rest)
        while rest:
            after, looked_at, gave = self._in_own_transaction(
                "_sweep_some", domain & Domain("id", ">", after), batch, teams, event
            )
            given.update(gave)
            rest = max(0, rest - looked_at) if looked_at == batch else 0
            if not progress(looked_at, remaining=rest):
                break
        self._in_own_transaction("_tell_untold")
        return given, after if rest else 0

    @api.model
    def _sweep_some(self, domain, limit, teams, event):
        """:return: (id of the last lead that was looked at, how many were, Counter of
        leads given by user)"""
        Lead = self.env["crm.lead"].with_context(active_test=False)
        lead_ids = Lead._search(domain, order="id", limit=limit).get_result_ids()
        given = self._give_out(lead_ids, event, teams=teams, wait=True)
        self._forget_closed(lead_ids)
        last = lead_ids[-1] if lead_ids else 0
        return last, len(lead_ids), Counter(given.values())

    @api.model
    def _forget_closed(self, lead_ids):
        """Leads that are not to be given out any more do not wait either."""
        Lead = self.env["crm.lead"].with_context(active_test=False)
        gone = Lead.search(
            ~self._ready_domain()
            & Domain("id", "in", lead_ids)
            & Domain("waiting_since", "!=", False)
        )
        self._write_fields(
            {
                lead.id: {name: lead[name] for name in ("date_routed", "sla_due_at")}
                | {"assignment_id": lead.assignment_id.id}
                for lead in gone
            }
        )

    # ------------------------------------------------------------
    # TELL
    # ------------------------------------------------------------

    @api.model
    def _tell_untold(self):
        """Tell the owners of leads that were given out in batches, one message each.
        Two jobs at once tell nobody twice: the first has the rows."""
        at = fields.Datetime.now()
        untold = SQL("user_id IS NOT NULL AND told_at IS NULL AND ended_at IS NULL")
        users = self.env.execute_query(
            SQL("SELECT DISTINCT user_id FROM lead_assignment WHERE %s", untold)
        )
        for (user_id,) in users:
            told = self.env.execute_query(
                SQL(
                    "UPDATE lead_assignment SET told_at = %s"
                    " WHERE user_id = %s AND %s RETURNING lead_id",
                    at,
                    user_id,
                    untold,
                )
            )
            if told:
                leads = self.env["crm.lead"].browse(sorted(row[0] for row in told))
                self._tell_owner(self.env["res.users"].browse(user_id), leads, at)

    @api.model
    def _tell(self, assignments):
        """Tell owners of their new leads, each once for all."""
        at = fields.Datetime.now()
        assignments.fetch(["user_id", "lead_id"])  # not what was decided
        for user, theirs in assignments.grouped("user_id").items():
            self._tell_owner(user, theirs.lead_id, at)
        assignments.write({"told_at": at})

    @api.model
    def _tell_owner(self, user, leads, at):
        env = self.with_context(lang=user.lang).env
        subject = (
            env._("New lead: %(lead)s", lead=leads.display_name)
            if len(leads) == 1
            else env._("%(count)s new leads for you", count=len(leads))
        )
        self._message(user, subject, leads)
        self._write_told(leads.ids, at)

    @api.model
    def _write_told(self, lead_ids, at):
        self.env["crm.lead"].flush_model(["date_told"])
        self.env.cr.execute(
            SQL(
                "UPDATE crm_lead SET date_told = %s"
                " WHERE id = ANY(%s) AND date_told IS NULL",
                at,
                lead_ids,
            )
        )
        leads = self.env["crm.lead"].browse(lead_ids)
        leads.invalidate_recordset(["date_told"], flush=False)
        self._notice_written(leads, {"date_told"})
