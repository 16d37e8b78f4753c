# SPDX-License-Identifier: LGPL-3.0-or-later
"""What each platform and form tool posts for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from demo.people import Person
from lead_connectors.sources import standard_webhooks, typeform
from lead_connectors.sources.base import Receipt

JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Post:
    """One request to ``/hooks/SOURCE``. ``token``: the last part of its address."""

    source: str
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    forged: bool = False

    def receipt(self) -> Receipt:
        """As the connector sees it, to know the leads in it."""
        headers = {key.lower(): value for key, value in self.headers.items()}
        now = datetime.now(UTC)
        return Receipt(self.body, now, "POST", self.content_type, headers)


def forged(post: Post) -> Post:
    """The same request by somebody who does not know the secret."""
    headers = {
        key: "v1,AAAA" if value.startswith("v1,") else "sha256=" + "0" * 64
        for key, value in post.headers.items()
        if "signature" in key.lower()
    }
    return replace(post, headers={**post.headers, **headers}, forged=True)


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


# -- Google Ads ----------------------------------------------------------------------


def google_ads(person: Person, number: int, key: str, **more: Any) -> Post:
    columns = {
        "FULL_NAME": ("Full Name", person.name),
        "EMAIL": ("User Email", person.email),
        "PHONE_NUMBER": ("User Phone", person.phone),
        "CITY": ("City", person.city),
        "COUNTRY": ("Country", person.country),
        "COMPANY_NAME": ("Company Name", person.company),
        "what_is_your_project?": ("What is your project?", person.note),
    }
    body = {
        "lead_id": f"TeSter-demo-{number}-ABCdef0123456789",
        "user_column_data": [
            {"column_id": name, "column_name": label, "string_value": value}
            for name, (label, value) in columns.items()
            if value
        ],
        "api_version": "1.0",
        "form_id": 349080077126,
        "campaign_id": 9007199254740993,
        "google_key": key,
        "gcl_id": f"EAIaIQobChMI-demo-{number}",
        "lead_submit_time": now(),
        **more,
    }
    return Post("google-ads", as_json(body))


# -- web forms -----------------------------------------------------------------------


def elementor(person: Person, token: str) -> Post:
    """Elementor Pro's webhook action with "advanced data"."""
    fields = {
        "name": ("text", "Name", person.name),
        "email": ("email", "E-Mail", person.email),
        "tel": ("tel", "Telefon", person.phone),
        "city": ("text", "Ort", person.city),
        "message": ("textarea", "Nachricht", person.note),
        "gdpr": ("acceptance", "Ich stimme der Verarbeitung zu.", "on"),
    }
    pairs = {"form[id]": "2a4f6c1", "form[name]": "Kontakt"}
    for key, (kind, title, value) in fields.items():
        words = {"id": key, "type": kind, "title": title, "value": value}
        pairs |= {f"fields[{key}][{name}]": text for name, text in words.items()}
    pairs["meta[page_url][value]"] = (
        "https://solar.example/waermepumpe?utm_source=google&utm_medium=cpc"
        "&utm_campaign=Waermepumpe&gclid=Cj0Kdemo"
    )
    body = urlencode(pairs).encode()
    return Post("website-form", body, URLENCODED, token=token)


def elementor_plain(person: Person, token: str) -> Post:
    """The same without "advanced data": labels only."""
    pairs = {
        "Name": person.name,
        "Email": person.email,
        "Téléphone": person.phone,
        "Ville": person.city,
        "Message": person.note,
        "Page URL": "https://solar.example/fr/devis?utm_campaign=hiver",
        "form_id": "7b1",
        "form_name": "Devis",
    }
    return Post("website-form", urlencode(pairs).encode(), URLENCODED, token=token)


def contact_form_7(person: Person, token: str) -> Post:
    body = {
        "your-name": person.name,
        "your-email": person.email,
        "your-tel": person.phone,
        "your-message": person.note,
        "roof": ["Flat", "South"],
        "_wpcf7": "12",
    }
    return Post("website-form", as_json(body), token=token)


def gravity(person: Person, number: int, token: str) -> Post:
    """Gravity Forms number their fields; the configuration maps the name's parts."""
    first, _, last = person.name.partition(" ")
    body = {
        "id": f"34{number}",
        "form_id": "2",
        "date_created": now(),
        "source_url": "https://solar.example/quote/?msclkid=demo",
        "1.3": first,
        "1.6": last,
        "3": person.email,
        "4": person.phone,
        "7": person.note,
    }
    return Post("website-form", as_json(body), token=token)


def plain_html(person: Person, token: str, source: str = "website-form") -> Post:
    """A bare ``<form method="post">``."""
    pairs = {
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "message": person.note,
    }
    return Post(source, urlencode(pairs).encode(), URLENCODED, token=token)


def multipart(person: Person, token: str) -> Post:
    """A form that can take files."""
    pairs = {
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "message": person.note,
    }
    parts = "".join(
        f'--demo\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in pairs.items()
    )
    body = f"{parts}--demo--\r\n".encode()
    return Post("website-form", body, "multipart/form-data; boundary=demo", token=token)


# -- Typeform ------------------------------------------------------------------------

QUESTIONS = [
    ("short_text", "What's your name?"),
    ("email", "Your email"),
    ("phone_number", "Your phone"),
    ("multiple_choice", "What kind of roof do you have?"),
    ("legal", "I agree to be contacted"),
]


def typeform_response(person: Person, number: int, secret: str) -> Post:
    questions = [
        {"id": f"q{n}", "ref": f"ref-{n}", "type": kind, "title": title}
        for n, (kind, title) in enumerate(QUESTIONS)
    ]
    values: list[tuple[str, Any]] = [
        ("text", person.name),
        ("email", person.email),
        ("phone_number", person.phone),
        ("choice", {"label": "Pitched, tiles"}),
        ("boolean", True),
    ]
    body = {
        "event_id": f"demo-event-{number}",
        "event_type": "form_response",
        "form_response": {
            "form_id": "rooFcheck",
            "token": f"demo{number:028d}",
            "landed_at": now(),
            "submitted_at": now(),
            "hidden": {"utm_source": "newsletter", "utm_campaign": "Roof check"},
            "definition": {"id": "rooFcheck", "title": "Roof check"}
            | {"fields": questions},
            "answers": [
                {"type": kind, kind: value, "field": question}
                for (kind, value), question in zip(values, questions, strict=True)
            ],
        },
    }
    raw = as_json(body)
    signature = typeform.sign(secret, raw)
    return Post("typeform-roof", raw, headers={"Typeform-Signature": signature})


# -- Standard Webhooks ---------------------------------------------------------------


def portal(person: Person, number: int, secret: str, **more: Any) -> Post:
    """Any tool that signs as Standard Webhooks says, with the connector's words."""
    contact = {
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "city": person.city,
        "country": person.country,
        "company": person.company,
    }
    data = {
        "id": f"portal-{number}",
        "submitted_at": now(),
        "contact": contact,
        "message": person.note,
        "attribution": {"utm_source": "partner", "utm_campaign": "Installers"},
        **more,
    }
    raw = as_json({"type": "lead.submitted", "timestamp": now(), "data": data})
    headers = standard_webhooks.sign(
        secret, f"msg_demo_{number}", datetime.now(UTC), raw
    )
    return Post("partner-portal", raw, headers=headers)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
