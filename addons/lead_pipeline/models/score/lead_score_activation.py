# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

#: leads a transaction: others wait for a lead of it for about a second at most
BATCH = 10_000
#: how long what began before an activation may go on, and score by what it read then
RECHECK_AFTER = timedelta(minutes=15)


class LeadScoreModel(models.Model):
    """Bringing a draft into use: new events are scored by it at once, the leads that
    are there in batches, newest first, by a job that may be stopped at any time."""

    _inherit = "lead.score.model"

    def action_activate(self):
        """:raises UserError: it is no draft, or it would score nothing"""
        self._check_can_activate()
        # sudo: the states of models are the system's to write
        self.sudo()._activate()

    def action_preview_activation(self):
        """Show what activating would change, and ask.

        :raises UserError: it is no draft, or it would score nothing
        """
        self._check_can_activate()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Activate “%s”", self.name),
            "res_model": "lead.score.activate",
            "res_id": self.env["lead.score.activate"].create({"model_id": self.id}).id,
            "view_mode": "form",
            "target": "new",
        }

    def action_archive_model(self):
        """Take a model out of use; its leads go to the next model that fits.

        :raises UserError: it is not in use
        """
        self.ensure_one()
        self.check_access("write")
        if self.state != "active":
            raise UserError(self.env._("Only a model in use can be taken out of use."))
        # sudo: the states of models are the system's to write
        model = self.sudo()
        model.env["lead.scoring"]._settle()
        now = fields.Datetime.now()
        model.write({"state": "archived", "archived_at": now, "recounts": True})
        model._start_rescoring()

    def _check_can_activate(self):
        self.ensure_one()
        self.check_access("write")
        if self.state != "draft":
            raise UserError(self.env._("Only a draft can be activated."))
        if not (self.criterion_ids.option_ids or self.activity_ids):
            raise UserError(self.env._("Add criteria or activities first."))

    def _activate(self):
        self.env["lead.scoring"]._settle()  # what was before is scored as before
        previous = self._previous()
        self.recounts = self._counts_otherwise_than(previous)
        self.regrades = self._judges_otherwise_than(previous)
        self._replace_by(previous, self)
        for model in self._others_to_change():
            version = model._new_version()
            version.half_life = self.half_life
            self._replace_by(model, version)
        self._start_rescoring()

    def _replace_by(self, previous, version):
        now = fields.Datetime.now()
        archived = {"state": "archived", "archived_at": now}
        previous.write({**archived, "rescored_until": 0, "recheck_at": False})
        previous.flush_recordset()  # only one version may be active
        version.write({"state": "active", "activated_at": now})

    def _previous(self):
        """The version in use that this one follows."""
        return self.search(
            [("origin_id", "=", self.origin_id.id), ("state", "=", "active")]
        )

    def _others_to_change(self):
        """Models in use that need a new version: leads are put into one order by one
        half-life."""
        return self._in_use().filtered(
            lambda model: model.origin_id != self.origin_id
            and model.half_life != self.half_life
        )

    def _try_on(self, leads):
        """The scores that leads would have if this draft were in use. Nothing is
        written or locked.

        :return: as ``lead.scoring._try_on``
        """
        # sudo: the models in use are everybody's
        draft = self.sudo()
        previous = draft._previous()
        in_use = (draft._in_use() - previous | draft).sorted(
            lambda model: (model.sequence, model.origin_id.id)
        )
        return draft.env["lead.scoring"]._try_on(
            leads, in_use, draft.half_life, draft._counts_otherwise_than(previous)
        )

    # ------------------------------------------------------------
    # SCORING WHAT IS THERE
    # ------------------------------------------------------------

    def write(self, vals):
        """In another order, leads that fit several models may go to another."""
        result = super().write(vals)
        if "sequence" in vals and len(self._in_use()) > 1:
            # sudo: the progress of the job is the system's to write
            moved = self.sudo().filtered(lambda model: model.state == "active")
            idle = moved.filtered(lambda model: not model.rescored_until)
            # a lead that goes to another model is counted again anyway
            idle.write({"recounts": False, "regrades": False})
            moved._start_rescoring()
        return result

    def _start_rescoring(self):
        if not self:
            return
        self._begin_pass()
        now = fields.Datetime.now()
        self.write({"recheck_at": now + RECHECK_AFTER})
        job = self.env.ref("lead_pipeline.ir_cron_rescore")
        job._trigger(at=[now, now + RECHECK_AFTER])

    def _begin_pass(self):
        leads = self.env["crm.lead"].with_context(active_test=False)
        newest = leads.search([], order="id desc", limit=1).id
        self.write({"rescored_from": newest, "rescored_until": newest})

    @api.model
    def _cron_rescore(self, batch=BATCH):
        """Score the leads that activations have left to do. Stopped or killed, it goes
        on where it was: each batch is committed with its place.

        Some time after the last activation it finds all scores from scratch once more.
        Where nothing is to be mended, no score is written.
        """
        run = self.env["lead.scoring"]._run_batch
        progress = self.env["ir.cron"]._commit_progress
        leads = self.env["crm.lead"].with_context(active_test=False)
        again = self.search(
            [
                ("recheck_at", "<=", fields.Datetime.now()),
                ("rescored_until", "=", 0),
            ]
        )
        again._begin_pass()
        again.write({"recheck_at": False, "recounts": True, "regrades": True})
        todo = self.search([("rescored_until", ">", 0)])
        progress(
            remaining=sum(
                leads.search_count([("id", "<=", model.rescored_until)])
                for model in todo
            )
        )
        for model in todo:
            while model.rescored_until:
                if not progress(run(model._rescore_some, batch)):
                    return

    def _rescore_some(self, limit):
        """:return: how many leads were scored"""
        leads = self.env["crm.lead"].with_context(active_test=False)
        found = leads.search(
            [("id", "<=", self.rescored_until)], limit=limit, order="id desc"
        )
        if found:
            self.env["lead.scoring"]._score_batch(
                found, recount=self.recounts, regrade=self.regrades
            )
        # batches go by id: what others write meanwhile can't be left out
        self.rescored_until = found[-1].id - 1 if len(found) == limit else 0
        return len(found)

    def _counts_otherwise_than(self, previous):
        """Whether all touchpoints have to be counted again after a version."""
        return (
            not previous
            or (previous.recounts and previous.rescored_until > 0)
            or self.half_life != previous.half_life
            or self._counted() != previous._counted()
        )

    def _judges_otherwise_than(self, previous):
        """Whether the same scores may make another grade after a version."""
        return (
            not previous
            or (previous.regrades and previous.rescored_until > 0)
            or self._bands() != previous._bands()
            or self._ready_line() != previous._ready_line()
        )

    def _counted(self):
        return {(activity.key, activity._to_engine()) for activity in self.activity_ids}
