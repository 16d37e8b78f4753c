# SPDX-License-Identifier: LGPL-3.0-or-later
"""Meta's door and what becomes of one lead. Polls and errors: test_meta_graph.py."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
import requests

from lead_connectors.errors import Park, Refuse
from lead_connectors.secrets import SecretRef
from lead_connectors.sources._fields import FieldsConfig
from lead_connectors.sources._meta_lead import to_submission
from lead_connectors.sources.base import Item, Receipt
from lead_connectors.sources.meta import MetaConfig, MetaSource
from lead_connectors.submission import Submission
from lead_connectors.testing.platforms.meta import MetaPlatform
from lead_connectors.testing.source_suite import NOW, SourceSuite, assert_fits_odoo

VERIFY = "meatyhamhock-2026"
AT = datetime(2026, 11, 20, 8, 49, 14, tzinfo=UTC)


def make(platform: MetaPlatform, **settings: Any) -> MetaSource:
    config = MetaConfig(
        type="meta",
        app_secret=SecretRef(platform.app_secret),
        verify_token=SecretRef(VERIFY),
        access_token=SecretRef(platform.access_token),
        graph_url=platform.url,
        **{
            "page_ids": [platform.page_id],
            "app_id": platform.app_id,
            "channel": "meta-main",
            **settings,
        },
    )
    return MetaSource("meta", config, requests.Session())


@pytest.fixture
def platform() -> Iterator[MetaPlatform]:
    with MetaPlatform() as running:
        yield running


def receipt(platform: MetaPlatform, body: bytes) -> Receipt:
    headers = platform.sign(body)
    return Receipt(body, NOW, "POST", "application/json", headers)


def read(source: MetaSource, platform: MetaPlatform, lead_id: str) -> Submission:
    [item] = source.parse(receipt(platform, platform.webhook(lead_id)))
    submission = source.complete(item)
    assert_fits_odoo(submission)
    return submission


class TestMeta(SourceSuite):
    signature_header = "x-hub-signature-256"
    secret_values = ("0123456789abcdef0123456789abcdef", VERIFY, "EAAinventedPageToken")

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _running(cls) -> Iterator[None]:
        with MetaPlatform() as cls.platform:
            yield

    platform: ClassVar[MetaPlatform]

    def source(self) -> MetaSource:
        return make(self.platform)

    def genuine(self) -> list[Receipt]:
        platform = self.platform
        return [
            receipt(platform, platform.webhook("9007199254740995", "444444444444")),
            receipt(platform, platform.webhook("77", numbers=False)),
            receipt(platform, b'{"object": "page", "entry": []}'),
        ]


def test_handshake(platform: MetaPlatform) -> None:
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": VERIFY,
    }
    request = Receipt(b"", NOW, "GET", query=query)
    answer = make(platform).handshake(request)
    assert (answer.status, answer.body) == (200, b"1158201444")
    assert answer.content_type.startswith("text/plain")
    for wrong in (
        {"hub.verify_token": "x"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "\ud800"},
        {"hub.mode": "unsubscribe"},
    ):
        with pytest.raises(Refuse) as caught:
            make(platform).handshake(replace(request, query={**query, **wrong}))
        assert caught.value.status == 403
        assert VERIFY not in str(caught.value)


def test_several_entries_other_fields_and_legacy_ids(platform: MetaPlatform) -> None:
    def change(field: str, **value: Any) -> dict[str, Any]:
        return {"field": field, "value": value}

    body = {
        "object": "page",
        "new_key": {"Meta": "adds things"},
        "entry": [
            {"id": 1, "changes": [change("leadgen", leadgen_id=123456789012345678)]},
            {
                "id": "2",
                "changes": [
                    change("feed", item="like"),
                    change("leadgen", leadgen_id="42", page_id="7", adgroup_id=0),
                    change("leadgen", leadgen_id="42", page_id="7"),
                ],
            },
        ],
    }
    items = make(platform).parse(receipt(platform, json.dumps(body).encode()))
    assert items == [
        Item("123456789012345678", None, {"leadgen_id": "123456789012345678"}),
        Item("42", None, {"leadgen_id": "42", "page_id": "7"}),
    ]


def test_notifications_about_other_objects_hold_no_lead(platform: MetaPlatform) -> None:
    assert make(platform).parse(Receipt(b'{"object": "user"}', NOW)) == []
    with pytest.raises(Park):
        make(platform).parse(Receipt(b"not json", NOW))
    bad = b'{"object":"page","entry":[{"changes":[{"field":"leadgen"}]}]}'
    with pytest.raises(Park):
        make(platform).parse(Receipt(bad, NOW))


def test_a_lead_with_everything(platform: MetaPlatform) -> None:
    form_id = platform.add_form(
        "Probefahrt",
        [
            {"key": "full_name", "label": "Name", "type": "FULL_NAME"},
            {"key": "e-mail-adresse", "label": "E-Mail-Adresse", "type": "EMAIL"},
            {"key": "telefonnummer", "label": "Telefonnummer", "type": "PHONE"},
            {"key": "q1", "label": "Welches Modell?", "type": "CUSTOM"},
        ],
        locale="de_DE",
        checkboxes={"optional_1": "Ja, ich möchte den Newsletter.", "call": "Anruf"},
    )
    lead_id = platform.submit(
        form_id,
        {
            "full_name": "Jürgen Groß",
            "e-mail-adresse": "j.gross@firma.example",
            "telefonnummer": "030 901820",
            "q1": ["Golf", "Polo"],
            "utm_campaign": "herbst",
            "utm_source": "newsletter",
        },
        at=AT,
        platform="ig",
        checked={"optional_1": True, "call": False},
    )
    source = make(platform, consents={"optional_1": "newsletter"})
    s = read(source, platform, lead_id)
    assert (s.channel, s.external_id) == ("meta-main", lead_id)
    assert s.submitted_at == AT
    assert s.contact.name == "Jürgen Groß"
    assert s.contact.email == "j.gross@firma.example"
    assert s.contact.phone == "+4930901820"  # the form's locale names the country
    assert s.contact.lang == "de_DE"
    [answer] = s.answers
    assert (answer.key, answer.label) == ("q1", "Welches Modell?")
    assert answer.value == "Golf, Polo"
    a = s.attribution
    assert (a.utm_source, a.utm_medium, a.utm_campaign) == (
        "newsletter",
        "paid",
        "herbst",
    )
    assert (a.campaign_name, a.adset_name, a.ad_name) == (
        "Winter",
        "Nordics 30-50",
        "Video A",
    )
    assert (a.campaign_id, a.ad_id) == ("23850000000000003", "23850000000000001")
    assert (a.form_id, a.form_name) == (form_id, "Probefahrt")
    first, second = s.consents
    assert (first.purpose, first.granted) == ("newsletter", True)
    assert first.text == "Ja, ich möchte den Newsletter."
    assert first.version == f"legal-{form_id}" and first.at == AT
    assert (second.purpose, second.granted) == ("call", False)
    assert s.payload["field_data"][3]["values"] == ["Golf", "Polo"]
    assert not s.test


@pytest.mark.parametrize(
    ("checked", "granted"),
    [("1", [True]), ("", [False]), (True, [True]), (False, [False]), (None, [])],
)
def test_a_consent_box_and_its_answer(checked: Any, granted: list[bool]) -> None:
    """Meta writes "" for a box that was left empty; no answer at all is no refusal."""
    box = {"checkbox_key": "optional_1", "is_checked": checked}
    lead = {
        "created_time": "2026-11-20T08:49:14+0000",
        "custom_disclaimer_responses": [box],
    }
    config = FieldsConfig(type="meta", consents={"optional_1": "newsletter"})
    s = to_submission(lead, {}, channel="meta", config=config, lead_id="1")
    assert [consent.granted for consent in s.consents] == granted


@pytest.mark.parametrize(
    ("platform_value", "organic", "source", "medium"),
    [
        ("fb", False, "facebook", "paid"),
        ("ig", True, "instagram", "organic"),
        ("threads", False, "threads", "paid"),
        ("", True, "facebook", "organic"),
    ],
)
def test_where_it_came_from(
    platform: MetaPlatform, platform_value: str, organic: bool, source: str, medium: str
) -> None:
    form_id = platform.add_form("Any")
    lead_id = platform.submit(
        form_id,
        {"full_name": "Linh Trần"},
        organic=organic,
        platform=platform_value,
    )
    a = read(make(platform), platform, lead_id).attribution
    assert (a.utm_source, a.utm_medium) == (source, medium)


@pytest.mark.parametrize(
    ("answers", "test"),
    [
        ({"full_name": "<test lead: dummy data for full_name>"}, True),
        ({"q": "test lead: dummy data for q"}, True),
        ({"email": "test@meta.com"}, True),
        ({"email": "Test@fb.com"}, True),
        ({"email": "test@example.com", "full_name": "Test Test"}, False),
        ({"q": "How long does the test lead cable last?"}, False),
    ],
)
def test_only_metas_own_marks_make_a_test(
    platform: MetaPlatform, answers: dict[str, str], test: bool
) -> None:
    lead_id = platform.submit(platform.add_form("Any"), answers)
    assert read(make(platform), platform, lead_id).test is test


def test_dummy_phone_is_kept_as_it_is(platform: MetaPlatform) -> None:
    dummy = "<test lead: dummy data for phone_number>"
    lead_id = platform.submit(platform.add_form("Any"), {"phone_number": dummy})
    assert read(make(platform), platform, lead_id).contact.phone == dummy


def test_junk_is_marked_in_the_payload_and_kept(platform: MetaPlatform) -> None:
    answers = {"full_name": "asdf asdf", "email": "test@test.com"}
    lead_id = platform.submit(platform.add_form("Any"), answers)
    submission = read(make(platform), platform, lead_id)
    assert submission.payload["junk"] == [
        "name: keyboard pattern",
        "email: placeholder",
    ]
    assert submission.contact.email == "test@test.com"


def test_send_test_makes_a_lead_that_can_be_read(platform: MetaPlatform) -> None:
    form_id = platform.add_form("Any", [{"key": "full_name", "type": "FULL_NAME"}])
    source = make(platform, test_form_id=form_id)
    request = source.send_test("https://leads.example.com/hooks/meta")
    source.verify(request)
    [item] = source.parse(request)
    assert source.complete(item).test is True


def test_send_test_says_what_it_needs(platform: MetaPlatform) -> None:
    with pytest.raises(Park, match="test_form_id"):
        make(platform).send_test("https://leads.example.com/hooks/meta")
