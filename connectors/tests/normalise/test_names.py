# SPDX-License-Identifier: LGPL-3.0-or-later
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_connectors.normalise import clean_line, join_name, split_name


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Anna Schmidt", "Anna", "Schmidt"),
        ("Dr. Anna Schmidt", "Anna", "Schmidt"),
        ("Prof. Dr. Anna Schmidt", "Anna", "Schmidt"),
        ("SCHMIDT, Anna", "Anna", "SCHMIDT"),
        ("Schmidt, Dr. Anna Maria", "Anna Maria", "Schmidt"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Maria da Silva", "Maria", "da Silva"),
        ("Anke von der Heide", "Anke", "von der Heide"),
        ("Omar al Farouq", "Omar", "al Farouq"),
        ("Charles de Gaulle", "Charles", "de Gaulle"),
        ("John Smith Jr.", "John", "Smith"),
        ("Jean-Luc O'Neill", "Jean-Luc", "O'Neill"),
        ("Иван Петров", "Иван", "Петров"),
        ("Ελένη Παππά", "Ελένη", "Παππά"),
    ],
)
def test_certain(name: str, first: str, last: str) -> None:
    assert split_name(name) == (first, last)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Madonna",
        "王小明",
        "김 민준",
        "山田 太郎",
        "محمد الأحمد",
        "Nguyễn Văn An",
        "Nguyen An",
        "Trần Thị",
        "Anna Maria Schmidt",  # two given names, or two family names?
        "Juan Carlos García López",
        "María de los Ángeles Ruiz Soto",
        "Mr Smith",
        "Acme Consulting, Inc.",
        "King, Martin Luther, Jr.",
        "Anna & Tom",
        "anna@example.com",
        "R2 D2",
        "De Vries",
    ],
)
def test_left_whole(name: str) -> None:
    assert split_name(name) == ("", "")


def test_family_first_countries_are_left_whole() -> None:
    assert split_name("Kovács Anna") == ("Kovács", "Anna")
    assert split_name("Kovács Anna", country="HU") == ("", "")
    assert split_name("Kovács Anna", lang="hu_HU") == ("", "")


def test_join() -> None:
    assert join_name("Anna", "Roth") == "Anna Roth"
    assert join_name("小明", "王") == "王小明"
    assert join_name("", "Roth") == "Roth"
    assert join_name(" Anna ", "") == "Anna"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_parts_come_from_the_name(name: str) -> None:
    first, last = split_name(name)
    assert bool(first) == bool(last)
    for part in (first, last):
        assert set(part) <= set(clean_line(name))
