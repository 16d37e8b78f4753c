# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import TransactionCase, new_test_user
from odoo.tools import file_path

NOW = "2026-11-20 10:00:00"
SELFIE = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


def without_selfie(env):
    """Distributions leave this library out, as it is not free; core then logs an error
    in every page, and a tour ends at the first one."""
    try:
        file_path(SELFIE)
    except FileNotFoundError:
        env["ir.asset"].create(
            {
                "name": "Without selfie_segmentation",
                "bundle": "web.assets_backend",
                "directive": "remove",
                "path": SELFIE,
            }
        )


class LeadPipelineCase(TransactionCase):
    """Two companies, three channels, one person of each role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.company = cls.env["res.company"].create(
            {"name": "Nordlicht", "country_id": cls.env.ref("base.de").id}
        )
        cls.other_company = cls.env["res.company"].create(
            {"name": "Aurora", "country_id": cls.env.ref("base.fr").id}
        )
        cls.salesman = cls._new_user("salesman", "sales_team.group_sale_salesman")
        cls.colleague = cls._new_user("colleague", "sales_team.group_sale_salesman")
        cls.manager = cls._new_user("manager", "sales_team.group_sale_manager")
        cls.connector = cls._new_user(
            "connector", "lead_pipeline.group_lead_pipeline_connector"
        )
        cls.meta = cls._new_channel("Meta", "t-meta", channel_type="ad")
        cls.form = cls._new_channel("Web form", "t-form")
        cls.french = cls._new_channel("Formulaire", "t-fr", company=cls.other_company)
        cls.submissions = cls.env["lead.submission"].with_user(cls.connector)

    @classmethod
    def _new_user(cls, login, groups):
        return new_test_user(
            cls.env,
            f"lead_{login}",
            groups=groups,
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
            tz="UTC",
        )

    @classmethod
    def _new_channel(cls, name, code, company=None, **vals):
        return cls.env["lead.channel"].create(
            {
                "name": name,
                "code": code,
                "company_id": (company or cls.company).id,
                "responsible_id": False,
                **vals,
            }
        )

    @classmethod
    def item(cls, external_id="1", channel="t-meta", **values):
        """A valid item; keyword arguments replace its parts."""
        return {
            "channel": channel,
            "external_id": external_id,
            "submitted_at": "2026-11-20T09:00:00Z",
            "contact": {"name": "Lena Vogt", "email": "lena.vogt@example.com"},
            **values,
        }

    def ingest(self, *items):
        """As over RPC: the caller's is the environment of the transaction."""
        self.env.transaction.default_env = self.submissions.env
        try:
            return self.submissions.ingest(list(items))
        finally:
            self.env.flush_all()
            self.env.transaction.default_env = self.env

    def ingest_one(self, *args, **kwargs):
        """Ingest one item; its result, and its lead as the superuser sees it."""
        [result] = self.ingest(self.item(*args, **kwargs))
        return result, self.env["crm.lead"].browse(result["lead_id"] or [])

    def submission(self, result):
        return self.env["lead.submission"].browse(result["submission_id"])
