# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    # not required in the database: a company may be made while this addon is not
    # loaded (an upgrade of another one, its tests); empty means to restore
    lead_lost_policy = fields.Selection(
        [
            ("restore", "Restore the lost lead"),
            ("new", "Open a new lead"),
        ],
        "Enquiry of a Lost Lead",
        default="restore",
        help="What happens when somebody whose leads are all lost enquires again.",
    )
    lead_payload_days = fields.Integer(
        "Keep Raw Payloads",
        default=365,
        help="Days after which the raw payload of a submission is removed. The "
        "submission, its contact and its consents stay. 0: keep for ever.",
    )

    lead_nurture_cap = fields.Integer(
        "Nurture Messages a Week",
        default=2,
        help="The most that one lead gets in any seven days, over all tracks. 0: no "
        "limit.",
    )
    lead_nurture_purposes = fields.Char(
        "Consent to Marketing",
        default="email, marketing, newsletter",
        help="Purposes of a consent, separated by commas, that allow nurture mails. "
        "Who refused one last gets none.",
    )
    lead_nurture_consent_required = fields.Boolean(
        "Only With Consent", help="Leads that were never asked get no nurture mails."
    )

    _lead_nurture_cap_positive = models.Constraint(
        "CHECK(lead_nurture_cap >= 0)", "Messages a week can't be negative."
    )
    _lead_payload_days_positive = models.Constraint(
        "CHECK(lead_payload_days >= 0)", "Days to keep payloads can't be negative."
    )

    def _lead_tz(self):
        """The time zone of leads of whom nothing tells theirs."""
        self.ensure_one()
        return self.resource_calendar_id.tz or self.partner_id.tz or "UTC"
