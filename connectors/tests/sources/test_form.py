# SPDX-License-Identifier: LGPL-3.0-or-later
"""Shapes of form tools and plain pages."""

import contextlib
import json
import time

import pytest
from pydantic import ValidationError
from support.forms import (
    CF7,
    ELEMENTOR_ADVANCED,
    ELEMENTOR_PLAIN,
    FORM,
    GOOGLE_FORMS,
    GRAVITY,
    TOKEN,
    answers,
    as_json,
    make,
    multipart,
    read,
    urlencoded,
)

from lead_connectors.errors import Park
from lead_connectors.sources.base import Receipt
from lead_connectors.sources.form import FormConfig, FormSource
from lead_connectors.testing.source_suite import (
    NOW,
    SourceSuite,
)


class TestForm(SourceSuite):
    verifies = False  # forms can't sign: the token in the address is the check
    signs_body = False
    secret_values = (TOKEN,)

    def source(self) -> FormSource:
        return make(test_field="is_test", honeypot="website2", redirect="")

    def genuine(self) -> list[Receipt]:
        return [
            as_json(CF7),
            as_json(GOOGLE_FORMS),
            as_json([CF7, GRAVITY]),
            urlencoded(ELEMENTOR_ADVANCED),
            urlencoded(ELEMENTOR_PLAIN),
            multipart(('name="name"', b"Ann Ito"), ('name="phone"', b"+4930901820")),
        ]


def test_a_token_is_required() -> None:
    with pytest.raises(ValidationError, match="token"):
        FormConfig(type="form")  # type: ignore[call-arg]


def test_elementor_with_advanced_data() -> None:
    s = read(urlencoded(ELEMENTOR_ADVANCED), consents={"gdpr": "contact"})
    assert (s.contact.first_name, s.contact.last_name) == ("Jürgen", "Groß")
    assert s.contact.email == "j.gross@firma.example"
    assert answers(s) == {"Wie haben Sie uns gefunden?": "Messe"}
    assert (s.attribution.form_id, s.attribution.form_name) == ("2a4f6c1", "Kontakt")
    assert (s.attribution.utm_source, s.attribution.gclid) == ("google", "Cj0K")
    assert s.attribution.landing_page.startswith("https://firma.example/")
    [consent] = s.consents
    assert (consent.purpose, consent.granted) == ("contact", True)
    assert consent.text == "Ich stimme zu." and consent.at == NOW
    assert s.submitted_at == NOW  # never the site's localised date
    assert s.payload["fields"]["name"]["value"] == "Jürgen Groß"


def test_elementor_without_advanced_data() -> None:
    s = read(urlencoded(ELEMENTOR_PLAIN))
    assert s.contact.name == "Camille Lefèvre"
    assert s.contact.email == "camille@exemple.example"
    assert s.contact.city == "Lyon"
    assert s.attribution.utm_campaign == "hiver"
    assert (s.attribution.form_id, s.attribution.form_name) == ("7b1", "Contact")
    # no label is no reason to lose an answer; Date, Time and IP are the tool's
    assert answers(s) == {"?": "an unlabelled answer"}


def test_date_is_an_answer_where_no_tool_added_it() -> None:
    body = {"name": "Ann Ito", "date": "2026-12-24", "time": "19:00"}
    assert answers(read(as_json(body))) == {"date": "2026-12-24", "time": "19:00"}


def test_contact_form_7() -> None:
    s = read(as_json(CF7))
    assert s.contact.name == "María José Pérez"
    assert s.contact.first_name == ""  # three words: no guess
    assert s.contact.email == "maria@ejemplo.example"
    assert s.contact.phone == "+34912345678"
    assert s.subject == "Presupuesto"
    assert s.message == "Hola,\n¿cuánto cuesta?"
    assert answers(s) == {"checkbox": "Web, SEO"}


def test_contact_form_7_with_a_template_that_breaks_json() -> None:
    body = (
        '{\n "your-name": "Anna "Annie" Berg",\n "your-email": "anna@berg.example",'
        '\n "your-message": "Two lines,\nand a "quote": yes", "count": 3\n}'
    )
    s = read(Receipt(body.encode(), NOW, "POST", "text/plain"))
    assert s.contact.name == 'Anna "Annie" Berg'
    assert s.contact.email == "anna@berg.example"
    assert s.message == 'Two lines,\nand a "quote": yes'
    assert answers(s) == {"count": "3"}


def test_gravity_forms() -> None:
    s = read(
        as_json(GRAVITY),
        mapping={"last_name": "1.3", "first_name": "1.6", "message": "7", "phone": "4"},
        default_country="VN",
    )
    assert s.contact.name == "An Nguyễn"
    assert s.contact.email == "an.nguyen@vidu.example"  # by its looks
    assert s.contact.phone == "+84912345678"
    assert s.message == "I need a quote"
    assert s.attribution.msclkid == "abc"
    assert s.external_id.startswith("2-345-")


def test_google_forms_script() -> None:
    s = read(as_json(GOOGLE_FORMS))
    assert s.contact.name == "Trần Thị Mai"
    assert s.contact.email == "mai@vidu.example"
    assert answers(s) == {"Tuổi": "31"}
    assert s.submitted_at.isoformat() == "2026-11-21T03:00:00+00:00"
    assert s.external_id.startswith("1FAIpQL-2_ABaOnud-")


def test_google_sheet_trigger_has_lists() -> None:
    values = {"Name": ["Ann Ito"], "E-mail": ["ann@ito.example"], "Topics": ["A", "B"]}
    s = read(as_json({"form_id": "f", "answers": values}))
    assert s.contact.name == "Ann Ito" and s.contact.email == "ann@ito.example"
    assert answers(s) == {"Topics": "A, B"}


def test_lists_of_labelled_fields() -> None:
    fields = [
        {
            "key": "question_1",
            "label": "Full Name",
            "type": "INPUT_TEXT",
            "value": "A B",
        },
        {
            "key": "question_2",
            "label": None,
            "type": "INPUT_EMAIL",
            "value": "a@b.example",
        },
        {"key": "question_3", "label": "Budget", "type": "DROPDOWN", "value": ["1k"]},
    ]
    s = read(as_json({"data": {"fields": fields}}))
    assert s.contact.name == "A B" and s.contact.email == "a@b.example"
    assert answers(s) == {"Budget": "1k"}


def test_name_in_parts() -> None:
    s = read(as_json({"name": {"first": "Ann", "last": "Ito"}, "phone": "+4930901820"}))
    assert (s.contact.first_name, s.contact.last_name) == ("Ann", "Ito")


def test_plain_html_form_in_windows_encoding() -> None:
    body = b"Vorname=J%FCrgen&Name=Gro%DF&Telefon=030+901820&utm_source=flyer"
    s = read(Receipt(body, NOW, "POST", FORM), default_country="DE")
    assert s.contact.name == "Jürgen Groß"
    assert s.contact.last_name == "Groß"  # beside a first name, "Name" is the last
    assert s.contact.phone == "+4930901820"
    assert s.attribution.utm_source == "flyer"


def test_multipart_with_a_file() -> None:
    s = read(
        multipart(
            ('name="name"', "Zoë Ødegård".encode()),
            ('name="email"', b"zoe@example.com"),
            ('name="cv"; filename="cv %22x%22.pdf"', b"%PDF" * 100),
            ('name="empty"; filename=""', b""),
        )
    )
    assert s.contact.name == "Zoë Ødegård"
    assert answers(s) == {"cv": 'cv "x".pdf (400 bytes)'}
    assert "%PDF" not in json.dumps(s.to_odoo())


def test_multipart_cut_short_keeps_what_was_whole() -> None:
    whole = multipart(('name="name"', b"Ann Ito"), ('name="email"', b"a@ito.example"))
    cut = Receipt(whole.body[:-30], NOW, "POST", whole.content_type)
    assert read(cut).contact.name == "Ann Ito"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", ""),
        (b"just text", "text/plain"),
        (b"[1, 2]", "application/json"),
        (b"{}", "application/json"),
        (b'{"name": ""}', "application/json"),
        (b"name=&email=", FORM),
        (b"--y\r\n\r\n", "multipart/form-data; boundary=xyz"),
    ],
)
def test_what_holds_nothing_is_parked(body: bytes, content_type: str) -> None:
    with pytest.raises(Park):
        make().parse(Receipt(body, NOW, "POST", content_type))


@pytest.mark.parametrize(
    "text",
    [
        "{" + '"a":"' * 39_000 + "}",
        "{" + '"a":"x" ' * 24_000 + "}",
        '{"a":"' + ', "b":' * 33_000 + "}",
        '{"a":"' + (" " * 1000 + ', "b":') * 190 + "}",
    ],
)
def test_broken_json_costs_no_more_than_its_length(text: str) -> None:
    """A form's token is no secret: anybody may post this. It took a minute once."""
    started = time.process_time()
    with contextlib.suppress(Park):
        make().parse(Receipt(text.encode(), NOW, "POST", "application/json"))
    assert time.process_time() - started < 1
