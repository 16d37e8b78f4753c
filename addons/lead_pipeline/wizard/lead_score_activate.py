# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ..models.score.lead_score import GRADES

#: leads that a preview looks at, the newest
MOST_LEADS = 20_000
#: leads that it names
EXAMPLES = 10


class LeadScoreActivate(models.TransientModel):
    """What activating a draft would change, before anything is written."""

    _name = "lead.score.activate"
    _description = "Activate a Score Model"

    model_id = fields.Many2one(
        "lead.score.model", required=True, readonly=True, ondelete="cascade"
    )
    total_count = fields.Integer("Leads", readonly=True)
    lead_count = fields.Integer(
        "Leads Looked At",
        readonly=True,
        help="A preview takes the newest 20 000 leads. Activation scores all.",
    )
    ready_gained = fields.Integer("Become Sales-ready", readonly=True)
    ready_lost = fields.Integer("No Longer Sales-ready", readonly=True)
    move_ids = fields.One2many("lead.score.activate.move", "wizard_id", readonly=True)
    changed_count = fields.Integer("Change Grade", compute="_compute_counts")
    up_count = fields.Integer("Up", compute="_compute_counts")
    down_count = fields.Integer("Down", compute="_compute_counts")
    mixed_count = fields.Integer("Up and Down", compute="_compute_counts")
    new_count = fields.Integer("New Grade", compute="_compute_counts")
    none_count = fields.Integer("Lose Their Grade", compute="_compute_counts")
    half_life_before = fields.Float(compute="_compute_others")
    other_model_ids = fields.Many2many(
        "lead.score.model",
        compute="_compute_others",
        help="They get a new version: all models in use have one half-life.",
    )

    @api.depends("move_ids.lead_count", "move_ids.direction")
    def _compute_counts(self):
        for wizard in self:
            counts = dict.fromkeys(("up", "down", "mixed", "new", "none"), 0)
            for move in wizard.move_ids:
                counts[move.direction] += move.lead_count
            for direction, count in counts.items():
                wizard[f"{direction}_count"] = count
            wizard.changed_count = sum(counts.values())

    @api.depends("model_id")
    def _compute_others(self):
        for wizard in self:
            model = wizard.model_id
            others = model._others_to_change()
            wizard.other_model_ids = others
            wizard.half_life_before = (others or model._previous())[:1].half_life

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        for wizard in wizards:
            wizard._look()
        return wizards

    def _look(self):
        """Score the newest leads by the models that would be in use, and keep what
        would change, by the grades before and after."""
        # sudo: all leads are scored, whoever may see them
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        newest = leads.search([], order="id desc", limit=MOST_LEADS)
        found, gained, lost = {}, 0, 0
        # the newest first: they are the examples
        for lead_id, grade, new_grade, ready, new_ready in self.model_id._try_on(
            newest
        ):
            gained += new_ready and not ready
            lost += ready and not new_ready
            if grade != new_grade:
                found.setdefault((grade, new_grade), []).append(lead_id)
        self.ready_gained, self.ready_lost = gained, lost
        self.lead_count, self.total_count = len(newest), leads.search_count([])
        moves = sorted(found.items(), key=lambda item: -len(item[1]))
        each = max(1, EXAMPLES // len(moves)) if moves else 0
        left = EXAMPLES
        vals_list = []
        for (old_grade, new_grade), lead_ids in moves:
            # the user's own rights: counts are for all, names are not
            examples = self.env["crm.lead"].browse(lead_ids[: 10 * each])
            examples = examples._filtered_access("read")[: min(each, left)]
            left -= len(examples)
            vals_list.append(
                {
                    "wizard_id": self.id,
                    "grade_before": old_grade,
                    "grade_after": new_grade,
                    "lead_count": len(lead_ids),
                    "example_ids": [(6, 0, examples.ids)],
                }
            )
        self.env["lead.score.activate.move"].create(vals_list)

    def action_activate(self):
        """:raises UserError: the model can't be activated (any more)"""
        self.ensure_one()
        self.model_id.action_activate()
        return {"type": "ir.actions.client", "tag": "soft_reload"}


class LeadScoreActivateMove(models.TransientModel):
    _name = "lead.score.activate.move"
    _description = "Change of Grade by a Score Model"
    _order = "lead_count desc, id"

    wizard_id = fields.Many2one(
        "lead.score.activate", required=True, ondelete="cascade"
    )
    grade_before = fields.Selection(GRADES, "Grade Now", readonly=True)
    grade_after = fields.Selection(GRADES, "Grade Then", readonly=True)
    direction = fields.Selection(
        [
            ("up", "Up"),
            ("down", "Down"),
            ("mixed", "Up and down"),
            ("new", "New"),
            ("none", "None any more"),
        ],
        compute="_compute_direction",
        store=True,
    )
    lead_count = fields.Integer("Leads", readonly=True)
    example_ids = fields.Many2many("crm.lead", string="Such As", readonly=True)

    @api.depends("grade_before", "grade_after")
    def _compute_direction(self):
        for move in self:
            old, new = move.grade_before, move.grade_after
            if not old or not new:
                move.direction = "new" if new else "none"
            # A before B, and 1 before 2
            elif new[0] <= old[0] and new[1] <= old[1]:
                move.direction = "up"
            elif new[0] >= old[0] and new[1] >= old[1]:
                move.direction = "down"
            else:
                move.direction = "mixed"
