# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class LeadNurtureStart(models.TransientModel):
    """A new version takes over: what becomes of the leads in flight?"""

    _name = "lead.nurture.start"
    _description = "Start a Version of a Track"

    track_id = fields.Many2one("lead.nurture.track", required=True, readonly=True)
    flying = fields.Integer("Leads in Flight", compute="_compute_flying")
    choice = fields.Selection(
        [
            ("finish", "They finish on the version they started"),
            ("migrate", "They go on with the new version, at the same stage"),
        ],
        "What Becomes of Them",
        required=True,
        default="finish",
    )
    lost_stages = fields.Text(
        "Stages That Are Gone",
        compute="_compute_lost_stages",
        help="Leads that wait for one of these go on with the next one that is left.",
    )

    @api.depends("track_id")
    def _compute_flying(self):
        for wizard in self:
            wizard.flying = wizard.track_id._version_in_use().active_count

    @api.depends("track_id")
    def _compute_lost_stages(self):
        for wizard in self:
            keys = set(wizard.track_id.stage_ids.mapped("key"))
            gone = wizard.track_id._version_in_use().stage_ids.filtered(
                lambda stage, keys=keys: stage.key not in keys
            )
            wizard.lost_stages = "\n".join(gone.mapped("name"))

    def action_start(self):
        self.ensure_one()
        self.track_id._check_can_start()
        # sudo: the states of tracks are the system's to write
        self.track_id.sudo()._start(migrate=self.choice == "migrate")
        return {"type": "ir.actions.act_window_close"}
