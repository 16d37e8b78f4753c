# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.fields import Domain

from .crm_lead_score import domain_paths


class CrmLead(models.Model):
    _inherit = "crm.lead"

    segment_ids = fields.Many2many(
        "lead.segment",
        "lead_segment_member",
        "lead_id",
        "segment_id",
        "Segments",
        compute="_compute_segment_ids",
        store=True,
        copy=False,
    )

    def _compute_segment_ids(self):
        """Written by the segments; who waits to be looked at is looked at now."""
        self.env["lead.segment"]._settle()
        for lead in self - self._origin:  # those of a form's onchange
            lead.segment_ids = lead._origin.segment_ids

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        leads._notice_segments()
        return leads

    def write(self, vals):
        result = super().write(vals)
        self._notice_segments(vals)
        return result

    @api.model
    def _search(self, domain, *args, **kwargs):
        # the ORM reads the relation of a many2many as it is
        if any(path.startswith("segment_ids") for path in domain_paths(Domain(domain))):
            self.env["lead.segment"]._settle()
        return super()._search(domain, *args, **kwargs)

    def _read_group_groupby(self, alias, groupby_spec, query):
        if groupby_spec == "segment_ids":
            self.env["lead.segment"]._settle()
        return super()._read_group_groupby(alias, groupby_spec, query)

    def unlink(self):
        self.env["lead.segment"]._settle()
        # sudo: nobody writes movements; they say that the lead left
        segments = self.env["lead.segment"].sudo()
        self.env["lead.segment.move"].sudo().create(
            [
                {
                    "segment_id": member.segment_id.id,
                    "at": fields.Datetime.now(),
                    "change": -1,
                    "direction": "left",
                }
                for member in segments.env["lead.segment.member"].search(
                    [("lead_id", "in", self.ids)]
                )
            ]
        )
        return super().unlink()

    def _notice_segments(self, names=None):
        """These leads changed; a capture tells of all its leads at once."""
        if not self.env.context.get("lead_scoring_later"):
            self.env["lead.segment"]._notice(self, names)

    def _merge_dependences(self, opportunities):
        result = super()._merge_dependences(opportunities)
        self._notice_segments()
        return result

    def _compute_field_value(self, field):
        """A field that is computed from records beside the lead changes without a
        write to the lead."""
        result = super()._compute_field_value(field)
        if field.store and field.name != "segment_ids":
            self._notice_segments({field.name})
        return result
