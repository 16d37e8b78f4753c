# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from .lead_pool_member import CAPS

#: what decides whether somebody gets a lead
NUMBERS = ("weight", *CAPS)
ABILITIES = ("skill_ids", "lang_ids", "country_ids")
DECIDING = {
    *("active", "user_id", *NUMBERS, *ABILITIES),
    *("resource_calendar_id", "paused", "paused_until"),
}


class LeadPoolMember(models.Model):
    """The settings of members are kept when they change. So are their working hours,
    which are not only theirs: those are looked at by the sweep."""

    _inherit = "lead.pool.member"

    @api.model_create_multi
    def create(self, vals_list):
        members = super().create(vals_list)
        members._keep_history()
        return members

    def write(self, vals):
        result = super().write(vals)
        if not DECIDING.isdisjoint(vals):
            self._keep_history()
        return result

    def _keep_history(self):
        self.env["lead.distribution.history"]._keep("member_id", self._settings())

    def _settings(self):
        """What decides whether these people get a lead, but for what they have got and
        when they are on leave.

        :return: {member id: {"active" (and their user may work on leads), "paused",
            "paused_until" (UTC, as text, or False), the fields of ``NUMBERS``, those of
            ``ABILITIES`` (ids, sorted), their hours as of ``_hours``}}, fit for JSON
        """
        # sudo: whoever asks, distribution knows who is there and when
        members = self.sudo()
        hours = members._hours()
        Lead = self.env["crm.lead"]
        working = {
            user
            for user in members.user_id
            if user.active and Lead.with_user(user).has_access("write")
        }
        return {
            member.id: {
                "active": member.active and member.user_id in working,
                "paused": member.paused,
                "paused_until": member.paused_until
                and fields.Datetime.to_string(member.paused_until),
                **{name: member[name] for name in NUMBERS},
                **{name: sorted(member[name].ids) for name in ABILITIES},
                **hours[member.id],
            }
            for member in members
        }
