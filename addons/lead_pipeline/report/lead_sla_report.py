# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models
from odoo.tools import SQL


class LeadSlaReport(models.Model):
    """Which leads were touched in time: a row for each time somebody got a lead with
    an SLA."""

    _name = "lead.sla.report"
    _description = "SLA Kept and Missed"
    _auto = False
    _order = "at desc, id desc"
    _rec_name = "lead_id"
    _depends = {
        "lead.assignment": [
            *("at", "due_at", "ended_at", "first_touch_at", "lead_id", "missed_at"),
            *("pool_id", "promised_at", "rule_id", "sla_policy_id", "user_id"),
        ],
        "crm.lead": ["channel_id", "company_id", "date_first_response", "team_id"],
    }

    lead_id = fields.Many2one("crm.lead", readonly=True)
    at = fields.Datetime("Given", readonly=True)
    due_at = fields.Datetime("Due", readonly=True)
    first_touch_at = fields.Datetime("First Touch", readonly=True)
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True)
    pool_id = fields.Many2one("lead.pool", readonly=True)
    rule_id = fields.Many2one("lead.distribution.rule", readonly=True)
    sla_policy_id = fields.Many2one("lead.sla.policy", "SLA", readonly=True)
    channel_id = fields.Many2one("lead.channel", readonly=True)
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    state = fields.Selection(
        [
            ("kept", "Kept"),
            ("missed", "Missed"),
            ("running", "Running"),
            ("ended", "Given on in time"),
        ],
        "By the Owner",
        readonly=True,
        help="By the clock of this owner, who may have got the lead late. Given on in "
        "time: it went to somebody else before it was due.",
    )
    promised_at = fields.Datetime("Due Since Capture", readonly=True)
    promise = fields.Selection(
        [("kept", "Kept"), ("missed", "Missed"), ("running", "Running")],
        "Since Capture",
        readonly=True,
        help="By the clock of the lead: from when it was captured to the first touch "
        "by anybody. Counts once a lead, with its first owner.",
    )
    kept = fields.Integer("Kept by the Owner", readonly=True)
    missed = fields.Integer("Missed by the Owner", readonly=True)
    kept_rate = fields.Float(
        "Kept by the Owner (%)",
        readonly=True,
        aggregator="avg",
        help="Of those that the owner kept or missed.",
    )
    promise_rate = fields.Float(
        "Kept since Capture (%)",
        readonly=True,
        aggregator="avg",
        help="Of the leads whose time since capture was kept or missed.",
    )

    @property
    def _table_query(self):
        # a miss that nobody has noted yet is one all the same
        return SQL(
            """
            SELECT found.*,
                   (found.state = 'kept')::int AS kept,
                   (found.state = 'missed')::int AS missed,
                   CASE found.state WHEN 'kept' THEN 100.0 WHEN 'missed' THEN 0.0
                   END AS kept_rate,
                   CASE found.promise WHEN 'kept' THEN 100.0 WHEN 'missed' THEN 0.0
                   END AS promise_rate
              FROM (
                    SELECT one.id, one.lead_id, one.at, one.due_at, one.first_touch_at,
                           one.user_id, one.pool_id, one.rule_id, one.sla_policy_id,
                           lead.channel_id, lead.team_id, lead.company_id,
                           CASE
                               WHEN one.first_touch_at <= one.due_at THEN 'kept'
                               WHEN one.first_touch_at > one.due_at
                                    OR one.missed_at IS NOT NULL THEN 'missed'
                               WHEN one.ended_at <= one.due_at THEN 'ended'
                               WHEN one.due_at < %(now)s THEN 'missed'
                               ELSE 'running'
                           END AS state,
                           one.promised_at,
                           CASE
                               WHEN one.promised_at IS NULL THEN NULL
                               WHEN lead.date_first_response <= one.promised_at
                                    THEN 'kept'
                               WHEN lead.date_first_response IS NOT NULL
                                    OR one.promised_at < %(now)s THEN 'missed'
                               ELSE 'running'
                           END AS promise
                      FROM lead_assignment one
                      JOIN crm_lead lead ON lead.id = one.lead_id
                     WHERE one.due_at IS NOT NULL AND one.user_id IS NOT NULL
                   ) found
            """,
            now=fields.Datetime.now(),
        )
