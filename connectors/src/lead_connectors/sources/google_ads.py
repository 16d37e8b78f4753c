# SPDX-License-Identifier: LGPL-3.0-or-later
"""Google Ads lead forms: the whole lead in one POST, a shared key in its body.

Google signs nothing. The key is compared before anything is stored; it can be
replayed, so the unique lead id is a security control too.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from lead_connectors.errors import Park, Refuse
from lead_connectors.normalise import clean_line
from lead_connectors.secrets import SecretRef
from lead_connectors.sources._build import build, moment
from lead_connectors.sources._fields import (
    FieldsConfig,
    FormField,
    flat_text,
    read_fields,
)
from lead_connectors.sources._json import id_text, load_object, objects
from lead_connectors.sources.base import Answer, Item, Receipt, Source

__all__ = ["GoogleAdsConfig", "GoogleAdsSource"]

# the production body and the reference say google_key, the test samples Google_key
_KEY_NAMES = ("google_key", "Google_key")
_KEY_VALUE = re.compile(rb'("[Gg]oogle_key"\s*:\s*)("(?:[^"\\]|\\.)*"|[^,}\s]+)')

# Google's column ids -> kinds of input; what is not here is a question of the form
_COLUMNS = {
    "FULL_NAME": "name",
    "FIRST_NAME": "first_name",
    "LAST_NAME": "last_name",
    "EMAIL": "email",
    "PHONE_NUMBER": "phone",
    "POSTAL_CODE": "zip",
    "STREET_ADDRESS": "street",
    "CITY": "city",
    "REGION": "state",
    "COUNTRY": "country",
    "COMPANY_NAME": "company",
    "JOB_TITLE": "job_title",
}
_SECOND_COLUMNS = {"WORK_EMAIL": "email", "WORK_PHONE": "phone"}


class GoogleAdsConfig(FieldsConfig):
    """Settings of a ``google_ads`` source."""

    google_key: SecretRef = Field(
        description="The key typed into the lead form's webhook settings."
    )
    guess: bool = Field(
        default=False,
        description="Guess from labels too; Google's column ids are enough.",
    )


class GoogleAdsSource(Source[GoogleAdsConfig]):
    """One Google Ads account's lead forms."""

    type = "google_ads"
    config_model = GoogleAdsConfig

    def verify(self, request: Receipt) -> None:
        body = load_object(request.body)
        if body is None:
            raise Refuse("the body is not a JSON object", status=400)
        given = [body[name] for name in _KEY_NAMES if name in body]
        if not given:
            raise Refuse("google_key is missing", status=401)
        if not all(_same(self.config.google_key, key) for key in given):
            raise Refuse("google_key is wrong", status=403)

    def refused(self, status: int, reason: str) -> Answer:
        """Google shows ``message`` beside the lead form; 4xx is not sent again.

        So "too many, later" must not be a 4xx here, or the lead would be lost.
        """
        if status == 429:
            status = 503
        body = json.dumps({"message": reason}).encode()
        return Answer(status, body, "application/json")

    def redact(self, request: Receipt) -> bytes:
        """The body with the key's value taken out, everything else byte by byte."""
        kept = _KEY_VALUE.sub(rb'\1"[redacted]"', request.body)
        if self.config.google_key.reveal().encode() not in kept:
            return kept
        # an escaped or unusual spelling of the key's name: rewrite the JSON instead
        body = load_object(request.body) or {}
        clean = {k: v for k, v in body.items() if k not in _KEY_NAMES}
        text = json.dumps(clean).replace(self.config.google_key.reveal(), "[redacted]")
        return text.encode()

    def parse(self, receipt: Receipt) -> list[Item]:
        body = load_object(receipt.body)
        if body is None:
            raise Park("the body is not a JSON object")
        lead_id = id_text(body.get("lead_id"))
        if not lead_id:
            raise Park("lead_id is missing")
        external_id = _short_id(lead_id)
        read = read_fields(
            self._fields(objects(body.get("user_column_data"))), self.config
        )
        submitted_at = moment(body.get("lead_submit_time"), receipt.received_at)
        submission = build(
            channel=self.channel,
            config=self.config,
            external_id=external_id,
            submitted_at=submitted_at or receipt.received_at,
            read=read,
            payload={k: v for k, v in body.items() if k not in _KEY_NAMES},
            test=body.get("is_test") is True,
            more_attribution=[_attribution(body)],
        )
        return [Item(external_id, submission)]

    def _fields(self, columns: list[dict[str, Any]]) -> list[FormField]:
        fields = []
        claimed = {
            _COLUMNS[id_text(c.get("column_id"))]
            for c in columns
            if id_text(c.get("column_id")) in _COLUMNS
        }
        for column in columns:
            key = id_text(column.get("column_id"))
            label = clean_line(flat_text(column.get("column_name")))
            target = _COLUMNS.get(key, "")
            second = _SECOND_COLUMNS.get(key, "")
            if second and second not in claimed:
                target = second
                claimed.add(second)
            value = flat_text(column.get("string_value"))
            fields.append(FormField(key or label, value, label, known=target))
        return fields

    def send_test(self, public_url: str) -> Receipt:
        now = datetime.now(UTC)
        key = self.config.google_key.reveal()
        columns = {
            "FULL_NAME": ("Full Name", "Test Lead"),
            "EMAIL": ("User Email", "test@example.com"),
            "PHONE_NUMBER": ("User Phone", "+16505550123"),
        }
        body = {
            "lead_id": f"lead-connectors-test-{now.timestamp():.6f}",
            "user_column_data": [
                {"column_id": cid, "column_name": name, "string_value": value}
                for cid, (name, value) in columns.items()
            ],
            "api_version": "1.0",
            "form_id": 1,
            "campaign_id": 1,
            "google_key": key,
            "is_test": True,
            "gcl_id": "lead-connectors-test",
        }
        return Receipt(json.dumps(body).encode(), now, "POST", "application/json")


def _same(secret: SecretRef, given: Any) -> bool:
    # a half surrogate in JSON can't be encoded; no key has one
    return secret.matches(flat_text(given).encode("utf-8", "replace"))


def _short_id(lead_id: str) -> str:
    """Google's ids are opaque and long; beyond 200 characters a hash stands in."""
    if len(lead_id) <= 200:
        return lead_id
    return "sha256-" + hashlib.sha256(lead_id.encode()).hexdigest()


def _attribution(body: dict[str, Any]) -> dict[str, str]:
    return {
        "utm_source": "google",
        "utm_medium": "cpc",
        "gclid": id_text(body.get("gcl_id")),
        "campaign_id": id_text(body.get("campaign_id")),
        "adset_id": id_text(body.get("adgroup_id") or body.get("asset_group_id")),
        "ad_id": id_text(body.get("creative_id")),
        "form_id": id_text(body.get("form_id")),
    }
