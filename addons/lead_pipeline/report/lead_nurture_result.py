# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools import SQL

from ..engine.nurture import Group, lift


class LeadNurtureResult(models.Model):
    """What nurturing brought: leads that came back, of those that were nurtured and of
    those held out. Only leads that had their whole time to come back are compared."""

    _name = "lead.nurture.result"
    _description = "Nurture Result"
    _auto = False
    _order = "origin_id, is_total desc, enrolled desc"
    _rec_name = "origin_id"

    origin_id = fields.Many2one("lead.nurture.track", "Track", readonly=True)
    lost_reason_id = fields.Many2one("crm.lost.reason", readonly=True)
    is_total = fields.Boolean("All Reasons", readonly=True)
    enrolled = fields.Integer(readonly=True, help="Ever, also those still observed.")
    nurtured = fields.Integer(readonly=True)
    nurtured_back = fields.Integer("Came Back", readonly=True)
    held = fields.Integer("Held Out", readonly=True)
    held_back = fields.Integer("Came Back by Themselves", readonly=True)
    rate = fields.Float("Back (%)", compute="_compute_lift")
    held_rate = fields.Float("Back, Held Out (%)", compute="_compute_lift")
    low = fields.Float("At Least", compute="_compute_lift")
    high = fields.Float("At Most", compute="_compute_lift")
    verdict = fields.Selection(
        [("better", "It helps"), ("worse", "It harms"), ("early", "Too early to tell")],
        compute="_compute_lift",
    )
    sentence = fields.Char("In Words", compute="_compute_lift")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT min(journey.id) * 2 + grouping(lost_reason_id) AS id,
                   journey.origin_id, lost_reason_id,
                   grouping(lost_reason_id) = 1 AS is_total,
                   count(*) AS enrolled,
                   count(*) FILTER (WHERE ripe AND NOT held_out) AS nurtured,
                   count(*) FILTER (WHERE ripe AND NOT held_out AND back)
                       AS nurtured_back,
                   count(*) FILTER (WHERE ripe AND held_out) AS held,
                   count(*) FILTER (WHERE ripe AND held_out AND back) AS held_back
              FROM (
                SELECT journey.*,
                       enrolled_at + observe_days * interval '24 hours' <= %(now)s
                           AS ripe,
                       back_at <= enrolled_at + observe_days * interval '24 hours'
                           AS back
                  FROM lead_nurture_enrolment AS journey
                  JOIN lead_nurture_track AS track ON track.id = journey.track_id
                 -- of these nobody can know
                 WHERE COALESCE(end_reason, '') NOT IN ('erased', 'merged')
              ) AS journey
             GROUP BY GROUPING SETS (
                (journey.origin_id), (journey.origin_id, lost_reason_id))
            """,
            now=fields.Datetime.now(),
        )

    @api.depends("nurtured", "nurtured_back", "held", "held_back")
    def _compute_lift(self):
        for result in self:
            nurtured = Group(result.nurtured, result.nurtured_back)
            held = Group(result.held, result.held_back)
            found = lift(nurtured, held)
            result.rate = 100 * nurtured.rate
            result.held_rate = 100 * held.rate
            result.low, result.high = 100 * found.low, 100 * found.high
            result.verdict = found.verdict
            result.sentence = result._sentence(found)

    def _sentence(self, found):
        if not self.held:
            return self.env._(
                "Too early to tell: no lead was held out for its whole time yet."
            )
        values = {
            "back": self.nurtured_back,
            "all": self.nurtured,
            "held_back": self.held_back,
            "held": self.held,
            "low": f"{abs(100 * found.low):.1f}",
            "high": f"{abs(100 * found.high):.1f}",
        }
        if found.verdict == "better":
            return self.env._(
                "It helps: of 100 leads, %(low)s to %(high)s more come back.", **values
            )
        if found.verdict == "worse":
            return self.env._(
                "It harms: of 100 leads, %(high)s to %(low)s fewer come back.", **values
            )
        return self.env._(
            "Too early to tell: %(back)s of %(all)s came back, and %(held_back)s of "
            "%(held)s that got nothing.",
            **values,
        )
