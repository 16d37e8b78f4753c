# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from .common import LeadPipelineCase


class ScorePastCase(LeadPipelineCase):
    """Leads of the past, whose outcome is known. Only models of the test are in use."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.now = fields.Datetime.now().replace(microsecond=0)
        models = cls.env["lead.score.model"].search([("state", "=", "active")])
        models.write({"state": "archived"})
        cls.model = cls._new_model(
            [cls._field_criterion("Country", "country_id", [("equals", "Germany", 10)])]
        )

    @classmethod
    def _new_model(cls, criteria=(), activities=(), **vals):
        return cls.env["lead.score.model"].create(
            {
                "name": "Trial",
                "criterion_ids": [(0, 0, one) for one in criteria],
                "activity_ids": [(0, 0, one) for one in activities],
                **vals,
            }
        )

    @classmethod
    def _field_criterion(cls, name, field, options=(), **vals):
        """:param options: (operator, value, points)"""
        return {
            "name": name,
            "source": "field",
            "field_id": cls.env["ir.model.fields"]._get("crm.lead", field).id,
            "option_ids": [
                (
                    0,
                    0,
                    {
                        "operator": operator,
                        "value": value,
                        "points": points,
                        "sequence": sequence,
                    },
                )
                for sequence, (operator, value, points) in enumerate(options)
            ],
            **vals,
        }

    @classmethod
    def _close(cls, lead, won, came=60, closed=20):
        """Let a lead have come in and be closed in the past.

        :param came: days ago
        :param closed: days after it came in
        """
        if won:
            lead.action_set_won()
        else:
            lead.action_set_lost()
        came_at = cls.now - timedelta(days=came)
        lead.flush_recordset()
        cls.env.cr.execute(
            SQL(
                "UPDATE crm_lead SET create_date = %s, date_closed = %s WHERE id = %s",
                came_at,
                came_at + timedelta(days=closed),
                lead.id,
            )
        )
        lead.invalidate_recordset()
        return came_at

    @classmethod
    def _past_lead(cls, won, came=60, closed=20, **vals):
        lead = cls.env["crm.lead"].create(
            {
                "name": "Roof",
                "type": "opportunity",
                "company_id": cls.company.id,
                "user_id": False,
                "team_id": False,
                **vals,
            }
        )
        cls._close(lead, won, came, closed)
        return lead

    @classmethod
    def _touch(cls, lead, kind="page_view", days=0.0, **vals):
        """A touchpoint so many days after the lead came in."""
        return cls.env["lead.touchpoint"].create(
            {
                "lead_id": lead.id,
                "kind": kind,
                "at": lead.create_date + timedelta(days=days),
                **vals,
            }
        )

    def _wizard(self, name, model, user=None, **vals):
        wizards = self.env[name].with_user(user or self.manager)
        return wizards.create(
            {
                "model_id": model.id,
                "company_id": self.company.id,
                "domain": "[('name', '=', 'Roof')]",
                **vals,
            }
        )

    def _backtest(self, model, **vals):
        wizard = self._wizard("lead.score.backtest", model, **vals)
        wizard.action_run()
        return wizard.result
