# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .lead_nurture_track import IN_FLIGHT


class LeadNurtureTrack(models.Model):
    """Starting, pausing and archiving a track, and its versions."""

    _inherit = "lead.nurture.track"

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_start(self):
        """Start a draft. Where leads are in flight on the version before, ask first
        what becomes of them.

        :raises UserError: it is no draft, or a stage lacks something
        """
        self._check_can_start()
        before = self._version_in_use()
        if before.active_count:
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Start “%s”", self.display_name),
                "res_model": "lead.nurture.start",
                "res_id": self.env["lead.nurture.start"]
                .create({"track_id": self.id})
                .id,
                "view_mode": "form",
                "target": "new",
            }
        # sudo: the states of tracks are the system's to write
        self.sudo()._start()
        return True

    def action_pause(self):
        """Nothing goes out until it is resumed.

        :raises UserError: it does not run
        """
        self._check_state("running")
        self.sudo()._switch("paused", "active", "paused")

    def action_resume(self):
        """:raises UserError: it is not paused"""
        self._check_state("paused")
        self.sudo()._switch("running", "paused", "active")
        self.env.ref("lead_pipeline.ir_cron_nurture")._trigger()

    def action_archive_track(self):
        """Take a track out of use; its leads leave it.

        :raises UserError: it is not in use
        """
        self._check_state("running", "paused")
        # sudo: the states of tracks are the system's to write
        tracks = self.sudo().search([("origin_id", "=", self.origin_id.id)])
        tracks.enrolment_ids.filtered(lambda one: one.state in IN_FLIGHT)._end(
            "archived"
        )
        self.sudo().write({"state": "archived", "archived_at": fields.Datetime.now()})

    def action_new_version(self):
        """Open the draft of this line of versions, made if there is none."""
        self.ensure_one()
        draft = self.draft_id or self._new_version()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": draft.id,
            "view_mode": "form",
        }

    def action_view_enrolments(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "lead_pipeline.lead_nurture_enrolment_action"
        )
        return {
            **action,
            "display_name": self.display_name,
            "domain": [("track_id", "=", self.id)],
            "context": {
                "nurture_track_id": self.id,
                "search_default_in_flight": self.state in ("running", "paused"),
            },
        }

    def action_view_unsure(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "lead_pipeline.lead_nurture_touch_action"
        )
        return {
            **action,
            "display_name": self.env._("Did These Go Out?"),
            "domain": self._unsure_domain(self.origin_id),
        }

    # ------------------------------------------------------------
    # BUSINESS
    # ------------------------------------------------------------

    def _check_state(self, *states):
        self.ensure_one()
        self.check_access("write")
        if self.state not in states:
            raise UserError(
                self.env._("“%s” is not in a state for that.", self.display_name)
            )

    def _check_can_start(self):
        self.ensure_one()
        self.check_access("write")
        if self.state != "draft":
            raise UserError(self.env._("Only a draft can be started."))
        if not self.stage_ids:
            raise UserError(self.env._("Add a stage first."))
        problems = [problem for one in self.stage_ids if (problem := one._problem())]
        if problems:
            raise UserError("\n".join(problems))

    def _version_in_use(self):
        # sudo: it is theirs, whatever its company
        return self.sudo().search(
            [
                ("origin_id", "=", self.origin_id.id),
                ("state", "in", ("running", "paused")),
            ]
        )

    def _start(self, migrate=False):
        """Put this draft in the place of the version in use.

        :param migrate: leads in flight go on here; otherwise they finish where they are
        """
        now = fields.Datetime.now()
        if not self.user_id:  # else nobody gets the calls of leads without an owner
            self.user_id = self.env.user
        self.stage_ids._ensure_mailings()
        before = self._version_in_use()
        paused = before.state == "paused"
        before.write({"state": "archived", "archived_at": now})
        before.flush_recordset()  # only one version may run
        self.write({"state": "running", "started_at": now})
        if paused:  # those that finish there go on
            before._set_flying("paused", "active")
        if migrate:
            self._take_over(before)

    def _switch(self, state, flying_from, flying_to):
        self.write({"state": state})
        self._set_flying(flying_from, flying_to)

    def _set_flying(self, old, new):
        """All journeys of a track in one statement: there may be very many."""
        Enrolment = self.env["lead.nurture.enrolment"]
        Enrolment.flush_model()
        self.env.cr.execute(
            "UPDATE lead_nurture_enrolment SET state = %s"
            " WHERE track_id = ANY(%s) AND state = %s",
            [new, self.ids, old],
        )
        Enrolment.invalidate_model(["state"], flush=False)

    def _take_over(self, before):
        """Leads in flight on another version go on here: at the same stage, or where
        that is gone, at the first one after it that they did not have."""
        Enrolment = self.env["lead.nurture.enrolment"]
        Enrolment.flush_model()
        here = {stage.key: stage for stage in self.stage_ids.sorted()}
        order = before.stage_ids.sorted()
        for stage in order:
            later = order[order.ids.index(stage.id) :]
            goal = next((here[one.key] for one in later if one.key in here), None)
            flying = Domain("stage_id", "=", stage.id) & Domain(
                "state", "in", IN_FLIGHT
            )
            if goal:
                self.env.cr.execute(
                    "UPDATE lead_nurture_enrolment SET track_id = %s, stage_id = %s"
                    " WHERE stage_id = %s AND state IN ('active', 'paused')",
                    [self.id, goal.id, stage.id],
                )
            else:
                Enrolment.search(flying)._end("last")
        self.env.cr.execute(
            "UPDATE lead_nurture_enrolment SET track_id = %s"
            " WHERE track_id = %s AND held_out AND state IN ('active', 'paused')",
            [self.id, before.id],
        )
        Enrolment.invalidate_model(flush=False)
