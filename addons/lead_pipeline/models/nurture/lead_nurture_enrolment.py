# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError

from .lead_nurture_track import IN_FLIGHT

#: why a journey ended; those of RETURNS bring the lead back to sales
END_REASONS = [
    ("answered", "Answered"),
    ("sales_ready", "Sales-ready"),
    ("goal", "Goal reached"),
    ("meeting", "Meeting booked"),
    ("won", "Won"),
    ("restored", "Taken back by sales"),
    ("unsubscribed", "Unsubscribed"),
    ("blacklisted", "Blacklisted"),
    ("erased", "Erased"),
    ("merged", "Merged into another lead"),
    ("archived", "Track archived"),
    ("hand", "Ended by hand"),
    ("last", "All stages done"),
    ("observed", "Held out until the end"),
]
RETURNS = ("answered", "sales_ready", "goal", "meeting")
#: came back, whoever brought it
BACK = (*RETURNS, "won", "restored")
WAITS = [
    ("cool_off", "Cool-off date"),
    ("cap", "Enough this week"),
    ("window", "Outside the hours"),
    ("holiday", "Public holiday"),
]


class LeadNurtureEnrolment(models.Model):
    """One lead's journey on one version of a track."""

    _name = "lead.nurture.enrolment"
    _description = "Nurture Enrolment"
    _order = "enrolled_at desc, id desc"
    _rec_name = "lead_id"

    lead_id = fields.Many2one(
        "crm.lead", index="btree_not_null", ondelete="set null", readonly=True
    )
    track_id = fields.Many2one(
        "lead.nurture.track", required=True, index=True, ondelete="cascade"
    )
    origin_id = fields.Many2one(
        "lead.nurture.track",
        "Track, Any Version",
        required=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one("res.company")
    state = fields.Selection(
        [
            ("active", "In flight"),
            ("paused", "Paused"),
            ("finished", "Finished"),
            ("exited", "Left"),
        ],
        required=True,
        default="active",
        readonly=True,
    )
    held_out = fields.Boolean(
        readonly=True, help="Gets nothing, so that nurturing can be compared with it."
    )
    stage_id = fields.Many2one(
        "lead.nurture.stage",
        "Next Stage",
        index="btree_not_null",
        ondelete="restrict",
        group_expand="_group_expand_stage_id",
        help="What comes next; after the end, where it was left.",
    )
    next_at = fields.Datetime("Next", help="When that is looked at.")
    waits_for = fields.Selection(WAITS, readonly=True)
    entry = fields.Selection(
        [
            ("lost", "Lost"),
            ("segment", "Segment"),
            ("hand", "By hand"),
            ("grade", "Low quality"),
            ("unreached", "Not reached"),
        ],
        "Entered by",
        required=True,
        default="hand",
        readonly=True,
    )
    lost_reason_id = fields.Many2one(
        "crm.lost.reason", readonly=True, ondelete="set null"
    )
    previous_user_id = fields.Many2one(
        "res.users", "Salesperson Before", readonly=True, ondelete="set null"
    )
    enrolled_at = fields.Datetime(
        required=True, readonly=True, default=fields.Datetime.now
    )
    ended_at = fields.Datetime(readonly=True)
    end_reason = fields.Selection(END_REASONS, readonly=True)
    is_back = fields.Boolean(
        "Back to Sales", readonly=True, help="Came back before the journey was over."
    )
    back_at = fields.Datetime(readonly=True)
    touch_ids = fields.One2many("lead.nurture.touch", "enrolment_id", readonly=True)
    touch_count = fields.Integer("Sent", compute="_compute_touch_count")

    email_from = fields.Char(related="lead_id.email_from")
    contact_name = fields.Char(related="lead_id.contact_name")
    partner_name = fields.Char(related="lead_id.partner_name")
    lead_grade = fields.Selection(related="lead_id.lead_grade")
    interest = fields.Selection(related="lead_id.interest")
    user_id = fields.Many2one(related="lead_id.user_id")

    # the origin is written with the track: an index can't look at another table
    _one_journey = models.UniqueIndex(
        "(lead_id, origin_id) WHERE state IN ('active', 'paused')",
        "This lead is on this track already.",
    )
    _due_idx = models.Index("(next_at, id) WHERE state = 'active'")

    def _compute_touch_count(self):
        counts = dict(
            self.env["lead.nurture.touch"]._read_group(
                [("enrolment_id", "in", self.ids), ("sent_at", "!=", False)],
                ["enrolment_id"],
                ["__count"],
            )
        )
        for enrolment in self:
            enrolment.touch_count = counts.get(enrolment._origin, 0)

    @api.model
    def _group_expand_stage_id(self, stages, domain):
        """All stages of the tracks that are shown, as the pipeline shows its own."""
        tracks = stages.track_id
        if self.env.context.get("nurture_track_id"):
            tracks |= tracks.browse(self.env.context["nurture_track_id"])
        return (stages | tracks.stage_ids).sorted()

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_open_lead(self):
        self.ensure_one()
        return self.lead_id.get_formview_action()

    def action_end(self):
        """Take leads off their track; what waits to be sent is not."""
        self.check_access("write")
        # sudo: checked; how it ends is the system's to write
        journeys = self.sudo().filtered(lambda one: one.state in IN_FLIGHT)
        journeys._end("hand")

    def write(self, vals):
        """A person may drag a lead to another stage, and to nothing else."""
        if not self.env.su:
            if set(vals) - {"stage_id"}:
                raise UserError(
                    self.env._("A journey is moved to another stage, or ended.")
                )
            self._check_stage(vals.get("stage_id"))
            # sudo: checked above; the moment is the system's
            self.sudo()._move(self.env["lead.nurture.stage"].browse(vals["stage_id"]))
            return True
        return super().write(vals)

    def _check_stage(self, stage_id):
        """:raises UserError: not a stage these leads can go to"""
        stage = self.env["lead.nurture.stage"].browse(stage_id or [])
        for enrolment in self:
            if enrolment.state != "active" or enrolment.held_out:
                raise UserError(self.env._("Only leads in flight can be moved."))
            if stage.track_id != enrolment.track_id:
                raise UserError(self.env._("That is a stage of another track."))
            if enrolment.touch_ids.filtered(lambda one: one.stage_id == stage):
                raise UserError(
                    self.env._("“%s” had this stage already.", enrolment.display_name)
                )
