# SPDX-License-Identifier: LGPL-3.0-or-later
"""The one shape of a lead between any source and Odoo.

``Submission.to_odoo()`` is exactly one item of ``lead.submission.ingest``.
Every time is an aware datetime in UTC; every id is a string, because ad platforms
send numbers above 2^53.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _to_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Contact(_Part):
    """Who the person says they are. Empty string: not given."""

    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""  # E.164 where it could be understood, else as typed
    company: str = ""
    job_title: str = ""
    website: str = ""
    street: str = ""
    city: str = ""
    zip: str = ""
    state: str = ""
    country: str = ""  # ISO 3166-1 alpha-2, upper case
    lang: str = ""  # IETF/ISO 639-1, such as "de" or "pt_BR"


class Answer(_Part):
    """One answered question that is not a contact field. Several values: joined."""

    key: str
    label: str = ""
    value: str = ""


class Attribution(_Part):
    """Where the lead came from, as the platform or the landing page said."""

    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_term: str = ""
    utm_content: str = ""
    gclid: str = ""
    fbclid: str = ""
    msclkid: str = ""
    ttclid: str = ""
    li_fat_id: str = ""
    landing_page: str = ""
    referrer: str = ""
    campaign_id: str = ""
    campaign_name: str = ""
    adset_id: str = ""
    adset_name: str = ""
    ad_id: str = ""
    ad_name: str = ""
    form_id: str = ""
    form_name: str = ""


class Consent(_Part):
    """What the person agreed to or refused, in the words they saw."""

    purpose: str
    granted: bool
    text: str = ""
    version: str = ""
    at: UtcDatetime | None = None


class Submission(_Part):
    """One lead from one channel. ``(channel, external_id)`` is unique for ever."""

    channel: str
    external_id: str = Field(min_length=1)
    submitted_at: UtcDatetime
    test: bool = False
    contact: Contact = Contact()
    subject: str = ""
    message: str = ""
    answers: tuple[Answer, ...] = ()
    attribution: Attribution = Attribution()
    consents: tuple[Consent, ...] = ()
    visitor: str = ""
    payload: dict[str, Any] = Field(default_factory=dict)

    def to_odoo(self) -> dict[str, Any]:
        """The item as ``lead.submission.ingest`` takes it: plain JSON, UTC as "Z"."""
        return self.model_dump(mode="json")
