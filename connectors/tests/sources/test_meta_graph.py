# SPDX-License-Identifier: LGPL-3.0-or-later
"""Reading from Graph: missing permissions, errors, polls, and ``check``."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from lead_connectors.errors import ConnectorError, Park, Retry, StopSource
from lead_connectors.secrets import SecretRef
from lead_connectors.sources.base import Item
from lead_connectors.sources.meta import MetaConfig, MetaSource
from lead_connectors.testing.platforms.meta import MetaPlatform, graph_error
from lead_connectors.testing.platforms.server import Reply

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture
def platform() -> Iterator[MetaPlatform]:
    with MetaPlatform() as running:
        yield running


def make(platform: MetaPlatform, **settings: Any) -> MetaSource:
    config = MetaConfig(
        type="meta",
        app_secret=SecretRef(platform.app_secret),
        verify_token=SecretRef("verify-token"),
        access_token=SecretRef(platform.access_token),
        page_ids=[platform.page_id],
        app_id=platform.app_id,
        **{"graph_url": platform.url, **settings},
    )
    return MetaSource("meta", config, requests.Session())


def item(lead_id: str) -> Item:
    return Item(lead_id, None, {"leadgen_id": lead_id})


def error_of(source: MetaSource, lead_id: str) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        source.complete(item(lead_id))
    text = str(caught.value)
    assert source.config.access_token.reveal() not in text
    assert "something" not in text  # Meta's own message may repeat the token
    return caught.value


def test_the_token_never_stands_in_an_address(platform: MetaPlatform) -> None:
    lead_id = platform.submit(platform.add_form("Any"), {"full_name": "Ann Ito"})
    make(platform).complete(item(lead_id))
    assert platform.calls
    for call in platform.calls:
        assert platform.access_token not in str(call.query)
        assert call.query["appsecret_proof"]


def test_without_ads_management_the_lead_still_comes(platform: MetaPlatform) -> None:
    platform.ad_names_allowed = False
    platform.legal_content_allowed = False
    form_id = platform.add_form("Any", [{"key": "q", "label": "Which?"}])
    lead_id = platform.submit(form_id, {"full_name": "Ann Ito", "q": "this"}, at=AT)
    submission = make(platform).complete(item(lead_id))
    assert submission.contact.name == "Ann Ito"
    assert submission.attribution.campaign_name == ""
    assert submission.answers[0].label == "Which?"
    [polled] = make(platform).fetch(AT)
    assert polled.submission
    assert polled.submission.external_id == lead_id


def test_labels_are_read_once(platform: MetaPlatform) -> None:
    form_id = platform.add_form("Any", [{"key": "q", "label": "Which?"}])
    leads = [platform.submit(form_id, {"q": str(n)}) for n in range(5)]
    source = make(platform)
    for lead_id in leads:
        source.complete(item(lead_id))
    assert sum(call.path.endswith(form_id) for call in platform.calls) == 1


@pytest.mark.parametrize("code", [2, 4, 17, 32, 613, 80000, 80001, 80004, 80005, 368])
def test_codes_to_try_again(platform: MetaPlatform, code: int) -> None:
    platform.fail(graph_error(code))
    error = error_of(make(platform), "1")
    assert isinstance(error, Retry) and error.limit is None
    assert f"error {code}" in str(error) and "AbCdEf123" in str(error)


def test_throttling_waits_as_long_as_meta_says(platform: MetaPlatform) -> None:
    platform.fail(graph_error(80005, minutes=7))
    error = error_of(make(platform), "1")
    assert isinstance(error, Retry) and error.after == 420
    platform.fail(Reply(400, graph_error(80005).json, {"X-App-Usage": "broken"}))
    error = error_of(make(platform), "1")
    assert isinstance(error, Retry) and error.after is None


def test_unknown_error_is_capped(platform: MetaPlatform) -> None:
    platform.fail(graph_error(1, status=500))
    error = error_of(make(platform), "1")
    assert isinstance(error, Retry) and error.limit == 5


def test_transient_flag_wins(platform: MetaPlatform) -> None:
    platform.fail(graph_error(100, is_transient=True))
    assert isinstance(error_of(make(platform), "1"), Retry)


@pytest.mark.parametrize(("code", "subcode"), [(190, 463), (190, 0), (102, 0)])
def test_a_dead_token_stops_the_source(
    platform: MetaPlatform, code: int, subcode: int
) -> None:
    platform.fail(graph_error(code, subcode, status=401))
    assert isinstance(error_of(make(platform), "1"), StopSource)


@pytest.mark.parametrize("code", [10, 200, 299])
def test_a_missing_permission_stops_the_source(
    platform: MetaPlatform, code: int
) -> None:
    platform.fail(graph_error(code, status=403), times=2)  # also with plain fields
    assert isinstance(error_of(make(platform), "1"), StopSource)


def test_a_placeholder_id_gets_few_slow_retries(platform: MetaPlatform) -> None:
    error = error_of(make(platform), "444444444444")
    assert isinstance(error, Retry)
    assert error.limit == 3 and error.after == 900


@pytest.mark.parametrize("code", [3, 100, 2500])
def test_permanent_errors_park(platform: MetaPlatform, code: int) -> None:
    platform.fail(graph_error(code), times=2)
    assert isinstance(error_of(make(platform), "1"), Park)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, "down"),
        Reply(500, {"error": "text"}),
        Reply(429, {}),
        Reply(200, ["?"]),
        Reply(200, {"error": {"code": 2}}),
        Reply(302, {}, {"Location": "http://127.0.0.1:1/"}),
    ],
)
def test_odd_answers_are_tried_again(platform: MetaPlatform, reply: Reply) -> None:
    platform.fail(reply)
    assert isinstance(error_of(make(platform), "1"), Retry)


def test_graph_down_is_tried_again() -> None:
    with MetaPlatform() as gone:
        pass
    error = error_of(make(gone), "1")
    assert isinstance(error, Retry) and "ConnectionError" in str(error)


# polls


def ids(source: MetaSource, since: datetime) -> list[str]:
    return sorted(one.external_id for one in source.fetch(since))


def test_poll_pages_through_all_forms(platform: MetaPlatform) -> None:
    forms = [platform.add_form(f"Form {n}") for n in range(3)]
    expected = [
        platform.submit(
            forms[n % 3], {"full_name": f"Person {n}"}, at=AT + timedelta(minutes=n)
        )
        for n in range(320)
    ]
    items = list(make(platform).fetch(AT))
    assert sorted(one.external_id for one in items) == sorted(expected)
    assert all(one.submission for one in items)
    assert not any("leaky" in str(call.query) for call in platform.calls)


def test_poll_starts_exactly_at_since(platform: MetaPlatform) -> None:
    form_id = platform.add_form("Any")
    _, edge, new = (
        platform.submit(form_id, {"full_name": "A B"}, at=AT + timedelta(seconds=s))
        for s in (-1, 0, 5)
    )
    assert ids(make(platform), AT) == sorted([edge, new])


def test_a_filter_that_is_ignored_changes_nothing(
    platform: MetaPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    form_id = platform.add_form("Any")
    platform.submit(form_id, {"full_name": "A B"}, at=AT - timedelta(days=3))
    new = platform.submit(form_id, {"full_name": "A B"}, at=AT)
    paged = platform._leads

    def unfiltered(form_id: str, query: dict[str, str]) -> Reply:
        return paged(form_id, {k: v for k, v in query.items() if k != "filtering"})

    monkeypatch.setattr(platform, "_leads", unfiltered)
    assert ids(make(platform), AT) == [new]


def test_poll_sends_the_filter_meta_understands(platform: MetaPlatform) -> None:
    form_id = platform.add_form("Any")
    for n in range(30):
        platform.submit(form_id, {"full_name": "A B"}, at=AT - timedelta(days=n))
    list(make(platform).fetch(AT - timedelta(days=1)))
    calls = [c for c in platform.calls if c.path.endswith("/leads")]
    assert len(calls) == 1  # 2 leads, not 30: the server did the filtering
    assert '"time_created"' in calls[0].query["filtering"]


def test_poll_and_webhook_give_the_same_lead(platform: MetaPlatform) -> None:
    form_id = platform.add_form("Any", checkboxes={"c": "Yes please"})
    lead_id = platform.submit(
        form_id, {"full_name": "Ann Ito", "q": "x"}, at=AT, checked={"c": True}
    )
    [polled] = make(platform).fetch(AT)
    assert polled.submission == make(platform).complete(item(lead_id))


def test_one_broken_form_does_not_hide_the_others(platform: MetaPlatform) -> None:
    form_id = platform.add_form("Any")
    lead_id = platform.submit(form_id, {"full_name": "A B"}, at=AT)
    source = make(platform, form_ids=["999", form_id])
    found = []
    with pytest.raises(StopSource, match="form 999"):
        for one in source.fetch(AT):
            found.append(one.external_id)
    assert found == [lead_id]


def test_throttled_poll_says_when_to_come_back(platform: MetaPlatform) -> None:
    platform.fail(graph_error(80005, minutes=3))
    with pytest.raises(Retry) as caught:
        list(make(platform).fetch(AT))
    assert caught.value.after == 180


def test_counts_per_utc_day(platform: MetaPlatform) -> None:
    form_id = platform.add_form("Any")
    for hours in (0, 1, 15, 16, 40):
        platform.submit(form_id, {"q": "x"}, at=AT + timedelta(hours=hours))
    platform.submit(form_id, {"q": "x"}, at=AT - timedelta(days=1))
    assert make(platform).daily_counts(date(2026, 11, 20)) == {
        date(2026, 11, 20): 3,
        date(2026, 11, 21): 1,
        date(2026, 11, 22): 1,
    }


# check


def bad(source: MetaSource) -> str:
    return "; ".join(f.what for f in source.check() if not f.ok)


def test_check_is_content_when_all_is_well(platform: MetaPlatform) -> None:
    platform.add_form("Any")
    findings = list(make(platform).check())
    assert all(finding.ok and not finding.warning for finding in findings)
    assert len(findings) == 4
    assert not any(platform.access_token in str(finding) for finding in findings)


def test_check_names_what_is_wrong_and_the_cure(platform: MetaPlatform) -> None:
    platform.scopes.remove("leads_retrieval")
    platform.scopes.remove("ads_management")
    platform.subscribed = [
        {"id": str(n), "subscribed_fields": ["leadgen"]} for n in range(150)
    ] + [{"id": platform.app_id, "subscribed_fields": ["feed"]}]
    platform.lead_access = {
        "can_access_lead": False,
        "failure_reason": "App not assigned in Leads Access Manager",
    }
    findings = list(make(platform).check())
    wrong = [finding for finding in findings if not finding.ok]
    assert [finding.what for finding in wrong] == [
        "the access token lacks the permission leads_retrieval",
        f"page {platform.page_id} sends no leads: the app is subscribed, but not to"
        " leadgen",
        f"page {platform.page_id}: leads access is blocked: App not assigned in Leads"
        " Access Manager",
    ]
    assert all(finding.cure for finding in wrong)
    [warning] = [finding for finding in findings if finding.warning]
    assert "ads_management" in warning.what


def test_check_finds_our_app_on_a_later_page(platform: MetaPlatform) -> None:
    platform.subscribed = [
        {"id": str(n), "subscribed_fields": ["feed"]} for n in range(150)
    ] + platform.subscribed
    assert bad(make(platform)) == ""


def test_check_tells_an_invalid_and_an_ending_token(platform: MetaPlatform) -> None:
    in_five_days = datetime.now(UTC) + timedelta(days=5, hours=1)
    platform.token_expires_at = int(in_five_days.timestamp())
    first = next(iter(make(platform).check()))
    assert first.warning and "5 more days" in first.what and first.cure
    platform.token_valid = False
    assert "the access token is not valid" in bad(make(platform))


def test_check_never_raises() -> None:
    with MetaPlatform() as gone:
        pass
    findings = list(make(gone).check())
    assert findings and not any(finding.ok for finding in findings)
