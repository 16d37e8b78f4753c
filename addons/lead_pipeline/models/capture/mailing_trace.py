# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models

from ...engine.robots import BURST, BURST_LINKS, CLICK, OPEN, Fetch, robot

#: how far back the job looks for links that were visited at the same moment
LOOK_BACK = timedelta(hours=1)
NEWEST_CLICKS = 10000


class MailingTrace(models.Model):
    """Mails to leads are touchpoints: one of each kind by a person, one by robots.
    Core's own statistics stay as they are."""

    _inherit = "mailing.trace"

    def set_sent(self, domain=None):
        traces = super().set_sent(domain)
        # an automatic mail is no answer of a person: human stays false
        traces._touch_leads("email_sent", "out", human=False)
        return traces

    def set_opened(self, domain=None):
        traces = super().set_opened(domain)
        # without a request it follows from an answer, which is a touchpoint itself
        if "lead_fetch" in self.env.context:
            traces._touch_by_fetch("email_open", OPEN)
        else:
            traces._touch_leads("email_open", "in", human=False)
        return traces

    def set_clicked(self, domain=None):
        traces = super().set_clicked(domain)
        if "lead_fetch" in self.env.context:
            traces._touch_by_fetch("email_click", CLICK)
        else:
            traces._touch_leads("email_click", "in")
        return traces

    # ------------------------------------------------------------
    # ROBOTS
    # ------------------------------------------------------------

    def _touch_by_fetch(self, kind, fetched):
        """A touchpoint of what the request asked for, by a person or by a robot."""
        traces = self._of_leads()
        links = traces._links_at_once()
        by_rule = {}
        for trace in traces:
            # a link that is followed opens the mail too: both are judged alike
            rule = robot(
                Fetch(
                    kind=CLICK if trace in links else fetched,
                    at=fields.Datetime.now(),
                    sent_at=trace.sent_datetime or None,
                    links=links.get(trace, 1),
                    **self.env.context["lead_fetch"],
                )
            )
            by_rule[rule] = by_rule.get(rule, self.browse()) | trace
        for rule, some in by_rule.items():
            if rule == "burst":
                some._take_back(fields.Datetime.now())
            some._touch_leads(kind, "in", human=not rule, robot=rule)

    def _links_at_once(self):
        """:return: {trace: how many different links of it were followed just now}"""
        # the database writes the times of clicks, by its own clock
        now = self.env.cr.now().replace(tzinfo=None)
        # sudo: whoever follows a link is a stranger
        clicks = self.env["link.tracker.click"].sudo()
        counts = clicks._read_group(
            [("mailing_trace_id", "in", self.ids), ("create_date", ">=", now - BURST)],
            ["mailing_trace_id"],
            ["link_id:count_distinct"],
        )
        return dict(counts)

    def _take_back(self, at):
        """The first links of a burst looked like a person's: now they don't."""
        kinds = ("email_open", "email_click")
        # sudo: touchpoints are the system's
        touches = self.env["lead.touchpoint"].sudo()
        found = touches.search(
            [
                ("channel_id", "=", False),
                (
                    "external_id",
                    "in",
                    [t._touch_id(kind) for t in self for kind in kinds],
                ),
                ("human", "=", True),
                ("at", ">=", at - BURST),
                ("at", "<=", at + BURST),
            ]
        )
        robots = {touch: f"{touch.external_id},robot" for touch in found}
        known = touches.search(
            [("channel_id", "=", False), ("external_id", "in", list(robots.values()))]
        ).mapped("external_id")
        for touch, external_id in robots.items():
            if external_id in known:
                touch.unlink()
            else:
                touch.write(
                    {"human": False, "robot": "burst", "external_id": external_id}
                )

    @api.model
    def _cron_find_bursts(self):
        """A gateway asks for many links in parallel, and no request sees the others:
        look again when they are all written."""
        self.env["lead.touchpoint"].flush_model()
        self.env.cr.execute(
            """
            SELECT DISTINCT click.mailing_trace_id, touch.at
              FROM (SELECT * FROM link_tracker_click ORDER BY id DESC LIMIT %(newest)s)
                AS click
              JOIN lead_touchpoint AS touch
                ON COALESCE(touch.channel_id, 0) = 0 AND touch.human
               AND touch.external_id
                   = 'mailing.trace,' || click.mailing_trace_id || ',email_click'
             WHERE click.create_date >= %(since)s AND (
                SELECT count(DISTINCT other.link_id) FROM link_tracker_click AS other
                 WHERE other.mailing_trace_id = click.mailing_trace_id
                   AND other.create_date >= touch.at - %(burst)s
                   AND other.create_date < touch.at + %(burst)s
               ) >= %(links)s
            """,
            {
                "newest": NEWEST_CLICKS,
                "since": self.env.cr.now().replace(tzinfo=None) - LOOK_BACK,
                "burst": BURST,
                "links": BURST_LINKS,
            },
        )
        for trace_id, at in self.env.cr.fetchall():
            self.browse(trace_id)._take_back(at)

    # ------------------------------------------------------------
    # TOUCHPOINTS
    # ------------------------------------------------------------

    def _touch_id(self, kind, robot=""):
        """External id: a robot's touch must not stand in the way of a person's."""
        self.ensure_one()
        return f"mailing.trace,{self.id},{kind}" + (",robot" if robot else "")

    def _of_leads(self):
        return self.filtered(
            lambda trace: trace.model == "crm.lead" and not trace.is_test_trace
        )

    def _touch_leads(self, kind, direction, human=True, robot=""):
        """One touchpoint of this kind for each trace of a lead."""
        traces = self._of_leads()
        # sudo: whoever opens the mail is a stranger
        leads = self.env["crm.lead"].sudo().browse(traces.mapped("res_id")).exists()
        # sudo: touchpoints are written by the system, never by hand
        self.env["lead.touchpoint"].sudo()._create_once(
            [
                {
                    "lead_id": trace.res_id,
                    "kind": "sms"
                    if kind == "email_sent" and trace.trace_type == "sms"
                    else kind,
                    "direction": direction,
                    "at": fields.Datetime.now(),
                    "title": trace.mass_mailing_id.subject,
                    "human": human,
                    "robot": robot,
                    "source_id": trace.source_id.id,
                    "medium_id": trace.medium_id.id,
                    "campaign_id": trace.campaign_id.id,
                    "external_id": trace._touch_id(kind, robot),
                }
                for trace in traces
                if trace.res_id in leads.ids
            ]
        )
