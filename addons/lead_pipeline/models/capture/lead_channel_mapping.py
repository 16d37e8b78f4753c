# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ...engine.item import CONTACT_FIELDS


class LeadChannelMapping(models.Model):
    _name = "lead.channel.mapping"
    _description = "Lead Channel Mapping"
    _order = "channel_id, sequence, id"

    channel_id = fields.Many2one(
        "lead.channel", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    key = fields.Char(
        "Question",
        required=True,
        help="Key or label of the answer, as the submission shows it.",
    )
    target = fields.Selection(
        selection="_selection_target",
        string="Fills",
        required=True,
        help="What the answer is. Several questions of one target are joined in "
        "their order. What the source filled itself is left as it is.",
    )

    _key_unique = models.Constraint(
        "UNIQUE(channel_id, key)", "This question of the channel is mapped already."
    )

    @api.model
    def _selection_target(self):
        labels = {
            "name": self.env._("Name"),
            "first_name": self.env._("First name"),
            "last_name": self.env._("Last name"),
            "email": self.env._("Email"),
            "phone": self.env._("Phone"),
            "company": self.env._("Company"),
            "job_title": self.env._("Job title"),
            "website": self.env._("Website"),
            "street": self.env._("Street"),
            "city": self.env._("City"),
            "zip": self.env._("Zip"),
            "state": self.env._("State"),
            "country": self.env._("Country"),
            "lang": self.env._("Language"),
        }
        return [(name, labels[name]) for name in CONTACT_FIELDS] + [
            ("subject", self.env._("Subject")),
            ("message", self.env._("Message")),
        ]

    def _apply(self, item):
        """Fill an item's empty fields from its answers; the answers stay."""
        answers = {}
        for answer in item.answers:
            for name in {answer["key"], answer["label"]} - {""}:
                answers.setdefault(name.casefold(), answer["value"])
        filled = {}
        for mapping in self:
            value = answers.get(mapping.key.strip().casefold())
            if value:
                filled.setdefault(mapping.target, []).append(value)
        for target, values in filled.items():
            if target == "message":
                item.message = item.message or "\n".join(values)
            elif target == "subject":
                item.subject = item.subject or " ".join(values)[:250]
            else:
                item.contact.setdefault(target, " ".join(values)[:250])
