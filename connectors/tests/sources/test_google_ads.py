# SPDX-License-Identifier: LGPL-3.0-or-later
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from lead_connectors.errors import Refuse
from lead_connectors.secrets import SecretRef
from lead_connectors.sources.base import Receipt
from lead_connectors.sources.google_ads import GoogleAdsConfig, GoogleAdsSource
from lead_connectors.submission import Submission
from lead_connectors.testing.source_suite import NOW, SourceSuite

KEY = "Sommer-2026/äöü+key"


def make(**settings: Any) -> GoogleAdsSource:
    config = GoogleAdsConfig(
        type="google_ads", google_key=SecretRef(KEY), channel="google-main", **settings
    )
    return GoogleAdsSource("google", config, requests.Session())


def column(cid: str, value: Any, name: str | None = None) -> dict[str, Any]:
    row = {"column_id": cid, "string_value": value}
    return row if name is None else {**row, "column_name": name}


def lead(**changes: Any) -> dict[str, Any]:
    return {
        "lead_id": "TeSter-123-" + "ABCdef0123456789" * 10,
        "user_column_data": [
            column("FULL_NAME", "Ingrid Sørensen", "Full Name"),
            column("EMAIL", "Ingrid@Fjord.EXAMPLE", "User Email"),
            column("PHONE_NUMBER", "+47 22 12 34 56", "User Phone"),
            column("POSTAL_CODE", "0150"),
            column("COUNTRY", "Norway"),
            column("COMPANY_NAME", "Fjord AS"),
            column("what_budget_do_you_have?", "10 000 – 20 000", "What budget?"),
        ],
        "api_version": "1.0",
        "form_id": 349080077126,
        "campaign_id": 9007199254740993,
        "adgroup_id": "123",
        "creative_id": 456,
        "google_key": KEY,
        "gcl_id": "EAIaIQobChMI-invented",
        "lead_submit_time": "2026-11-21T12:30:00Z",
        "lead_source": "LEAD_FORM",
        **changes,
    }


def receipt(body: dict[str, Any], *, ascii: bool = True) -> Receipt:
    raw = json.dumps(body, ensure_ascii=ascii).encode()
    return Receipt(raw, NOW, "POST", "application/json")


def parse(body: dict[str, Any], **settings: Any) -> Submission:
    [item] = make(**settings).parse(receipt(body))
    assert item.submission
    return item.submission


class TestGoogleAds(SourceSuite):
    signs_body = False  # Google only sends a key along
    secret_values = (KEY,)

    def source(self) -> GoogleAdsSource:
        return make()

    def genuine(self) -> list[Receipt]:
        old = lead()
        old["Google_key"] = old.pop("google_key")
        return [receipt(lead()), receipt(lead(), ascii=False), receipt(old)]

    def unauthorised(self, request: Receipt) -> list[Receipt]:
        bare = lead()
        del bare["google_key"]
        return [receipt(bare)] + [
            receipt(lead(google_key=key))
            for key in ("", "x", KEY + "x", 1, None, "\ud800")
        ]


def test_everything_google_sends_is_mapped() -> None:
    submission = parse(lead())
    contact = submission.contact
    assert contact.name == "Ingrid Sørensen"
    assert (contact.first_name, contact.last_name) == ("Ingrid", "Sørensen")
    assert contact.email == "Ingrid@fjord.example"
    assert contact.phone == "+4722123456"
    assert (contact.zip, contact.country) == ("0150", "NO")
    assert contact.company == "Fjord AS"
    [answer] = submission.answers
    assert answer.key == "what_budget_do_you_have?"
    assert answer.label == "What budget?"
    assert answer.value == "10 000 – 20 000"
    a = submission.attribution
    assert (a.utm_source, a.utm_medium) == ("google", "cpc")
    assert a.gclid == "EAIaIQobChMI-invented"
    # exact beyond 2^53
    assert (a.form_id, a.campaign_id) == ("349080077126", "9007199254740993")
    assert (a.adset_id, a.ad_id) == ("123", "456")
    assert submission.submitted_at == datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    assert not submission.test
    assert submission.external_id == lead()["lead_id"]
    assert "google_key" not in submission.payload


@pytest.mark.parametrize(("is_test", "marked"), [(True, True), (False, False)])
def test_only_a_true_flag_makes_a_test(is_test: bool, marked: bool) -> None:
    assert parse(lead(is_test=is_test)).test is marked
    assert parse(lead(is_test="true")).test is False


def test_work_address_counts_only_without_a_private_one() -> None:
    only_work = parse(lead(user_column_data=[column("WORK_EMAIL", "a@firma.example")]))
    assert only_work.contact.email == "a@firma.example"
    both = parse(
        lead(
            user_column_data=[
                column("WORK_EMAIL", "a@firma.example"),
                column("EMAIL", "b@mail.example"),
            ]
        )
    )
    assert both.contact.email == "b@mail.example"
    assert [a.key for a in both.answers] == ["WORK_EMAIL"]


def test_ids_as_numbers_strings_and_endless() -> None:
    assert parse(lead(lead_id=12345678901234567890)).external_id == (
        "12345678901234567890"
    )
    long = parse(lead(lead_id="x" * 1000)).external_id
    assert long.startswith("sha256-") and len(long) == 71
    assert parse(lead(lead_id="x" * 999)).external_id != long


def test_missing_submit_time_means_now() -> None:
    assert parse(lead(lead_submit_time=None)).submitted_at == NOW


def test_national_phone_with_the_leads_country_then_the_default() -> None:
    columns = [column("PHONE_NUMBER", "030 901820"), column("COUNTRY", "DE")]
    assert parse(lead(user_column_data=columns)).contact.phone == "+4930901820"
    columns = [column("PHONE_NUMBER", "030 901820")]
    assert parse(lead(user_column_data=columns)).contact.phone == "030 901820"
    known = parse(lead(user_column_data=columns), default_country="DE")
    assert known.contact.phone == "+4930901820"


def test_a_refusal_has_the_documented_shape() -> None:
    source = make()
    with pytest.raises(Refuse) as caught:
        source.verify(receipt(lead(google_key="wrong")))
    assert caught.value.status == 403
    answer = source.refused(403, str(caught.value))
    assert json.loads(answer.body) == {"message": "google_key is wrong"}
    assert (source.accepted.status, source.accepted.body) == (200, b"{}")


def test_body_must_be_json() -> None:
    with pytest.raises(Refuse) as caught:
        make().verify(Receipt(b"google_key=" + KEY.encode(), NOW))
    assert caught.value.status == 400


def test_redaction_keeps_every_other_byte() -> None:
    request = Receipt(b'{ "a": 1,\n "google_key" : "k\\"ey", "b":2 }', NOW)
    assert make().redact(request) == (
        b'{ "a": 1,\n "google_key" : "[redacted]", "b":2 }'
    )
