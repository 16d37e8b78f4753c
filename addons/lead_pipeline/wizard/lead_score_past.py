# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.safe_eval import safe_eval

#: what nobody changes, and answers, of which a note of their own tells
CONSTANT_FIELDS = {
    "id",
    "answer_ids",
    "channel_id",
    "company_id",
    "create_date",
    "create_uid",
}


class LeadScorePast(models.AbstractModel):
    """Which leads of the past a wizard looks at, and how long after they came in."""

    _name = "lead.score.past"
    _description = "Leads of the Past"

    model_id = fields.Many2one("lead.score.model", required=True, ondelete="cascade")
    months = fields.Integer("Last Months", required=True, default=12)
    date_basis = fields.Selection(
        [("closed", "won or lost in this time"), ("created", "came in in this time")],
        "Leads That Were",
        required=True,
        default="closed",
    )
    days = fields.Integer(
        "Days After Creation",
        required=True,
        default=7,
        help="Leads are taken as they were so many days after they came in, or just "
        "before they were closed, if that was sooner. What came later does not count.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    domain = fields.Char(
        "Only Those",
        required=True,
        default="[]",
        help="Points found on some leads are best tried on others: take the older "
        "half here, the newer half there.",
    )

    @api.model
    def default_get(self, fields_list):
        """From the Action menu of a model: that model."""
        values = super().default_get(fields_list)
        if self.env.context.get("active_model") == "lead.score.model":
            values.setdefault("model_id", self.env.context.get("active_id"))
        return values

    @api.constrains("months", "days", "domain")
    def _check_period(self):
        for past in self:
            if past.months < 1 or past.days < 0:
                raise ValidationError(
                    self.env._("Take at least one month, and no less than 0 days.")
                )
            self.env["lead.scoring"]._check_domain("crm.lead", past.domain)

    def _past_domain(self):
        """The leads, whatever became of them."""
        self.ensure_one()
        name = "date_closed" if self.date_basis == "closed" else "create_date"
        since = fields.Datetime.now() - relativedelta(months=self.months)
        return [
            (name, ">=", since),
            ("company_id", "in", (False, self.company_id.id)),
            *safe_eval(self.domain),
        ]

    def _outcomes(self, **bounds):
        """Won and lost leads that the user may see, as ``lead.score.trial`` has it."""
        self.company_id.check_access("read")
        return self.env["lead.score.trial"]._outcomes(
            self._past_domain(), self.days, **bounds
        )

    # ------------------------------------------------------------
    # WHAT TO BE CAREFUL ABOUT
    # ------------------------------------------------------------

    def _notes(self, fair, unfair):
        """What the reader has to know of the criteria, as texts."""
        trial = self.env["lead.score.trial"]
        notes = [
            self.env._(
                "“%(criterion)s” is left out: %(fields)s tells how the lead ended.",
                criterion=criterion.name,
                fields=self._labels(names),
            )
            for criterion, names in unfair.items()
        ]
        domains = [option._lead_domain() for option in fair.option_ids]
        names = trial._names_read([self.model_id._lead_domain(), *domains])
        names.update(one._field().name for one in fair if one.source == "field")
        if now := [name for name in names if not self._is_known(name)]:
            notes.append(
                self.env._(
                    "Taken as they are now, as Odoo keeps no old values of them: "
                    "%(fields)s. If your team fills these in as a sale goes on, they "
                    "look better here than they are.",
                    fields=self._labels(now),
                )
            )
        if "answer_ids" in names or "answer" in fair.mapped("source"):
            notes.append(
                self.env._("Of repeated answers to a form, the newest one counts.")
            )
        return notes

    @api.model
    def _is_known(self, name):
        """Whether what a field was at the moment is known."""
        trial = self.env["lead.score.trial"]
        return name in CONSTANT_FIELDS or trial._is_turned_back(name)

    @api.model
    def _labels(self, names):
        leads = self.env["crm.lead"]._fields
        return ", ".join(
            sorted(leads[name]._description_string(self.env) for name in names)
        )

    def _reopen(self):
        """Show this wizard again, with what it found."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "name": self.env["ir.model"]._get(self._name).name,
            "context": {**self.env.context, "dialog_size": "extra-large"},
        }
