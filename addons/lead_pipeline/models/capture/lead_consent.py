# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class LeadConsent(models.Model):
    """What a person agreed to or refused. Evidence: never changed, only added to."""

    _name = "lead.consent"
    _description = "Lead Consent"
    _order = "at desc, id desc"
    _rec_name = "purpose"

    lead_id = fields.Many2one(
        "crm.lead", readonly=True, ondelete="set null", index="btree_not_null"
    )
    submission_id = fields.Many2one(
        "lead.submission",
        readonly=True,
        required=True,
        ondelete="cascade",
        index=True,
        help="What it came with.",
    )
    company_id = fields.Many2one("res.company", readonly=True)
    email_normalized = fields.Char("Email", readonly=True, index="btree_not_null")
    purpose = fields.Char(
        readonly=True, required=True, help="What the data may be used for."
    )
    granted = fields.Boolean(readonly=True)
    text = fields.Text("Wording", readonly=True, help="What the person read.")
    version = fields.Char(readonly=True)
    at = fields.Datetime("Given at", readonly=True, required=True)
