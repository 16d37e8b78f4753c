# SPDX-License-Identifier: LGPL-3.0-or-later
"""Flat fields of any form -> contact, message, answers, consents, attribution.

Shared by every source: what the configuration maps comes first, then a safe guess
by the input's type, its id, its label and at last by what the value looks like.
What is left becomes an answer, so nothing a person wrote is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from lead_connectors.normalise import clean_line, clean_text, e164, looks_like_email
from lead_connectors.sources._attribution import attribution_key
from lead_connectors.sources._labels import (
    BY_LABEL,
    BY_TYPE,
    MAYBE_NOISE,
    NOISE,
    SECOND_CHOICE,
    TOOL_MARKS,
    fold_label,
)
from lead_connectors.sources.base import SourceConfig
from lead_connectors.submission import Answer, Attribution, Consent, Contact

__all__ = ["ConsentField", "FieldsConfig", "FormField", "ReadFields", "flat_text"]

MAX_FIELDS = 500  # answers one submission may hold; the rest stays in the payload

Target = Literal[
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
    "message",
    "subject",
    "external_id",
    "submitted_at",
    "visitor",
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
]
_TARGETS: tuple[str, ...] = get_args(Target)
_ATTRIBUTION = frozenset(Attribution.model_fields)
_CONTACT = frozenset(Contact.model_fields)

_REFUSALS = frozenset(
    "0 no false off n none unchecked declined nein non nee não nao nie hayır нет 否 لا"
    " không".split()
)


class ConsentField(BaseModel):
    """What a consent box means: its purpose and the words beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: str = Field(min_length=1)
    text: str = ""
    version: str = ""


class FieldsConfig(SourceConfig):
    """Settings of every source that reads flat fields."""

    mapping: dict[Target, str | list[str]] = Field(
        default_factory=dict,
        description="What fields are for: email = 'your-email'. Several: a list.",
    )
    consents: dict[str, str | ConsentField] = Field(
        default_factory=dict,
        description="Consent boxes: field = 'purpose' or {purpose, text, version}.",
    )
    ignore: list[str] = Field(
        default_factory=list, description="Fields that are neither contact nor answer."
    )
    guess: bool = Field(
        default=True, description="Guess what unmapped fields are; else: answers."
    )


@dataclass(frozen=True, slots=True)
class FormField:
    """One filled field, as the form tool calls it.

    ``type``: the kind of input, if the tool tells; ``known``: the target, where the
    platform leaves no doubt.
    """

    key: str
    value: str
    label: str = ""
    type: str = ""
    known: str = ""


@dataclass(slots=True)
class ReadFields:
    """What was understood. ``values`` by target, attribution and contact alike."""

    values: dict[str, str] = field(default_factory=dict)
    consents: list[Consent] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def take(self, names: frozenset[str]) -> dict[str, str]:
        return {key: value for key, value in self.values.items() if key in names}

    @property
    def contact(self) -> dict[str, str]:
        return self.take(_CONTACT)

    @property
    def attribution(self) -> dict[str, str]:
        return self.take(_ATTRIBUTION)


def flat_text(value: Any, depth: int = 4) -> str:
    """A JSON value as one text: lists and objects joined by ", ", null is ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int) and value.bit_length() > 256:
        return "…"
    if isinstance(value, dict | list | tuple):
        parts = value.values() if isinstance(value, dict) else value
        if depth == 0:
            return "…"
        texts = (flat_text(part, depth - 1) for part in list(parts)[:MAX_FIELDS])
        return ", ".join(text for text in texts if text)
    return str(value)


def read_fields(fields: Sequence[FormField], config: FieldsConfig) -> ReadFields:
    """Understand ``fields`` (in the form's order). Never raises."""
    left = [f for f in fields if f.value.strip()]
    read = ReadFields()
    used = _apply_mapping(left, config.mapping, read)
    # of a consent box the empty value speaks too, so they get all fields
    used |= _apply_consents(fields, config.consents, read)
    ignored = {fold_label(name) for name in config.ignore}
    left = [
        f
        for f in left
        if id(f) not in used
        and not ({fold_label(f.key), fold_label(f.label)} - {""} & ignored)
    ]
    left = _take_attribution(_take_known(left, read), read)
    if config.guess:
        left = _guess(left, read)
        if "name" not in config.mapping:
            _name_is_last_name(read)
    kept = {id(f) for f in without_noise(fields)}
    read.answers = _answers([f for f in left if id(f) in kept])
    return read


def _names(one: FormField) -> set[str]:
    return {
        name
        for name in (one.key.strip().casefold(), one.label.strip().casefold())
        if name
    }


def _find(fields: Iterable[FormField], name: str) -> list[FormField]:
    """Fields called ``name``, by key or label, whatever the case and outer blanks."""
    wanted = name.strip().casefold()
    return [f for f in fields if wanted in _names(f)]


def _apply_mapping(
    fields: list[FormField], mapping: Mapping[Target, str | list[str]], read: ReadFields
) -> set[int]:
    used: set[int] = set()
    for target, names in mapping.items():
        found: list[FormField] = []
        for name in [names] if isinstance(names, str) else names:
            found += [f for f in _find(fields, name) if f not in found]
        used.update(id(f) for f in found)
        joint = "\n" if target == "message" else " "
        if text := joint.join(f.value.strip() for f in found):
            read.values[target] = text
    return used


def _apply_consents(
    fields: Sequence[FormField],
    boxes: Mapping[str, str | ConsentField],
    read: ReadFields,
) -> set[int]:
    used: set[int] = set()
    for name, box in boxes.items():
        meaning = ConsentField(purpose=box) if isinstance(box, str) else box
        found = _find(fields, name)
        if not found:
            continue
        # beside a box many tools send a hidden, empty field of the same name
        f = next((f for f in found if f.value.strip()), found[0])
        used.add(id(f))
        read.consents.append(
            Consent(
                purpose=meaning.purpose,
                granted=is_granted(f.value),
                text=meaning.text or clean_text(f.label),
                version=meaning.version,
            )
        )
    return used


def is_granted(value: str) -> bool:
    """Was the box ticked? Empty is a refusal, as many tools write an unticked box.

    Browsers leave it out altogether: then nothing was said, and nobody asks here.
    """
    return bool(value.strip()) and value.strip().casefold() not in _REFUSALS


def _take_known(fields: list[FormField], read: ReadFields) -> list[FormField]:
    left = []
    for f in fields:
        if f.known and f.known not in read.values:
            read.values[f.known] = f.value
        else:
            left.append(f)
    return left


def _take_attribution(fields: list[FormField], read: ReadFields) -> list[FormField]:
    """Hidden campaign fields have unmistakable names, whatever guessing is set to."""
    left = []
    for f in fields:
        target = attribution_key(f.key) or attribution_key(f.label)
        if target and target not in read.values:
            read.values[target] = f.value
        elif not target:
            left.append(f)
    return left


def _guess(fields: list[FormField], read: ReadFields) -> list[FormField]:
    """Claim targets, surest sign first; each target goes to one field only."""

    def by_value(f: FormField) -> str:
        if looks_like_email(f.value):
            return "email"
        value = f.value.strip()
        # only with its country code; anything else may be an order number
        if value.startswith(("+", "00", "p:+")) and e164(value).startswith("+"):
            return "phone" if len(value) < 30 and not _has_letters(value) else ""
        return ""

    signs = (
        lambda f: BY_TYPE.get(f.type.casefold(), ""),
        lambda f: BY_LABEL.get(fold_label(f.key), ""),
        lambda f: BY_LABEL.get(fold_label(f.label), ""),
        lambda f: SECOND_CHOICE.get(fold_label(f.key), ""),
        lambda f: SECOND_CHOICE.get(fold_label(f.label), ""),
        by_value,
    )
    for sign in signs:
        left = []
        for f in fields:
            target = sign(f)
            if target and target not in read.values and _fits(target, f.value):
                read.values[target] = f.value
            else:
                left.append(f)
        fields = left
    return fields


def _has_letters(value: str) -> bool:
    return any(char.isalpha() for char in value.removeprefix("p:"))


def _fits(target: str, value: str) -> bool:
    """Is the value what the name promises? A field's id may be reused for anything."""
    if target == "email":
        return "@" in value
    if target == "phone":
        return sum(char.isdigit() for char in value) >= 3 or "dummy data" in value
    if target == "landing_page":
        return "/" in value
    return len(value) <= 500 or target == "message"


def _name_is_last_name(read: ReadFields) -> None:
    """Beside a first name, a field called only "Name" or "Nom" is the last name."""
    values = read.values
    first, name = values.get("first_name", ""), values.get("name", "")
    if first and name and "last_name" not in values:
        if first.casefold() not in name.casefold().split():
            values["last_name"] = values.pop("name")


def without_noise(fields: Sequence[FormField]) -> list[FormField]:
    """``fields`` but what the form tool added for itself."""
    keys = [fold_label(f.key) for f in fields]
    noise = NOISE | MAYBE_NOISE if TOOL_MARKS.intersection(keys) else NOISE
    return [
        f
        for f, key in zip(fields, keys, strict=True)
        if key not in noise and not key.startswith(("wpcf7", "gform "))
    ]


def _answers(fields: list[FormField]) -> list[Answer]:
    answers = [
        Answer(
            key=clean_line(f.key, 200) or clean_line(f.label, 200) or "?",
            label=clean_line(f.label) or clean_line(f.key),
            value=clean_text(f.value),
        )
        for f in fields[:MAX_FIELDS]
    ]
    if more := len(fields) - MAX_FIELDS:
        if more > 0:
            answers.append(Answer(key="…", value=f"{more} more in the payload"))
    return answers
