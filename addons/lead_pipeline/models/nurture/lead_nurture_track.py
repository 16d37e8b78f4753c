# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache
from odoo.tools.safe_eval import safe_eval

from ...engine.nurture import SendWindow

#: a message of which nothing was heard for so long is in doubt
UNSURE_AFTER = timedelta(minutes=10)
#: states of a journey that is not over
IN_FLIGHT = ("active", "paused")
DAYS = [
    ("workdays", "Monday to Friday"),
    ("saturday", "Monday to Saturday"),
    ("all", "Every day"),
]


class LeadNurtureTrack(models.Model):
    """The path of leads that are not ready. A track that runs is never edited: a change
    is a new version, and whoever starts it says what becomes of the leads in flight."""

    _name = "lead.nurture.track"
    _inherit = ["lead.version.mixin"]
    _description = "Nurture Track"
    _order = "sequence, origin_id, version desc, id"

    # written by starting, pausing and archiving alone
    _system_fields = frozenset(
        {"state", "version", "origin_id", "started_at", "archived_at"}
    )
    # nothing that a lead in flight depends on
    _free_fields = frozenset({"sequence", "note", "name", "color"})

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("running", "Running"),
            ("paused", "Paused"),
            ("archived", "Archived"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
    )
    version = fields.Integer(required=True, readonly=True, default=1, copy=False)
    origin_id = fields.Many2one(
        "lead.nurture.track",
        "First Version",
        readonly=True,
        copy=False,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        "res.company", help="Leave empty to nurture the leads of every company."
    )
    user_id = fields.Many2one(
        "res.users",
        "Responsible",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        help="Gets the calls and tasks of leads that have no salesperson.",
    )
    note = fields.Text("Notes")
    stage_ids = fields.One2many("lead.nurture.stage", "track_id", copy=False)
    enrolment_ids = fields.One2many("lead.nurture.enrolment", "track_id")
    started_at = fields.Datetime(readonly=True, copy=False)
    archived_at = fields.Datetime(readonly=True, copy=False)

    hour_from = fields.Float("From", required=True, default=9)
    hour_to = fields.Float("To", required=True, default=17)
    days = fields.Selection(DAYS, required=True, default="workdays")
    on_holidays = fields.Boolean(
        "On Public Holidays Too",
        help="Otherwise nobody hears from us on a public holiday of their country.",
    )

    goal_domain = fields.Char(
        "Goal",
        default="[]",
        help="A lead that reaches it goes back to sales at once. Answering, becoming "
        "sales-ready and booking a meeting do so anyway.",
    )
    segment_id = fields.Many2one(
        "lead.segment",
        "Enrol by Segment",
        index="btree_not_null",
        ondelete="restrict",
        help="Leads that join this segment start here.",
    )
    entry_grade = fields.Selection(
        [("D", "D"), ("CD", "C or D")],
        "Enrol by Quality",
        help="Open leads of this quality that nobody worked start here.",
    )
    entry_grade_days = fields.Integer(
        "After (days)", default=14, help="How old such a lead must be."
    )
    entry_unreached = fields.Boolean(
        "Enrol Who Could Not Be Reached",
        help="Open leads that were silent however often we tried, or that nobody "
        "touched after their time was over, start here; once a day, and not those that "
        "were silent for more than 90 days.",
    )
    entry_attempts = fields.Integer(
        "Attempts",
        default=3,
        help="Calls and messages of ours since the lead was last heard of.",
    )
    entry_silent_days = fields.Integer(
        "Silent for (days)", default=5, help="Since the last attempt."
    )
    reenrol_days = fields.Integer(
        "Enrol Again After (days)",
        help="Since the last time on this track ended. 0: once in a lifetime.",
    )
    holdout_percent = fields.Float(
        "Hold-out (%)",
        default=10,
        help="This share of the leads gets nothing, so that the report can tell what "
        "nurturing brings.",
    )
    observe_days = fields.Integer(
        "Time to Come Back (days)",
        required=True,
        default=90,
        help="A lead counts as won back if it returns to sales within so many days.",
    )

    active_count = fields.Integer("In Flight", compute="_compute_counts")
    total_count = fields.Integer("Enrolled", compute="_compute_counts")
    back_count = fields.Integer("Back to Sales", compute="_compute_counts")
    stage_count = fields.Integer("Stages", compute="_compute_stage_count")
    unsure_count = fields.Integer(
        "To Settle",
        compute="_compute_unsure_count",
        help="Messages of which it is not known whether they went out.",
    )
    draft_id = fields.Many2one("lead.nurture.track", compute="_compute_draft_id")

    _origin_version_unique = models.UniqueIndex("(origin_id, version)")
    _one_running = models.UniqueIndex(
        "(origin_id) WHERE state IN ('running', 'paused')"
    )
    _holdout_share = models.Constraint(
        "CHECK (holdout_percent BETWEEN 0 AND 90)",
        "The hold-out is between 0 and 90 %.",
    )
    _positive_days = models.Constraint(
        "CHECK (observe_days BETWEEN 1 AND 3650 AND reenrol_days >= 0"
        " AND entry_grade_days >= 0 AND entry_attempts >= 1"
        " AND entry_silent_days BETWEEN 0 AND 89)",
        "Days are not negative; there is at least one to come back, one attempt at "
        "least, and silence of less than 90 days.",
    )

    # ------------------------------------------------------------
    # COMPUTE
    # ------------------------------------------------------------

    @api.depends("name", "version", "state")
    def _compute_display_name(self):
        for track in self:
            label = track.name or ""
            if track.version > 1:
                label = self.env._(
                    "%(name)s (version %(version)s)", name=label, version=track.version
                )
            track.display_name = label

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_counts(self):
        """Of this version; those that the user may see."""
        counts = {}
        for track, state, back, count in self.env["lead.nurture.enrolment"]._read_group(
            [("track_id", "in", self.ids)],
            ["track_id", "state", "is_back"],
            ["__count"],
        ):
            counts[track.id, state, back] = count
        for track in self:
            own = {key: n for key, n in counts.items() if key[0] == track._origin.id}
            track.total_count = sum(own.values())
            track.active_count = sum(
                n for (_id, state, _back), n in own.items() if state in IN_FLIGHT
            )
            track.back_count = sum(n for (*_key, back), n in own.items() if back)

    @api.depends("stage_ids")
    def _compute_stage_count(self):
        for track in self:
            track.stage_count = len(track.stage_ids)

    def _compute_unsure_count(self):
        # sudo: those of leads that the user may not see need somebody too
        counts = dict(
            self.env["lead.nurture.touch"]
            .sudo()
            ._read_group(
                self._unsure_domain(self.origin_id), ["origin_id"], ["__count"]
            )
        )
        for track in self:
            used = track.state != "draft"
            track.unsure_count = counts.get(track.origin_id, 0) if used else 0

    @api.model
    def _unsure_domain(self, origins):
        """Touches that a person must settle, not those that are being sent just now."""
        return [
            ("origin_id", "in", origins.ids),
            ("reason", "=", "stopped"),
            ("sent_at", "<=", fields.Datetime.now() - UNSURE_AFTER),
        ]

    def _compute_draft_id(self):
        drafts = self.search(
            [("origin_id", "in", self.origin_id.ids), ("state", "=", "draft")]
        )
        by_origin = {draft.origin_id: draft for draft in drafts}
        for track in self:
            track.draft_id = by_origin.get(track.origin_id)

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    @api.constrains("goal_domain")
    def _check_goal_domain(self):
        for track in self:
            self.env["lead.nurture"]._check_domain(track.goal_domain)

    @api.constrains("hour_from", "hour_to", "days")
    def _check_window(self):
        for track in self:
            try:
                track._window()
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "“%(track)s” sends during at least half an hour of the day, "
                        "between 0:00 and 24:00.",
                        track=track.name,
                    )
                ) from error

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    def copy(self, default=None):
        copies = super().copy(default)
        for track, copy in zip(self, copies, strict=True):
            track.stage_ids._copy_to(copy)
        return copies

    def _say_kept(self):
        return self.env._("A track that ran keeps what it sent: archive it.")

    def _say_by_buttons(self):
        return self.env._("A track is started, paused and archived by its buttons.")

    def _say_in_use(self):
        return self.env._(
            "“%(track)s” is in use. Make a new version, change that, and start it: you "
            "decide then what becomes of the leads in flight.",
            track=self.name,
        )

    # ------------------------------------------------------------
    # FOR THE ENGINE
    # ------------------------------------------------------------

    def _window(self):
        self.ensure_one()
        return SendWindow(self.hour_from, self.hour_to, self.days, self.on_holidays)

    def _goal(self):
        """The leads that reached the goal, as a Domain; none without a goal."""
        self.ensure_one()
        domain = Domain(safe_eval(self.goal_domain or "[]"))
        return Domain.FALSE if domain.is_true() else domain

    def _running(self):
        """The versions now in use of these tracks; sudo, for whoever enrols."""
        # sudo: a rep who loses a lead need not see the track
        return self.sudo().search(
            [("origin_id", "in", self.sudo().origin_id.ids), ("state", "=", "running")]
        )

    @api.model
    @ormcache()
    def _ever_started(self):
        """Whether any lead can be in flight: hooks cost no query until then."""
        # sudo: hooks run for everybody
        return bool(self.sudo().search([("state", "!=", "draft")], limit=1))

    @api.model
    @ormcache()
    def _goal_fields(self):
        """Fields of a lead by which a goal may be reached."""
        names = set()
        # sudo: hooks run for everybody
        for track in self.sudo().search([("state", "!=", "draft")]):
            for condition in track._goal().iter_conditions():
                names.add(condition.field_expr.partition(".")[0])
        return self.env["crm.lead"]._with_sources(names)

    @api.model
    @ormcache("field")
    def _entry_ids(self, field):
        """Ids of the running tracks with an entry of this kind."""
        # sudo: hooks run for everybody
        return tuple(
            self.sudo().search([("state", "=", "running"), (field, "!=", False)]).ids
        )
