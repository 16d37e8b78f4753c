# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.tools import SQL, mute_logger

KINDS = [
    ("page_view", "Page view"),
    ("form_submit", "Form"),
    ("email_sent", "Email sent"),
    ("email_open", "Email opened"),
    ("email_click", "Email link clicked"),
    ("email_reply", "Email received"),
    ("call_in", "Incoming call"),
    ("call_out", "Outgoing call"),
    ("sms", "SMS"),
    ("chat", "Chat"),
    ("meeting", "Meeting"),
    ("ad_click", "Ad click"),
    ("event", "Event"),
    ("note", "Note"),
]
#: why an open or a click is no person's; the rules are in ``engine.robots``
ROBOTS = [
    ("head", "A program that asks for the head alone"),
    ("prefetch", "A program that fetches ahead"),
    ("proxy", "A mail proxy"),
    ("apple", "Apple Mail Privacy Protection"),
    ("scanner", "A link scanner"),
    ("preview", "A link preview"),
    ("program", "A program, no browser"),
    ("unnamed", "A program without a name"),
    ("instant", "Sooner than anybody can read it"),
    ("burst", "Several links at the same moment"),
]
#: kinds by which a person of ours answers a lead; a note is what they log of it
RESPONSE_KINDS = ("email_sent", "call_out", "sms", "chat", "meeting", "note")
OUTGOING_KINDS = ("email_sent", "call_out")


class LeadTouchpoint(models.Model):
    """One dated contact. Tens of millions of rows: narrow, no chatter, no log."""

    _name = "lead.touchpoint"
    _description = "Lead Touchpoint"
    _order = "at desc, id desc"
    _log_access = False
    _rec_name = "kind"

    lead_id = fields.Many2one("crm.lead", required=True, ondelete="cascade")
    kind = fields.Selection(KINDS, required=True)
    at = fields.Datetime(required=True, default=fields.Datetime.now)
    direction = fields.Selection(
        [("in", "Incoming"), ("out", "Outgoing")], required=True, default="in"
    )
    duration = fields.Integer("Seconds", help="How long it lasted, in seconds.")
    title = fields.Char()
    url = fields.Char("URL")
    channel_id = fields.Many2one("lead.channel", ondelete="restrict")
    submission_id = fields.Many2one(
        "lead.submission", ondelete="set null", index="btree_not_null"
    )
    source_id = fields.Many2one("utm.source", ondelete="set null")
    medium_id = fields.Many2one("utm.medium", ondelete="set null")
    campaign_id = fields.Many2one("utm.campaign", ondelete="set null")
    click_id = fields.Char(help="The ad platform's click id, as parameter:value.")
    human = fields.Boolean(
        default=True,
        help="Not a bot, a link scanner or a mail proxy. The others are kept, but "
        "count for nothing.",
    )
    robot = fields.Selection(
        ROBOTS,
        readonly=True,
        help="Why it was no person, for opens and clicks of mails.",
    )
    user_id = fields.Many2one("res.users", help="Our person in this contact.")
    external_id = fields.Char()
    awaited = fields.Boolean(
        help="It is ahead of us, such as a meeting, and scores when it happens."
    )

    _awaited_idx = models.Index("(at) WHERE awaited")
    _lead_at_idx = models.Index("(lead_id, at DESC)")
    # segments ask for the newest of a kind, which may be rare among many others
    _lead_kind_idx = models.Index("(lead_id, kind, at DESC) WHERE kind <> 'page_view'")
    _external_unique = models.UniqueIndex(
        "(external_id, COALESCE(channel_id, 0)) WHERE external_id IS NOT NULL",
        "This touchpoint is there already.",
    )

    @api.depends("kind", "title")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for touchpoint in self:
            label = kinds.get(touchpoint.kind, "")
            touchpoint.display_name = (
                f"{label}: {touchpoint.title}" if touchpoint.title else label
            )

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        touchpoints = super().create(vals_list)
        touchpoints._refresh_leads(touchpoints.lead_id)
        touchpoints._score()
        return touchpoints

    def _score(self):
        """Count these new touchpoints, those ahead of us later."""
        now = fields.Datetime.now()
        ahead = self.filtered(lambda touch: touch.at > now)
        ahead.awaited = True
        if not self.env.context.get("lead_scoring_later"):
            # sudo: a score is everybody's, whoever caused the contact
            self.env["lead.scoring"].sudo()._touch(self - ahead)

    @api.model
    def _create_once(self, vals_list):
        """Make touchpoints of what happened inside Odoo, known by their external id,
        except those that are there already; another may write the same right now."""
        external_ids = [vals["external_id"] for vals in vals_list]
        known = self.search(
            [("channel_id", "=", False), ("external_id", "in", external_ids)]
        ).mapped("external_id")
        new = [vals for vals in vals_list if vals["external_id"] not in known]
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                return self.create(new)
        except IntegrityError:
            if len(new) == 1:
                return self.browse()
        return self.union(*(self._create_once([vals]) for vals in new))

    def write(self, vals):
        if set(vals) <= {"awaited"}:
            return super().write(vals)
        before, tracked = self.lead_id, self._untrack(vals)
        result = super().write(vals)
        tracked._track()
        if "at" in vals:
            now = fields.Datetime.now()
            for touch in self:
                touch.awaited = touch.at > now
        if not {"at", "lead_id", "human"}.isdisjoint(vals):
            self.lead_id._recompute_touches()
        # sudo: a score is everybody's, whoever moved the meeting
        scoring = self.env["lead.scoring"].sudo()
        if not self.env["lead.score.model"]._touch_fields().isdisjoint(vals):
            scoring._recount(before | self.lead_id)
        elif scoring._reads_touches():  # the length of a visit, for one
            scoring._rescore(self.lead_id)
        return result

    @api.model
    def _count_some(self, domain, limit):
        """Count touchpoints that were ahead of us."""
        due = self.search(domain, limit=limit, order="at")
        due.awaited = False
        self.env["lead.scoring"]._touch(due)
        return len(due)

    def unlink(self):
        leads = self.lead_id
        result = super().unlink()
        # sudo: a score is everybody's
        self.env["lead.scoring"].sudo()._recount(leads.exists())
        return result

    def _refresh_leads(self, leads):
        """Bring first touch, last touch and first response of the leads up to date
        with these touchpoints, in four statements however many there are. Called for
        all new touchpoints, whichever way they were written.

        Plain SQL: the ORM would write lead by lead, each with values of its own.
        """
        if not self:
            return
        self.flush_model()
        names = [*leads._touch_field_names(), "has_touchpoints"]
        leads.flush_recordset(names)
        self.env.cr.execute(
            "UPDATE crm_lead SET has_touchpoints = true"
            " WHERE id = ANY(%s) AND has_touchpoints IS NOT true",
            [leads.ids],
        )
        for prefix, order, sooner in (
            ("first_touch", SQL("ASC"), SQL("<")),
            ("last_touch", SQL("DESC"), SQL(">")),
        ):
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE crm_lead AS lead
                       SET %(at)s = touch.at,
                           %(source)s = touch.source_id,
                           %(medium)s = touch.medium_id,
                           %(campaign)s = touch.campaign_id,
                           %(click)s = touch.click_id
                      FROM (
                        SELECT DISTINCT ON (lead_id) *
                          FROM lead_touchpoint
                         WHERE id = ANY(%(ids)s) AND direction = 'in' AND human
                           AND (source_id IS NOT NULL OR medium_id IS NOT NULL
                             OR campaign_id IS NOT NULL OR click_id IS NOT NULL)
                         ORDER BY lead_id, at %(order)s, id %(order)s
                      ) AS touch
                     WHERE lead.id = touch.lead_id
                       AND (lead.%(at)s IS NULL OR touch.at %(sooner)s lead.%(at)s)
                    """,
                    at=SQL.identifier(f"{prefix}_at"),
                    source=SQL.identifier(f"{prefix}_source_id"),
                    medium=SQL.identifier(f"{prefix}_medium_id"),
                    campaign=SQL.identifier(f"{prefix}_campaign_id"),
                    click=SQL.identifier(f"{prefix}_click_id"),
                    ids=self.ids,
                    order=order,
                    sooner=sooner,
                )
            )
        self.env.cr.execute(
            """
            UPDATE crm_lead AS lead SET date_first_response = response.at
              FROM (
                SELECT lead_id,
                       -- a meeting ahead: the contact was the one that arranged it
                       min(LEAST(at, now() AT TIME ZONE 'UTC')) AS at
                  FROM lead_touchpoint
                 WHERE id = ANY(%s) AND human AND kind = ANY(%s)
                   AND (direction = 'out' OR kind = 'meeting')
                 GROUP BY lead_id
              ) AS response
             WHERE lead.id = response.lead_id
               AND (lead.date_first_response IS NULL
                 OR response.at < lead.date_first_response)
            """,
            [self.ids, list(RESPONSE_KINDS)],
        )
        leads.invalidate_recordset(names)
