# SPDX-License-Identifier: LGPL-3.0-or-later
"""Standard Webhooks (standardwebhooks.com): the intake for any tool that can sign.

``data`` is either a submission in our own words (contact, answers, attribution, ...)
or flat fields, read as those of a form.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests
from pydantic import Field

from lead_connectors.errors import ConfigError, Park, Refuse
from lead_connectors.normalise import clean_line, clean_text
from lead_connectors.secrets import SecretRef
from lead_connectors.sources._build import build, moment
from lead_connectors.sources._fields import (
    FieldsConfig,
    FormField,
    ReadFields,
    flat_text,
    is_granted,
    read_fields,
)
from lead_connectors.sources._form_shapes import shape
from lead_connectors.sources._json import id_text, load_object, objects
from lead_connectors.sources.base import Item, Receipt, Source
from lead_connectors.submission import Attribution, Consent, Contact

__all__ = ["StandardWebhooksConfig", "StandardWebhooksSource", "sign"]

_TOLERANCE = 300  # seconds a timestamp may be off, either way; the standard's number
_MIN_KEY = 16


class StandardWebhooksConfig(FieldsConfig):
    """Settings of a ``standard_webhooks`` source."""

    secret: SecretRef = Field(description='The signing secret, "whsec_" and base64.')
    old_secret: SecretRef | None = Field(
        default=None, description="The secret before, while senders change over."
    )


class StandardWebhooksSource(Source[StandardWebhooksConfig]):
    """One sender, or several that share a secret."""

    type = "standard_webhooks"
    config_model = StandardWebhooksConfig
    kept_headers = ("content-type", "user-agent", "webhook-id", "webhook-timestamp")

    def __init__(
        self, name: str, config: StandardWebhooksConfig, http: requests.Session
    ) -> None:
        super().__init__(name, config, http)
        secrets = (config.secret, config.old_secret)
        self._keys = [_key(secret) for secret in secrets if secret]

    def verify(self, request: Receipt) -> None:
        webhook_id = request.headers.get("webhook-id", "")
        timestamp = request.headers.get("webhook-timestamp", "")
        signatures = request.headers.get("webhook-signature", "")
        if not (webhook_id and timestamp and signatures):
            raise Refuse("webhook-id, -timestamp or -signature is missing", status=401)
        if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 12):
            raise Refuse("webhook-timestamp is not in Unix seconds", status=400)
        if abs(request.received_at.timestamp() - int(timestamp)) > _TOLERANCE:
            raise Refuse("webhook-timestamp is more than five minutes off")
        expected = [
            _signature(key, webhook_id, timestamp, request.body).encode()
            for key in self._keys
        ]
        # only symmetric v1; v1a (ed25519) and what may come later is passed over
        given = [one.encode("utf-8", "replace") for one in signatures.split(" ")[:20]]
        # no early exit: the time must not tell which one was near
        matches = [hmac.compare_digest(a, b) for a in expected for b in given]
        if not any(matches):
            raise Refuse("webhook-signature is wrong: is it this source's secret?")

    def parse(self, receipt: Receipt) -> list[Item]:
        body = load_object(receipt.body)
        if body is None:
            raise Park("the body is not a JSON object")
        data = body.get("data", body)
        if not isinstance(data, dict) or not data:
            raise Park("data is not an object")
        ours = isinstance(data.get("contact"), dict)
        read = self._read_ours(data) if ours else self._read_flat(data)
        own_id = read.values.get("external_id") or data.get("external_id")
        external_id = (
            id_text(own_id)
            or id_text(data.get("id"))
            or id_text(receipt.headers.get("webhook-id", ""))
        )[:250]
        if not external_id:
            raise Park("neither data.id nor the header webhook-id is there")
        written = (
            read.values.get("submitted_at"),
            data.get("submitted_at"),
            body.get("timestamp"),
            receipt.headers.get("webhook-timestamp"),
        )
        moments = (moment(text, receipt.received_at) for text in written)
        submission = build(
            channel=self.channel,
            config=self.config,
            external_id=external_id,
            submitted_at=next((at for at in moments if at), receipt.received_at),
            read=read,
            payload=body,
            test=data.get("test") is True,
            more_consents=_consents(data, receipt.received_at),
        )
        return [Item(external_id, submission)]

    def _read_flat(self, data: dict[str, Any]) -> ReadFields:
        flat = {k: v for k, v in data.items() if k not in _OWN_KEYS}
        if objects(flat.get("consents")):
            del flat["consents"]  # in our own shape, read apart
        return read_fields(shape(flat, {}).fields, self.config)

    def _read_ours(self, data: dict[str, Any]) -> ReadFields:
        """Our own words are taken at their word; what we don't know is an answer."""
        fields = [
            FormField(key, flat_text(data.get(key)), known=key)
            for key in ("subject", "message", "visitor")
        ]
        for part, model in (("contact", Contact), ("attribution", Attribution)):
            values = data.get(part)
            for key, value in values.items() if isinstance(values, dict) else ():
                known = key if key in model.model_fields else ""
                fields.append(FormField(str(key), flat_text(value), known=known))
        for answer in objects(data.get("answers")):
            key, label = flat_text(answer.get("key")), flat_text(answer.get("label"))
            fields.append(
                FormField(key or label, flat_text(answer.get("value")), label)
            )
        return read_fields(fields, self.config.model_copy(update={"guess": False}))

    def send_test(self, public_url: str) -> Receipt:
        now = datetime.now(UTC)
        body = {
            "type": "lead.submitted",
            "timestamp": now.isoformat(),
            "data": {
                "test": True,
                "contact": {"name": "Test Lead", "email": "test@example.com"},
                "message": "Sent by lead-connectors send-test",
            },
        }
        raw = json.dumps(body).encode()
        webhook_id = f"msg_{uuid.uuid4().hex}"
        headers = sign(self.config.secret.reveal(), webhook_id, now, raw)
        return Receipt(raw, now, "POST", "application/json", headers)


_OWN_KEYS = frozenset(("id", "external_id", "test"))


def sign(secret: str, webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a genuine request. ``secret``: "whsec_" and base64."""
    timestamp = str(int(at.timestamp()))
    key = _key(SecretRef(secret))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": _signature(key, webhook_id, timestamp, body),
    }


def _key(secret: SecretRef) -> bytes:
    try:
        key = base64.b64decode(secret.reveal().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(
            'the signing secret is not base64 after "whsec_": make one with'
            ' `printf "whsec_"; openssl rand -base64 32`'
        ) from None
    if len(key) < _MIN_KEY:
        raise ConfigError(
            f"the signing secret has only {len(key)} bytes: make one with"
            ' `printf "whsec_"; openssl rand -base64 32`'
        )
    return key


def _signature(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{webhook_id}.{timestamp}.".encode("utf-8", "replace") + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _consents(data: Mapping[str, Any], latest: datetime) -> list[Consent]:
    """Consents in our own shape; one without a purpose says nothing."""
    found = []
    for one in objects(data.get("consents"))[:100]:
        if purpose := clean_line(flat_text(one.get("purpose")), 100):
            found.append(
                Consent(
                    purpose=purpose,
                    granted=is_granted(flat_text(one.get("granted"))),
                    text=clean_text(flat_text(one.get("text"))),
                    version=clean_line(flat_text(one.get("version")), 100),
                    at=moment(one.get("at"), latest),
                )
            )
    return found
