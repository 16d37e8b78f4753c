# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import math
import re
from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, escape_psql
from odoo.tools.safe_eval import safe_eval

from ...engine.item import clean_line
from ...engine.scoring import Criterion, Option, as_number, plain
from .lead_score_model import in_reach

TEXT_TYPES = ("char", "text", "html", "selection")
NUMBER_TYPES = ("integer", "float", "monetary")
COMPARED_TYPES = (*TEXT_TYPES, *NUMBER_TYPES, "boolean", "many2one", "many2many")
#: what stands between words, beside blanks
SIGNS = "\t\n\r\xa0,;:./\\|()[]{}<>&+-–—_*!?\"'’„“”«»…•·"
#: a text that PostgreSQL takes for a number
NUMBER = r" *[+-]?[0-9]{1,30}([.][0-9]{1,30})? *"
#: of a lead, but nothing that a person would score by
TECHNICAL_FIELDS = (
    "engagement_",
    "quality_",
    "message_",
    "activity_",
    "lead_grade",
    "segment_ids",
)


def words(text):
    """:return: a text without the signs between its words"""
    return " ".join(text.translate(dict.fromkeys(map(ord, SIGNS), " ")).split())


class LeadScoreCriterion(models.Model):
    _name = "lead.score.criterion"
    _description = "Lead Score Criterion"
    _order = "model_id, sequence, id"

    model_id = fields.Many2one(
        "lead.score.model", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    weight = fields.Float(
        required=True,
        default=1,
        help="Multiplies the points of its options. Related criteria should not "
        "count twice.",
    )
    source = fields.Selection(
        [
            ("field", "A field of the lead"),
            ("answer", "An answer of a form"),
            ("domain", "Conditions"),
        ],
        required=True,
        default="field",
    )
    field_id = fields.Many2one(
        "ir.model.fields",
        ondelete="cascade",
        domain=[
            ("model", "=", "crm.lead"),
            ("ttype", "in", COMPARED_TYPES),
            ("store", "=", True),
        ],
    )
    field_name = fields.Selection(
        "_selection_field_name",
        "Field of the Lead",
        compute="_compute_field_name",
        readonly=False,
        help="The field as people choose it: lists of fields are for administrators.",
    )
    answer_key = fields.Char("Question", help="Its key or its words, as they came in.")
    option_ids = fields.One2many("lead.score.option", "criterion_id", copy=True)
    most_points = fields.Float("Most", compute="_compute_most_points")

    _weight_positive = models.Constraint(
        "CHECK (weight >= 0)", "A weight is not negative: turn the points round."
    )

    @api.depends("field_id")
    def _compute_field_name(self):
        names = dict(self._selection_field_name())
        for criterion in self:
            name = criterion._field().name
            criterion.field_name = name if name in names else False

    @api.model
    def _selection_field_name(self):
        labels = {
            name: field._description_string(self.env)
            for name, field in self.env["crm.lead"]._fields.items()
            if field.store
            and field.type in COMPARED_TYPES
            and not name.startswith(TECHNICAL_FIELDS)
        }
        twice = {label for label, many in Counter(labels.values()).items() if many > 1}
        return sorted(
            (
                (name, f"{label} ({name})" if label in twice else label)
                for name, label in labels.items()
            ),
            key=lambda item: item[1].casefold(),
        )

    @api.depends("weight", "option_ids.points")
    def _compute_most_points(self):
        for criterion in self:
            best = max(criterion.option_ids.mapped("points"), default=0)
            criterion.most_points = criterion.weight * max(0, best)

    @api.constrains("source", "field_id", "answer_key")
    def _check_source(self):
        for criterion in self:
            missing = (criterion.source == "field" and not criterion.field_id) or (
                criterion.source == "answer" and not criterion._question()
            )
            if missing:
                raise ValidationError(
                    self.env._(
                        "Say what “%(criterion)s” looks at.", criterion=criterion.name
                    )
                )
            criterion.option_ids._check_domain()

    @api.constrains("weight")
    def _check_weight(self):
        for criterion in self:
            if not in_reach(criterion.weight):
                raise ValidationError(
                    self.env._(
                        "The weight of “%(criterion)s” is a number up to a million.",
                        criterion=criterion.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        criteria = super().create([self._with_field(vals) for vals in vals_list])
        criteria.model_id._check_editable()
        return criteria

    def write(self, vals):
        if set(vals) - {"name"}:
            self.model_id._check_editable()
        result = super().write(self._with_field(vals))
        if "model_id" in vals:
            self.model_id._check_editable()
        return result

    def _with_field(self, vals):
        """Values with the field that was chosen by its name."""
        if not vals.get("field_name"):
            return vals
        # sudo: what fields leads have is no secret here
        field = self.env["ir.model.fields"].sudo()._get("crm.lead", vals["field_name"])
        return {**vals, "field_id": field.id}

    @api.ondelete(at_uninstall=False)
    def _unlink_if_draft(self):
        self.model_id._check_editable()

    def _question(self):
        """As it is kept of those who answered it: no more than a line."""
        return plain(clean_line(self.answer_key))

    def _field(self):
        # sudo: what fields leads have is no secret here
        return self.field_id.sudo()

    def _to_engine(self):
        self.ensure_one()
        return Criterion(
            self.id,
            tuple(Option(option.id, option.points) for option in self.option_ids),
            self.weight,
        )


class LeadScoreOption(models.Model):
    _name = "lead.score.option"
    _description = "Lead Score Option"
    _order = "criterion_id, sequence, id"

    criterion_id = fields.Many2one(
        "lead.score.criterion", required=True, index=True, ondelete="cascade"
    )
    source = fields.Selection(related="criterion_id.source")
    sequence = fields.Integer(default=10)
    name = fields.Char(
        compute="_compute_name", store=True, readonly=False, precompute=True
    )
    points = fields.Float(required=True, default=10)
    operator = fields.Selection(
        [
            ("equals", "is"),
            ("in", "is one of"),
            ("contains", "contains"),
            ("word", "contains the word"),
            ("starts_with", "begins with"),
            ("between", "is between"),
            ("missing", "is empty"),
            ("filled", "is filled in"),
            ("other", "is anything else"),
        ],
        required=True,
        default="equals",
    )
    value = fields.Char(help="Several: one, two, three. Between: 10..50, 10.. or ..50")
    domain = fields.Char("Conditions", required=True, default="[]")

    @api.depends("operator", "value")
    def _compute_name(self):
        operators = dict(self._fields["operator"]._description_selection(self.env))
        for option in self:
            if option.operator in ("missing", "filled", "other"):
                option.name = operators[option.operator]
            elif option.value:
                option.name = option.value
            else:
                option.name = option.name or ""

    @api.constrains("operator", "value", "domain")
    def _check_domain(self):
        for option in self:
            self.env["lead.scoring"]._check_domain("crm.lead", option._lead_domain())

    @api.constrains("points")
    def _check_points(self):
        for option in self:
            if not in_reach(option.points):
                raise ValidationError(
                    self.env._(
                        "“%(option)s” gives or takes up to a million points.",
                        option=option.name or option.criterion_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        options = super().create(vals_list)
        options.criterion_id.model_id._check_editable()
        return options

    def write(self, vals):
        if set(vals) - {"name"}:
            self.criterion_id.model_id._check_editable()
        result = super().write(vals)
        if "criterion_id" in vals:
            self.criterion_id.model_id._check_editable()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_if_draft(self):
        self.criterion_id.model_id._check_editable()

    # ------------------------------------------------------------
    # DOMAIN
    # ------------------------------------------------------------

    def _lead_domain(self):
        """The leads for which the option holds, as a Domain.

        :raises ValidationError: the value can't be understood
        """
        self.ensure_one()
        criterion = self.criterion_id
        if criterion.source == "domain":
            if self.operator == "other":
                return Domain.TRUE
            try:
                return Domain(safe_eval(self.domain or "[]"))
            except Exception as error:
                raise ValidationError(
                    self.env._(
                        "The conditions of “%(option)s” can't be read.",
                        option=self.name or criterion.name,
                    )
                ) from error
        if self.operator == "other":
            return Domain.TRUE
        if criterion.source == "answer":
            return self._answer_domain()
        return self._field_domain()

    def _values(self):
        """The texts to compare with. :raises ValidationError: there is none"""
        text = self.value or ""
        parts = text.split(",") if self.operator == "in" else [text]
        values = [part.strip() for part in parts if part.strip()]
        if self.operator == "word":
            values = list(filter(words, values))
        if not values:
            raise ValidationError(
                self.env._(
                    "An option of “%(criterion)s” has nothing to compare with.",
                    criterion=self.criterion_id.name,
                )
            )
        return values

    def _range(self):
        """Lowest and highest number; None: open."""
        low, dots, high = (self.value or "").partition("..")
        bounds = [as_number(end) if end.strip() else None for end in (low, high)]
        readable = all(
            not end.strip() or bound is not None
            for end, bound in zip((low, high), bounds, strict=True)
        )
        ordered = None in bounds or bounds[0] <= bounds[1]
        if not dots or not readable or not ordered or bounds == [None, None]:
            raise ValidationError(
                self.env._(
                    "“%(value)s” is no range: write 10..50, 10.. or ..50",
                    value=self.value or "",
                )
            )
        return bounds

    def _patterns(self):
        """LIKE patterns, one of which the text has to match."""
        for value in self._values():
            if self.criterion_id.source == "answer":
                value = plain(value)  # before: a wide percent sign becomes one
            text = escape_psql(value)
            if self.operator == "contains":
                yield f"%{text}%"
            elif self.operator == "starts_with":
                yield f"{text}%"
            elif self.operator == "word":
                yield from (text, f"{text} %", f"% {text}", f"% {text} %")
            else:
                yield text

    def _field_domain(self):
        field = self.criterion_id._field()
        name, kind = field.name, field.ttype
        if self.operator == "missing":
            return Domain(name, "=", False)
        if self.operator == "filled":
            return Domain(name, "!=", False)
        if self.operator == "between":
            if kind in ("char", "text"):
                return self._text_range_domain(name)
            if kind not in NUMBER_TYPES:
                raise ValidationError(
                    self.env._(
                        "“%(criterion)s” is no number that could be between others.",
                        criterion=self.criterion_id.name,
                    )
                )
            return self._range_domain(name, whole=kind == "integer")
        if kind in NUMBER_TYPES:
            numbers = [as_number(value) for value in self._values()]
            if None in numbers:
                raise ValidationError(
                    self.env._("“%(value)s” is no number.", value=self.value)
                )
            if kind == "integer":  # the ORM would make 12 of 12.5
                numbers = [number for number in numbers if number.is_integer()]
            return Domain(name, "in", numbers)
        if kind in ("boolean", "selection"):
            return Domain(name, "in", self._chosen(field))
        if kind in ("many2one", "many2many"):
            return Domain(name, "any", self._named_domain(field.relation))
        if self.operator == "word":
            return self._word_domain(name)
        return Domain.OR(Domain(name, "=ilike", text) for text in self._patterns())

    def _word_domain(self, name):
        """Texts that have one of the values between blanks, signs or their ends."""

        def domain_of(value):
            answered = self.criterion_id.source == "answer"
            wanted = words(plain(value) if answered else value)

            def to_sql(records, alias, query):
                unaccent = self.env.registry.unaccent
                text = SQL(
                    "translate(lower(%s), %s, %s)",
                    unaccent(records._field_to_sql(alias, name, query)),
                    SIGNS,
                    " " * len(SIGNS),
                )
                if " " in wanted:  # takes as long as all the rest
                    text = SQL("regexp_replace(%s, ' +', ' ', 'g')", text)
                pattern = unaccent(SQL("%s", f"% {escape_psql(wanted)} %"))
                return SQL("' ' || %s || ' ' LIKE lower(%s)", text, pattern)

            def holds(record):
                return f" {wanted} ".lower() in f" {words(record[name] or '')} ".lower()

            # what is quickly found leaves few texts to be taken apart
            longest = escape_psql(max(wanted.split(), key=len))
            near = Domain(name, "ilike", longest)
            return near & Domain.custom(to_sql=to_sql, predicate=holds)

        return Domain.OR(domain_of(value) for value in self._values())

    def _named_domain(self, comodel):
        """Records by name, countries by code as well."""
        model = self.env[comodel]
        names = [model._rec_name or "name"]
        if "code" in model._fields and model._fields["code"].type == "char":
            names.append("code")
        found = Domain.OR(
            Domain(name, "=ilike", text) for name in names for text in self._patterns()
        )
        if not any(model._fields[name].translate for name in names):
            return found

        # in any language of ours: a score must not depend on who causes it
        def in_languages(records):
            languages = records.env["res.lang"].get_installed()
            return [records.with_context(lang=code) for code, _name in languages]

        def to_sql(records, alias, query):
            conditions = [
                found.optimize_full(one)._to_sql(one, alias, query)
                for one in in_languages(records)
            ]
            return SQL("(%s)", SQL(" OR ").join(conditions))

        def holds(record):
            return any(one.filtered_domain(found) for one in in_languages(record))

        return Domain.custom(to_sql=to_sql, predicate=holds)

    def _chosen(self, field):
        """The values of a selection or a yes or no that are named, as they are kept or
        as people see them, in any language of ours.

        :raises ValidationError: there is none of that name
        """
        named = {}
        for code, _name in self.env["res.lang"].get_installed():
            env = self.with_context(lang=code).env
            if field.ttype == "boolean":
                items = [(True, env._("Yes")), (False, env._("No"))]
            else:
                items = env["crm.lead"]._fields[field.name]._description_selection(env)
            for value, label in items:
                named.setdefault(plain(label), set()).add(value)
        if field.ttype == "boolean":
            kept = {"yes": True, "true": True, "1": True}
            kept |= {"no": False, "false": False, "0": False}
        else:
            kept = {plain(str(value)): value for value, _label in items}
        chosen = set()
        for text in map(plain, self._values()):
            values = {kept[text]} if text in kept else named.get(text)
            if not values:
                raise ValidationError(
                    self.env._(
                        "“%(value)s” is no value of “%(criterion)s”.",
                        value=text,
                        criterion=self.criterion_id.name,
                    )
                )
            chosen |= values
        return list(chosen)

    def _range_domain(self, name, whole=False):
        """:param whole: of a field of whole numbers, to which the ORM would cut"""
        low, high = self._range()
        if whole:
            low = low and math.ceil(low)
            high = high and math.floor(high)
        domain = Domain.TRUE
        if low is not None:
            domain &= Domain(name, ">=", low)
        if high is not None:
            domain &= Domain(name, "<=", high)
        return domain

    def _text_range_domain(self, name):
        """Texts that are numbers, such as postcodes, are compared as such."""
        low, high = self._range()

        def to_sql(records, alias, query):
            text = records._field_to_sql(alias, name, query)
            return SQL(
                "CASE WHEN %(text)s ~ %(number)s THEN btrim(%(text)s)::numeric"
                " BETWEEN %(low)s AND %(high)s ELSE false END",
                text=text,
                number=f"^{NUMBER}$",
                low=-math.inf if low is None else low,
                high=math.inf if high is None else high,
            )

        def holds(record):
            text = record[name] or ""
            return bool(re.fullmatch(NUMBER, text)) and (
                (low is None or float(text) >= low)
                and (high is None or float(text) <= high)
            )

        # the first part says which field is read
        is_there = Domain(name, "!=", False)
        return is_there & Domain.custom(to_sql=to_sql, predicate=holds)

    def _answer_domain(self):
        asked = Domain("key", "=", self.criterion_id._question())
        if self.operator == "missing":
            return ~Domain("answer_ids", "any", asked)
        if self.operator == "filled":
            return Domain("answer_ids", "any", asked)
        is_number = Domain("has_number", "=", True)
        if self.operator == "between":
            return Domain(
                "answer_ids", "any", asked & is_number & self._range_domain("number")
            )
        if self.operator == "word":
            return Domain("answer_ids", "any", asked & self._word_domain("text"))
        texts = Domain.OR(
            Domain("text", "=like", pattern) for pattern in self._patterns()
        )
        if self.operator in ("equals", "in"):  # 1,200 is 1200
            numbers = [as_number(value) for value in self._values()]
            known = [number for number in numbers if number is not None]
            texts |= is_number & Domain("number", "in", known)
        return Domain("answer_ids", "any", asked & texts)
