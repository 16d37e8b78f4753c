# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.fields import Domain

from .common import LeadPipelineCase


class DistributionCase(LeadPipelineCase):
    """A pool of two, a rule that sends it every lead, an SLA of an hour."""

    #: whether leads are given out
    switched_on = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # what demo data or the database has must not decide here
        cls.env["lead.distribution.rule"].search([]).active = False
        cls.switch(cls.switched_on)
        cls.company.resource_calendar_id.tz = "Europe/Berlin"
        cls.pool = cls._new_pool("Inside sales", cls.salesman + cls.colleague)
        cls.sla = cls.env["lead.sla.policy"].create({"name": "Within the hour"})
        cls.rule = cls._new_rule("All the rest", sla_policy_id=cls.sla.id)

    @classmethod
    def switch(cls, on):
        cls.env["ir.config_parameter"].set_param("lead_pipeline.distribution", on)

    @classmethod
    def _new_pool(cls, name, users, **vals):
        """:param users: res.users, members of weight 1 in that order"""
        vals.setdefault("company_id", cls.company.id)
        return cls.env["lead.pool"].create(
            {
                "name": name,
                "member_ids": [
                    (0, 0, {"user_id": user.id, "sequence": nth})
                    for nth, user in enumerate(users)
                ],
                **vals,
            }
        )

    @classmethod
    def _new_rule(cls, name, **vals):
        vals.setdefault("pool_id", cls.pool.id)
        vals.setdefault("company_id", cls.company.id)
        vals.setdefault("sequence", 100)
        return cls.env["lead.distribution.rule"].create({"name": name, **vals})

    def member(self, user, pool=None):
        members = (pool or self.pool).member_ids
        return members.filtered(lambda member: member.user_id == user)

    def new_leads(self, number, **vals):
        vals = {"user_id": False, "company_id": self.company.id, **vals}
        return self.env["crm.lead"].create(
            [{"name": f"Amira Haddad {nth}", **vals} for nth in range(number)]
        )

    def sweep(self, batch=None):
        """The job, or what it does in smaller batches."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            service = self.env(cr=cr)["lead.distribution"]
            if batch:
                service._sweep(Domain("waiting_since", "!=", False), batch=batch)
            else:
                service._cron_sweep()
        self.env.invalidate_all()

    def commit(self):
        """What follows the commit of a transaction."""
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.cr.postcommit.run()
        self.env.invalidate_all()

    def messages(self, user):
        """What somebody was told of leads by us, newest first."""
        return self.env["mail.message"].search(
            [
                ("partner_ids", "in", user.partner_id.ids),
                ("message_type", "=", "user_notification"),
                ("author_id", "=", self.env.ref("base.partner_root").id),
            ]
        )

    def notified(self, user):
        return len(self.messages(user))
