# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from contextlib import contextmanager
from datetime import timedelta

from odoo import fields

from .common import LeadPipelineCase


class LeadScoreCase(LeadPipelineCase):
    """A model in use: job title and country make quality, forms, page views, calls and
    unsubscribing make engagement, with a half-life of 10 days."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # what comes with the addon must not score the leads of these tests
        cls.env["lead.score.model"]._in_use().write({"state": "archived"})
        cls.model = cls.new_model()
        cls.model.action_activate()

    @classmethod
    def field(cls, name):
        return cls.env["ir.model.fields"]._get("crm.lead", name).id

    @classmethod
    def new_criterion(cls, field, *options, **vals):
        """Options: (operator, value, points), in order."""
        return (
            0,
            0,
            {
                "name": field,
                "field_id": cls.field(field),
                "option_ids": cls.new_options(*options),
                **vals,
            },
        )

    @classmethod
    def new_options(cls, *options):
        return [
            (
                0,
                0,
                {"operator": kind, "value": value, "points": points, "sequence": place},
            )
            for place, (kind, value, points) in enumerate(options)
        ]

    @classmethod
    def new_model(cls, **vals):
        return cls.env["lead.score.model"].create(
            {
                "name": "Businesses",
                "half_life": 10,
                "criterion_ids": [
                    cls.new_criterion(
                        "function",
                        ("word", "CEO", 30),
                        ("contains", "sales", 20),
                        ("contains", "intern", -10),
                    ),
                    cls.new_criterion(
                        "country_id",
                        ("in", "DE, AT, CH", 10),
                        ("filled", False, 3),
                    ),
                ],
                "activity_ids": [
                    (0, 0, {"name": "Form", "kind": "form_submit", "points": 20}),
                    (
                        0,
                        0,
                        {
                            "name": "Price page",
                            "kind": "page_view",
                            "domain": "[('url', 'ilike', 'pricing')]",
                            "points": 4,
                            "capped": True,
                            "cap": 10,
                            "window_days": 1,
                        },
                    ),
                    (0, 0, {"name": "Call", "kind": "call_in", "points": 30}),
                    (
                        0,
                        0,
                        {
                            "name": "Unsubscribed",
                            "kind": "note",
                            "points": -25,
                            "capped": True,
                            "cap": 40,
                            "window_days": 7,
                        },
                    ),
                ],
                **vals,
            }
        )

    @classmethod
    def new_lead(cls, **vals):
        return cls.env["crm.lead"].create(
            {
                "name": "Nguyễn Thị Lan",
                "type": "lead",
                "user_id": False,
                "company_id": cls.company.id,
                **vals,
            }
        )

    @classmethod
    def touch(cls, lead, kind="form_submit", days_ago=0, **vals):
        at = fields.Datetime.now() - timedelta(days=days_ago)
        return cls.env["lead.touchpoint"].create(
            {"lead_id": lead.id, "kind": kind, "at": at, **vals}
        )

    def end_transaction(self):
        """What is done before a commit."""
        self.env.cr.flush()

    @contextmanager
    def job(self):
        """An environment for a scheduled job, which commits."""
        self.end_transaction()
        try:
            with self.enter_registry_test_mode(), self.registry.cursor() as cr:
                yield self.env(cr=cr)
        finally:
            self.env.invalidate_all()

    def rescore_all(self, batch=2000):
        """What the job does after an activation."""
        with self.job() as env:
            env["lead.score.model"]._cron_rescore(batch)

    def shown(self, lead, **vals):
        """Assert the explanation's parts sum to what it shows; returns it."""
        explained = lead.explain_score(**vals)
        quality = explained["quality"]
        total = sum(part["shown"] for part in quality["parts"]) + quality["limit"]
        by_model = quality["overridden"] and quality["overridden"]["model_quality"]
        wanted = by_model if quality["overridden"] else quality["shown"]
        self.assertEqual(round(total, 6), wanted)
        engagement = explained["engagement"]
        total = sum(part["shown"] for part in engagement["parts"])
        self.assertEqual(round(total, 6), engagement["shown"])
        return explained
