# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models

from ..score.lead_scoring_rows import SCORE_COLUMNS

#: what a person does that is more than reading: they answered
ANSWERS = ("form_submit", "email_reply", "call_in", "chat", "sms")


class LeadTouchpoint(models.Model):
    """Contacts by which a lead leaves nurture."""

    _inherit = "lead.touchpoint"

    def _refresh_leads(self, leads):
        result = super()._refresh_leads(leads)
        known = self.env.context.get("lead_touches_known")
        if not known and self.env["lead.nurture.track"]._ever_started():
            self._leave_nurture()
        return result

    def _leave_nurture(self):
        answered, met = {}, {}
        for touch in self.filtered("human"):
            if touch.kind == "meeting":
                # one that is ahead was booked just now
                met[touch.lead_id.id] = max(
                    touch.at, met.get(touch.lead_id.id, touch.at)
                )
            elif touch.submission_id or (
                touch.kind in ANSWERS and touch.direction == "in"
            ):
                answered[touch.lead_id.id] = max(
                    touch.at, answered.get(touch.lead_id.id, touch.at)
                )
        # sudo: events are everybody's
        nurture = self.env["lead.nurture"].sudo()
        for reason, since in (("answered", answered), ("meeting", met)):
            if since:
                leads = nurture.env["crm.lead"].browse(since)
                nurture._leave(leads, reason, since)


class LeadScoring(models.AbstractModel):
    """Scores are written past the ORM; a goal may ask for them."""

    _inherit = "lead.scoring"

    @api.model
    def _on_saved(self, leads):
        result = super()._on_saved(leads)
        if self.env["lead.nurture.track"]._ever_started():
            leads._leave_nurture_at_goal({*SCORE_COLUMNS, "engagement_score"})
        return result


class LeadSegment(models.Model):
    _inherit = "lead.segment"

    def _on_join(self, leads):
        result = super()._on_join(leads)
        tracks = self.env["lead.nurture.track"]
        if tracks._entry_ids("segment_id"):
            running = tracks.sudo().browse(tracks._entry_ids("segment_id"))
            for track in running.filtered(lambda one: one.segment_id == self):
                self.env["lead.nurture"].sudo()._enrol(leads, track, "segment")
        return result


class MailBlacklist(models.Model):
    """Whoever wants no more mail leaves all tracks at once."""

    _inherit = "mail.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        entries = super().create(vals_list)
        entries._leave_nurture()
        return entries

    def write(self, vals):
        result = super().write(vals)
        if vals.get("active"):
            self._leave_nurture()
        return result

    def _leave_nurture(self):
        listed = self.filtered("active")
        if not listed or not self.env["lead.nurture.track"]._ever_started():
            return
        # sudo: whoever unsubscribes is a stranger
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        found = leads.search([("email_normalized", "in", listed.mapped("email"))])
        by_link = self.env.context.get("lead_unsubscribes")
        self.env["lead.nurture"].sudo()._leave(
            found, "unsubscribed" if by_link else "blacklisted"
        )
