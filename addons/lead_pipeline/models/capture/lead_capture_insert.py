# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict

from odoo import api, models

#: leads that must be alike, on average, for it to pay to compute once for all of them
MIN_ALIKE = 4


class LeadCaptureInsert(models.AbstractModel):
    """New leads, each written once. By itself core computes what it keeps of a new lead
    after it has inserted it, and writes it up to twice more, with all of its indexes.
    """

    _name = "lead.capture.insert"
    _description = "Lead Capture: Insert"

    @api.model
    def _insert(self, vals_list):
        """:param vals_list: values of leads; what is computed is added to them
        :return: the leads, in this order
        """
        by_names = defaultdict(list)
        for vals in vals_list:
            by_names[frozenset(vals)].append(vals)
        for names, alike in by_names.items():
            self._add_computed(names, alike)
        leads = self.env["lead.capture.leads"]._quiet().create(vals_list)
        # core marks what depends on a phone and an address, also where it is given
        for name in frozenset().union(*by_names):
            field = leads._fields[name]
            if field.compute and field.store:
                pairs = zip(leads, vals_list, strict=True)
                given = leads.browse(lead.id for lead, vals in pairs if name in vals)
                self.env.remove_to_compute(field, given)
        return leads

    @api.model
    def _add_computed(self, names, vals_list):
        """Add what is computed and stored: by core, and by whoever extends it, but once
        for leads that are alike in all it reads. What is of each lead alone is left.

        :param names: what each of ``vals_list`` has
        """
        Lead = self.env["lead.capture.leads"]._quiet()
        most = len(vals_list) / MIN_ALIKE
        shared = {
            name for name in names if len({vals[name] for vals in vals_list}) <= most
        }
        todo, read = [], set()
        for name, field in Lead._fields.items():
            if name in names or not field.compute or not field.store:
                continue
            inputs = self._inputs(field, names)
            if inputs <= shared and not field.precompute:
                todo.append(field)
                read |= inputs
        read = sorted(read)
        alike = defaultdict(list)
        for vals in vals_list:
            alike[tuple(vals[name] for name in read)].append(vals)
        if not todo or len(alike) > most:
            return
        now = self.env.cr.now()
        samples = Lead.concat(
            *(
                Lead.new({"create_date": now, **{n: group[0][n] for n in read}})
                for group in alike.values()
            )
        )
        for sample, group in zip(samples, alike.values(), strict=True):
            computed = {
                field.name: field.convert_to_write(sample[field.name], sample)
                for field in todo
            }
            for vals in group:
                vals.update(computed)

    @api.model
    def _inputs(self, field, names):
        """Which of these names a computed field reads, by way of others as well."""
        Lead = self.env["crm.lead"]
        found, seen, todo = set(), set(), [field]
        while todo:
            for path in self.pool.field_depends[todo.pop()]:
                name = path.partition(".")[0]
                if name in names:
                    found.add(name)
                elif name not in seen:
                    seen.add(name)
                    todo.append(Lead._fields[name])
        return found
