# SPDX-License-Identifier: LGPL-3.0-or-later
"""Laws of the buckets, of backoff, and of whom a request is put down to."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_connectors.deliver.breaker import Breaker
from lead_connectors.deliver.worker import backoff
from lead_connectors.web.limits import Bucket, Buckets, client_address


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 100),
    gaps=st.lists(st.floats(0, 5), max_size=60),
)
def test_a_bucket_never_gives_more_than_it_may(
    rate: float, burst: int, gaps: list[float]
) -> None:
    now = 1000.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: now)
        bucket = Bucket(rate, burst)
        given_out = 0
        for gap in gaps:
            now += gap
            given_out += bucket.take()
        assert given_out <= burst + rate * (now - 1000.0) + 1e-6
        if bucket.empty:
            now += bucket.wait()
            assert bucket.take()


def test_only_so_many_addresses_are_remembered() -> None:
    buckets = Buckets(1, 1, most=3)
    assert not buckets.any
    for address in ("a", "b", "c", "d", ""):
        buckets.spend(address)
    assert [bool(buckets.blocked(x)) for x in "abcd"] == [False, True, True, True]


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("", 0, "10.0.0.1"),
        ("", 1, ""),  # came past our proxy: nobody we know
        ("203.0.113.9", 0, ""),  # a proxy we were not told of
        ("203.0.113.9", 1, "203.0.113.9"),
        ("forged, 203.0.113.9", 1, "203.0.113.9"),
        ("203.0.113.9, 10.0.0.7", 2, "203.0.113.9"),
        ("203.0.113.9", 2, ""),
    ],
)
def test_client_address(forwarded: str, proxies: int, address: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert client_address("10.0.0.1", headers, proxies) == address


@given(failures=st.integers(1, 10_000))
def test_backoff_stays_within_its_limits(failures: int) -> None:
    assert 0 <= backoff(failures, 1, 60) <= min(60, 2.0 ** min(failures - 1, 20))


def test_breaker() -> None:
    breaker = Breaker(first=30, longest=60)
    assert breaker.pause() == 0 and not breaker.half_open
    breaker.failed("away")
    assert breaker.half_open and breaker.pause() <= 30 and breaker.reason == "away"
    breaker.succeeded()
    assert breaker.pause() == 0 and not breaker.half_open and breaker.reason == ""
