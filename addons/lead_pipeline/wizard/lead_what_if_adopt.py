# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError

from .lead_what_if import COPIED, copy_of


class LeadWhatIf(models.TransientModel):
    """Drafts that are good become the rules in use."""

    _inherit = "lead.what.if"

    begun_with_ids = fields.Many2many(
        "lead.distribution.rule",
        default=lambda self: self._rules_in_use(),
        help="The rules in use when these drafts were begun.",
    )
    changes = fields.Json(
        compute="_compute_changes",
        help="What would become of the rules in use: new, changed, archived (names), "
        "moved (whether their order changes).",
    )
    changes_text = fields.Text(compute="_compute_changes")

    @api.depends("rule_ids", *(f"rule_ids.{name}" for name in COPIED))
    def _compute_changes(self):
        for wizard in self:
            wizard.changes = wizard._changes()
            wizard.changes_text = wizard._describe_changes(wizard.changes)

    def _changes(self):
        drafts = self._drafts()
        changed = []
        for draft in drafts.filtered("origin_id"):
            old, new = copy_of(draft.origin_id), copy_of(draft)
            names = [
                self.env["lead.distribution.rule"]._fields[name]
                for name in COPIED
                if name != "sequence" and old[name] != new[name]
            ]
            if names:
                labels = [field._description_string(self.env) for field in names]
                changed.append([draft.name, labels])
        kept = [draft.origin_id.id for draft in drafts if draft.origin_id]
        before = [rule.id for rule in self.begun_with_ids.sorted() if rule.id in kept]
        return {
            "new": drafts.filtered(lambda one: not one.origin_id).mapped("name"),
            "changed": changed,
            "archived": (self.begun_with_ids - drafts.origin_id).mapped("name"),
            "moved": before != kept,
        }

    def _describe_changes(self, changes):
        env = self.env
        lines = [env._("New: %(name)s", name=name) for name in changes["new"]]
        lines += [
            env._("Changed: %(name)s (%(what)s)", name=name, what=", ".join(labels))
            for name, labels in changes["changed"]
        ]
        lines += [
            env._("No longer used: %(name)s (archived)", name=name)
            for name in changes["archived"]
        ]
        if changes["moved"]:
            lines.append(env._("The rules are asked in another order."))
        return "\n".join(f"• {line}" for line in lines) or env._("Nothing changes.")

    def _drafts(self):
        return self.rule_ids.sorted(lambda rule: (rule.sequence, rule.id))

    def action_confirm(self):
        """Show what would change, and ask.

        :raises UserError: there are no rules
        """
        self.ensure_one()
        if not self.rule_ids:
            raise UserError(self.env._("Add at least one rule."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [
                (self.env.ref("lead_pipeline.lead_what_if_view_form_adopt").id, "form")
            ],
            "name": self.env._("Use These Rules"),
            "target": "new",
        }

    def action_adopt(self):
        """The drafts become the rules in use, from the next lead on. Leads that have
        somebody keep them.

        :raises UserError: there are no rules, or those in use have changed since
        """
        self.ensure_one()
        drafts = self._drafts()
        if not drafts:
            raise UserError(self.env._("Add at least one rule."))
        in_use = self._rules_in_use()
        since = max(in_use.mapped("write_date"), default=self.create_date)
        if in_use != self.begun_with_ids.sorted() or since > self.create_date:
            raise UserError(
                self.env._(
                    "The rules in use have changed since you began. Open What If "
                    "again, and change what you find there."
                )
            )
        last = None
        for draft in drafts:
            # each where it is, for others may have rules between them
            if last is not None and draft.sequence <= last:
                draft.sequence = last + 1
            last = draft.sequence
            values = copy_of(draft)
            if not draft.origin_id:
                draft.origin_id = draft.origin_id.create(values)
            elif copy_of(draft.origin_id) != values:
                draft.origin_id.write(values)
        (in_use - drafts.origin_id).active = False
        return self.env["ir.actions.act_window"]._for_xml_id(
            "lead_pipeline.lead_distribution_rule_action"
        ) | {"target": "main"}
