# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools import SQL

TOTALS = ("visit_count", "page_count", "site_seconds", "last_seen_at")
#: a visit ends when no page was viewed for so many seconds
VISIT_GAP = 1800
#: nobody looks at one page for longer; the sum must fit an integer
LONGEST_VIEW = 86400


class CrmLead(models.Model):
    """What a lead did on the site in total, kept as touchpoints come and go: criteria,
    segments and people read it without counting touchpoints."""

    _inherit = "crm.lead"

    visit_count = fields.Integer(
        "Visits",
        readonly=True,
        copy=False,
        help="On our site. A visit ends after 30 minutes without a page view.",
    )
    page_count = fields.Integer("Pages", readonly=True, copy=False)
    site_seconds = fields.Integer("Time on Site (seconds)", readonly=True, copy=False)
    last_seen_at = fields.Datetime(
        "Last Seen", readonly=True, copy=False, help="The last page view."
    )
    site_time = fields.Char("Time on Site", compute="_compute_site_time")

    @api.depends("site_seconds")
    def _compute_site_time(self):
        for lead in self:
            minutes, seconds = divmod(lead.site_seconds, 60)
            hours, minutes = divmod(minutes, 60)
            lead.site_time = (
                f"{hours}:{minutes:02d}:{seconds:02d}"
                if hours
                else f"{minutes}:{seconds:02d}"
            )

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        """Leads that were never here come last, as those with nothing counted."""
        if field_name in TOTALS and not nulls.code:
            last = direction.code.upper() == "DESC"
            nulls = SQL("NULLS LAST") if last else SQL("NULLS FIRST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    @api.model
    def _fields_of_touches(self):
        return {*super()._fields_of_touches(), *TOTALS}

    @api.model
    def _track(self, touchpoints, sign=1):
        """Add page views to the totals of their leads, or take them out again.

        One statement for any number of touchpoints. It looks at those within half an
        hour of each alone, however many the lead has: a view begins a visit where none
        came shortly before it, and takes that from the view that comes shortly after.

        :param touchpoints: in the database now, whether they came or are to go
        :param sign: 1 they came, -1 they are to go
        """
        if not any(touch.kind == "page_view" and touch.human for touch in touchpoints):
            return
        touchpoints.flush_model()
        last_seen = SQL("GREATEST(lead.last_seen_at, delta.last)")
        if sign < 0:
            last_seen = SQL(
                """
                CASE WHEN delta.last < lead.last_seen_at THEN lead.last_seen_at ELSE (
                    SELECT touch.at FROM lead_touchpoint AS touch
                     WHERE touch.lead_id = lead.id
                       AND touch.kind = 'page_view' AND touch.human
                       AND touch.id NOT IN (SELECT id FROM view)
                     ORDER BY touch.at DESC LIMIT 1
                ) END
                """
            )
        rows = self.env.execute_query(
            SQL(
                """
                WITH view AS (
                    SELECT id, lead_id, at,
                           LEAST(COALESCE(duration, 0), %(longest)s) AS seconds,
                           %(gap)s * interval '1 second' AS gap
                      FROM lead_touchpoint
                     WHERE id = ANY(%(ids)s) AND kind = 'page_view' AND human
                ), first AS (
                    SELECT lead_id, count(*) AS number FROM view
                     -- no NOT EXISTS: it may be joined with all views of the lead
                     WHERE (
                        SELECT true FROM lead_touchpoint AS before
                         WHERE before.lead_id = view.lead_id
                           AND before.kind = 'page_view' AND before.human
                           AND before.at BETWEEN view.at - view.gap AND view.at
                           AND (before.at, before.id) < (view.at, view.id)
                         LIMIT 1
                     ) IS NULL GROUP BY lead_id
                ), joined AS (
                    SELECT view.lead_id, count(DISTINCT next.id) AS number
                      FROM view CROSS JOIN LATERAL (
                        SELECT touch.id, touch.at FROM lead_touchpoint AS touch
                         WHERE touch.lead_id = view.lead_id
                           AND touch.kind = 'page_view' AND touch.human
                           AND touch.at BETWEEN view.at AND view.at + view.gap
                           AND (touch.at, touch.id) > (view.at, view.id)
                           AND touch.id NOT IN (SELECT id FROM view)
                         ORDER BY touch.at, touch.id LIMIT 1
                      ) AS next
                     WHERE (
                        SELECT true FROM lead_touchpoint AS before
                         WHERE before.lead_id = view.lead_id
                           AND before.kind = 'page_view' AND before.human
                           AND before.at BETWEEN next.at - view.gap AND next.at
                           AND (before.at, before.id) < (next.at, next.id)
                           AND before.id NOT IN (SELECT id FROM view)
                         LIMIT 1
                     ) IS NULL GROUP BY view.lead_id
                ), delta AS (
                    SELECT lead_id, count(*) AS pages,
                           COALESCE(sum(seconds), 0) AS seconds, max(at) AS last
                      FROM view GROUP BY lead_id
                )
                UPDATE crm_lead AS lead
                   SET visit_count = COALESCE(visit_count, 0) + %(sign)s * (
                           COALESCE(first.number, 0) - COALESCE(joined.number, 0)),
                       page_count = COALESCE(page_count, 0) + %(sign)s * pages,
                       site_seconds = COALESCE(site_seconds, 0) + %(sign)s * seconds,
                       last_seen_at = %(last_seen)s
                  FROM delta LEFT JOIN first USING (lead_id)
                             LEFT JOIN joined USING (lead_id)
                 WHERE lead.id = delta.lead_id
             RETURNING lead.id
                """,
                ids=touchpoints.ids,
                sign=sign,
                gap=VISIT_GAP,
                longest=LONGEST_VIEW,
                last_seen=last_seen,
            )
        )
        leads = self.browse(row[0] for row in rows)
        leads.invalidate_recordset([*TOTALS, "site_time"], flush=False)

    @api.model
    def _recount_tracking(self, lead_ids=None):
        """The totals from all touchpoints, in one statement; only rows that change are
        written. For what wrote touchpoints past the ORM.

        :param lead_ids: ids; None: all leads
        """
        self.env["lead.touchpoint"].flush_model()
        of_leads = SQL("TRUE") if lead_ids is None else SQL("id = ANY(%s)", lead_ids)
        self.env.cr.execute(
            SQL(
                """
                WITH view AS (
                    SELECT lead_id, at,
                           LEAST(COALESCE(duration, 0), %(longest)s) AS seconds,
                           at - lag(at) OVER (PARTITION BY lead_id ORDER BY at, id)
                               <= %(gap)s * interval '1 second' AS continued
                      FROM lead_touchpoint
                     WHERE kind = 'page_view' AND human
                       AND lead_id IN (SELECT id FROM crm_lead WHERE %(of_leads)s)
                ), total AS (
                    SELECT lead_id, count(*) AS pages,
                           count(*) FILTER (WHERE continued IS NOT true) AS visits,
                           sum(seconds) AS seconds, max(at) AS last
                      FROM view GROUP BY lead_id
                ), known AS (
                    SELECT id, COALESCE(visits, 0) AS visits,
                           COALESCE(pages, 0) AS pages,
                           COALESCE(seconds, 0) AS seconds, last
                      FROM crm_lead LEFT JOIN total ON lead_id = id
                     WHERE %(of_leads)s
                )
                UPDATE crm_lead AS lead
                   SET visit_count = visits, page_count = pages,
                       site_seconds = seconds, last_seen_at = last
                  FROM known
                 WHERE lead.id = known.id
                   AND (COALESCE(visit_count, 0), COALESCE(page_count, 0),
                        COALESCE(site_seconds, 0), last_seen_at)
                       IS DISTINCT FROM (visits, pages, seconds, last)
                """,
                gap=VISIT_GAP,
                longest=LONGEST_VIEW,
                of_leads=of_leads,
            )
        )
        leads = self.browse() if lead_ids is None else self.browse(lead_ids)
        leads.invalidate_model([*TOTALS, "site_time"], flush=False)
