# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models
from odoo.tools import SQL

#: candidates of one decision, at most
MOST = 4096


class LeadShareReport(models.Model):
    """What everybody got against what was their share, over any time: a row for each
    member that a lead was between, or who got one without a turn.

    The sum of the shares of the decisions is what the ledger of the pool says: each
    decision keeps what everybody was owed before and after.
    """

    _name = "lead.share.report"
    _description = "Fair Shares"
    _auto = False
    _order = "at desc, id desc"
    _depends = {
        "lead.assignment": [
            *("at", "candidates", "lead_id", "pool_id", "rule_id", "turn_given_back"),
            "user_id",
        ],
        "lead.pool": ["company_id"],
    }

    at = fields.Datetime("When", readonly=True)
    lead_id = fields.Many2one("crm.lead", readonly=True)
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True)
    pool_id = fields.Many2one("lead.pool", readonly=True)
    rule_id = fields.Many2one("lead.distribution.rule", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    share = fields.Float(
        "Their Share",
        readonly=True,
        help="Leads that were theirs by weight, among those who could get them.",
    )
    got = fields.Integer("Got by Turn", readonly=True)
    ahead = fields.Float(
        readonly=True, help="Got by turn, less their share: within one lead."
    )
    otherwise = fields.Integer(
        "Got Otherwise",
        readonly=True,
        help="Without a turn: nobody else was free, the customer's own salesperson, "
        "the only best match, or taken by themselves.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT found.*, CASE WHEN found.by_turn THEN found.got - found.share
                   END AS ahead
              FROM (
                    SELECT one.id * %(most)s::bigint + COALESCE(item.nth, 0) AS id,
                           one.at, one.lead_id, one.pool_id, one.rule_id,
                           pool.company_id,
                           COALESCE((item.value->>'user')::int, one.user_id)
                           AS user_id,
                           item.value ? 'owed' AS by_turn,
                           (item.value->>'after')::float - (item.value->>'owed')::float
                           + (item.value->>'reason' = 'chosen')::int AS share,
                           (item.value->>'reason' = 'chosen'
                            AND item.value ? 'owed')::int AS got,
                           (item.value IS NULL
                            OR item.value->>'reason' = 'chosen'
                            AND NOT item.value ? 'owed')::int AS otherwise
                      FROM lead_assignment one
                      JOIN lead_pool pool ON pool.id = one.pool_id
                 LEFT JOIN LATERAL jsonb_array_elements(
                               CASE jsonb_typeof(one.candidates)
                               WHEN 'array' THEN one.candidates ELSE '[]' END
                           ) WITH ORDINALITY item(value, nth) ON TRUE
                     WHERE one.user_id IS NOT NULL
                       AND (item.value IS NULL OR item.value ? 'owed'
                            OR item.value->>'reason' = 'chosen')
                       -- a turn that was given back is none
                       AND (one.turn_given_back IS NOT TRUE
                            OR item.value->>'reason' <> 'chosen')
                   ) found
            """,
            most=MOST,
        )
