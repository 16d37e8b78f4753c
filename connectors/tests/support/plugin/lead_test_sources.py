# SPDX-License-Identifier: LGPL-3.0-or-later
"""Sources as a third party would add them: found by entry point alone.

The body is ``{"leads": [{"id", "name", "email", "test"}, …]}`` for all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import requests
from pydantic import Field

from lead_connectors.errors import Park, Refuse, Retry, StopSource
from lead_connectors.secrets import SecretRef
from lead_connectors.sources.base import (
    ConfigModel,
    Finding,
    Item,
    Receipt,
    Source,
    SourceConfig,
)
from lead_connectors.submission import Contact, Submission


def sign(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class _Leads(Source[Any]):
    def parse(self, receipt: Receipt) -> list[Item]:
        try:
            leads = json.loads(receipt.body)["leads"]
        except (ValueError, KeyError, TypeError):
            raise Park("not a list of leads") from None
        return [self._item(lead, receipt.received_at) for lead in leads]

    def _item(self, lead: dict[str, Any], at: datetime) -> Item:
        submission = Submission(
            channel=self.channel,
            external_id=str(lead["id"]),
            submitted_at=at,
            test=bool(lead.get("test")),
            contact=Contact(name=lead.get("name", ""), email=lead.get("email", "")),
            payload=lead,
        )
        return Item(submission.external_id, submission)


class SignedConfig(SourceConfig):
    secret: SecretRef = Field(description="What the platform signs with:")


class SignedSource(_Leads):
    type: ClassVar[str] = "test_signed"
    config_model: ClassVar[ConfigModel] = SignedConfig
    kept_headers = ("content-type", "x-trace")

    def verify(self, request: Receipt) -> None:
        given = request.headers.get("x-signature", "")
        right = sign(self.config.secret.reveal(), request.body)
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise Refuse("the signature does not fit")

    def send_test(self, public_url: str) -> Receipt:
        lead = {"id": "t-1", "email": "test@example.com", "test": True}
        body = json.dumps({"leads": [lead]}).encode()
        return Receipt(
            body,
            datetime.now(UTC),
            content_type="application/json",
            headers={"x-signature": sign(self.config.secret.reveal(), body)},
        )

    def check(self) -> Iterator[Finding]:
        yield Finding(True, "the secret is there")


class BareConfig(SourceConfig):
    token: SecretRef = Field(description="Long and random.")


class BareSource(_Leads):
    type: ClassVar[str] = "test_bare"
    config_model = BareConfig

    def verify(self, request: Receipt) -> None:
        pass


class ApiConfig(SignedConfig):
    api: str = Field(description="Where the platform's API is.")


class ApiSource(SignedSource):
    """Webhooks bring ids only; the rest, polls and counts come from an API."""

    type: ClassVar[str] = "test_api"
    config_model: ClassVar[ConfigModel] = ApiConfig
    can_poll = True

    def _item(self, lead: dict[str, Any], at: datetime) -> Item:
        return Item(str(lead["id"]), reference={"id": lead["id"]})

    def _get(self, path: str, **params: Any) -> Any:
        try:
            answer = self.http.get(f"{self.config.api}/{path}", params=params)
        except requests.RequestException as error:
            raise Retry(f"API: {type(error).__name__}") from None
        if answer.status_code == 401:
            raise StopSource("the token is refused: make a new one")
        if answer.status_code == 429:
            raise Retry("throttled", after=float(answer.headers["Retry-After"]))
        if answer.status_code == 404:
            raise Park("the platform does not know this lead")
        if answer.status_code != 200:
            raise Retry(f"API: {answer.status_code}")
        return answer.json()

    def complete(self, item: Item) -> Submission:
        lead = self._get(f"leads/{item.reference['id']}")
        found = _Leads._item(self, lead, datetime.now(UTC))
        assert found.submission is not None
        return found.submission

    def fetch(self, since: datetime) -> Iterator[Item]:
        for lead in self._get("leads", since=since.timestamp()):
            yield _Leads._item(self, lead, datetime.now(UTC))

    def daily_counts(self, since: date) -> dict[date, int] | None:
        counts = self._get("counts")
        return {date.fromisoformat(day): count for day, count in counts.items()}
