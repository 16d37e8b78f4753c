# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models
from odoo.exceptions import AccessError, UserError


class LeadVersionMixin(models.AbstractModel):
    """What is made as a draft, brought into use by a button, and never edited after
    that: a change is a new version. The models declare ``state`` (begins as "draft"),
    ``version`` and ``origin_id``, the first version of a line."""

    _name = "lead.version.mixin"
    _description = "Lead Version Mixin"

    #: names of fields that nobody but the system writes
    _system_fields = frozenset()
    #: names of fields that may be written at any time
    _free_fields = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_system_fields(vals)
        records = super().create(vals_list)
        for record in records.filtered(lambda one: not one.origin_id):
            # sudo: the system's to write
            record.sudo().origin_id = record
        return records

    def write(self, vals):
        self._check_system_fields(vals)
        if not (self._system_fields | self._free_fields).issuperset(vals):
            self._check_editable()
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_if_draft(self):
        if any(record.state != "draft" for record in self):
            raise UserError(self._say_kept())

    def _check_system_fields(self, vals):
        """:raises AccessError: a person goes past the buttons"""
        if not self.env.su and not self._system_fields.isdisjoint(vals):
            raise AccessError(self._say_by_buttons())

    def _check_editable(self):
        """:raises UserError: what is or was in use shall be changed"""
        used = self.filtered(lambda record: record.state != "draft")
        if used:
            raise UserError(used[0]._say_in_use())

    def _new_version(self):
        """A draft that starts as this version, in its line of versions."""
        self.ensure_one()
        newest = self.search(
            [("origin_id", "=", self.origin_id.id)], order="version desc", limit=1
        )
        draft = self.copy()
        # sudo: the system's to write
        draft.sudo().write(
            {"origin_id": self.origin_id.id, "version": newest.version + 1}
        )
        return draft
