# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache
from odoo.tools.safe_eval import safe_eval

from ...engine.scoring import Bands, ReadyLine

#: a century: what is longer is a slip of the hand
MOST_DAYS = 36500
#: points and thresholds beyond are, too, and would be lost in rounding
MOST_POINTS = 1e6


def in_reach(*values, most=MOST_POINTS):
    """Whether all are numbers that can be counted with; not so infinity and NaN."""
    return all(-most <= value <= most for value in values)


class LeadScoreModel(models.Model):
    """How leads of one kind are scored. A model in use is never edited: a change is a
    new version, which is tried, then activated. All versions are kept, so that any
    past score can be explained."""

    _name = "lead.score.model"
    _inherit = ["lead.version.mixin"]
    _description = "Lead Score Model"
    _order = "sequence, origin_id, version desc, id"

    # written by activation alone
    _system_fields = frozenset(
        {
            "state",
            "version",
            "origin_id",
            "activated_at",
            "archived_at",
            "rescored_from",
            "rescored_until",
            "recheck_at",
            "recounts",
            "regrades",
        }
    )
    # nothing that a score depends on
    _free_fields = frozenset({"sequence", "note", "name"})

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
    version_ids = fields.Many2many(
        "lead.score.model", string="All Versions", compute="_compute_version_ids"
    )
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
    rescored_from = fields.Integer(readonly=True, copy=False)
    rescored_until = fields.Integer(
        readonly=True,
        copy=False,
        help="Newest first, the leads above this id are scored; 0: all of them.",
    )
    recheck_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When all leads are looked at once more, for those that other requests, "
        "begun before the activation, scored as before.",
    )
    recounts = fields.Boolean(
        readonly=True,
        copy=False,
        help="Its touchpoints count otherwise than before: activation counts all.",
    )
    regrades = fields.Boolean(
        readonly=True,
        copy=False,
        help="The same scores may make another grade: activation looks at all leads.",
    )
    rescored_percent = fields.Integer(
        "Leads Scored (%)",
        compute="_compute_rescored_percent",
        help="How many of the leads that were there are scored by this model.",
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

    @api.depends("rescored_from", "rescored_until")
    def _compute_rescored_percent(self):
        for model in self:
            start, left = model.rescored_from, model.rescored_until
            model.rescored_percent = 100 * (start - left) // start if start else 100

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
            if not 0.04 <= model.half_life <= MOST_DAYS:
                raise ValidationError(
                    self.env._(
                        "A half-life is at least an hour (0.04 days), at most %s days.",
                        MOST_DAYS,
                    )
                )

    @api.constrains(
        *(f"quality_{band}" for band in "abc"),
        *(f"engagement_{band}" for band in "123"),
        "ready_quality",
        "ready_engagement",
    )
    def _check_bands(self):
        for model in self:
            try:
                bands = model._bands()
                lines = *bands.quality, *bands.engagement, model.ready_quality
                if (
                    not in_reach(*lines)
                    or not 0 <= model.ready_engagement <= MOST_POINTS
                ):
                    raise ValueError(model.ready_engagement)
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "The grades of “%(model)s” must fall from the best to the "
                        "last, by numbers up to a million, and no engagement may be "
                        "below 0.",
                        model=model.name,
                    )
                ) from error

    # ------------------------------------------------------------
    # WHAT IS REFUSED
    # ------------------------------------------------------------

    def _say_kept(self):
        return self.env._("A model that was in use explains past scores: archive it.")

    def _say_by_buttons(self):
        return self.env._("A score model is brought into use by activating it.")

    def _say_in_use(self):
        return self.env._(
            "“%(model)s” is in use. Make a new version, change that, and activate it: "
            "scores of the past stay explained.",
            model=self.name,
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
    @ormcache()
    def _touch_fields(self):
        """Fields of a touchpoint that tell whether and how much it counts."""
        names = {"lead_id", "kind", "at", "human"}
        for activity in self._in_use().activity_ids:
            for condition in activity._touch_domain().iter_conditions():
                names.add(condition.field_expr.partition(".")[0])
        return frozenset(names)

    @api.model
    def _in_use(self):
        # sudo: everybody's leads are scored, whoever may see how
        return self.sudo().browse(self._active_ids())

    # ------------------------------------------------------------
    # VERSIONS
    # ------------------------------------------------------------

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
