# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import json
import logging
import uuid
from urllib.parse import urlsplit

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, fields
from odoo.exceptions import ConcurrencyError
from odoo.tools import html2plaintext

from odoo.addons.lead_pipeline.engine.item import CLICK_IDS, read_item
from odoo.addons.website_crm.controllers import website_form

from ..tools import url_attribution

_logger = logging.getLogger(__name__)

#: our words for the fields of a form that say who the person is
CONTACT_FIELDS = {
    "contact_name": "name",
    "email_from": "email",
    "phone": "phone",
    "partner_name": "company",
    "function": "job_title",
    "website": "website",
    "street": "street",
    "city": "city",
    "zip": "zip",
}
#: fields that say something of their own; all others are answers
OTHER_FIELDS = {
    "name",
    "description",
    "type",
    "lead_properties",
}
ANSWER_TYPES = ("char", "text", "selection", "boolean", "integer", "float", "monetary")
ANSWER_TYPES += ("date", "datetime")


class WebsiteForm(website_form.WebsiteForm):
    def _handle_website_form(self, model_name, **kwargs):
        result = super()._handle_website_form(model_name, **kwargs)
        if model_name != "crm.lead":
            return result
        answer = json.loads(result)
        if isinstance(answer, dict) and answer.get("id"):
            # the id of an older lead would tell a stranger that a person is known;
            # the page only asks whether there is one
            answer["id"] = True
        return json.dumps(answer)

    def insert_record(self, request, model_sudo, values, custom, meta=None):
        """A form that makes leads goes through the capture; core creates them.

        No form is lost: where the capture fails, core's own way goes on.
        """
        if model_sudo.model != "crm.lead":
            return super().insert_record(request, model_sudo, values, custom, meta=meta)

        def insert():
            return super(WebsiteForm, self).insert_record(
                request, model_sudo, dict(values), custom, meta=meta
            )

        if not self._is_acceptable(request, values):
            return insert()
        try:
            with request.env.cr.savepoint():
                return self._capture_enquiry(request, values, custom, meta, insert)
        except (OperationalError, ConcurrencyError):
            raise  # another was faster: Odoo runs the request again
        except Exception:
            _logger.exception("website form was not captured, core makes its lead")
            return insert()

    def _is_acceptable(self, request, values):
        """Whether core would make a lead of this. What it refuses must be refused to
        known people as well, or the difference would give them away."""
        lead = request.env["crm.lead"]
        return bool(values.get("name")) and all(
            # sudo: only whether it exists
            lead.env[field.comodel_name].sudo().browse(values[name]).exists()
            for name, field in lead._fields.items()
            if field.type == "many2one" and values.get(name)
        )

    def _capture_enquiry(self, request, values, custom, meta, insert):
        """:return: id of the lead the enquiry belongs to"""
        # for the eyes of our people: their rights, and the website's own language
        env = request.env(
            user=SUPERUSER_ID,
            context={
                **request.env.context,
                "lang": request.website.sudo().default_lang_id.code,
            },
        )
        company = env["res.company"].browse(values.get("company_id"))
        channel = env["lead.channel"]._get_core_channel(
            "website", company or request.website.company_id
        )
        visitor = env["website.visitor"]._get_visitor_from_request(force_create=True)
        item = read_item(
            {
                "channel": channel.code,
                "external_id": f"website-form-{uuid.uuid4()}",
                "contact": self._read_contact(env, values),
                "subject": values.get("name"),
                "message": html2plaintext(values.get("description") or ""),
                "answers": self._read_answers(env, values, custom),
                "attribution": self._read_attribution(request, visitor),
                "visitor": str(visitor.id),
                "payload": {
                    "fields": {
                        name: value
                        for name, value in values.items()
                        if not isinstance(value, bytes)
                    },
                    "other": custom,
                    "meta": meta,
                },
            },
            fields.Datetime.now(),
        )

        def create_lead(_entry):
            # the capture gives it out, when it knows all of it
            request.update_context(lead_distribution_later=True)
            try:
                return env["crm.lead"].browse(insert())
            finally:
                request.update_context(lead_distribution_later=False)

        entry = env["lead.capture"]._capture_one(channel, item, create_lead=create_lead)
        if entry.status != "created":  # core links those it makes
            visitor.write({"lead_ids": [(4, entry.lead_id)]})
        return entry.lead_id

    def _read_contact(self, env, values):
        contact = {key: values.get(name) for name, key in CONTACT_FIELDS.items()}
        country = env["res.country"].browse(values.get("country_id"))
        state = env["res.country.state"].browse(values.get("state_id"))
        lang = env["res.lang"].browse(values.get("lang_id"))
        return {
            **contact,
            "country": (country or state.country_id).code,
            "state": state.code,
            "lang": lang.code,
        }

    def _read_answers(self, env, values, custom):
        """What a form asks beyond the fields of a person, in its own words."""
        answers = []
        model_fields = env["crm.lead"].fields_get(list(values))
        for name, value in values.items():
            field = model_fields.get(name, {})
            if (
                value
                and field.get("type") in ANSWER_TYPES
                and name not in CONTACT_FIELDS
                and name not in OTHER_FIELDS
            ):
                answers.append(
                    {"key": name, "label": field["string"], "value": str(value)}
                )
        for answer in values.get("lead_properties") or ():
            if answer.get("value"):
                answers.append(
                    {
                        "key": answer.get("name"),
                        "label": answer.get("string"),
                        "value": str(answer["value"]),
                    }
                )
        # core hands the free questions over as one text of lines "label : value"
        for line in (custom or "").splitlines():
            label, separator, value = line.partition(" : ")
            if separator:
                answers.append({"key": label, "label": label, "value": value})
            elif answers:
                answers[-1]["value"] += f"\n{line}"
        return [answer for answer in answers if answer["value"].strip()]

    def _read_attribution(self, request, visitor):
        """Where a visitor came from: the campaign they came by last, the page they
        saw first, and the site that shows our form, if it is not ours."""
        tracks = visitor.env["website.track"].search(
            [("visitor_id", "=", visitor.id), ("url", "!=", False)],
            order="visit_datetime, id",
            limit=1,
        )
        campaign_tracks = visitor.env["website.track"].search(
            [
                ("visitor_id", "=", visitor.id),
                *["|"] * len(CLICK_IDS),
                ("url", "like", "utm_"),
                *[("url", "like", f"{name}=") for name in CLICK_IDS],
            ],
            order="visit_datetime desc, id desc",
            limit=1,
        )
        page = request.httprequest.referrer or ""
        is_ours = urlsplit(page).netloc == request.httprequest.host
        cookies = {
            parameter: request.cookies.get(cookie)
            for parameter, _field, cookie in request.env["utm.mixin"].tracking_fields()
            if request.cookies.get(cookie)
        }
        return {
            **(url_attribution(page) or url_attribution(campaign_tracks.url)),
            **cookies,
            "landing_page": tracks.url or page,
            "referrer": "" if is_ours else page,
            "form_name": request.website.name,
        }
