# SPDX-License-Identifier: LGPL-3.0-or-later
"""What the form tools make of a submission -> flat fields and what is known of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lead_connectors.normalise import clean_line
from lead_connectors.sources._fields import FormField, flat_text
from lead_connectors.sources._json import id_text
from lead_connectors.sources._labels import BY_LABEL, fold_label

__all__ = ["FormData", "shape"]

_MAX_FIELDS = 3_000
_VALUES = ("value", "answer", "response", "values", "raw_value")
_NAMES = ("key", "id", "ref", "name", "question", "title", "label")
_LABELS = ("title", "label", "question", "name")
# containers of answers: Google Forms script, Elementor, Tally, relays
_CONTAINERS = ("fields", "answers", "form_fields", "form_data", "formdata", "responses")
# an id the tool gives every submission; only beside a form's id can it be trusted to
# be the tool's and not the visitor's
_ENTRY_IDS = ("response_id", "submission_id", "submissionid", "entry_id", "unique_id")
_GRAVITY = frozenset(("date_created", "source_url", "form_id"))


@dataclass(slots=True)
class FormData:
    """``entry_id``: the tool's own id of this submission, "" where it has none."""

    fields: list[FormField] = field(default_factory=list)
    entry_id: str = ""
    form_id: str = ""
    submitted_at: Any = None


def shape(body: Mapping[str, Any], query: Mapping[str, str]) -> FormData:
    """Recognise the tool's shape by what is there; any other is read as it is.

    ``query``: parameters of the hook's address, such as ?form_id=contact.
    """
    data = FormData()
    lower = {fold(key): value for key, value in body.items()}
    form = lower.get("form")
    if isinstance(form, dict):  # Elementor with Advanced Data
        data.form_id = id_text(form.get("id"))
        data.fields.append(FormField("form_name", flat_text(form.get("name"))))
    data.form_id = data.form_id or id_text(lower.get("form_id"))
    data.form_id = data.form_id or id_text(query.get("form_id"))
    data.entry_id = _entry_id(lower)
    data.submitted_at = lower.get("submitted_at")
    for key, value in body.items():
        name = fold(key)
        if name == "form" and isinstance(value, dict):
            continue
        if name in _CONTAINERS and isinstance(value, dict | list):
            data.fields += _fields_in(value)
        elif name in ("meta", "data", "metadata") and isinstance(value, dict):
            data.fields += _fields_in(value)
        else:
            data.fields += _one(str(key), value)
    if data.form_id:
        data.fields.append(FormField("form_id", data.form_id))
    data.fields += [FormField(k, v) for k, v in query.items()]
    data.fields = data.fields[:_MAX_FIELDS]
    return data


def fold(key: Any) -> str:
    return re.sub(r"[\s-]+", "_", clean_line(str(key), 200).casefold())


def _entry_id(lower: Mapping[str, Any]) -> str:
    for name in _ENTRY_IDS:
        # a template's variable that was never filled in is no id
        if (text := id_text(lower.get(name))) and not re.search(r"[{}\[\]]", text):
            return text
    if _GRAVITY <= lower.keys():
        return id_text(lower.get("id"))
    return ""


def _fields_in(container: Any) -> Iterator[FormField]:
    """A list of {name, value}, a dict of them, or a plain dict."""
    if isinstance(container, list):
        for number, one in enumerate(container[:_MAX_FIELDS], 1):
            if isinstance(one, dict) and _value_key(one):
                yield _described(_first(one, _NAMES) or str(number), one)
            else:
                yield from _one(str(number), one)
    elif isinstance(container, dict):
        for key, one in container.items():
            if isinstance(one, dict) and _value_key(one):
                yield _described(str(key), one)
            elif fold(key) in _CONTAINERS:
                yield from _fields_in(one)
            else:
                yield from _one(str(key), one)


def _value_key(one: Mapping[str, Any]) -> str:
    return next((key for key in _VALUES if key in one), "")


def _first(one: Mapping[str, Any], names: tuple[str, ...]) -> str:
    texts = (flat_text(one.get(name)) for name in names)
    return next((text for text in texts if text.strip()), "")


def _described(key: str, one: Mapping[str, Any]) -> FormField:
    return FormField(
        key=key,
        value=_value(one[_value_key(one)]),
        label=_first(one, _LABELS),
        type=flat_text(one.get("type"))[:50],
    )


def _one(key: str, value: Any) -> Iterator[FormField]:
    """A value that is a text, a list or a file; parts of an object get its name."""
    if isinstance(value, dict) and not _is_file(value):
        named = {fold_label(str(part)) for part in value}
        # {"first": …, "last": …} under "name" are fields of their own
        if named & BY_LABEL.keys():
            for part, inner in value.items():
                yield FormField(str(part), _value(inner), f"{key} {part}")
            return
    yield FormField(key, _value(value))


def _is_file(value: Mapping[str, Any]) -> bool:
    return "file" in value and "size" in value


def _value(value: Any) -> str:
    """As text; of a file only its name and size, wherever a tool puts it."""
    if isinstance(value, dict) and _is_file(value):
        return f"{flat_text(value['file'])} ({flat_text(value['size'])} bytes)"
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return ", ".join(text for one in value[:500] if (text := _value(one)))
    if (
        isinstance(value, str)
        and value.startswith("data:")
        and ";base64," in value[:99]
    ):
        return f"file ({len(value) * 3 // 4} bytes)"
    return flat_text(value)
