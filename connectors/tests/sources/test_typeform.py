# SPDX-License-Identifier: LGPL-3.0-or-later
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from lead_connectors.errors import Park, Retry, StopSource
from lead_connectors.secrets import SecretRef
from lead_connectors.sources.base import Receipt
from lead_connectors.sources.typeform import TypeformConfig, TypeformSource, sign
from lead_connectors.submission import Submission
from lead_connectors.testing.platforms.server import Reply
from lead_connectors.testing.platforms.typeform import TypeformPlatform
from lead_connectors.testing.source_suite import NOW, SourceSuite, assert_fits_odoo

SECRET = "typeform-secret-1"
FORM_ID = "lT4Z3j"
AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def make(**settings: Any) -> TypeformSource:
    config = TypeformConfig(type="typeform", secret=SecretRef(SECRET), **settings)
    return TypeformSource("typeform", config, requests.Session())


def question(number: int, kind: str, title: str) -> dict[str, Any]:
    return {"id": f"id{number}", "ref": f"ref-{number}", "type": kind, "title": title}


QUESTIONS = [
    question(1, "short_text", "What's your name?"),
    question(2, "email", "E-mail"),
    question(3, "phone_number", "Phone"),
    question(4, "multiple_choice", "Which plan?"),
    question(5, "multiple_choice", "Interests"),
    question(6, "yes_no", "Are you a customer?"),
    question(7, "number", "Seats"),
    question(8, "date", "When?"),
    question(9, "website", "Website"),
    question(10, "file_upload", "Brief"),
    question(11, "legal", "I agree to be contacted"),
    question(12, "payment", "Deposit"),
    question(13, "something_new", "New kind"),
]
DEFINITION = {
    "id": FORM_ID,
    "title": "Request a demo",
    "fields": [
        {
            "id": "group",
            "type": "group",
            "title": "About you",
            "properties": {"fields": QUESTIONS[:3]},
        },
        *QUESTIONS[3:],
    ],
}
VALUES: list[tuple[str, Any]] = [
    ("text", "Sofía Morales"),
    ("email", "sofia@empresa.example"),
    ("phone_number", "+34912345678"),
    ("choice", {"id": "x1", "label": "Pro", "ref": "r"}),
    ("choices", {"ids": ["a"], "labels": ["CRM", "Ads"], "other": "Mail"}),
    ("boolean", False),
    ("number", 25),
    ("date", "2026-12-01"),
    ("url", "https://empresa.example"),
    ("file_url", "https://api.typeform.com/responses/files/brief.pdf"),
    ("boolean", True),
    ("payment", {"amount": "10.00", "last4": "1234", "success": True}),
    ("unheard_of", {"value": "of"}),
]
ANSWERS = [
    {"type": kind, kind: value, "field": {k: q[k] for k in ("id", "ref", "type")}}
    for (kind, value), q in zip(VALUES, QUESTIONS, strict=True)
]


def response(token: str = "a3a12ec67a1365927098a606107fac15") -> dict[str, Any]:
    return {
        "token": token,
        "landed_at": "2026-11-20T07:55:00Z",
        "submitted_at": "2026-11-20T08:00:00Z",
        "hidden": {"utm_source": "linkedin", "gclid": "Cj0K", "account": "77"},
        "calculated": {"score": 9},
        "answers": ANSWERS,
    }


def webhook(**changes: Any) -> dict[str, Any]:
    form_response = {"form_id": FORM_ID, "definition": DEFINITION, **response()}
    return {
        "event_id": "LtWXD3crgy",
        "event_type": "form_response",
        "form_response": {**form_response, **changes},
    }


def receipt(body: dict[str, Any]) -> Receipt:
    raw = json.dumps(body, ensure_ascii=False).encode()
    headers = {"typeform-signature": sign(SECRET, raw)}
    return Receipt(raw, NOW, "POST", "application/json", headers)


def read(body: dict[str, Any], **settings: Any) -> Submission:
    [item] = make(**settings).parse(receipt(body))
    assert item.submission
    assert_fits_odoo(item.submission)
    return item.submission


class TestTypeform(SourceSuite):
    signature_header = "typeform-signature"
    secret_values = (SECRET, "tfp_invented_token")

    def source(self) -> TypeformSource:
        return make(access_token=SecretRef("tfp_invented_token"), form_ids=[FORM_ID])

    def genuine(self) -> list[Receipt]:
        return [receipt(webhook()), receipt(webhook(answers=[]))]


def test_signature_of_a_known_vector() -> None:
    # computed with: printf 'body' | openssl dgst -sha256 -hmac key -binary | base64
    expected = "sha256=UVquEztDXUAAlWcx9orlz164XU8NxqVG0r/NNZXsGuE="
    assert sign("key", b"body") == expected


def test_every_kind_of_answer() -> None:
    s = read(webhook(), consents={"ref-11": "contact"})
    assert s.contact.name == "Sofía Morales"
    assert s.contact.email == "sofia@empresa.example"
    assert s.contact.phone == "+34912345678"
    assert s.contact.website == "https://empresa.example"
    assert {a.label: a.value for a in s.answers} == {
        "Which plan?": "Pro",
        "Interests": "CRM, Ads, Mail",
        "Are you a customer?": "no",
        "Seats": "25",
        "When?": "2026-12-01",
        "Brief": "https://api.typeform.com/responses/files/brief.pdf",
        "Deposit": "10.00, 1234, yes",
        "New kind": "of",
        "account": "77",
    }
    [consent] = s.consents
    assert (consent.purpose, consent.granted) == ("contact", True)
    assert consent.text == "I agree to be contacted"
    a = s.attribution
    assert (a.utm_source, a.gclid) == ("linkedin", "Cj0K")
    assert (a.form_id, a.form_name) == (FORM_ID, "Request a demo")
    assert s.submitted_at == AT
    assert s.external_id == "a3a12ec67a1365927098a606107fac15"
    assert s.payload["form_response"]["calculated"] == {"score": 9}


def test_mapping_by_ref_or_title() -> None:
    for name in ("ref-1", "What's your name?"):
        s = read(webhook(), mapping={"name": name})
        assert s.contact.name == "Sofía Morales"
        assert (s.contact.first_name, s.contact.last_name) == ("Sofía", "Morales")


def test_the_event_id_does_not_make_a_second_lead() -> None:
    again = {**webhook(), "event_id": "other"}
    assert read(again).external_id == read(webhook()).external_id


def test_other_events_hold_no_lead() -> None:
    body = {**webhook(), "event_type": "form_response_partial"}
    assert make().parse(receipt(body)) == []
    assert make().parse(receipt({**webhook(), "event_type": 1})) == []


@pytest.mark.parametrize("form_response", [{}, None, [], {"token": None}])
def test_a_response_without_token_is_parked(form_response: Any) -> None:
    with pytest.raises(Park):
        make().parse(receipt({**webhook(), "form_response": form_response}))


# polls


@pytest.fixture
def platform() -> Iterator[TypeformPlatform]:
    with TypeformPlatform() as running:
        running.forms[FORM_ID] = DEFINITION
        yield running


def polling(platform: TypeformPlatform, **settings: Any) -> TypeformSource:
    return make(
        **{
            "access_token": SecretRef(platform.access_token),
            "form_ids": [FORM_ID],
            "api_url": platform.url,
            **settings,
        }
    )


def test_only_polls_when_told_how() -> None:
    assert make().can_poll is False
    assert make(access_token=SecretRef("x"), form_ids=["a"]).can_poll is True


def test_poll_pages_back_to_since(platform: TypeformPlatform) -> None:
    platform.responses[FORM_ID] = [
        {
            **response(f"t{n}"),
            "submitted_at": (AT + timedelta(minutes=n)).isoformat(),
        }
        for n in range(-10, 2_500)
    ]
    found = [item.external_id for item in polling(platform).fetch(AT)]
    assert sorted(found) == sorted(f"t{n}" for n in range(2_500))


def test_poll_and_webhook_give_the_same_lead(platform: TypeformPlatform) -> None:
    platform.responses[FORM_ID] = [response()]
    [item] = polling(platform).fetch(AT)
    assert item.submission
    same: dict[str, Any] = {"payload": {}}  # the API sends no definition along
    assert item.submission.model_copy(update=same) == read(webhook()).model_copy(
        update=same
    )


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401, {}), StopSource),
        (Reply(403, {}), StopSource),
        (Reply(404, {}), StopSource),
        (Reply(500, {}), Retry),
        (Reply(200, []), Retry),
        (Reply(302, {}, {"Location": "http://127.0.0.1:1"}), Retry),
    ],
)
def test_errors_of_the_api(
    platform: TypeformPlatform, reply: Reply, error: type[Exception]
) -> None:
    platform.fail(reply)
    with pytest.raises(error) as caught:
        list(polling(platform).fetch(AT))
    assert platform.access_token not in str(caught.value)


def test_rate_limit_says_when_to_come_back(platform: TypeformPlatform) -> None:
    platform.fail(Reply(429, {}, {"Retry-After": "7"}))
    with pytest.raises(Retry) as caught:
        list(polling(platform).fetch(AT))
    assert caught.value.after == 7


def test_check(platform: TypeformPlatform) -> None:
    [finding] = polling(platform).check()
    assert finding.ok and "Request a demo" in finding.what
    [finding] = polling(platform, form_ids=["other"]).check()
    assert not finding.ok and finding.cure
    [finding] = make().check()
    assert finding.ok and finding.warning
