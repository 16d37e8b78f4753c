# SPDX-License-Identifier: LGPL-3.0-or-later
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_connectors.normalise import country_code, language_code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("DE", "DE"),
        ("de", "DE"),
        ("deu", "DE"),
        ("Germany", "DE"),
        ("Deutschland", "DE"),
        (" ALLEMAGNE ", "DE"),
        ("المانيا", ""),  # misspelt: not guessed
        ("ألمانيا", "DE"),
        ("中国", "CN"),
        ("Việt Nam", "VN"),
        ("Viet Nam", "VN"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("The Netherlands", "NL"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
        ("Česko", "CZ"),
        ("United Kingdom", "GB"),
        ("UK", "GB"),
        ("Côte d’Ivoire", "CI"),
        ("de_AT", "AT"),
        ("AT-9", "AT"),
        ("Atlantis", ""),
        ("", ""),
        ("EU", ""),
        ("ZZ", ""),
    ],
)
def test_country(typed: str, code: str) -> None:
    assert country_code(typed) == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de_DE", "de_DE"),
        ("pt-BR", "pt_BR"),
        ("zh_Hant_TW", "zh_TW"),
        ("en-US,en;q=0.9,de;q=0.8", "en_US"),
        ("deu", "de"),
        ("Deutsch", "de"),
        ("French", "fr"),
        ("العربية", "ar"),
        ("Tiếng Việt", "vi"),
        ("日本語", "ja"),
        ("Klingon", ""),
        ("", ""),
        ("C", ""),
    ],
)
def test_language(typed: str, code: str) -> None:
    assert language_code(typed) == code


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_never_raises(typed: str) -> None:
    assert len(country_code(typed)) in (0, 2)
    assert len(language_code(typed)) in (0, 2, 5)
