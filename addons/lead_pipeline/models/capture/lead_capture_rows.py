# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools import SQL


class LeadCaptureRows(models.AbstractModel):
    """What a capture writes down: submissions, consents, touchpoints, their origin."""

    _name = "lead.capture.rows"
    _description = "Lead Capture: Rows"

    # ------------------------------------------------------------
    # UTM
    # ------------------------------------------------------------

    @api.model
    def _utm_ids(self, items):
        """Ids by name of all sources, mediums and campaigns that items name."""
        find = self.env["utm.mixin"]._find_or_create_by_names
        return {
            "source_id": find(
                "utm.source", {item.attribution.get("utm_source") for item in items}
            ),
            "medium_id": find(
                "utm.medium", {item.attribution.get("utm_medium") for item in items}
            ),
            "campaign_id": find(
                "utm.campaign", {self._campaign_name(item) for item in items}
            ),
        }

    @api.model
    def _campaign_name(self, item):
        attribution = item.attribution
        return attribution.get("utm_campaign") or attribution.get("campaign_name")

    @api.model
    def _attribution_vals(self, item, channel, utm):
        """Source, medium, campaign, click id of a touchpoint.

        The channel's own stand in only where the item says nothing at all: a half
        named origin must not be mixed with a default one.
        """
        attribution = item.attribution
        vals = {
            "source_id": utm["source_id"].get(attribution.get("utm_source")),
            "medium_id": utm["medium_id"].get(attribution.get("utm_medium")),
            "campaign_id": utm["campaign_id"].get(self._campaign_name(item)),
        }
        if not vals["source_id"] and not vals["medium_id"]:
            vals["source_id"] = channel.source_id.id
            vals["medium_id"] = channel.medium_id.id
        vals["campaign_id"] = vals["campaign_id"] or channel.campaign_id.id
        name, value = item.click_id()
        vals["click_id"] = f"{name}:{value}" if value else False
        return vals

    # ------------------------------------------------------------
    # ROWS
    # ------------------------------------------------------------

    @api.model
    def _insert(self, model, vals_list):
        """Write new rows of one of our append-only models with one statement.

        Plain SQL: they have no chatter and nothing stored is computed from them, so
        there is nothing the ORM would do, and it took a seventh of a capture to do it.

        :param vals_list: dicts of the same keys; there are no defaults
        :return: the new records, in the same order
        """
        if not vals_list:
            return model
        if model._log_access:
            log = {"create_uid": self.env.uid, "create_date": self.env.cr.now()}
            log |= {"write_uid": log["create_uid"], "write_date": log["create_date"]}
            vals_list = [vals | log for vals in vals_list]
        columns = [model._fields[name] for name in vals_list[0]]
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s) VALUES %s RETURNING id",
                SQL.identifier(model._table),
                SQL(", ").join(SQL.identifier(field.name) for field in columns),
                SQL(", ").join(
                    tuple(
                        field.convert_to_column_insert(vals[field.name], model)
                        for field in columns
                    )
                    for vals in vals_list
                ),
            )
        )
        records = model.browse(row[0] for row in self.env.cr.fetchall())
        for field in columns:
            for inverse in model.pool.field_inverses[field]:
                owners = self.env[inverse.model_name]
                owners.invalidate_model([inverse.name], flush=False)
        return records

    @api.model
    def _write_submissions(self, entries):
        """One row per item; a replayed one gets its new end."""
        new = [entry for entry in entries if not entry.submission]
        for entry in entries:
            if entry.submission:
                entry.submission.write(self._submission_end(entry))
        created = self._insert(
            self.env["lead.submission"],
            [
                {
                    "channel_id": entry.channel.id,
                    "channel_code": entry.item.channel,
                    "company_id": entry.channel.company_id.id,
                    "external_id": entry.item.external_id,
                    "submitted_at": entry.item.submitted_at,
                    "received_at": fields.Datetime.now(),
                    "subject": entry.item.subject,
                    "content": entry.item.as_json(),
                    "payload": entry.item.payload,
                    **self._submission_end(entry),
                }
                for entry in new
            ],
        )
        for entry, submission in zip(new, created, strict=True):
            entry.submission_id = submission.id

    @api.model
    def _submission_end(self, entry):
        contact = entry.item.contact
        return {
            "state": entry.status,
            "reason": entry.reason,
            "lead_id": entry.lead_id,
            "contact_name": entry.person.name,
            "email_normalized": entry.person.email or contact.get("email"),
            "phone": entry.person.phone or contact.get("phone"),
        }

    @api.model
    def _write_consents(self, entries):
        self._insert(
            self.env["lead.consent"],
            [
                {
                    **consent,
                    "at": consent["at"] or entry.item.submitted_at,
                    "lead_id": entry.lead_id,
                    "submission_id": entry.submission_id,
                    "company_id": entry.channel.company_id.id,
                    "email_normalized": entry.person.email,
                }
                for entry in entries
                if entry.status in ("created", "matched")
                for consent in entry.item.consents
            ],
        )

    @api.model
    def _write_touchpoints(self, entries, utm):
        """:return: the touchpoints, which the capture scores with all the rest"""
        touchpoints = self._insert(
            self.env["lead.touchpoint"],
            [
                {
                    **self._attribution_vals(entry.item, entry.channel, utm),
                    "lead_id": entry.lead_id,
                    "kind": entry.channel._touchpoint_kind(),
                    "direction": "in",
                    "human": True,
                    "at": entry.item.submitted_at,
                    "title": entry.item.subject
                    or entry.item.attribution.get("form_name")
                    or entry.channel.name,
                    "url": entry.item.attribution.get("landing_page"),
                    "channel_id": entry.channel.id,
                    "submission_id": entry.submission_id,
                    # visits and calls have ids of their own: never the same
                    "external_id": f"submission:{entry.item.external_id}",
                }
                for entry in entries
            ],
        )
        leads = self.env["crm.lead"].browse({entry.lead_id for entry in entries})
        touchpoints._refresh_leads(leads)
        return touchpoints
