# SPDX-License-Identifier: LGPL-3.0-or-later
"""What form tools send, and short ways to have it read."""

import json
from typing import Any
from urllib.parse import urlencode

import requests

from lead_connectors.secrets import SecretRef
from lead_connectors.sources.base import Item, Receipt
from lead_connectors.sources.form import FormConfig, FormSource
from lead_connectors.submission import Submission
from lead_connectors.testing.source_suite import NOW, assert_fits_odoo

TOKEN = "a-long-random-token"
FORM = "application/x-www-form-urlencoded"

ELEMENTOR_ADVANCED = [
    ("form[id]", "2a4f6c1"),
    ("form[name]", "Kontakt"),
    ("fields[name][id]", "name"),
    ("fields[name][type]", "text"),
    ("fields[name][title]", "Name"),
    ("fields[name][value]", "Jürgen Groß"),
    ("fields[name][raw_value]", "Jürgen Groß"),
    ("fields[name][required]", "1"),
    # a reused slot: the id says e-mail, the type says what it is
    ("fields[email][id]", "email"),
    ("fields[email][type]", "select"),
    ("fields[email][title]", "Wie haben Sie uns gefunden?"),
    ("fields[email][value]", "Messe"),
    ("fields[field_0199d6][id]", "field_0199d6"),
    ("fields[field_0199d6][type]", "email"),
    ("fields[field_0199d6][title]", "E-Mail"),
    ("fields[field_0199d6][value]", "j.gross@firma.example"),
    ("fields[gdpr][id]", "gdpr"),
    ("fields[gdpr][type]", "acceptance"),
    ("fields[gdpr][title]", "Ich stimme zu."),
    ("fields[gdpr][value]", "on"),
    ("meta[date][title]", "Datum"),
    ("meta[date][value]", "22. November 2026"),
    ("meta[time][title]", "Zeit"),
    ("meta[time][value]", "8:49"),
    ("meta[page_url][title]", "Seiten-URL"),
    ("meta[page_url][value]", "https://firma.example/?utm_source=google&gclid=Cj0K"),
    ("meta[user_agent][title]", "User Agent"),
    ("meta[user_agent][value]", "Mozilla/5.0"),
    ("meta[remote_ip][title]", "IP"),
    ("meta[remote_ip][value]", "203.0.113.9"),
    ("meta[credit][title]", "Powered by"),
    ("meta[credit][value]", "Elementor"),
]
ELEMENTOR_PLAIN = [
    ("Name", "Camille Lefèvre"),
    ("Email ", "camille@exemple.example"),
    ("", "an unlabelled answer"),
    ("Ville", "Lyon"),
    ("Date", "novembre 22, 2026"),
    ("Time", "8:49 am"),
    ("Page URL", "https://exemple.example/contact?utm_campaign=hiver"),
    ("User Agent", "Mozilla/5.0"),
    ("Remote IP", "203.0.113.9"),
    ("Powered by", "Elementor"),
    ("form_id", "7b1"),
    ("form_name", "Contact"),
]
CF7 = {
    "your-name": "María José Pérez",
    "your-email": "maria@ejemplo.example",
    "your-tel": "+34 912 345 678",
    "your-subject": "Presupuesto",
    "your-message": "Hola,\n¿cuánto cuesta?",
    "checkbox": ["Web", "SEO"],
    "_wpcf7": "12",
    "_wpcf7_unit_tag": "wpcf7-f12-p3-o1",
}
GRAVITY = {
    "id": "345",
    "form_id": "2",
    "date_created": "2026-11-22 08:49:14",
    "source_url": "https://shop.example/quote/?msclkid=abc",
    "ip": "203.0.113.9",
    "user_agent": "Mozilla/5.0",
    "1.3": "Nguyễn",
    "1.6": "An",
    "3": "an.nguyen@vidu.example",
    "4": "0912 345 678",
    "7": "I need a quote",
}
GOOGLE_FORMS = {
    "form_id": "1FAIpQL",
    "response_id": "2_ABaOnud",
    "submitted_at": "2026-11-21T10:00:00+07:00",
    "answers": {"Họ và tên": "Trần Thị Mai", "Email": "mai@vidu.example", "Tuổi": "31"},
}


def make(**settings: Any) -> FormSource:
    config = FormConfig(
        type="form", token=SecretRef(TOKEN), channel="web-main", **settings
    )
    return FormSource("web", config, requests.Session())


def urlencoded(pairs: list[tuple[str, str]]) -> Receipt:
    return Receipt(urlencode(pairs).encode(), NOW, "POST", FORM)


def as_json(value: Any, content_type: str = "application/json") -> Receipt:
    return Receipt(json.dumps(value).encode(), NOW, "POST", content_type)


def multipart(*parts: tuple[str, bytes]) -> Receipt:
    body = b"".join(
        b"--xyz\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n"
        % (head.encode(), data)
        for head, data in parts
    )
    kind = "multipart/form-data; boundary=xyz"
    return Receipt(body + b"--xyz--\r\n", NOW, "POST", kind)


def item_of(receipt: Receipt, **settings: Any) -> Item:
    [item] = make(**settings).parse(receipt)
    return item


def read(receipt: Receipt, **settings: Any) -> Submission:
    submission = item_of(receipt, **settings).submission
    assert submission
    assert_fits_odoo(submission)
    return submission


def answers(submission: Submission) -> dict[str, str]:
    return {answer.label or answer.key: answer.value for answer in submission.answers}
