# SPDX-License-Identifier: LGPL-3.0-or-later
"""Shapes of form tools and plain pages, and ids of submissions that have none."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lead_connectors.errors import Park
from lead_connectors.normalise import clean_text
from lead_connectors.secrets import SecretRef
from lead_connectors.sources._fields import flat_text
from lead_connectors.sources.base import Item, Receipt
from lead_connectors.sources.form import FormConfig, FormSource
from lead_connectors.submission import Submission
from lead_connectors.testing.source_suite import (
    NOW,
    SourceSuite,
    assert_fits_odoo,
    bounded,
)

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


# mapping


def test_several_fields_into_one() -> None:
    body = {"first": "Ann", "last": "Ito", "q1": "One", "q2": "", "q3": "Three"}
    s = read(
        as_json(body),
        mapping={"name": ["first", "last"], "message": ["q1", "q2", "q3"]},
    )
    assert s.contact.name == "Ann Ito"
    assert s.message == "One\nThree"
    assert s.answers == ()


def test_mapping_wins_over_guessing_and_knows_labels() -> None:
    body = {"email": "a@b.example", "Geschäftliche Adresse": "work@b.example", "x": "1"}
    s = read(as_json(body), mapping={"email": " geschäftliche adresse "})
    assert s.contact.email == "work@b.example"
    assert answers(s) == {"email": "a@b.example", "x": "1"}


def test_guessing_can_be_switched_off() -> None:
    s = read(as_json({"email": "a@b.example", "n": "Ann"}), guess=False)
    assert s.contact.email == ""
    assert answers(s) == {"email": "a@b.example", "n": "Ann"}


def test_ignored_fields_are_only_in_the_payload() -> None:
    s = read(
        as_json({"name": "Ann Ito", "Internal-Note": "x"}), ignore=["internal note"]
    )
    assert s.answers == () and s.payload["Internal-Note"] == "x"


def test_an_unknown_target_is_a_configuration_error() -> None:
    with pytest.raises(ValidationError, match="e_mail"):
        make(mapping={"e_mail": "your-email"})


@pytest.mark.parametrize(
    ("field", "value", "target"),
    [
        ("البريد الإلكتروني", "a@b.example", "email"),
        ("Correo electrónico *", "a@b.example", "email"),
        ("E-Mail-Adresse", "a@b.example", "email"),
        ("メールアドレス", "a@b.example", "email"),
        ("Teléfono", "+34 912 345 678", "phone"),
        ("Số điện thoại", "+84 912 345 678", "phone"),
        ("Naam", "Jan de Vries", "name"),
        ("姓名", "王小明", "name"),
        ("Ragione sociale", "Rossi S.p.A.", "company"),
        ("companyName", "Acme", "company"),
        ("Código Postal", "28001", "zip"),
        ("contact_city", "Porto", "city"),
        ("Your job title (required)", "CEO", "job_title"),
    ],
)
def test_labels_in_many_languages(field: str, value: str, target: str) -> None:
    s = read(as_json({field: value}))
    assert getattr(s.contact, target)
    assert s.answers == ()


@pytest.mark.parametrize(
    "field", ["Company email policy", "name of your dog", "phone system", "Order no"]
)
def test_parts_of_labels_prove_nothing(field: str) -> None:
    s = read(as_json({field: "some text"}))
    assert answers(s) == {field: "some text"}


def test_an_email_field_without_an_address_is_an_answer() -> None:
    s = read(as_json({"email": "please call instead", "tel": "no"}))
    assert (s.contact.email, s.contact.phone) == ("", "")
    assert answers(s) == {"email": "please call instead", "tel": "no"}


def test_an_unknown_country_is_kept_as_an_answer() -> None:
    s = read(as_json({"name": "Ann Ito", "country": "Atlantis"}))
    assert s.contact.country == "" and answers(s) == {"country": "Atlantis"}
    assert read(as_json({"Land": "Österreich"})).contact.country == "AT"


@pytest.mark.parametrize(
    ("value", "granted"), [("on", True), ("1", True), ("no", False), ("Nein", False)]
)
def test_consent_boxes(value: str, granted: bool) -> None:
    box = {"purpose": "newsletter", "text": "Send me news.", "version": "2026-01"}
    s = read(as_json({"name": "Ann Ito", "news": value}), consents={"news": box})
    [consent] = s.consents
    assert (consent.purpose, consent.granted) == ("newsletter", granted)
    assert (consent.text, consent.version) == ("Send me news.", "2026-01")


def test_a_box_that_was_not_sent_says_nothing() -> None:
    assert (
        read(as_json({"name": "Ann"}), consents={"news": "newsletter"}).consents == ()
    )


def test_parameters_of_the_hooks_address_count() -> None:
    receipt = Receipt(
        b'{"name": "Ann Ito"}', NOW, query={"form_id": "quote", "utm_source": "expo"}
    )
    a = read(receipt).attribution
    assert (a.form_id, a.utm_source) == ("quote", "expo")


def test_honeypot_parks_and_test_field_marks() -> None:
    body = {"name": "Ann Ito", "website2": "http://spam.example", "t": "1"}
    with pytest.raises(Park, match="honeypot"):
        make(honeypot="website2").parse(as_json(body))
    assert read(as_json(body), test_field="t").test is True
    assert read(as_json(body)).test is False


def test_redirect_for_plain_html_forms() -> None:
    answer = make(redirect="https://firma.example/danke").accepted
    assert (answer.status, answer.location) == (303, "https://firma.example/danke")
    assert make().accepted.status == 200
    with pytest.raises(ValidationError):
        make(redirect="javascript:alert(1)")


# ids


def at(receipt: Receipt, seconds: float) -> Receipt:
    return Receipt(
        receipt.body,
        NOW + timedelta(seconds=seconds),
        receipt.method,
        receipt.content_type,
    )


def one_lead(first: Item, second: Item) -> bool:
    """As the inbox sees it, in whatever order they come."""
    known = {second.external_id, *second.same_as}
    seen = {first.external_id, *first.same_as}
    return first.external_id in known and second.external_id in seen


@given(st.integers(0, 5_000), st.floats(0, 599))
@bounded
def test_a_double_click_is_one_lead_at_any_moment(start: int, gap: float) -> None:
    receipt = urlencoded(ELEMENTOR_PLAIN)
    first, second = item_of(at(receipt, start)), item_of(at(receipt, start + gap))
    assert one_lead(first, second)


def test_the_tools_clock_does_not_make_a_second_lead() -> None:
    later = [(k, "8:50 am" if k == "Time" else v) for k, v in ELEMENTOR_PLAIN]
    first, second = item_of(urlencoded(ELEMENTOR_PLAIN)), item_of(urlencoded(later))
    assert first.external_id == second.external_id


def test_a_new_enquiry_is_a_new_lead() -> None:
    receipt = urlencoded(ELEMENTOR_PLAIN)
    first = item_of(receipt)
    assert not one_lead(first, item_of(at(receipt, 1_201)))
    other = [(k, "Paris" if k == "Ville" else v) for k, v in ELEMENTOR_PLAIN]
    assert not one_lead(first, item_of(urlencoded(other)))
    assert not one_lead(
        item_of(receipt, repeat_window=0), item_of(at(receipt, 1), repeat_window=0)
    )


def test_a_mapped_id_is_taken_as_it_is() -> None:
    body = {"name": "Ann Ito", "uid": "c0ffee-1"}
    item = item_of(as_json(body), mapping={"external_id": "uid"})
    assert (item.external_id, item.same_as) == ("c0ffee-1", ())


def test_an_entry_id_that_never_changes_loses_nobody() -> None:
    first = item_of(as_json({**GRAVITY, "3": "a@b.example"}))
    second = item_of(as_json({**GRAVITY, "3": "c@d.example"}))
    assert first.external_id != second.external_id
    template = {"name": "Ann Ito", "entry_id": "{entry_id}"}
    assert item_of(as_json(template)).same_as  # not an id: time decides


# hostile


def test_repeated_keys_deep_keys_and_prototypes() -> None:
    s = read(
        urlencoded(
            [
                ("x[]", "a"),
                ("x[]", "b"),
                ("y", "1"),
                ("y", "2"),
                ("__proto__[admin]", "1"),
                ("constructor", "z"),
                ("d" + "[k]" * 50, "deep"),
                ("a", "1"),
                ("a[b]", "2"),
                ("name", "Ann Ito"),
            ]
        )
    )
    found = answers(s)
    assert (found["x"], found["y"]) == ("a, b", "1, 2")
    assert found["__proto__"] == "1" and found["constructor"] == "z"
    assert found["d" + "[k]" * 50] == "deep"
    assert s.contact.name == "Ann Ito"


def test_two_thousand_fields_and_endless_values_are_bounded() -> None:
    body = "&".join(f"f{n}={n}" for n in range(2_000)) + "&name=" + quote("Ann Ito")
    s = read(Receipt(body.encode(), NOW, "POST", FORM))
    assert s.contact.name == "Ann Ito"
    assert len(s.answers) == 501
    assert s.answers[-1].value == "1500 more in the payload"
    assert s.payload["f1999"] == "1999"
    long = read(as_json({"message": "x" * 1_000_000, "name": "y" * 10_000}))
    assert len(long.message) == 20_000
    assert len(json.dumps(long.to_odoo())) < 100_000


@bounded
@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("ab[]._ \x00é"), max_size=12), st.text(max_size=8)
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_urlencoded_pairs(pairs: list[tuple[str, str]]) -> None:
    body = "&".join(
        f"{quote(k)}={quote(v, errors='replace')}" for k, v in pairs
    ).encode()
    try:
        items = make().parse(Receipt(body, NOW, "POST", FORM))
    except Park:
        return
    for item in items:
        assert item.submission
        assert_fits_odoo(item.submission)


@bounded
@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30), min_size=1))
def test_nothing_that_was_written_is_lost(body: dict[str, str]) -> None:
    """Whatever the guess: every value stands in the submission or its payload."""
    try:
        submission = item_of(as_json(body)).submission
    except Park:
        assert not any(value.strip() for value in body.values())
        return
    assert submission
    assert_fits_odoo(submission)
    kept = {flat_text(value) for value in submission.payload.values()}
    assert {clean_text(value) for value in body.values()} <= kept
