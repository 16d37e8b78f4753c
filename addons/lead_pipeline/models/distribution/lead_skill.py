# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class LeadSkill(models.Model):
    """What a lead asks of whoever works it, and what a member of a pool can do."""

    _name = "lead.skill"
    _description = "Lead Skill"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    color = fields.Integer()

    _name_unique = models.UniqueIndex("(name)", "There is a skill of this name.")
