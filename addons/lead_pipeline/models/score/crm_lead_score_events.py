# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ...engine import decay


def domain_paths(domain):
    """:return: all paths of fields in a domain, also those below "any" """
    for condition in domain.iter_conditions():
        yield condition.field_expr
        # a domain that came as a list has lists below "any", until it is optimized
        if condition.operator.removeprefix("not ").startswith("any"):
            if isinstance(condition.value, Domain | list | tuple):
                for path in domain_paths(Domain(condition.value)):
                    yield f"{condition.field_expr}.{path}"


class CrmLead(models.Model):
    """What makes a lead be scored again, and what a person says of its quality."""

    _inherit = "crm.lead"

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        leads._rescore()
        return leads

    def write(self, vals):
        result = super().write(vals)
        if not self._scored_fields().isdisjoint(vals):
            self._rescore()
        return result

    def _rescore(self):
        """Quality again, before anybody reads it, unless the capture does it."""
        if not self.env.context.get("lead_scoring_later"):
            self.env["lead.scoring"]._wait(self)

    def _merge_dependences(self, opportunities):
        """Carry answers along; the touchpoints that come along count by themselves."""
        result = super()._merge_dependences(opportunities)
        touched = opportunities.filtered("has_touchpoints")
        if touched and self.env["lead.answer"].sudo()._carry(touched, self):
            self._rescore()
        return result

    def _compute_field_value(self, field):
        """A field that is computed from records beside the lead, such as its customer,
        changes without a write to the lead."""
        result = super()._compute_field_value(field)
        if field.store and field.name in self._scored_fields():
            self._rescore()
        return result

    @api.model
    def _rescore_linked(self, field_name, records, vals):
        """Score leads again whose criteria read, through a many2one and what is linked
        behind it, what was written to these records."""
        ways = set()  # from a lead to where something was written
        for path in self._scored_paths():
            if path.startswith(f"{field_name}."):
                names, model = path.split("."), self
                for place, name in enumerate(names):
                    if model._name == records._name and name in vals:
                        ways.add(".".join(names[:place]))
                    if name not in model._fields or not model._fields[name].relational:
                        break
                    model = model[name]
        if ways:
            leads = self.sudo().with_context(active_test=False)
            found = Domain.OR(Domain(way, "in", records.ids) for way in ways)
            leads.search(found)._rescore()

    @api.model
    def _fields_of_touches(self):
        """Fields of a lead that change with its touchpoints, by plain SQL."""
        return {"touchpoint_ids", "has_touchpoints", *self._touch_field_names()}

    @api.model
    @ormcache()
    def _scored_paths(self):
        """Paths of fields that the domains of the models in use name."""
        paths = set()
        # sudo: everybody's leads are scored, whoever may see how
        for model in self.env["lead.score.model"]._in_use():
            for record in (model, *model.criterion_ids.option_ids):
                try:
                    paths.update(domain_paths(record._lead_domain()))
                except ValidationError:
                    continue  # it holds for no lead, which the scoring logs
        return frozenset(paths)

    @api.model
    @ormcache()
    def _scored_fields(self):
        """Fields of a lead whose change may change its model or its quality: those the
        domains name, and those they are computed from."""
        return self._with_sources(
            {path.partition(".")[0] for path in self._scored_paths()}
        )

    @api.model
    def _with_sources(self, names):
        """Names of fields of a lead, and of those that they are computed from."""
        names = set(names)
        pending = list(names)
        while pending:
            field = self._fields.get(pending.pop())
            if field is None or not field.compute:
                continue
            for path in self.pool.field_depends[field]:
                name = path.partition(".")[0]
                if name in self._fields and name not in names:
                    names.add(name)
                    pending.append(name)
        return frozenset(names)

    def _on_sales_ready(self):
        """These leads crossed the sales-ready line just now. For others to extend."""

    @api.model
    def _cron_cool(self, batch=1000):
        """Move leads whose engagement fell below a threshold, and count touchpoints
        whose time has come. Only those rows are read and written."""
        now = fields.Datetime.now()
        leads = self.with_context(active_test=False)
        cooled = [("cools_at", "<=", now)]
        touchpoints = self.env["lead.touchpoint"]
        happened = [("awaited", "=", True), ("at", "<=", now)]
        run = self.env["lead.scoring"]._run_batch
        progress = self.env["ir.cron"]._commit_progress
        progress(
            remaining=leads.search_count(cooled) + touchpoints.search_count(happened)
        )
        while done := run(leads._cool_some, cooled, batch):
            if not progress(done):
                return
        while done := run(touchpoints._count_some, happened, batch):
            if not progress(done):
                return

    @api.model
    def _cool_some(self, domain, limit):
        found = self.search(domain, limit=limit, order="cools_at")
        self.env["lead.scoring"]._cool(found)
        return len(found)

    # ------------------------------------------------------------
    # OVERRIDE
    # ------------------------------------------------------------

    def _override_quality(self, value, reason):
        """A person's own judgement, until it is given back.

        :param value: 0 to 100
        :raises ValidationError: another value, or no reason
        """
        self.check_access("write")
        if not 0 <= value <= 100:
            raise ValidationError(self.env._("A quality is between 0 and 100."))
        if not (reason or "").strip():
            raise ValidationError(
                self.env._("Say why: whoever reads the score wants to know.")
            )
        # sudo: scores are written by the system, and history is nobody's to write
        self.env["lead.scoring"].sudo()._override(
            self.ids, decay.shown(value), reason.strip()
        )

    def action_give_back_quality(self):
        """Let the model say the quality again."""
        self.check_access("write")
        # sudo: as above
        self.env["lead.scoring"].sudo()._override(
            self.filtered("quality_overridden").ids,
            None,
            self.env._("Given back to the model"),
        )

    def _latest_history(self, at):
        """:return: {lead id: the row that held at this moment}"""
        # sudo: everybody's leads are scored, whoever asks
        self.env["lead.scoring"].sudo()._settle()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (lead_id) id FROM lead_score_history
                 WHERE lead_id = ANY(%s) AND at <= %s
                 ORDER BY lead_id, at DESC, id DESC
                """,
                self.ids,
                at,
            )
        )
        # sudo: whoever may read a lead may know its score
        history = self.env["lead.score.history"].sudo().browse(row[0] for row in rows)
        return {row.lead_id.id: row for row in history}
