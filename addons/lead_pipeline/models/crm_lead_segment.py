# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

#: key in the data of what is done before the transaction ends
WAITING = "lead_pipeline.segments_waiting"


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
        with self.env["lead.segment"]._event():
            leads = super().create(vals_list)
            leads._notice_segments()
        return leads

    def write(self, vals):
        with self.env["lead.segment"]._event():
            result = super().write(vals)
            self._notice_segments(vals)
        return result

    def unlink(self):
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
        with self.env["lead.segment"]._event():
            result = super()._merge_dependences(opportunities)
            self._notice_segments()
        return result

    def _compute_field_value(self, field):
        """A field that is computed from records beside the lead changes without a
        write to the lead: its segments follow before the transaction ends."""
        result = super()._compute_field_value(field)
        watched = self.env["lead.segment"]._watched() if field.store else ()
        if any(field.name in names for _segment, names, _kinds in watched):
            waiting = self.env.cr.precommit.data.setdefault(WAITING, {})
            if not waiting:
                self.env.cr.precommit.add(self.browse()._refresh_waiting_segments)
            waiting.setdefault(field.name, set()).update(filter(None, self._ids))
        return result

    def _refresh_waiting_segments(self):
        waiting = self.env.cr.precommit.data.pop(WAITING, {})
        with self.env["lead.segment"]._event():
            for name, ids in waiting.items():
                self.env["lead.segment"]._notice(self.browse(ids), {name})
