# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine.scorecard import FEW_LEADS, cut_points, propose
from ..models.score.lead_score_criterion import NUMBER_TYPES

#: at most so many values of a field become options of their own ...
MOST_VALUES = 20
#: ... and only those that so many leads have
LEAST_LEADS = 10
#: an answer that is a number this often is cut into ranges
MOSTLY = 0.8
#: information value, from which on it is called so (Siddiqi)
STRENGTHS = ((0.3, "strong"), (0.1, "medium"), (0.02, "weak"))


class LeadScorePoints(models.TransientModel):
    """Points for a draft, proposed from won and lost leads. A person edits them, and
    accepts: nothing is written into the draft before that."""

    _name = "lead.score.points"
    _description = "Points from History"
    _inherit = "lead.score.past"

    state = fields.Selection(
        [("ask", "Ask"), ("proposed", "Proposed")], required=True, default="ask"
    )
    won = fields.Integer("Won Leads", readonly=True)
    lost = fields.Integer("Lost Leads", readonly=True)
    too_few = fields.Boolean(readonly=True)
    notes = fields.Json(readonly=True)
    notes_text = fields.Text(compute="_compute_notes_text")
    criterion_ids = fields.One2many("lead.score.points.criterion", "wizard_id")
    option_ids = fields.One2many("lead.score.points.option", "wizard_id")

    @api.depends("notes")
    def _compute_notes_text(self):
        for wizard in self:
            wizard.notes_text = "\n".join(wizard.notes or [])

    # ------------------------------------------------------------
    # PROPOSE
    # ------------------------------------------------------------

    def action_propose(self):
        """Fill in the proposal.

        :raises UserError: no draft, no criteria, or no won or no lost leads
        """
        self.ensure_one()
        self.model_id._check_editable()
        # sudo: the leads are those the user may see (_outcomes), scored as all are
        trial = self.env["lead.score.trial"].sudo()
        trial._begin()
        model = self.model_id.sudo()
        rows = self._outcomes()
        fair, unfair = trial._fair_criteria(model)
        options = {}
        for criterion in fair:
            found = criterion.option_ids or self._new_options(criterion, rows)
            if found:
                options[criterion] = list(found)
        if not options:
            raise UserError(
                self.env._(
                    "There is nothing to give points to: add criteria first. Those "
                    "on a field or an answer may be left without options."
                )
            )
        counted = trial._tally(model, list(options.values()), rows)
        places = {
            criterion.id: range(len(of_one)) for criterion, of_one in options.items()
        }
        try:
            proposal = propose(places, counted)
        except ValueError as error:
            raise UserError(
                self.env._(
                    "It takes both won and lost leads; there are %(won)s and %(lost)s "
                    "in this time.",
                    won=sum(row[1] for row in counted),
                    lost=sum(row[2] for row in counted),
                )
            ) from error
        notes = self._notes(fair, unfair)
        if empty := [one.name for one in fair if one not in options]:
            notes.append(
                self.env._(
                    "Without options, and none can be found: %(names)s.",
                    names=", ".join(empty),
                )
            )
        self._show(proposal, options, notes)
        return self._reopen()

    def _show(self, proposal, options, notes):
        of_criterion = {one.ref: one for one in proposal.criteria}
        self.write(
            {
                "state": "proposed",
                "won": proposal.won,
                "lost": proposal.lost,
                "too_few": proposal.too_few,
                "notes": notes,
                "criterion_ids": [(5,)]
                + [
                    (0, 0, self._criterion_vals(criterion, of_criterion[criterion.id]))
                    for criterion in options
                ],
                "option_ids": [(5,)]
                + [
                    (0, 0, vals)
                    for criterion, of_one in options.items()
                    for vals in self._option_vals(
                        criterion, of_one, of_criterion[criterion.id]
                    )
                ],
            }
        )

    @api.model
    def _criterion_vals(self, criterion, proposed):
        strength = next(
            (name for least, name in STRENGTHS if proposed.information >= least), "none"
        )
        return {
            "criterion_id": criterion.id,
            "weight": proposed.weight,
            "strength": strength,
        }

    @api.model
    def _option_vals(self, criterion, options, proposed):
        """Values of lines, one an option; the last for leads for which none held."""
        for place, one in enumerate(proposed.options):
            option = options[place] if one.ref is not None else None
            if option is None:
                if "other" in criterion.option_ids.mapped("operator"):
                    continue  # it holds for all that is left
                compared = {option.operator for option in options}
                if not one.won + one.lost and compared == {"between"}:
                    continue  # ranges leave nothing out
            yield {
                "criterion_id": criterion.id,
                "option_id": option.id if option and option.id else False,
                "sequence": place,
                "operator": option.operator if option is not None else "other",
                "value": option.value if option is not None else False,
                "name": option.name if option is not None else False,
                "points": one.points,
                "won": one.won,
                "lost": one.lost,
            }

    # ------------------------------------------------------------
    # OPTIONS OF CRITERIA THAT HAVE NONE
    # ------------------------------------------------------------

    def _new_options(self, criterion, rows):
        """Options for a criterion, as records that are not saved: ranges of a number,
        else the values that leads have most often. Empty where none can be found."""
        numbers, texts = [], []
        if criterion.source == "answer":
            numbers, texts = self._answers(criterion, rows)
        elif criterion.source == "field":
            field = criterion._field()
            if field.ttype in NUMBER_TYPES:
                numbers = self._field_values(field.name, rows)
            elif field.ttype == "boolean":
                texts = [("yes", LEAST_LEADS)]
            elif field.ttype in ("char", "selection", "many2one"):
                texts = self._field_texts(field, rows)
        if numbers:
            whole = all(value == int(value) for value, _won, _lost in numbers)
            compared = [
                ("between", text) for text in ranges(cut_points(numbers), whole)
            ]
        else:
            compared = [("equals", text) for text in common(texts)]
        option = self.env["lead.score.option"].sudo()
        return [
            option.new(
                {"criterion_id": criterion.id, "operator": operator, "value": value}
            )
            for operator, value in compared
        ]

    def _field_values(self, name, rows):
        """:return: (value, won, lost) of the leads as they were, by value"""
        query = self.env["lead.score.trial"].sudo()._past_query(rows, {name})
        column = SQL.identifier("crm_lead", name)
        query.groupby = column
        found = self.env.execute_query(
            query.select(
                column,
                SQL("count(*) FILTER (WHERE trial_won)"),
                SQL("count(*) FILTER (WHERE NOT trial_won)"),
            )
        )
        if self.env["crm.lead"]._fields[name].type in NUMBER_TYPES:
            return [(float(value or 0), won, lost) for value, won, lost in found]
        return [row for row in found if row[0]]

    def _field_texts(self, field, rows):
        """:return: (text to compare with, leads)"""
        values = self._field_values(field.name, rows)
        if field.ttype == "many2one":
            # sudo: names of countries, sources and the like
            records = self.env[field.relation].sudo().browse(v[0] for v in values)
            name = records._rec_name or "name"
            names = {record.id: record[name] for record in records.exists()}
            values = [(names.get(v[0]), *v[1:]) for v in values]
        return [(value, won + lost) for value, won, lost in values if value]

    def _answers(self, criterion, rows):
        """:return: (numbers as (value, won, lost), texts as (text, leads)): one of
        them is empty"""
        found = self.env.execute_query(
            SQL(
                """
                SELECT answer.text, answer.number, answer.has_number,
                       count(*) FILTER (WHERE won), count(*) FILTER (WHERE NOT won)
                  FROM (%s) AS outcome JOIN lead_answer AS answer USING (lead_id)
                 WHERE answer.key = %s
                 GROUP BY 1, 2, 3
                """,
                rows,
                criterion._question(),
            )
        )
        numbers = [(row[1], row[3], row[4]) for row in found if row[2]]
        texts = [(row[0], row[3] + row[4]) for row in found]
        as_number = sum(won + lost for _value, won, lost in numbers)
        if len(numbers) > MOST_VALUES / 2 and as_number >= MOSTLY * sum(
            count for _text, count in texts
        ):
            return numbers, []
        return [], texts

    # ------------------------------------------------------------
    # ACCEPT
    # ------------------------------------------------------------

    def action_accept(self):
        """Write the points and weights into the draft.

        :raises UserError: it is a draft no longer
        """
        self.ensure_one()
        self.model_id._check_editable()
        for line in self.criterion_ids:
            line.criterion_id.weight = line.weight
        new = []
        for line in self.option_ids:
            if line.option_id:
                line.option_id.points = line.points
            else:
                new.append(line._new_option_vals())
        self.env["lead.score.option"].create(new)
        return {"type": "ir.actions.act_window_close"}


class LeadScorePointsCriterion(models.TransientModel):
    _name = "lead.score.points.criterion"
    _description = "Proposed Weight"
    _order = "id"

    wizard_id = fields.Many2one("lead.score.points", required=True, ondelete="cascade")
    criterion_id = fields.Many2one(
        "lead.score.criterion", readonly=True, required=True, ondelete="cascade"
    )
    weight_now = fields.Float("Weight Now", related="criterion_id.weight")
    weight = fields.Float("Proposed Weight", required=True)
    strength = fields.Selection(
        [
            ("strong", "Tells much"),
            ("medium", "Tells something"),
            ("weak", "Tells little"),
            ("none", "Tells nothing"),
        ],
        "By Itself",
        readonly=True,
        help="How well this criterion alone tells won from lost leads. The weight is "
        "lower where it repeats what others say.",
    )


class LeadScorePointsOption(models.TransientModel):
    _name = "lead.score.points.option"
    _description = "Proposed Points"
    _order = "id"

    wizard_id = fields.Many2one("lead.score.points", required=True, ondelete="cascade")
    criterion_id = fields.Many2one(
        "lead.score.criterion", readonly=True, required=True, ondelete="cascade"
    )
    option_id = fields.Many2one(
        "lead.score.option",
        "Present Option",
        readonly=True,
        ondelete="cascade",
        help="Empty: a new one.",
    )
    sequence = fields.Integer(readonly=True)
    operator = fields.Char(readonly=True)
    value = fields.Char(readonly=True)
    name = fields.Char(readonly=True)
    label = fields.Char("Option", compute="_compute_label")
    points_now = fields.Float("Points Now", related="option_id.points")
    points = fields.Float("Proposed Points", required=True)
    won = fields.Integer(readonly=True)
    lost = fields.Integer(readonly=True)
    rate = fields.Float("Won Share", compute="_compute_rate")
    few = fields.Boolean("Few Leads", compute="_compute_rate")

    @api.depends("operator", "value", "name")
    def _compute_label(self):
        operators = dict(
            self.env["lead.score.option"]
            ._fields["operator"]
            ._description_selection(self.env)
        )
        for line in self:
            said = line.name or line.value
            line.label = said or operators.get(line.operator, line.operator)

    @api.depends("won", "lost")
    def _compute_rate(self):
        for line in self:
            leads = line.won + line.lost
            line.rate = line.won / leads if leads else 0.0
            line.few = leads < FEW_LEADS

    def _new_option_vals(self):
        self.ensure_one()
        last = max(self.criterion_id.option_ids.mapped("sequence"), default=0)
        return {
            "criterion_id": self.criterion_id.id,
            "operator": self.operator,
            "value": self.value,
            "points": self.points,
            # after those that are there, in the order shown here
            "sequence": last + 1 + self.sequence,
        }


def ranges(cuts, whole):
    """Ranges between cuts, as options write them: ``..2``, ``3..8``, ``9..``.

    :param whole: all values are whole numbers; else a range begins where the one
        before ends, and the first that holds counts
    """
    cuts = [int(cut) if cut == int(cut) else cut for cut in cuts]
    starts = ["", *(cut + 1 if whole else cut for cut in cuts)]
    ends = [*cuts, ""]
    if not cuts:
        return []
    return [f"{start}..{end}" for start, end in zip(starts, ends, strict=True)]


def common(texts):
    """The most frequent of (text, leads), most frequent first."""
    frequent = sorted((-leads, text) for text, leads in texts if leads >= LEAST_LEADS)
    return [text for _leads, text in frequent[:MOST_VALUES]]
