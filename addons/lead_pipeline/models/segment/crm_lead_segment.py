# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.fields import Domain

from ..score.crm_lead_score_events import domain_paths


class CrmLead(models.Model):
    _inherit = "crm.lead"

    segment_ids = fields.Many2many(
        "lead.segment",
        "lead_segment_member",
        "lead_id",
        "segment_id",
        "Segments",
        readonly=True,
        copy=False,
    )

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        leads._notice_segments()
        return leads

    def write(self, vals):
        result = super().write(vals)
        self._notice_segments(vals)
        return result

    # The ORM reads the relation of a many2many as it is, in these three ways. Who waits
    # to be looked at is looked at before.

    @api.model
    def _search(self, domain, *args, **kwargs):
        if any(path.startswith("segment_ids") for path in domain_paths(Domain(domain))):
            self.env["lead.segment"]._settle()
        return super()._search(domain, *args, **kwargs)

    def _fetch_query(self, query, fields):
        if any(field.name == "segment_ids" for field in fields):
            self.env["lead.segment"]._settle()
        return super()._fetch_query(query, fields)

    def _read_group_groupby(self, alias, groupby_spec, query):
        if groupby_spec == "segment_ids":
            self.env["lead.segment"]._settle()
        return super()._read_group_groupby(alias, groupby_spec, query)

    def unlink(self):
        # nobody writes movements by hand; they say that the lead left
        self.env.cr.execute(
            """
            INSERT INTO lead_segment_move (segment_id, at, change, direction)
            SELECT segment_id, %s, -1, 'left' FROM lead_segment_member
             WHERE lead_id = ANY(%s)
            """,
            [fields.Datetime.now(), self.ids],
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
        if field.store:
            self._notice_segments({field.name})
        return result
