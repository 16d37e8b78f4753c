# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields

from odoo.addons.mail.tests.common import MailCase

from .common import LeadPipelineCase

#: a Friday, 11:00 in Berlin
FRIDAY = datetime(2026, 11, 20, 10)


class NurtureCase(LeadPipelineCase, MailCase):
    """A track of an email, a follow-up task and a call; its leads live in Berlin."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.resource_calendar_id.tz = "Europe/Berlin"
        cls.env = cls.env(
            context=dict(cls.env.context, allowed_company_ids=cls.company.ids)
        )
        cls.germany = cls.env.ref("base.de")
        cls.template = cls.env["mail.template"].create(
            {
                "name": "How others did it",
                "model_id": cls.env["ir.model"]._get_id("crm.lead"),
                "subject": "{{ object.contact_name }}, how others did it",
                "email_from": "sales@example.com",
                "lang": "{{ object.lang_code }}",
                "body_html": '<p>Hello <t t-out="object.contact_name"/>,</p>'
                '<p><a href="https://shop.example.com/cases">three cases</a></p>',
            }
        )
        cls.nurture = cls.env["lead.nurture"]
        # those of the demo data
        waiting = cls.env["mail.mail"].search([("state", "=", "outgoing")])
        waiting.write({"state": "cancel"})

    @classmethod
    def new_track(cls, *stages, start=True, **vals):
        """Stages are values; the first is due at once."""
        track = cls.env["lead.nurture.track"].create(
            {
                "name": "Not now",
                "holdout_percent": 0,
                "user_id": cls.manager.id,
                **vals,
            }
        )
        made = cls.env["lead.nurture.stage"]
        for number, stage in enumerate(stages):
            stage = dict(stage)
            if isinstance(stage.get("after_stage_id"), int):
                stage["after_stage_id"] = made[stage["after_stage_id"]].id
            made += made.create(
                {
                    "track_id": track.id,
                    "sequence": number,
                    "name": f"Stage {number + 1}",
                    "delay": 3 if number else 0,
                    "template_id": cls.template.id
                    if stage.get("channel", "email") == "email"
                    else False,
                    "summary": "Ask what changed",
                    **stage,
                }
            )
        if start:
            track.action_start()
        return track

    @classmethod
    def new_lead(cls, name="Lena Vogt", **vals):
        email = f"{name.lower().replace(' ', '.')}@example.com"
        return cls.env["crm.lead"].create(
            {
                "name": f"{name}: shoes",
                "contact_name": name,
                "email_from": email,
                "phone": "+4915112345678",
                "country_id": cls.germany.id,
                "user_id": cls.salesman.id,
                "company_id": cls.company.id,
                **vals,
            }
        )

    @classmethod
    def enrol(cls, leads, track, **kwargs):
        return cls.nurture._enrol(leads, track, **kwargs)

    def run_at(self, at):
        """The job, at a moment."""
        with freeze_time(at), self.enter_registry_test_mode():
            self.env.ref("lead_pipeline.ir_cron_nurture").method_direct_trigger()
        self.env.invalidate_all()

    def send_at(self, at):
        """Odoo's mail queue, at a moment; what went out is in ``self._mails``."""
        with freeze_time(at), self.mock_mail_gateway(mail_unlink_sent=True):
            self.env["mail.mail"].process_email_queue()
        self.env.invalidate_all()
        return self._mails

    def run_until(self, end, step=timedelta(hours=6)):
        """Job and mail queue, again and again; :return: [(moment, mail)]"""
        at, sent = fields.Datetime.now(), []
        while at <= end:
            self.run_at(at)
            sent += [(at, mail) for mail in self.send_at(at)]
            at += step
        return sent

    def touches(self, lead):
        return self.env["lead.nurture.touch"].search(
            [("lead_id", "=", lead.id)], order="id"
        )
