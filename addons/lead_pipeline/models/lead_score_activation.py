# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError

BATCH = 2000


class LeadScoreModel(models.Model):
    """Bringing a draft into use: new events are scored by it at once, the leads that
    are there in batches, newest first, by a job that may be stopped at any time."""

    _inherit = "lead.score.model"

    def action_activate(self):
        """:raises UserError: it is no draft, or it would score nothing"""
        self.ensure_one()
        if self.state != "draft":
            raise UserError(self.env._("Only a draft can be activated."))
        if not (self.criterion_ids.option_ids or self.activity_ids):
            raise UserError(self.env._("Add criteria or activities first."))
        now = fields.Datetime.now()
        self._share_half_life()
        previous = self._previous()
        previous.write(
            {"state": "archived", "archived_at": now, "rescored_until": 0}
        )
        self.flush_model()  # only one version may be active
        self.write({"state": "active", "activated_at": now})
        self._start_rescoring()

    def action_archive_model(self):
        """Take a model out of use; its leads go to the next model that fits."""
        self.ensure_one()
        self.write({"state": "archived", "archived_at": fields.Datetime.now()})
        self._start_rescoring()

    def _previous(self):
        """The version in use that this one follows."""
        return self.search(
            [("origin_id", "=", self.origin_id.id), ("state", "=", "active")]
        )

    def _share_half_life(self):
        """Leads are put into one order by one rate: the other models in use follow,
        each by a new version."""
        others = self._in_use().filtered(
            lambda model: model.origin_id != self.origin_id
            and model.half_life != self.half_life
        )
        for model in others:
            version = model._new_version()
            version.half_life = self.half_life
            now = fields.Datetime.now()
            model.write({"state": "archived", "archived_at": now})
            self.flush_model()
            version.write({"state": "active", "activated_at": now})

    # ------------------------------------------------------------
    # SCORING WHAT IS THERE
    # ------------------------------------------------------------

    def _start_rescoring(self):
        newest = self.env["crm.lead"].with_context(active_test=False)
        # sudo: all leads are scored
        self.rescored_until = newest.sudo().search([], order="id desc", limit=1).id
        self.env.ref("lead_pipeline.ir_cron_rescore")._trigger()

    @api.model
    def _cron_rescore(self, batch=BATCH):
        """Score the leads that activations have left to do. Stopped or killed, it goes
        on where it was: each batch is committed with its place."""
        progress = self.env["ir.cron"]._commit_progress
        leads = self.env["crm.lead"].with_context(active_test=False)
        todo = self.search([("rescored_until", ">", 0)])
        progress(
            remaining=sum(
                leads.search_count([("id", "<=", model.rescored_until)])
                for model in todo
            )
        )
        for model in todo:
            replay = model._changes_engagement()
            while model.rescored_until:
                found = leads.search(
                    [("id", "<=", model.rescored_until)], limit=batch, order="id desc"
                )
                self.env["lead.scoring"]._rescore(found, replay=replay)
                model.rescored_until = found[-1].id - 1 if len(found) == batch else 0
                if not progress(len(found)):
                    return

    def _changes_engagement(self):
        """Whether touches count otherwise than by the version before."""
        before = self.search(
            [("origin_id", "=", self.origin_id.id), ("version", "<", self.version)],
            order="version desc",
            limit=1,
        )
        return (
            self.state != "active"
            or not before.activated_at
            or self.half_life != before.half_life
            or self._counted() != before._counted()
        )

    def _counted(self):
        return {
            (activity.key, activity._to_engine()) for activity in self.activity_ids
        }
