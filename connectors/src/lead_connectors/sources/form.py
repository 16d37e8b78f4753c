# SPDX-License-Identifier: LGPL-3.0-or-later
"""Any web form: JSON, urlencoded or multipart, from any tool or a plain page.

Forms can't sign, so a secret token in the hook's address or a header is required.
Most have no id of their own either; see ``_repeat_ids``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import requests
from pydantic import Field

from lead_connectors.errors import Dismiss, Park
from lead_connectors.normalise import clean_json, clean_line
from lead_connectors.secrets import SecretRef
from lead_connectors.sources._build import build, moment
from lead_connectors.sources._fields import (
    FieldsConfig,
    FormField,
    read_fields,
    without_noise,
)
from lead_connectors.sources._form_body import decode
from lead_connectors.sources._form_shapes import FormData, shape
from lead_connectors.sources._labels import fold_label
from lead_connectors.sources.base import Answer, Item, Receipt, Source

__all__ = ["FormConfig", "FormSource"]

_MAX_LEADS = 500  # in one body that is a list
_REDIRECT = r"^(https?://\S+)?$"


class FormConfig(FieldsConfig):
    """Settings of a ``form`` source."""

    token: SecretRef = Field(
        description="Long random text: last part of the address, or X-Lead-Token."
    )
    honeypot: str = Field(
        default="",
        description="A field people can't see; what fills it is a robot: dismissed.",
    )
    repeat_window: int = Field(
        default=600,
        ge=0,
        le=86_400,
        description="Seconds in which the very same content is one lead; 0: never.",
    )
    redirect: str = Field(
        default="",
        pattern=_REDIRECT,
        description="Where a plain HTML form sends its visitor after a submission.",
    )
    test_field: str = Field(
        default="",
        description="A field that, filled in, marks a submission as a test.",
    )


class FormSource(Source[FormConfig]):
    """One web form, or all forms of one site."""

    type = "form"
    config_model = FormConfig

    def __init__(self, name: str, config: FormConfig, http: requests.Session) -> None:
        super().__init__(name, config, http)
        if config.redirect:
            self.accepted = Answer(303, b"", location=config.redirect)

    def verify(self, request: Receipt) -> None:
        """Nothing to check: the web door compared the token already."""

    def parse(self, receipt: Receipt) -> list[Item]:
        body = decode(receipt)
        leads = body[:_MAX_LEADS] if isinstance(body, list) else [body]
        if not leads or not all(isinstance(lead, dict) for lead in leads):
            raise Park("the body is neither an object nor a list of objects")
        items: dict[str, Item] = {}
        robot: Dismiss | None = None
        for lead in leads:
            try:
                item = self._item(lead, receipt)
            except Dismiss as found:
                robot = found  # in a list, its neighbours may be people
            else:
                items.setdefault(item.external_id, item)
        if robot and not items:
            raise robot
        return list(items.values())

    def _item(self, body: Mapping[str, Any], receipt: Receipt) -> Item:
        data = shape(body, receipt.query)
        if not any(f.value.strip() for f in data.fields if f.key != "form_id"):
            raise Park("every field is empty")
        if self._filled(data.fields, self.config.honeypot):
            raise Dismiss(f"a robot: the honeypot {self.config.honeypot} is filled in")
        read = read_fields(data.fields, self.config)
        mapped = clean_line(read.values.get("external_id", ""), 200)
        external_id, same_as = (
            (mapped, ()) if mapped else self._repeat_ids(data, receipt.received_at)
        )
        written = read.values.get("submitted_at") or data.submitted_at
        submission = build(
            channel=self.channel,
            config=self.config,
            external_id=external_id,
            submitted_at=moment(written, receipt.received_at) or receipt.received_at,
            read=read,
            payload=body,
            test=self._filled(data.fields, self.config.test_field),
        )
        return Item(external_id, submission, same_as=same_as)

    def _filled(self, fields: Sequence[FormField], name: str) -> bool:
        wanted = name.strip().casefold()
        return bool(wanted) and any(
            f.value.strip() and wanted in (f.key.casefold(), f.label.casefold())
            for f in fields
        )

    def _repeat_ids(
        self, data: FormData, received_at: datetime
    ) -> tuple[str, tuple[str, ...]]:
        """The id of a submission that has none of its own, and its neighbours' ids.

        The id is a hash of the content and the window (``repeat_window`` seconds) in
        which it came, so that a replay gives the same id, a double click gives one
        lead, and the same enquiry next month is a new one. A double click on both
        sides of a window's edge has two ids: then the inbox finds the other one in
        ``same_as``. A tool's own entry id makes time needless; the content stays in
        the hash, because a field of that name may hold the same text every time.
        """
        digest = _content_hash(data)
        if data.entry_id:
            return clean_line(f"{data.form_id}-{data.entry_id}-{digest[:12]}"), ()
        seconds = self.config.repeat_window
        if not seconds:
            return f"{digest}-{received_at.timestamp():.6f}", ()
        window = int(received_at.timestamp() // seconds)
        around = (f"{digest}-{window - 1}", f"{digest}-{window + 1}")
        return f"{digest}-{window}", around

    def send_test(self, public_url: str) -> Receipt:
        if not self.config.test_field:
            raise Park(
                "form: set test_field to a field's name, so that a test can be marked,"
                " or fill in the form yourself"
            )
        now = datetime.now(UTC)
        body = {
            "name": "Test Lead",
            "email": "test@example.com",
            "message": f"Sent by lead-connectors send-test at {now:%H:%M:%S} UTC",
            self.config.test_field: "1",
        }
        return Receipt(json.dumps(body).encode(), now, "POST", "application/json")


def _content_hash(data: FormData) -> str:
    """Of form, fields and page; not of what differs between two clicks."""
    rows = sorted(
        (
            fold_label(f.key) or fold_label(f.label),
            clean_line(f.value, 2_000).casefold(),
        )
        for f in without_noise(data.fields)
        if f.value.strip()
    )
    text = json.dumps([data.form_id, clean_json(rows)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
