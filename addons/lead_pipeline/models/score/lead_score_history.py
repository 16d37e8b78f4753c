# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ..kept_many2one import KeptMany2one


class LeadScoreHistory(models.Model):
    """A row each time a lead's quality changes, and why. Engagement needs none: it
    follows from the touchpoints."""

    _name = "lead.score.history"
    _description = "Lead Score History"
    _order = "at desc, id desc"
    _log_access = False

    lead_id = fields.Many2one("crm.lead", required=True, ondelete="cascade")
    at = fields.Datetime(required=True)
    model_id = KeptMany2one("lead.score.model", help="The version that scored it.")
    option_ids = fields.Json(help="Ids of the options that held, one a criterion.")
    model_quality = fields.Float(help="What the model says.")
    quality = fields.Float(help="What counted: the model's, or a person's.")
    overridden = fields.Boolean()
    user_id = fields.Many2one("res.users", "Author", ondelete="set null")
    reason = fields.Char()

    _lead_at_idx = models.Index("(lead_id, at DESC, id DESC)")

    @api.model
    def _search(self, *args, **kwargs):
        # sudo: everybody's leads are scored, whoever asks
        self.env["lead.scoring"].sudo()._settle()
        return super()._search(*args, **kwargs)
