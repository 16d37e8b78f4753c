# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
from urllib.parse import urlsplit

from psycopg2 import IntegrityError, OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from odoo.addons.lead_pipeline.engine.item import MAX_URL, read_item

from ..tools import url_attribution

_logger = logging.getLogger(__name__)

#: page views of a visitor that are looked at when a lead gets to know them
MAX_VIEWS = 1000
#: the same when the next page is served; more than one, to mend what went wrong
RECENT_VIEWS = 10
#: seconds after which a visitor who views a page has been away in between
MAX_DURATION = 1800


class WebsiteVisitor(models.Model):
    _inherit = "website.visitor"

    @api.model_create_multi
    def create(self, vals_list):
        visitors = super().create(vals_list)
        if any(vals.get("lead_ids") for vals in vals_list):
            visitors._touch_leads()
        return visitors

    def write(self, vals):
        result = super().write(vals)
        if vals.get("lead_ids"):
            self._touch_leads()
        return result

    def _merge_visitor(self, target):
        result = super()._merge_visitor(target)
        target._touch_leads()
        return result

    def _upsert_visitor(self, access_token, force_track_values=None):
        result = super()._upsert_visitor(access_token, force_track_values)
        if force_track_values:
            # sudo: a page view is made by a visitor, who may not see their own lead
            self.sudo().browse(result[0])._touch_leads(RECENT_VIEWS)
        return result

    def _touch_leads(self, limit=MAX_VIEWS):
        """Make touchpoints of those of the newest page views that are none yet.

        It costs one query where a visitor has no lead. It never raises: no page and
        no form may fail for it, and what is missing is made up for next time.

        :param int limit: page views of all these visitors to look at
        """
        leads = self._find_leads_of_views()
        if not leads:
            return
        try:
            with self.env.cr.savepoint():
                self._write_page_views(leads, limit)
        except (OperationalError, IntegrityError, ConcurrencyError) as error:
            # another page of the same visitor at the same moment
            _logger.info("page views of %s: %s", self, type(error).__name__)
        except Exception:
            _logger.exception("page views of %s are not on their leads", self)

    def _find_leads_of_views(self):
        """The lead each visitor's page views belong to: several people may use one
        browser, so it is the one who sent a form last.

        :return: {visitor id: lead id}
        """
        if not self.ids:
            return {}
        self.env["lead.submission"].flush_model(["lead_id", "received_at"])
        self.env.cr.execute(
            """
            SELECT DISTINCT ON (rel.website_visitor_id)
                   rel.website_visitor_id, lead.id
              FROM crm_lead_website_visitor_rel AS rel
              JOIN crm_lead AS lead ON lead.id = rel.crm_lead_id
             WHERE rel.website_visitor_id = ANY(%s)
             ORDER BY rel.website_visitor_id, COALESCE((
                    SELECT max(received_at) FROM lead_submission
                     WHERE lead_id = lead.id
                   ), lead.create_date) DESC, lead.id DESC
            """,
            [self.ids],
        )
        return dict(self.env.cr.fetchall())

    def _write_page_views(self, leads, limit):
        """:param leads: {visitor id: lead id}"""
        rows = self._find_views_to_write(list(leads), limit)
        origins = self.env["lead.capture.rows"]
        now = fields.Datetime.now()
        items = {
            row["id"]: read_item({"attribution": url_attribution(row["url"])}, now)
            for row in rows
        }
        utm = origins._utm_ids(list(items.values()))
        no_channel = self.env["lead.channel"]
        touchpoints = self.env["lead.touchpoint"]
        to_create = []
        for row in rows:
            if row["touchpoint_id"]:
                touchpoints.browse(row["touchpoint_id"]).duration = row["duration"]
                continue
            to_create.append(
                {
                    **origins._attribution_vals(items[row["id"]], no_channel, utm),
                    "lead_id": leads[row["visitor_id"]],
                    "kind": "page_view",
                    "at": row["visit_datetime"].replace(microsecond=0),
                    "duration": row["duration"],
                    "title": row["name"] or urlsplit(row["url"]).path,
                    "url": row["url"][:MAX_URL],
                    "human": not row["is_colleague"],
                    "external_id": f"website.track,{row['id']}",
                }
            )
        touchpoints.create(to_create)

    @api.model
    def _find_views_to_write(self, visitor_ids, limit):
        """Page views without touchpoint, and those whose duration is known by now:
        the seconds until the next page of the same visit."""
        self.env["website.track"].flush_model()
        self.env["lead.touchpoint"].flush_model()
        self.env.cr.execute(
            """
            WITH recent AS (
                SELECT id, visitor_id, page_id, url, visit_datetime
                  FROM website_track
                 WHERE visitor_id = ANY(%(visitors)s) AND url IS NOT NULL
                 ORDER BY visit_datetime DESC, id DESC LIMIT %(limit)s
            ), view AS (
                SELECT *, extract(epoch FROM lead(visit_datetime) OVER (
                           PARTITION BY visitor_id ORDER BY visit_datetime, id
                       ) - visit_datetime)::int AS gap
                  FROM recent
            )
            SELECT view.id, view.visitor_id, view.url, view.visit_datetime,
                   template.name, touchpoint.id AS touchpoint_id,
                   CASE WHEN gap <= %(max_duration)s THEN gap ELSE 0 END AS duration,
                   EXISTS (
                       SELECT FROM website_visitor AS visitor
                         JOIN res_users AS colleague USING (partner_id)
                        WHERE visitor.id = view.visitor_id AND NOT colleague.share
                   ) AS is_colleague
              FROM view
              LEFT JOIN website_page AS page ON page.id = view.page_id
              LEFT JOIN ir_ui_view AS template ON template.id = page.view_id
              LEFT JOIN lead_touchpoint AS touchpoint
                ON COALESCE(touchpoint.channel_id, 0) = 0
               AND touchpoint.external_id = 'website.track,' || view.id
             WHERE touchpoint.id IS NULL
                OR (gap BETWEEN 1 AND %(max_duration)s
                    AND COALESCE(touchpoint.duration, 0) = 0)
             ORDER BY view.visit_datetime, view.id
            """,
            {
                "visitors": visitor_ids,
                "limit": limit,
                "max_duration": MAX_DURATION,
            },
        )
        return self.env.cr.dictfetchall()
