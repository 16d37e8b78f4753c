# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
import re
import uuid
from collections import defaultdict

from lxml import etree, html
from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import formataddr
from odoo.tools.mail import (
    email_split_and_format_normalize,
    generate_tracking_message_id,
)

_logger = logging.getLogger(__name__)

#: core's page for whoever wants no more; core makes it the lead's own in each mail
UNSUBSCRIBE = "/unsubscribe_from_list"
NOT_TRACKED = [UNSUBSCRIBE, "/view", "/cards/"]
#: around a text that has no way out of its own
LAYOUT = "lead_pipeline.nurture_mail_layout"
#: where the text comes in it
PLACE = re.compile(r"<t\s+t-out=\"0\"\s*/>")


class LeadNurture(models.AbstractModel):
    """What goes out: mails, activities, tags. Each channel takes all its journeys at
    once and says what becomes of each touch."""

    _inherit = "lead.nurture"

    @api.model
    def _touch(self, pairs, now):
        """Do the stages of these journeys.

        :param pairs: [(enrolment, Step)] of what goes or is skipped
        :return: values of the touches, of those that were skipped too
        """
        rows, by_stage = [], defaultdict(list)
        for enrolment, step in pairs:
            vals = {
                "enrolment_id": enrolment.id,
                "lead_id": enrolment.lead_id.id,
                "stage_id": enrolment.stage_id.id,
                "origin_id": enrolment.origin_id.id,
                "channel": enrolment.stage_id.channel,
                "message": enrolment.stage_id._is_message(),
                "at": now,
                "state": "skipped",
                "reason": step.reason,
            }
            rows.append(vals)
            if step.kind == "go":
                by_stage[enrolment.stage_id].append((enrolment, vals))
        for stage, some in by_stage.items():
            getattr(self, f"_touch_by_{stage.channel}")(stage, some, now)
        return rows

    # ------------------------------------------------------------
    # ACTIVITIES, TAGS
    # ------------------------------------------------------------

    @api.model
    def _touch_by_call(self, stage, pairs, now):
        self._touch_by_activity(stage, pairs, now, "mail.mail_activity_data_call")

    @api.model
    def _touch_by_task(self, stage, pairs, now):
        self._touch_by_activity(stage, pairs, now, "mail.mail_activity_data_todo")

    @api.model
    def _touch_by_activity(self, stage, pairs, now, default_type):
        kind = stage.activity_type_id or self.env.ref(default_type)
        model_id = self.env["ir.model"]._get_id("crm.lead")
        # quick: nobody is told by mail of each; it is on their list
        activities = (
            self.env["mail.activity"]
            .with_context(mail_activity_quick_update=True)
            .create(
                [
                    {
                        "res_model_id": model_id,
                        "res_id": enrolment.lead_id.id,
                        "activity_type_id": kind.id,
                        "summary": stage.summary or stage.name,
                        "note": stage.note,
                        "date_deadline": now.date(),
                        "user_id": self._user_for(enrolment).id,
                    }
                    for enrolment, _vals in pairs
                ]
            )
        )
        for (_enrolment, vals), activity in zip(pairs, activities, strict=True):
            vals.update(state="sent", sent_at=now, activity_id=activity.id)

    @api.model
    def _touch_by_segment(self, stage, pairs, now):
        leads = self.env["crm.lead"].union(*(one.lead_id for one, _vals in pairs))
        leads.write({"tag_ids": [fields.Command.link(stage.tag_id.id)]})
        for _enrolment, vals in pairs:
            vals.update(state="sent", sent_at=now)

    # ------------------------------------------------------------
    # MAIL
    # ------------------------------------------------------------

    @api.model
    def _touch_by_email(self, stage, pairs, now):
        """Queue mails. They are made in the transaction that writes the touch, and go
        out by Odoo's mail queue, which looks again before it sends."""
        if stage.gift_id:
            pairs = self._hand_out(stage, pairs)
        stage._ensure_mailings()
        leads = self.env["crm.lead"].browse(one.lead_id.id for one, _vals in pairs)
        texts = self._render(stage, leads)
        to_send = [
            (enrolment.lead_id, vals, texts[enrolment.lead_id.id])
            for enrolment, vals in pairs
            if texts.get(enrolment.lead_id.id)
        ]
        for enrolment, vals in pairs:
            if not texts.get(enrolment.lead_id.id):
                vals["reason"] = "render"
        mails = (
            self.env["mail.mail"]
            .with_context(tracking_disable=True)
            .create([self._mail_vals(stage, lead, text) for lead, _v, text in to_send])
        )
        traces = self.env["mailing.trace"].create(
            [
                {
                    "mail_mail_id": mail.id,
                    "email": lead.email_normalized,
                    "mass_mailing_id": stage.mailing_id.id,
                    "message_id": mail.message_id,
                    "model": "crm.lead",
                    "res_id": lead.id,
                }
                for mail, (lead, _vals, _text) in zip(mails, to_send, strict=True)
            ]
        )
        self._trigger_queue([now] if mails else [])
        for mail, trace, (_lead, vals, _text) in zip(
            mails, traces, to_send, strict=True
        ):
            vals.update(
                state="queued", reason=False, mail_id=mail.id, trace_id=trace.id
            )

    @api.model
    def _hand_out(self, stage, pairs):
        """Coupons first; whoever gets none, as none is left, gets no mail of it."""
        leads = self.env["crm.lead"].union(*(one.lead_id for one, _vals in pairs))
        codes = stage.gift_id._hand_out(leads)
        leads.invalidate_recordset(["nurture_coupon"])
        for enrolment, vals in pairs:
            if enrolment.lead_id.id not in codes:
                vals["reason"] = "no_coupon"
        return [pair for pair in pairs if pair[0].lead_id.id in codes]

    @api.model
    def _mail_vals(self, stage, lead, text):
        name = lead.contact_name or lead.partner_name or ""
        return {
            **text,
            "email_to": formataddr((name, lead.email_normalized)),
            "model": "crm.lead",
            "res_id": lead.id,
            "mailing_id": stage.mailing_id.id,
            "mail_server_id": stage.template_id.mail_server_id.id,
            "message_type": "email_outgoing",
            "message_id": generate_tracking_message_id(f"{lead.id}-crm.lead"),
            # the mail goes when it is sent, its text stays with the lead
            "auto_delete": True,
            "is_notification": True,
        }

    @api.model
    def _render(self, stage, leads):
        """Subject and body for each lead, in its language.

        :return: {lead id: values of a mail}; leads are missing for whom the text can't
            be made, which is logged
        """
        result = {}
        template = stage.template_id.with_context(active_test=False)
        for translated, lead_ids in template._classify_per_lang(leads.ids).values():
            some = leads.browse(lead_ids).with_context(lang=translated.env.lang)
            source = self._source(stage, translated)
            try:
                with self.env.cr.savepoint():
                    result.update(self._render_some(translated, source, some))
            except Exception:  # one of them: find out which
                for lead in some:
                    try:
                        with self.env.cr.savepoint():
                            result.update(self._render_some(translated, source, lead))
                    except Exception:
                        _logger.exception(
                            "nurture: no text for %s by %s", lead, translated
                        )
        return result

    @api.model
    def _source(self, stage, template):
        """The text of a template as QWeb, its links tracked, in our layout unless it
        brings a design of its own, which it does with a way to unsubscribe."""
        mailing = stage.mailing_id
        source = template.body_html or ""
        if UNSUBSCRIBE not in source:
            source = self._in_layout(template, source)
        return template._shorten_links(
            source,
            {
                "mass_mailing_id": mailing.id,
                "source_id": mailing.source_id.id,
                "medium_id": mailing.medium_id.id,
            },
            blacklist=NOT_TRACKED,
        )

    @api.model
    def _in_layout(self, template, source):
        """One text of both: QWeb takes long over a t-call in a loop."""
        # sudo: views are the administrator's
        view = template.env.ref(LAYOUT).sudo()
        root = etree.fromstring(view.get_combined_arch())  # a t with a name
        layout = "".join(etree.tostring(node, encoding="unicode") for node in root)
        return PLACE.sub(lambda _place: source, layout)

    @api.model
    def _render_some(self, template, source, leads):
        """Odoo compiles a text again for each record: as one loop it is compiled once
        for all of them."""
        mark = f"nurture-{uuid.uuid4().hex}"
        loop = f'<t t-foreach="leads" t-as="object">{source}<br class="{mark}"/></t>'
        rendered = template.env["ir.qweb"]._render(
            html.fragment_fromstring(loop, create_parent="div"),
            {
                **template._render_eval_context(),
                "leads": leads,
                "company": template.env.company,
                "direction": template.env["res.lang"]
                ._get_data(code=template.env.lang or "en_US")
                .direction
                or "ltr",
            },
        )
        bodies = str(rendered).split(f'<br class="{mark}"/>')
        bodies = [bodies[0].removeprefix("<div>"), *bodies[1:-1]]
        if len(bodies) != len(leads):
            raise ValueError("The template opens what it does not close.")
        subjects = template._render_field("subject", leads.ids)
        senders = template._render_field("email_from", leads.ids)
        replies = template._render_field("reply_to", leads.ids)
        # an answer comes to us, and so the lead leaves its track at once
        threads = leads._notify_get_reply_to()
        local = template.env["mail.render.mixin"]._replace_local_links
        result = {}
        for lead, body in zip(leads, bodies, strict=True):
            body = local(Markup(body))
            result[lead.id] = {
                "subject": subjects[lead.id],
                "email_from": self._sender(lead, senders[lead.id]),
                "reply_to": replies[lead.id] or threads.get(lead.id) or False,
                "body_html": body,
                "body": body,
            }
        return result

    @api.model
    def _sender(self, lead, email_from):
        found = email_split_and_format_normalize(email_from or "")
        company = self._company_of(lead)
        return found[0] if found else company.email_formatted or self.env.user.email
