# SPDX-License-Identifier: LGPL-3.0-or-later
"""Typeform: signed webhooks, and the Responses API for what they missed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import requests
from pydantic import Field

from lead_connectors.errors import ConnectorError, Park, Refuse, Retry, StopSource
from lead_connectors.secrets import SecretRef
from lead_connectors.sources._build import build, moment
from lead_connectors.sources._fields import (
    FieldsConfig,
    FormField,
    flat_text,
    read_fields,
)
from lead_connectors.sources._json import id_text, load_object, objects
from lead_connectors.sources.base import Finding, Item, Receipt, Source
from lead_connectors.submission import Submission

__all__ = ["TypeformConfig", "TypeformSource", "sign"]

_TEST_EVENT = "lead-connectors-test-"  # only in what send-test signs
_PAGE = 1000
_MAX_PAGES = 1000


class TypeformConfig(FieldsConfig):
    """Settings of a ``typeform`` source."""

    secret: SecretRef = Field(description="The webhook's secret; signs every request.")
    access_token: SecretRef | None = Field(
        default=None, description="Personal token (responses:read, forms:read) to poll."
    )
    form_ids: list[str] = Field(default_factory=list, description="Forms to poll.")
    api_url: str = Field(
        default="https://api.typeform.com",
        description="https://api.eu.typeform.com for accounts in the EU data centre.",
    )


class TypeformSource(Source[TypeformConfig]):
    """The forms that send to one webhook."""

    type = "typeform"
    config_model = TypeformConfig

    def __init__(
        self, name: str, config: TypeformConfig, http: requests.Session
    ) -> None:
        super().__init__(name, config, http)
        self.can_poll = config.access_token is not None and bool(config.form_ids)

    def verify(self, request: Receipt) -> None:
        given = request.headers.get("typeform-signature", "")
        if not given:
            raise Refuse("Typeform-Signature is missing: set a secret", status=401)
        expected = sign(self.config.secret.reveal(), request.body)
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise Refuse("Typeform-Signature is wrong: is it this webhook's secret?")

    def parse(self, receipt: Receipt) -> list[Item]:
        body = load_object(receipt.body)
        if body is None:
            raise Park("the body is not a JSON object")
        if body.get("event_type", "form_response") != "form_response":
            return []  # a partial response, or something new
        response = body.get("form_response")
        if not isinstance(response, dict):
            raise Park("form_response is missing")
        definition = response.get("definition")
        submission = self._submission(
            response,
            form=definition if isinstance(definition, dict) else {},
            form_id=id_text(response.get("form_id")),
            payload=body,
            latest=receipt.received_at,
            test=id_text(body.get("event_id")).startswith(_TEST_EVENT),
        )
        return [Item(submission.external_id, submission)]

    def _submission(
        self,
        response: Mapping[str, Any],
        *,
        form: Mapping[str, Any],
        form_id: str,
        payload: Mapping[str, Any],
        latest: datetime,
        test: bool = False,
    ) -> Submission:
        token = id_text(response.get("token"))[:250]
        if not token:
            raise Park("form_response.token is missing")
        submitted_at = moment(response.get("submitted_at"), latest) or latest
        return build(
            channel=self.channel,
            config=self.config,
            external_id=token,
            submitted_at=submitted_at,
            read=read_fields(_fields(response, form), self.config),
            payload=payload,
            test=test,
            more_attribution=[
                {"form_id": form_id, "form_name": flat_text(form.get("title"))}
            ],
        )

    # the Responses API

    def fetch(self, since: datetime) -> Iterator[Item]:
        now = datetime.now(UTC)
        for form_id in self.config.form_ids:
            form = self._get(f"forms/{form_id}")
            for response in self._responses(form_id, since):
                submission = self._submission(
                    response, form=form, form_id=form_id, payload=response, latest=now
                )
                yield Item(submission.external_id, submission)

    def _responses(self, form_id: str, since: datetime) -> Iterator[dict[str, Any]]:
        """Completed responses, newest first; each page ends before the last token."""
        params: dict[str, str | int] = {
            "since": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "page_size": _PAGE,
            "completed": "true",
        }
        for _ in range(_MAX_PAGES):
            page = self._get(f"forms/{form_id}/responses", params)
            rows = [row for row in objects(page.get("items")) if row.get("token")]
            yield from rows
            last = id_text(rows[-1]["token"]) if rows else ""
            if len(rows) < _PAGE or last == params.get("before"):
                return
            params["before"] = last

    def _get(
        self, path: str, params: Mapping[str, str | int] | None = None
    ) -> dict[str, Any]:
        token = self.config.access_token
        try:
            response = self.http.get(
                f"{self.config.api_url.rstrip('/')}/{path}",
                params=params,
                headers={"Authorization": f"Bearer {token.reveal() if token else ''}"},
                allow_redirects=False,  # the token goes to no other host
                timeout=(10, 60),
            )
        except requests.RequestException as error:
            name = type(error).__name__
            raise Retry(f"Typeform can't be reached ({name})") from None
        status = response.status_code
        if status in (401, 403):
            raise StopSource(f"Typeform refuses the access token (HTTP {status})")
        if status == 404:
            raise StopSource(f"Typeform knows no {path}: is form_ids right?")
        body = load_object(response.content) if status == 200 else None
        if body is None:
            wait = response.headers.get("Retry-After", "")
            after = float(wait) if wait.isascii() and wait.isdecimal() else None
            raise Retry(f"Typeform answered HTTP {status}", after=after)
        return body

    # operation

    def check(self) -> Iterator[Finding]:
        if not self.can_poll:
            yield Finding(
                True,
                "webhooks only: a lead Typeform failed to deliver is not looked for",
                "set access_token and form_ids to poll the Responses API",
                warning=True,
            )
            return
        for form_id in self.config.form_ids:
            try:
                title = flat_text(self._get(f"forms/{form_id}").get("title"))
                self._get(f"forms/{form_id}/responses", {"page_size": 1})
                yield Finding(True, f"form {form_id} ({title[:80]}) can be read")
            except ConnectorError as error:
                yield Finding(
                    False,
                    f"form {form_id} can't be read: {error}",
                    "make a personal token with responses:read and forms:read",
                    unreachable=isinstance(error, Retry),
                )

    def send_test(self, public_url: str) -> Receipt:
        now = datetime.now(UTC)
        stamp = f"{now.timestamp():.6f}"
        fields = [
            {"id": "name", "ref": "name", "type": "short_text", "title": "Name"},
            {"id": "email", "ref": "email", "type": "email", "title": "E-mail"},
        ]
        body = {
            "event_id": _TEST_EVENT + stamp,
            "event_type": "form_response",
            "form_response": {
                "form_id": "test",
                "token": _TEST_EVENT + stamp,
                "submitted_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "definition": {"id": "test", "title": "Test", "fields": fields},
                "answers": [
                    {"type": "text", "text": "Test Lead", "field": fields[0]},
                    {"type": "email", "email": "test@example.com", "field": fields[1]},
                ],
            },
        }
        raw = json.dumps(body).encode()
        headers = {"typeform-signature": sign(self.config.secret.reveal(), raw)}
        return Receipt(raw, now, "POST", "application/json", headers)


def sign(secret: str, body: bytes) -> str:
    """The value of Typeform-Signature for ``body``."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return f"sha256={base64.b64encode(digest).decode()}"


def _fields(response: Mapping[str, Any], form: Mapping[str, Any]) -> list[FormField]:
    asked = {id_text(one.get("id")): one for one in _questions(form)}
    fields = []
    for answer in objects(response.get("answers")):
        about = answer.get("field")
        about = about if isinstance(about, dict) else {}
        field_id = id_text(about.get("id"))
        question = asked.get(field_id, {})
        fields.append(
            FormField(
                key=id_text(about.get("ref")) or field_id or "?",
                value=_value(answer),
                label=flat_text(question.get("title")),
                type=flat_text(about.get("type") or question.get("type")),
            )
        )
    hidden = response.get("hidden")
    if isinstance(hidden, dict):
        fields += [FormField(str(k), flat_text(v)) for k, v in hidden.items()]
    return fields


def _questions(form: Mapping[str, Any], depth: int = 4) -> Iterator[dict[str, Any]]:
    """All questions; those of a group or a contact block stand inside it."""
    for one in objects(form.get("fields")):
        yield one
        inner = one.get("properties")
        if isinstance(inner, dict) and depth:
            yield from _questions(inner, depth - 1)


def _value(answer: Mapping[str, Any]) -> str:
    """The value stands under the name of its type."""
    value = answer.get(flat_text(answer.get("type")))
    if isinstance(value, dict):  # choice and choices: labels, ids, "other"
        named = {k: v for k, v in value.items() if k in ("label", "labels", "other")}
        value = named or value
    return flat_text(value)
