# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models

MAX_NAME = 200


class UtmMixin(models.AbstractModel):
    _inherit = "utm.mixin"

    @api.model
    def _find_or_create_by_names(self, model_name, names):
        """Sources, mediums or campaigns by name, created where missing.

        Unlike core's ``_find_or_create_record`` it takes many names in two queries,
        a blank name is no record, ``%`` and ``_`` are plain characters, and two
        callers at the same moment make one record. Case does not count.

        :return: {name as given: id}; blank names are left out
        """
        folded = {
            name: " ".join(name.split())[:MAX_NAME].strip().lower()
            for name in names
            if name and name.strip()
        }
        if not folded:
            return {}
        known = self._utm_ids_by_folded_name(model_name, set(folded.values()))
        missing = {
            fold: " ".join(name.split())[:MAX_NAME].strip()
            for name, fold in sorted(folded.items(), reverse=True)
            if fold not in known
        }
        if missing:
            model = self.env[model_name]
            self.env["lead.capture"]._lock_and_refresh(
                [f"utm:{model_name}:{fold}" for fold in missing],
                model._table,
                [("lower(name)", list(missing))],
            )
            # sudo: marketing master data, made as a by-product of a lead
            created = model.sudo().create(
                [
                    {
                        "name": name,
                        **(
                            {"is_auto_campaign": True}
                            if "is_auto_campaign" in model._fields
                            else {}
                        ),
                    }
                    for name in missing.values()
                ]
            )
            known.update(zip(missing, created.ids, strict=True))
        return {name: known[fold] for name, fold in folded.items()}

    @api.model
    def _utm_ids_by_folded_name(self, model_name, folded):
        model = self.env[model_name]
        model.flush_model(["name"])
        # plain SQL: the ORM has only ``=ilike``, for which % and _ are wildcards
        self.env.cr.execute(
            f"SELECT lower(name), min(id) FROM {model._table}"  # pylint: disable=sql-injection
            " WHERE lower(name) = ANY(%s) GROUP BY 1",
            [list(folded)],
        )
        return dict(self.env.cr.fetchall())
