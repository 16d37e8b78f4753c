# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime

from odoo import api, fields, models

from ...engine.business_time import local_day_start
from .lead_nurture_track import IN_FLIGHT

INTERESTS = [
    ("interested", "Interested"),
    ("not_now", "Not now"),
    ("disinterested", "Not interested"),
]


class CrmLead(models.Model):
    _inherit = "crm.lead"

    interest = fields.Selection(
        INTERESTS,
        tracking=True,
        copy=False,
        help="Changed by people, and by what the lead does.",
    )
    cool_off_until = fields.Date(
        tracking=True,
        copy=False,
        help="Nurturing is silent until then. An answer of the lead overrides it.",
    )
    original_lost_reason_id = fields.Many2one(
        "crm.lost.reason",
        "Lost Before",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Why it was lost last; it stays when the lead comes back.",
    )
    enrolment_ids = fields.One2many(
        "lead.nurture.enrolment", "lead_id", "Nurture", readonly=True
    )
    nurture_touch_ids = fields.One2many(
        "lead.nurture.touch", "lead_id", "Nurture Touches", readonly=True
    )
    nurture_stage_id = fields.Many2one(
        "lead.nurture.stage", compute="_compute_nurture_stage_id"
    )
    nurture_coupon = fields.Char(
        "Coupon", compute="_compute_nurture_coupon", help="The last one it was given."
    )

    # ------------------------------------------------------------
    # COMPUTE
    # ------------------------------------------------------------

    @api.depends("enrolment_ids.state", "enrolment_ids.stage_id")
    def _compute_nurture_stage_id(self):
        for lead in self:
            # sudo: which stage is no secret to whoever sees the lead
            flying = lead.sudo().enrolment_ids.filtered(
                lambda one: one.state in IN_FLIGHT and not one.held_out
            )
            lead.nurture_stage_id = flying[:1].stage_id

    def _compute_nurture_coupon(self):
        # sudo: the lead's own
        coupons = self.env["lead.nurture.coupon"].sudo()
        newest = {}
        for coupon in coupons.search(
            [("lead_id", "in", self.ids)], order="given_at, id"
        ):
            newest[coupon.lead_id.id] = coupon.code
        for lead in self:
            lead.nurture_coupon = newest.get(lead._origin.id, False)

    def _cool_off_ends(self, place):
        """When the cool-off date begins where the lead is, in UTC."""
        self.ensure_one()
        if not self.cool_off_until:
            return datetime.min
        return local_day_start(self.cool_off_until, place.zones[0])

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    def write(self, vals):
        if vals.get("lost_reason_id"):
            vals = {**vals, "original_lost_reason_id": vals["lost_reason_id"]}
        if not self.env["lead.nurture.track"]._ever_started():
            return super().write(vals)
        # core adds "active" to the values of a lead that is won, lost before or not
        lost = self.filtered(lambda lead: not lead.active)
        result = super().write(vals)
        self._leave_nurture_by(vals, lost)
        return result

    def _leave_nurture_by(self, vals, lost):
        nurture = self.env["lead.nurture"].sudo()
        if vals.get("active") and not self.env.context.get("lead_returns"):
            # a capture restores too: then what the person sent says why
            if not self.env.context.get("lead_scoring_later"):
                nurture._leave(lost, "restored")
        if "stage_id" in vals or "probability" in vals:
            nurture._leave(self.filtered(lambda lead: lead.won_status == "won"), "won")
        self._leave_nurture_at_goal(vals)

    def _leave_nurture_at_goal(self, names):
        """Fields changed by which a goal may be reached."""
        if self.env["lead.nurture.track"]._goal_fields().isdisjoint(names):
            return
        # sudo: events are everybody's
        nurture = self.env["lead.nurture"].sudo()
        flying = nurture.env["lead.nurture.enrolment"].search(
            [("lead_id", "in", self.ids), ("state", "in", IN_FLIGHT)]
        )
        for track in flying.track_id:
            some = flying.filtered(lambda one, track=track: one.track_id == track)
            met = nurture._meet(some.lead_id, track._goal())
            some.filtered(lambda one, met=met: one.lead_id.id in met)._end("goal")

    def _on_sales_ready(self):
        result = super()._on_sales_ready()
        self.env["lead.nurture"].sudo()._leave(self, "sales_ready")
        return result

    def unlink(self):
        """Erased: the journey stays as a number, without the person."""
        self.env["lead.nurture"].sudo()._leave(self, "erased")
        return super().unlink()

    def _merge_dependences(self, opportunities):
        """Journeys come along; of two on one track that of the lead that stays goes
        on."""
        result = super()._merge_dependences(opportunities)
        if not self.env["lead.nurture.track"]._ever_started():
            return result
        # sudo: journeys are the system's
        journeys = self.env["lead.nurture.enrolment"].sudo()
        moving = journeys.search([("lead_id", "in", (opportunities - self).ids)])
        own = journeys.search([("lead_id", "=", self.id), ("state", "in", IN_FLIGHT)])
        taken = own.origin_id
        for journey in moving.filtered(lambda one: one.state in IN_FLIGHT):
            if journey.origin_id in taken:
                journey._end("merged")
            taken |= journey.origin_id
        moving.write({"lead_id": self.id})
        moving.touch_ids.write({"lead_id": self.id})
        return result

    # ------------------------------------------------------------
    # BACK TO SALES
    # ------------------------------------------------------------

    def _change_interest(self, interest):
        self.filtered(lambda lead: lead.interest != interest).write(
            {"interest": interest}
        )

    def _return_to_sales(self, briefs, owners):
        """Leads that were nurtured are for sales again: open, with the salesperson they
        had if that one is still here, else with whom the rules choose. A brief is in
        the chatter, and with an activity on the list of whoever gets the lead.

        :param briefs: {lead id: (summary, brief in HTML)}
        :param owners: {lead id: id of the salesperson before}
        """
        leads = self.with_context(lead_returns=True, lead_distribution_later=True)
        leads.filtered(lambda lead: not lead.active).action_restore()
        leads.write({"interest": "interested", "cool_off_until": False})
        leads._message_log_batch(bodies={lead.id: briefs[lead.id][1] for lead in leads})
        without = leads.filtered(lambda lead: not lead.user_id.active)
        without.filtered("user_id").write({"user_id": False})
        distribution = self.env["lead.distribution"]
        if distribution._is_on():
            distribution._distribute(without, "ready", owners=owners)
        else:
            for user in self.env["res.users"].browse(
                {owners[lead.id] for lead in without if lead.id in owners}
            ):
                theirs = without.filtered(
                    lambda lead, user=user: owners.get(lead.id) == user.id
                )
                theirs.write({"user_id": user.id})
        model_id = self.env["ir.model"]._get_id("crm.lead")
        kind = self.env.ref("mail.mail_activity_data_todo")
        self.env["mail.activity"].create(
            [
                {
                    "res_model_id": model_id,
                    "res_id": lead.id,
                    "activity_type_id": kind.id,
                    "summary": briefs[lead.id][0],
                    "note": briefs[lead.id][1],
                    "date_deadline": fields.Date.today(),
                    "user_id": lead.user_id.id,
                }
                for lead in leads
                if lead.user_id
            ]
        )
