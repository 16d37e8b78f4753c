# SPDX-License-Identifier: LGPL-3.0-or-later
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from lead_connectors.errors import ConfigError, Park, Refuse
from lead_connectors.secrets import SecretRef
from lead_connectors.sources.base import Receipt
from lead_connectors.sources.standard_webhooks import (
    StandardWebhooksConfig,
    StandardWebhooksSource,
    sign,
)
from lead_connectors.submission import Submission
from lead_connectors.testing.source_suite import NOW, SourceSuite, assert_fits_odoo

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OLD = "whsec_" + base64.b64encode(b"another secret, 24 bytes").decode()

OURS = {
    "id": "crm-77",
    "submitted_at": "2026-11-21T09:00:00+09:00",
    "contact": {
        "name": "Nguyễn Thị Hoa",
        "email": "hoa@vidu.example",
        "phone": "0912 345 678",
        "country": "Việt Nam",
        "shoe_size": 37,
    },
    "subject": "Demo",
    "message": "Please call",
    "answers": [{"key": "seats", "label": "How many seats?", "value": 5}],
    "attribution": {
        "utm_source": "zalo",
        "landing_page": "https://x.example/?gclid=G1",
    },
    "consents": [
        {"purpose": "newsletter", "granted": True, "text": "Yes", "version": "3"},
        {"purpose": "sms", "granted": "no"},
        {"granted": True},
    ],
    "visitor": "v-1",
}
FLAT = {"Full name": "Ana Souza", "E-mail": "ana@exemplo.example", "Plan": "Pro"}


def make(**settings: Any) -> StandardWebhooksSource:
    config = StandardWebhooksConfig(
        type="standard_webhooks", **{"secret": SecretRef(SECRET), **settings}
    )
    return StandardWebhooksSource("tool", config, requests.Session())


def receipt(
    data: Any, *, secret: str = SECRET, at: datetime = NOW, envelope: bool = True
) -> Receipt:
    body: Any = data
    if envelope:
        body = {"type": "lead", "timestamp": "2026-11-22T08:00:00Z", "data": data}
    raw = json.dumps(body).encode()
    headers = sign(secret, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", at, raw)
    return Receipt(raw, NOW, "POST", "application/json", headers)


def read(request: Receipt, **settings: Any) -> Submission:
    [item] = make(**settings).parse(request)
    assert item.submission
    assert_fits_odoo(item.submission)
    return item.submission


class TestStandardWebhooks(SourceSuite):
    signature_header = "webhook-signature"
    secret_values = (SECRET, SECRET.removeprefix("whsec_"), OLD)

    def source(self) -> StandardWebhooksSource:
        return make(old_secret=SecretRef(OLD))

    def genuine(self) -> list[Receipt]:
        return [
            receipt(OURS),
            receipt(FLAT),
            receipt(FLAT, envelope=False),
            receipt(FLAT, secret=OLD),
        ]


def test_the_standards_own_vector() -> None:
    """From the specification's reference implementations."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
    assert headers["webhook-signature"] == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )
    make(secret=SecretRef(secret)).verify(Receipt(body, at, headers=headers))


def test_one_good_signature_among_others_is_enough() -> None:
    request = receipt(OURS)
    good = request.headers["webhook-signature"]
    for text in (f"v1a,abc {good}", f"v1,AAAA {good} v2,x", f"nonsense {good}"):
        headers = {**request.headers, "webhook-signature": text}
        make().verify(replace(request, headers=headers))
    for text in ("v1a," + good[3:], good[3:], good.replace("v1,", "v1 ,")):
        headers = {**request.headers, "webhook-signature": text}
        with pytest.raises(Refuse):
            make().verify(replace(request, headers=headers))


@pytest.mark.parametrize(("seconds", "accepted"), [(299, True), (302, False)])
@pytest.mark.parametrize("sign_of", [1, -1])
def test_old_and_future_timestamps(seconds: int, accepted: bool, sign_of: int) -> None:
    request = receipt(OURS, at=NOW + timedelta(seconds=seconds * sign_of))
    if accepted:
        make().verify(request)
    else:
        with pytest.raises(Refuse, match="five minutes"):
            make().verify(request)


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp"])
def test_id_and_timestamp_are_signed(header: str) -> None:
    request = receipt(OURS)
    other = {"webhook-id": "msg_x", "webhook-timestamp": str(int(NOW.timestamp()) + 1)}
    headers = {**request.headers, header: other[header]}
    with pytest.raises(Refuse):
        make().verify(replace(request, headers=headers))
    with pytest.raises(Refuse):
        make().verify(replace(request, headers={**headers, header: ""}))


@pytest.mark.parametrize("timestamp", ["x", "-1", "1e9", "٣", "9" * 40])
def test_a_timestamp_that_is_none(timestamp: str) -> None:
    request = receipt(OURS)
    headers = {**request.headers, "webhook-timestamp": timestamp}
    with pytest.raises(Refuse):
        make().verify(replace(request, headers=headers))


@pytest.mark.parametrize("secret", ["whsec_not base64!", "whsec_c2hvcnQ=", "whsec_"])
def test_a_bad_secret_is_a_configuration_error(secret: str) -> None:
    with pytest.raises(ConfigError, match="openssl rand") as caught:
        make(secret=SecretRef(secret))
    assert secret.removeprefix("whsec_") not in str(caught.value) or secret == "whsec_"


def test_our_own_shape() -> None:
    s = read(receipt(OURS))
    assert s.external_id == "crm-77"
    assert s.submitted_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert s.contact.name == "Nguyễn Thị Hoa" and s.contact.first_name == ""
    assert (s.contact.phone, s.contact.country) == ("+84912345678", "VN")
    assert (s.subject, s.message, s.visitor) == ("Demo", "Please call", "v-1")
    assert {a.key: a.value for a in s.answers} == {"seats": "5", "shoe_size": "37"}
    assert (s.attribution.utm_source, s.attribution.gclid) == ("zalo", "G1")
    news, sms = s.consents
    assert (news.purpose, news.granted, news.text) == ("newsletter", True, "Yes")
    assert (sms.purpose, sms.granted) == ("sms", False)


def test_flat_data_is_read_as_a_form() -> None:
    s = read(receipt(FLAT))
    assert s.contact.name == "Ana Souza" and s.contact.email == "ana@exemplo.example"
    assert [a.value for a in s.answers] == ["Pro"]
    assert s.external_id == "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
    assert s.submitted_at == datetime(2026, 11, 22, 8, tzinfo=UTC)
    mapped = read(receipt(FLAT), mapping={"job_title": "plan"})
    assert mapped.contact.job_title == "Pro"
    assert read(receipt(FLAT, envelope=False)).contact.name == "Ana Souza"


def test_what_is_kept_of_a_request_is_enough_to_parse_it() -> None:
    """The signature is not stored, and a replay has the same id."""
    request = receipt(FLAT)
    kept = {k: request.headers[k] for k in make().kept_headers if k in request.headers}
    assert "webhook-signature" not in kept
    assert make().parse(replace(request, headers=kept)) == make().parse(request)


def test_only_true_marks_a_test() -> None:
    assert read(receipt({**FLAT, "test": True})).test is True
    assert read(receipt({**FLAT, "test": "yes"})).test is False


@pytest.mark.parametrize("data", [[], "x", {}, None])
def test_no_data_is_parked(data: Any) -> None:
    with pytest.raises(Park):
        make().parse(receipt(data))
