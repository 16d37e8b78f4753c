# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache
from odoo.tools.safe_eval import safe_eval

from ..engine.decay import Decay
from ..engine.scoring import Bands, ReadyLine

#: what may be changed while a model is in use: nothing that a score depends on
FREE_FIELDS = {
    "state",
    "activated_at",
    "archived_at",
    "rescored_until",
    "sequence",
    "note",
    "name",
}


class LeadScoreModel(models.Model):
    """How leads of one kind are scored. A model in use is never edited: a change is a
    new version, which is tried, then activated. All versions are kept, so that any
    past score can be explained."""

    _name = "lead.score.model"
    _description = "Lead Score Model"
    _order = "sequence, origin_id, version desc, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(
        default=10, help="A lead is scored by the first model that it fits."
    )
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("archived", "Archived")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
    )
    version = fields.Integer(required=True, readonly=True, default=1, copy=False)
    origin_id = fields.Many2one(
        "lead.score.model",
        "First Version",
        readonly=True,
        copy=False,
        index=True,
        ondelete="restrict",
    )
    version_ids = fields.Many2many("lead.score.model", compute="_compute_version_ids")
    company_id = fields.Many2one(
        "res.company", help="Leave empty to score the leads of every company."
    )
    domain = fields.Char(
        "Leads",
        required=True,
        default="[]",
        help="Which leads this model is for, such as those of businesses.",
    )
    note = fields.Text("Notes")
    criterion_ids = fields.One2many("lead.score.criterion", "model_id", copy=True)
    activity_ids = fields.One2many("lead.score.activity", "model_id", copy=True)
    half_life = fields.Float(
        "Half-life (days)",
        required=True,
        default=14,
        help="After so many days a touch counts half. It is the same for all active "
        "models, or leads could not be put into one order.",
    )
    quality_a = fields.Float("A from", required=True, default=75)
    quality_b = fields.Float("B from", required=True, default=50)
    quality_c = fields.Float("C from", required=True, default=25)
    engagement_1 = fields.Float("1 from", required=True, default=50)
    engagement_2 = fields.Float("2 from", required=True, default=20)
    engagement_3 = fields.Float("3 from", required=True, default=5)
    ready_quality = fields.Float("Sales-ready Quality", required=True, default=50)
    ready_engagement = fields.Float("Sales-ready Engagement", required=True, default=20)
    activated_at = fields.Datetime(readonly=True, copy=False)
    archived_at = fields.Datetime(readonly=True, copy=False)
    rescored_until = fields.Integer(
        readonly=True,
        copy=False,
        help="Activation has scored the leads up to this id; 0: all of them.",
    )

    _origin_version_unique = models.UniqueIndex("(origin_id, version)")
    _one_active = models.UniqueIndex("(origin_id) WHERE state = 'active'")

    def _compute_version_ids(self):
        versions = self.search([("origin_id", "in", self.origin_id.ids)])
        for model in self:
            model.version_ids = versions.filtered(
                lambda version, model=model: version.origin_id == model.origin_id
            )

    @api.depends("name", "version", "state")
    def _compute_display_name(self):
        states = dict(self._fields["state"]._description_selection(self.env))
        for model in self:
            label = model.name or ""
            if model.version > 1 or model.state != "active":
                label = self.env._(
                    "%(name)s (version %(version)s, %(state)s)",
                    name=label,
                    version=model.version,
                    state=states[model.state].lower(),
                )
            model.display_name = label

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    @api.constrains("domain")
    def _check_domain(self):
        for model in self:
            self.env["lead.scoring"]._check_domain("crm.lead", model.domain)

    @api.constrains("half_life")
    def _check_half_life(self):
        for model in self:
            try:
                Decay(model.half_life)
            except ValueError as error:
                raise ValidationError(
                    self.env._("A half-life is more than 0 days.")
                ) from error

    @api.constrains(
        *(f"quality_{band}" for band in "abc"),
        *(f"engagement_{band}" for band in "123"),
    )
    def _check_bands(self):
        for model in self:
            try:
                model._bands()
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "The grades of “%(model)s” must fall from the best to the "
                        "last, and no engagement may be below 0.",
                        model=model.name,
                    )
                ) from error

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        for record in records.filtered(lambda one: not one.origin_id):
            record.origin_id = record
        return records

    def write(self, vals):
        if not FREE_FIELDS.issuperset(vals):
            self._check_editable()
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_if_draft(self):
        if any(model.state != "draft" for model in self):
            raise UserError(
                self.env._("A model that was in use explains past scores: archive it.")
            )

    def _check_editable(self):
        """:raises UserError: a model that is or was in use shall be changed"""
        used = self.filtered(lambda model: model.state != "draft")
        if used:
            raise UserError(
                self.env._(
                    "“%(model)s” is in use. Make a new version, change that, and "
                    "activate it: scores of the past stay explained.",
                    model=used[0].name,
                )
            )

    # ------------------------------------------------------------
    # FOR THE ENGINE
    # ------------------------------------------------------------

    def _bands(self):
        self.ensure_one()
        return Bands(
            (self.quality_a, self.quality_b, self.quality_c),
            (self.engagement_1, self.engagement_2, self.engagement_3),
        )

    def _ready_line(self):
        self.ensure_one()
        return ReadyLine(self.ready_quality, self.ready_engagement)

    def _thresholds(self):
        """Levels of engagement at which something changes for a lead."""
        self.ensure_one()
        return sorted({*self._bands().engagement, self.ready_engagement})

    def _criteria(self):
        """As the engine knows them: refs are the ids of criteria and options."""
        self.ensure_one()
        return [criterion._to_engine() for criterion in self.criterion_ids]

    def _lead_domain(self):
        """The leads this model is for, as a Domain."""
        self.ensure_one()
        domain = Domain(safe_eval(self.domain))
        if self.company_id:
            domain &= Domain("company_id", "in", [False, self.company_id.id])
        return domain

    @api.model
    @ormcache()
    def _active_ids(self):
        """Ids of the models in use, in the order in which leads are offered to them."""
        return tuple(self.sudo().search([("state", "=", "active")]).ids)

    @api.model
    def _in_use(self):
        # sudo: everybody's leads are scored, whoever may see how
        return self.sudo().browse(self._active_ids())

    # ------------------------------------------------------------
    # VERSIONS
    # ------------------------------------------------------------

    def _new_version(self):
        """A draft that starts as this model, in its line of versions."""
        self.ensure_one()
        newest = self.search(
            [("origin_id", "=", self.origin_id.id)], order="version desc", limit=1
        )
        draft = self.copy({"name": self.name})
        draft.write({"origin_id": self.origin_id.id, "version": newest.version + 1})
        return draft

    def action_new_version(self):
        """Open the draft of this line of versions, made if there is none."""
        self.ensure_one()
        draft = self.search(
            [("origin_id", "=", self.origin_id.id), ("state", "=", "draft")], limit=1
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": (draft or self._new_version()).id,
            "view_mode": "form",
        }
