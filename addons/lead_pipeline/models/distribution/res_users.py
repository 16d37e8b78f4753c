# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError


class ResUsers(models.Model):
    """Whether somebody gets new leads: their own switch, in all of their pools."""

    _inherit = "res.users"

    def _lead_members(self):
        """The places of these people in pools, as the system sees them."""
        # sudo: people may see and set whether they themselves get leads
        members = self.env["lead.pool.member"].sudo()
        return members.search(
            [("user_id", "in", self.ids), ("pool_id.active", "=", True)]
        )

    @api.model
    def lead_availability(self):
        """Whether the user who asks gets new leads.

        :return: {"member": of any pool, "available", "until": UTC as text or False,
            "reason": why, where it was not the user's own will, or False}
        """
        return self.env.user._lead_availability()[self.env.user]

    def _lead_availability(self):
        """:return: {user: as ``lead_availability``}"""
        on = self.env["lead.distribution"]._is_on()
        by_user = self._lead_members().grouped("user_id") if on else {}
        none = self.env["lead.pool.member"]
        return {user: by_user.get(user, none)._availability() for user in self}

    @api.model
    def set_lead_availability(self, available, until=None):
        """Pause, or end the pause of, the user who asks, in all of their pools.

        :param until: end of the pause, UTC as text; None: until the user ends it
        :return: as ``lead_availability``
        :raises UserError: an end in the past, or none at all
        """
        user = self.env.user
        try:
            until = not available and fields.Datetime.to_datetime(until or False)
        except (TypeError, ValueError) as error:
            raise UserError(self.env._("That is no moment: %s", until)) from error
        if until and until <= fields.Datetime.now():
            raise UserError(self.env._("The end of a pause lies ahead."))
        user._lead_members().write(
            {"paused": not available and not until, "paused_until": until}
        )
        return self.lead_availability()

    def _tell_lead_availability(self):
        """Open windows of these people show it at once."""
        for user, state in self._lead_availability().items():
            user._bus_send("lead_pipeline.availability", state)

    def _set_lead_offline(self, count, missed):
        """This person missed so many leads in a row: they get no more until they say
        that they are back. They and their managers are told.

        :param missed: the last of them, ``lead.assignment``
        """
        self.ensure_one()
        members = self._lead_members().filtered(lambda one: not one.paused)
        if not members:
            return

        def reason(env):
            return env._("%(count)s leads missed in a row", count=count)

        own = self.with_context(lang=self.lang).env
        members.write(
            {
                "paused": True,
                "offline_since": fields.Datetime.now(),
                "offline_reason": reason(own),
            }
        )
        service = self.env["lead.distribution"]
        subject = own._(
            "You get no new leads: %(reason)s. Are you back? Say so in the menu of "
            "your name.",
            reason=reason(own),
        )
        service._message(self, subject, missed.lead_id)
        for boss, leads in missed._bosses().items():
            env = self.with_context(lang=boss.lang).env
            subject = env._(
                "%(user)s gets no new leads: %(reason)s",
                user=self.name,
                reason=reason(env),
            )
            service._message(boss, subject, leads)
