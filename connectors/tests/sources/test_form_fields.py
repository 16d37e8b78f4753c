# SPDX-License-Identifier: LGPL-3.0-or-later
"""What a form's fields are taken for: mapping, guess, consents."""

from typing import Any

import pytest
from pydantic import ValidationError
from support.forms import (
    answers,
    as_json,
    make,
    read,
)

from lead_connectors.errors import Dismiss
from lead_connectors.sources.base import Receipt
from lead_connectors.testing.source_suite import (
    NOW,
)


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
        ("What's your name?", "Ann Ito", "name"),
        ("What is your email address?", "a@b.example", "email"),
        ("Quel est votre numéro de téléphone ?", "+33 1 23 45 67 89", "phone"),
        ("Wie heißen Sie?", "Jan Groß", "name"),
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
    ("value", "granted"),
    [
        ("on", True),
        ("1", True),
        (True, True),
        ("no", False),
        ("Nein", False),
        (False, False),
        ("", False),
        (" ", False),
        (None, False),
    ],
)
def test_consent_boxes(value: Any, granted: bool) -> None:
    box = {"purpose": "newsletter", "text": "Send me news.", "version": "2026-01"}
    s = read(as_json({"name": "Ann Ito", "news": value}), consents={"news": box})
    [consent] = s.consents
    assert (consent.purpose, consent.granted) == ("newsletter", granted)
    assert (consent.text, consent.version) == ("Send me news.", "2026-01")


def test_a_box_that_was_not_sent_says_nothing() -> None:
    assert (
        read(as_json({"name": "Ann"}), consents={"news": "newsletter"}).consents == ()
    )


def test_a_hidden_empty_field_beside_a_ticked_box() -> None:
    """Many tools send both, so that an unticked box is sent as well."""
    for box, granted in ((b"news=&news=yes", True), (b"news=", False)):
        body = b"name=Ann&" + box
        s = read(Receipt(body, NOW), consents={"news": "newsletter"})
        assert [consent.granted for consent in s.consents] == [granted]
    boxes = [{"id": key, "title": "News", "value": key} for key in ("", "on")]
    labelled = {"fields": boxes}
    [consent] = read(as_json(labelled), consents={"News": "newsletter"}).consents
    assert consent.granted


def test_parameters_of_the_hooks_address_count() -> None:
    receipt = Receipt(
        b'{"name": "Ann Ito"}', NOW, query={"form_id": "quote", "utm_source": "expo"}
    )
    a = read(receipt).attribution
    assert (a.form_id, a.utm_source) == ("quote", "expo")


def test_a_honeypot_dismisses_and_a_test_field_marks() -> None:
    body = {"name": "Ann Ito", "website2": "http://spam.example", "t": "1"}
    with pytest.raises(Dismiss, match="honeypot"):
        make(honeypot="website2").parse(as_json(body))
    assert read(as_json(body), test_field="t").test is True
    assert read(as_json(body)).test is False


def test_a_robot_in_a_list_harms_no_neighbour() -> None:
    robot = {"name": "Ann Ito", "website2": "http://spam.example"}
    source = make(honeypot="website2")
    [found] = source.parse(as_json([robot, {"name": "Lan Trần"}]))
    assert found.submission and found.submission.contact.name == "Lan Trần"
    with pytest.raises(Dismiss):
        source.parse(as_json([robot, robot]))


def test_redirect_for_plain_html_forms() -> None:
    answer = make(redirect="https://firma.example/danke").accepted
    assert (answer.status, answer.location) == (303, "https://firma.example/danke")
    assert make().accepted.status == 200
    with pytest.raises(ValidationError):
        make(redirect="javascript:alert(1)")
