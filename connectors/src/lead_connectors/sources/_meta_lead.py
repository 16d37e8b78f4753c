# SPDX-License-Identifier: LGPL-3.0-or-later
"""One lead as Graph shows it -> one Submission."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lead_connectors.errors import Park
from lead_connectors.sources._build import build
from lead_connectors.sources._fields import (
    ConsentField,
    FieldsConfig,
    FormField,
    flat_text,
    is_granted,
    read_fields,
)
from lead_connectors.sources._json import id_text, objects
from lead_connectors.submission import Answer, Consent, Submission

__all__ = ["created_at", "to_submission"]

_DUMMY = re.compile(r"^<?test lead: dummy data", re.IGNORECASE)
_TEST_ADDRESSES = frozenset(("test@meta.com", "test@fb.com"))
_PLATFORMS = {"fb": "facebook", "ig": "instagram"}
_IDS = ("ad_id", "adset_id", "campaign_id", "form_id")
_NAMES = ("ad_name", "adset_name", "campaign_name")


def created_at(lead: Mapping[str, Any]) -> datetime:
    """``created_time`` as UTC. Raises Park when it is none."""
    try:
        at = datetime.fromisoformat(str(lead.get("created_time")))
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Park("meta: the lead's created_time is no time") from None


def to_submission(
    lead: Mapping[str, Any],
    form: Mapping[str, Any],
    *,
    channel: str,
    config: FieldsConfig,
    lead_id: str,
) -> Submission:
    """``form`` is what Graph says of the form, {} where it may not be read."""
    fields = _fields(lead, form)
    read = read_fields(fields, config)
    locale = flat_text(form.get("locale"))
    read.values.setdefault("lang", locale)
    if item := flat_text(lead.get("retailer_item_id")):
        read.answers.append(Answer(key="retailer_item_id", value=item[:500]))
    return build(
        channel=channel,
        config=config,
        external_id=lead_id,
        submitted_at=created_at(lead),
        read=read,
        payload=lead,
        test=any(_is_dummy(field.value) for field in fields),
        regions=_regions(locale),
        more_attribution=[_attribution(lead, form)],
        more_consents=_consents(lead, form, config),
    )


def _fields(lead: Mapping[str, Any], form: Mapping[str, Any]) -> list[FormField]:
    questions = {
        flat_text(one.get("key")): one for one in objects(form.get("questions"))
    }
    fields = []
    for row in objects(lead.get("field_data")):
        if name := flat_text(row.get("name")):
            asked = questions.get(name, {})
            kind = flat_text(asked.get("type")).casefold()
            label = flat_text(asked.get("label"))
            values = flat_text(row.get("values"))
            fields.append(FormField(name, values, label, kind))
    return fields


def _is_dummy(value: str) -> bool:
    """Meta has no test flag; only what its testing tool fills in."""
    text = value.strip()
    return bool(_DUMMY.match(text)) or text.casefold() in _TEST_ADDRESSES


def _attribution(lead: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, str]:
    platform = flat_text(lead.get("platform")).casefold()
    organic = lead.get("is_organic") is True or not id_text(lead.get("ad_id"))
    return {
        **{key: id_text(lead.get(key)) for key in _IDS},
        **{key: flat_text(lead.get(key)) for key in _NAMES},
        "form_name": flat_text(form.get("name")),
        "utm_source": _PLATFORMS.get(platform, platform) or "facebook",
        "utm_medium": "organic" if organic else "paid",
    }


def _regions(locale: str) -> tuple[str, ...]:
    """The form's country. en_US says nothing: it is what forms have by default."""
    _language, _, country = locale.partition("_")
    return (country,) if len(country) == 2 and locale != "en_US" else ()


def _consents(
    lead: Mapping[str, Any], form: Mapping[str, Any], config: FieldsConfig
) -> list[Consent]:
    legal = form.get("legal_content")
    legal = legal if isinstance(legal, dict) else {}
    disclaimer = legal.get("custom_disclaimer")
    boxes = disclaimer.get("checkboxes") if isinstance(disclaimer, dict) else None
    texts = {
        flat_text(box.get("key")): flat_text(box.get("text")) for box in objects(boxes)
    }
    consents = []
    for row in objects(lead.get("custom_disclaimer_responses")):
        if row.get("is_checked") is None:
            continue  # no answer is no refusal
        key = flat_text(row.get("checkbox_key"))
        meant = config.consents.get(key, key)
        box = ConsentField(purpose=meant) if isinstance(meant, str) and meant else meant
        if isinstance(box, ConsentField):
            consents.append(
                Consent(
                    purpose=box.purpose,
                    # a string: "1", or "" for a box that was left empty
                    granted=is_granted(flat_text(row["is_checked"])),
                    text=box.text or texts.get(key, ""),
                    version=box.version or id_text(legal.get("id")),
                )
            )
    return consents
