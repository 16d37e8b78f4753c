# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Read one incoming item into a safe, flat shape.

The door of Odoo takes JSON from the outside. Whatever comes, :func:`read_item`
returns an :class:`Item`: wrong types are dropped or turned to text, control
characters removed, texts cut to what a column takes. What makes the item unusable
is said in ``problem``; the item is kept all the same.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

CONTACT_FIELDS = (
    "name",
    "first_name",
    "last_name",
    "email",
    "phone",
    "company",
    "job_title",
    "website",
    "street",
    "city",
    "zip",
    "state",
    "country",
    "lang",
)
ATTRIBUTION_FIELDS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "gclid",
    "fbclid",
    "msclkid",
    "ttclid",
    "li_fat_id",
    "landing_page",
    "referrer",
    "campaign_id",
    "campaign_name",
    "adset_id",
    "adset_name",
    "ad_id",
    "ad_name",
    "form_id",
    "form_name",
)
#: the click ids of the ad platforms, in the order in which one is chosen
CLICK_IDS = ("gclid", "fbclid", "msclkid", "ttclid", "li_fat_id")

MAX_LINE = 250  # characters of a one-line text
MAX_URL = 2000
MAX_TEXT = 20_000
MAX_ANSWERS = 200
MAX_CONSENTS = 50
MAX_EXTERNAL_ID = 500  # longer ones are kept as their digest, still unique
MAX_PAYLOAD = 1024 * 1024  # characters of JSON

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(slots=True)
class Item:
    """One item of an ingest call. Times are naive UTC, as Odoo stores them."""

    channel: str
    external_id: str
    submitted_at: datetime
    test: bool = False
    contact: dict[str, str] = field(default_factory=dict)  # only what is filled
    subject: str = ""
    message: str = ""
    answers: list[dict[str, str]] = field(default_factory=list)
    attribution: dict[str, str] = field(default_factory=dict)  # only what is filled
    consents: list[dict] = field(default_factory=list)
    visitor: str = ""
    payload: str = ""  # JSON
    problem: str = ""  # why it can't be used, "" if it can

    def as_json(self) -> dict:
        """What is needed to process the item again: everything but the payload."""
        return {
            "channel": self.channel,
            "external_id": self.external_id,
            "submitted_at": self.submitted_at.isoformat() + "Z",
            "test": self.test,
            "contact": self.contact,
            "subject": self.subject,
            "message": self.message,
            "answers": self.answers,
            "attribution": self.attribution,
            "consents": [
                {**consent, "at": consent["at"] and consent["at"].isoformat() + "Z"}
                for consent in self.consents
            ],
            "visitor": self.visitor,
        }

    def click_id(self) -> tuple[str, str]:
        """The first click id there is, as (parameter, value); ("", "") if none."""
        for name in CLICK_IDS:
            if self.attribution.get(name):
                return name, self.attribution[name]
        return "", ""

    def person_name(self) -> str:
        """The person's full name; the parts joined where only they are known."""
        parts = (self.contact.get("first_name"), self.contact.get("last_name"))
        return self.contact.get("name") or " ".join(part for part in parts if part)


def clean_line(value, limit: int = MAX_LINE) -> str:
    """A value as one line of text: no control characters, blanks folded, cut."""
    return " ".join(clean_text(value, limit * 2).split())[:limit]


def clean_text(value, limit: int = MAX_TEXT) -> str:
    """A value as text. Numbers become text, lists and objects become ""."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return _CONTROL.sub("", str(value)).strip()[:limit]


def read_time(value) -> datetime | None:
    """ISO 8601 to naive UTC; None where it can't be read.

    A time without a zone is taken as UTC.
    """
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    # what Odoo's columns and the calendar of its users can hold
    return moment.replace(microsecond=0) if moment.year >= 1990 else None


def searchable_json(value) -> str:
    """JSON as searchable text, not escaped; cut where it is absurdly long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    # an escaped NUL or half surrogate is legal JSON but no text for a database
    text = _CONTROL.sub("", text.replace("\\u0000", ""))
    if len(text) > MAX_PAYLOAD:
        return text[:MAX_PAYLOAD] + "\n… cut: longer than 1 MiB"
    return text


def _digest(value) -> str:
    canonical = json.dumps(value, sort_keys=True, default=str)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def _read_external_id(raw: dict) -> str:
    value = raw.get("external_id")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    cleaned = _CONTROL.sub("", value).strip()
    if len(cleaned) > MAX_EXTERNAL_ID or (value and not cleaned):
        return _digest(value)
    return cleaned


def _read_fields(raw, names, limits=None) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {}
    cleaned = (
        (name, clean_line(raw[name], (limits or {}).get(name, MAX_LINE)))
        for name in names
        if name in raw
    )
    return {name: value for name, value in cleaned if value}


def _read_answers(raw) -> list[dict[str, str]]:
    answers = []
    for entry in raw[:MAX_ANSWERS] if isinstance(raw, list) else ():
        if not isinstance(entry, dict):
            continue
        value = entry.get("value")
        if isinstance(value, list):
            value = ", ".join(filter(None, map(clean_line, value)))
        answer = {
            "key": clean_line(entry.get("key")),
            "label": clean_line(entry.get("label")),
            "value": clean_text(value, 5000),
        }
        if answer["key"] or answer["value"]:
            answers.append(answer)
    return answers


def _read_consents(raw) -> list[dict]:
    consents = []
    for entry in raw[:MAX_CONSENTS] if isinstance(raw, list) else ():
        purpose = clean_line(entry.get("purpose")) if isinstance(entry, dict) else ""
        if not purpose:
            continue
        consents.append(
            {
                "purpose": purpose,
                # only a plain true is an agreement: consent is never guessed
                "granted": entry.get("granted") is True,
                "text": clean_text(entry.get("text"), 5000),
                "version": clean_line(entry.get("version")),
                "at": read_time(entry.get("at")),
            }
        )
    return consents


def read_item(raw, now: datetime) -> Item:
    """Read what a caller gave as one item. Never raises.

    :param raw: anything JSON can hold
    :param now: naive UTC; stands in for a missing, unreadable or future time
    """
    if not isinstance(raw, dict):
        return Item(
            channel="",
            external_id=_digest(raw),
            submitted_at=now,
            payload=searchable_json(raw),
            problem="not_an_object",
        )
    limits = {"landing_page": MAX_URL, "referrer": MAX_URL, "website": MAX_URL}
    submitted_at = read_time(raw.get("submitted_at"))
    item = Item(
        channel=clean_line(raw.get("channel"), 64),
        external_id=_read_external_id(raw),
        submitted_at=min(submitted_at, now) if submitted_at else now,
        test=raw.get("test") is True,
        contact=_read_fields(raw.get("contact"), CONTACT_FIELDS, limits),
        subject=clean_line(raw.get("subject")),
        message=clean_text(raw.get("message")),
        answers=_read_answers(raw.get("answers")),
        attribution=_read_fields(raw.get("attribution"), ATTRIBUTION_FIELDS, limits),
        consents=_read_consents(raw.get("consents")),
        visitor=clean_line(raw.get("visitor")),
        payload=searchable_json(raw["payload"]) if raw.get("payload") else "",
    )
    if not item.external_id:
        # nothing of a caller is ever dropped: the content is its own id
        item.external_id = _digest(raw)
        item.problem = "no_external_id"
    elif not item.channel:
        item.problem = "no_channel"
    if item.problem and not item.payload:
        item.payload = searchable_json(raw)
    return item
