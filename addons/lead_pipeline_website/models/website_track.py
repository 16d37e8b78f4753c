# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models


class WebsiteTrack(models.Model):
    _inherit = "website.track"

    @api.model_create_multi
    def create(self, vals_list):
        """Core tracks pages by ``_upsert_visitor``; this is for those who don't."""
        tracks = super().create(vals_list)
        # sudo: a page view is made by a visitor, who may not see their own lead
        tracks.sudo().visitor_id._touch_leads()
        return tracks
