# SPDX-License-Identifier: LGPL-3.0-or-later
"""Who fetched the picture or the link of a mail."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.robots import BURST_LINKS, CLICK, OPEN, RULES, SOON, Fetch, robot

SENT = datetime(2026, 11, 20, 9, 0)
PEOPLE = [
    # Chrome, Safari, Firefox, Edge on computers and phones
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko)",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.5)",
    "Mozilla/5.0 (Linux; Android 14; KINGKONG 9 CUBOT) AppleWebKit/537.36 (KHTML, like"
    " Gecko) Chrome/130.0.0.0 Mobile Safari/537.36 CUBOT",
    "Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00) AppleWebKit/537.36 (KHTML,"
    " like Gecko) Chrome/99.0.4844.88 HuaweiBrowser/14.0 Mobile Safari/537.36",
]
ROBOTS = {
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0"
    " (via ggpht.com GoogleImageProxy)": "proxy",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html": "proxy",
    "Mozilla/5.0": "apple",
    "Barracuda Sentinel (EE)": "scanner",
    "Mozilla/5.0 (compatible; Proofpoint-TAP)": "scanner",
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/534+ BingPreview/1.0b": "preview",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)": "preview",
    "python-requests/2.31.0": "program",
    "curl/8.5.0": "program",
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0.0.0 Safari/537.36": "program",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com)": "program",
    "": "unnamed",
    "  ": "unnamed",
}
later = st.timedeltas(SOON[OPEN], timedelta(days=400))
soon = st.timedeltas(-timedelta(minutes=1), SOON[CLICK] - timedelta(microseconds=1))


def fetch(**values):
    values = {"kind": CLICK, "at": SENT + timedelta(hours=1), **values}
    return Fetch(**{"sent_at": SENT, "user_agent": PEOPLE[0], **values})


@given(st.sampled_from(PEOPLE), st.sampled_from([OPEN, CLICK]), later)
def test_people(name, kind, age):
    assert robot(fetch(kind=kind, at=SENT + age, user_agent=name)) == ""


@pytest.mark.parametrize("name", ROBOTS)
def test_names(name):
    assert robot(fetch(user_agent=name)) == ROBOTS[name]
    assert robot(fetch(user_agent=name.upper())) == ROBOTS[name]


@given(st.sampled_from([OPEN, CLICK]), soon)
def test_before_anybody_can_read_it(kind, age):
    assert robot(fetch(kind=kind, at=SENT + age)) == "instant"


@given(later)
def test_nobody_knows_when_it_was_sent(age):
    assert robot(fetch(at=SENT + age, sent_at=None)) == ""


@given(st.integers(1, 50))
def test_many_links_at_once(links):
    expected = "burst" if links >= BURST_LINKS else ""
    assert robot(fetch(links=links)) == expected


def test_head_and_prefetch():
    assert robot(fetch(method="head")) == "head"
    assert robot(fetch(purpose="prefetch;prerender")) == "prefetch"
    assert robot(fetch(purpose="preview")) == "prefetch"


@given(
    st.builds(
        Fetch,
        kind=st.sampled_from([OPEN, CLICK]),
        at=st.datetimes(),
        sent_at=st.none() | st.datetimes(),
        user_agent=st.text(),
        method=st.sampled_from(["GET", "HEAD", "POST"]),
        purpose=st.text(),
        links=st.integers(0, 9),
    )
)
def test_any_request_has_an_answer_and_a_worse_one_is_no_person(request):
    rule = robot(request)
    assert rule in ("", *RULES)
    if rule:
        assert robot(replace(request, links=request.links + 1))
        assert robot(replace(request, method="HEAD")) == "head"
