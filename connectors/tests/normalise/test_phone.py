# SPDX-License-Identifier: LGPL-3.0-or-later
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_connectors.normalise import e164


@pytest.mark.parametrize(
    ("typed", "regions", "expected"),
    [
        ("+49 30 901820", (), "+4930901820"),
        ("0049 30 901820", (), "+4930901820"),
        ("030 901820", ("DE",), "+4930901820"),
        ("030 901820", ("", "DE"), "+4930901820"),
        ("+49 (0)30 901820", (), "+4930901820"),
        ("p:+4930901820", (), "+4930901820"),
        ("(650) 555-0123", ("US",), "+16505550123"),
        ("+1 650 555 0123 ext. 42", (), "+16505550123"),
        ("٠٥٠١٢٣٤٥٦٧", ("SA",), "+966501234567"),
        ("+٩٦٦٥٠١٢٣٤٥٦٧", (), "+966501234567"),
        ("０３-３２２４-９９９９", ("JP",), "+81332249999"),
        ("0912 345 678", ("VN",), "+84912345678"),
        ("138 0013 8000", ("CN",), "+8613800138000"),
        # the first region that fits wins; one that doesn't is passed over
        ("030 901820", ("US", "DE"), "+4930901820"),
    ],
)
def test_understood(typed: str, regions: tuple[str, ...], expected: str) -> None:
    assert e164(typed, *regions) == expected


@pytest.mark.parametrize(
    ("typed", "regions"),
    [
        ("030 901820", ()),  # no country: nobody may guess one
        ("call me", ("DE",)),
        ("12", ("DE",)),
        ("<test lead: dummy data for phone_number>", ("US",)),
        ("030 901820 or 0171 1", ("DE",)),
        ("", ("DE",)),
    ],
)
def test_kept_as_typed(typed: str, regions: tuple[str, ...]) -> None:
    assert e164(typed, *regions) == typed


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["", "DE", "US", "XX", "VN"]))
def test_never_raises_and_is_stable(typed: str, region: str) -> None:
    once = e164(typed, region)
    assert "\x00" not in once
    assert e164(once, region) == once
