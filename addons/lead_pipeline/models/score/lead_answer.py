# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ...engine.scoring import as_number, plain

LONGEST = 500


class LeadAnswer(models.Model):
    """What a lead answered in forms, the newest of each question, made comparable.
    The submission keeps the words as they came."""

    _name = "lead.answer"
    _description = "Lead Answer"
    _log_access = False

    lead_id = fields.Many2one("crm.lead", required=True, ondelete="cascade")
    key = fields.Char(required=True, help="The question, without case and accents.")
    text = fields.Char(help="The answer, without case and accents.")
    number = fields.Float(help="The answer, if it is a number.")
    has_number = fields.Boolean()

    _question_unique = models.UniqueIndex("(lead_id, key)")

    @api.model
    def _carry(self, sources, target):
        """Give a lead the answers of others to questions that it left open.

        :return: how many
        """
        self.flush_model()
        self.env.cr.execute(
            """
            INSERT INTO lead_answer (lead_id, key, text, number, has_number)
            SELECT DISTINCT ON (key) %s, key, text, number, has_number
              FROM lead_answer WHERE lead_id = ANY(%s)
             ORDER BY key, id DESC
            ON CONFLICT (lead_id, key) DO NOTHING
            """,
            [target.id, sources.ids],
        )
        target.invalidate_recordset(["answer_ids"])
        return self.env.cr.rowcount

    @api.model
    def _remember(self, answers):
        """Keep answers of leads, later ones over earlier ones.

        :param answers: list of (lead id, list of {"key", "label", "value"})
        """
        rows = {}
        for lead_id, given in answers:
            for answer in given:
                value = str(answer.get("value") or "")[:LONGEST]
                number = as_number(value)
                for name in {
                    plain(answer.get(part) or "") for part in ("key", "label")
                }:
                    if name and value:
                        rows[lead_id, name[:LONGEST]] = (plain(value), number)
        if not rows:
            return
        self.env.cr.execute(
            """
            INSERT INTO lead_answer (lead_id, key, text, number, has_number)
            SELECT * FROM unnest(%s::int[], %s::text[], %s::text[], %s::float8[],
                                 %s::bool[])
            ON CONFLICT (lead_id, key) DO UPDATE SET
                text = excluded.text, number = excluded.number,
                has_number = excluded.has_number
            """,
            [
                [lead_id for lead_id, _key in rows],
                [key for _lead_id, key in rows],
                [text for text, _number in rows.values()],
                [number or 0.0 for _text, number in rows.values()],
                [number is not None for _text, number in rows.values()],
            ],
        )
        self.env["crm.lead"].browse({lead for lead, _key in rows}).invalidate_recordset(
            ["answer_ids"]
        )
