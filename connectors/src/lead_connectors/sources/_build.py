# SPDX-License-Identifier: LGPL-3.0-or-later
"""The last step of every source: understood fields -> one normalised Submission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lead_connectors.normalise import (
    clean_email,
    clean_json,
    clean_line,
    clean_text,
    country_code,
    e164,
    join_name,
    junk_reasons,
    language_code,
    split_name,
)
from lead_connectors.sources._attribution import attribution
from lead_connectors.sources._fields import ReadFields
from lead_connectors.sources.base import SourceConfig
from lead_connectors.submission import Answer, Consent, Contact, Submission

__all__ = ["build", "moment"]

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MAX_ID = 250


def build(
    *,
    channel: str,
    config: SourceConfig,
    external_id: str,
    submitted_at: datetime,
    read: ReadFields,
    payload: Mapping[str, Any],
    test: bool = False,
    regions: Sequence[str] = (),
    more_attribution: Iterable[Mapping[str, str]] = (),
    more_consents: Sequence[Consent] = (),
) -> Submission:
    """One Submission, every part cleaned and bounded.

    ``regions``: further countries a national phone number may belong to, after the
    lead's own country and ``default_country``. ``more_attribution`` comes after what
    the fields say. ``payload`` is kept, with the key "junk" when the contact looks
    invented.
    """
    answers = list(read.answers)
    contact = _contact(read.contact, config.default_country, regions, answers)
    kept: dict[str, Any] = clean_json(dict(payload))
    junk = junk_reasons(name=contact.name, email=contact.email, phone=contact.phone)
    if junk:
        kept["junk"] = junk
    at = submitted_at.astimezone(UTC)
    return Submission(
        channel=channel,
        external_id=clean_line(external_id, _MAX_ID),
        submitted_at=at,
        test=test,
        contact=contact,
        subject=clean_line(read.values.get("subject", "")),
        message=clean_text(read.values.get("message", "")),
        answers=tuple(answers),
        attribution=attribution([read.attribution, *more_attribution]),
        consents=tuple(
            consent.model_copy(update={"at": consent.at or at})
            for consent in (*read.consents, *more_consents)
        ),
        visitor=clean_line(read.values.get("visitor", ""), 200),
        payload=kept,
    )


def _contact(
    values: Mapping[str, str],
    default_country: str,
    regions: Sequence[str],
    answers: list[Answer],
) -> Contact:
    """Normalised contact; a country or language nobody knows becomes an answer."""
    clean = {key: clean_line(value) for key, value in values.items()}
    for key, to_code in (("country", country_code), ("lang", language_code)):
        typed = clean.get(key, "")
        clean[key] = to_code(typed)
        if typed and not clean[key]:
            answers.append(Answer(key=key, label=key, value=typed))
    first, last = clean.get("first_name", ""), clean.get("last_name", "")
    name = clean.get("name", "")
    if not name:
        clean["name"] = join_name(first, last)
    elif not first and not last:
        clean["first_name"], clean["last_name"] = split_name(
            name, lang=clean["lang"], country=clean["country"] or default_country
        )
    if "email" in clean:
        clean["email"] = clean_email(clean["email"])
    if "phone" in clean:
        clean["phone"] = e164(
            clean["phone"], clean["country"], default_country, *regions
        )
    return Contact(**clean)


def moment(value: Any, latest: datetime) -> datetime | None:
    """An ISO 8601 text with its offset, or Unix seconds, as UTC; None if it is neither.

    A time before 2000 or more than a day after ``latest`` is somebody's wrong clock.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            at = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str) and value.isascii() and value.isdecimal():
            at = datetime.fromtimestamp(int(value[:12]), UTC)
        elif isinstance(value, str):
            at = datetime.fromisoformat(value.strip())
        else:
            return None
        if at.tzinfo is None:
            return None
        at = at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if _EARLIEST <= at <= latest + timedelta(days=1) else None
