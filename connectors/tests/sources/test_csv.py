# SPDX-License-Identifier: LGPL-3.0-or-later
import os
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lead_connectors.errors import Park, Refuse, StopSource
from lead_connectors.sources.base import Item, Receipt
from lead_connectors.sources.csv import CsvConfig, CsvSource
from lead_connectors.submission import Submission
from lead_connectors.testing.source_suite import NOW, SourceSuite, assert_fits_odoo

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ROWS = (
    "Name;E-Mail;Telefon;Stadt;Größe\nJürgen Groß;j@gross.example;030 901820;Köln;5\n"
)


def make(path: Path, **more: Any) -> CsvSource:
    config = CsvConfig(type="csv", path=path, **{"settle_seconds": 0, **more})
    return CsvSource("import", config, requests.Session())


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def items(path: Path, **more: Any) -> list[Item]:
    return list(make(path, **more).fetch(LONG_AGO))


def leads(path: Path, **more: Any) -> list[Submission]:
    found = [item.submission for item in items(path, **more)]
    for submission in found:
        assert submission
        assert_fits_odoo(submission)
    return [submission for submission in found if submission]


class TestCsv(SourceSuite):
    def source(self) -> CsvSource:
        return make(Path("leads.csv"))

    def genuine(self) -> list[Receipt]:
        return []  # files, no hook


def test_it_has_no_hook() -> None:
    with pytest.raises(Refuse) as caught:
        make(Path("x.csv")).verify(Receipt(b"a,b", NOW))
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]
)
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_delimiters(
    tmp_path: Path, encoding: str, delimiter: str, end: str
) -> None:
    text = ROWS.replace(";", delimiter).replace("\n", end)
    [s] = leads(write(tmp_path / "a.csv", text, encoding), default_country="DE")
    assert s.contact.name == "Jürgen Groß"
    assert (s.contact.phone, s.contact.city) == ("+4930901820", "Köln")
    assert [(a.key, a.value) for a in s.answers] == [("Größe", "5")]
    assert s.channel == "import"


def test_quotes_line_breaks_and_protected_numbers(tmp_path: Path) -> None:
    text = (
        'sep=;\n"Full name";Message;"Order; no";Phone\n'
        '"Ito; Ann";"two\nlines ""quoted""";="00123";\'+4930901820\n\n;;;\n'
    )
    [s] = leads(write(tmp_path / "a.csv", text))
    assert s.contact.name == "Ito; Ann"
    assert s.message == 'two\nlines "quoted"'
    assert s.answers[0].value == "00123"
    assert s.contact.phone == "+4930901820"


def test_an_export_of_metas(tmp_path: Path) -> None:
    text = (
        "id\tcreated_time\tad_id\tcampaign_name\tplatform\tfull_name\tphone_number\n"
        "l:123456789012345678\t2026-11-20T10:00:00+02:00\tag:77\tWinter\tig\tAnn Ito"
        "\tp:+4930901820\n"
    )
    path = write(tmp_path / "a.csv", text, "utf-16")
    [s] = leads(path, mapping={"external_id": "id"})
    assert s.external_id == "123456789012345678"  # as the webhook would have it
    assert s.submitted_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert (s.attribution.ad_id, s.attribution.campaign_name) == ("77", "Winter")
    assert s.contact.phone == "+4930901820"


@pytest.mark.parametrize(
    ("cell", "more", "expected"),
    [
        ("2026-11-20 10:00:00", {}, "2026-11-20T10:00:00+00:00"),
        (
            "2026-11-20 10:00",
            {"timezone": "Asia/Ho_Chi_Minh"},
            "2026-11-20T03:00:00+00:00",
        ),
        (
            "20.11.2026 10:00",
            {"timezone": "Europe/Berlin", "time_format": "%d.%m.%Y %H:%M"},
            "2026-11-20T09:00:00+00:00",
        ),
        ("1763632800", {}, "2025-11-20T10:00:00+00:00"),
    ],
)
def test_times(tmp_path: Path, cell: str, more: dict[str, str], expected: str) -> None:
    path = write(tmp_path / "a.csv", f"Email,Created At\na@b.example,{cell}\n")
    [s] = leads(path, **more)
    assert s.submitted_at.isoformat() == expected
    assert s.answers == ()


def test_a_date_that_is_none_is_an_answer(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Email,Date\na@b.example,next spring\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    [s] = leads(path)
    assert [a.value for a in s.answers] == ["next spring"]
    assert s.submitted_at == datetime.fromtimestamp(1_700_000_000, UTC)


def test_an_unknown_time_zone_is_a_configuration_error() -> None:
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        make(Path("x"), timezone="Mars/Olympus")


# ids


def test_ids_survive_sorting_appending_and_new_columns(tmp_path: Path) -> None:
    header, one, two = "Email,Name\n", "a@b.example,Ann\n", "c@d.example,Cyd\n"
    path = tmp_path / "a.csv"
    before = [i.external_id for i in items(write(path, header + one + two))]
    after = [
        i.external_id for i in items(write(path, header + two + one + "x@y.z,X\n"))
    ]
    assert set(before) < set(after)
    wider = "Name,Email,New\nAnn,a@b.example,\nCyd,c@d.example,\n"
    assert [i.external_id for i in items(write(path, wider))] == before
    other = write(tmp_path / "b.csv", header + one)
    assert items(other)[0].external_id == before[0]  # an overlapping export


def test_the_same_row_twice_is_two_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Email\na@b.example\na@b.example\n")
    first, second = (item.external_id for item in items(path))
    assert first != second
    assert [item.external_id for item in items(path)] == [first, second]


# bad rows and files


def test_a_bad_row_is_parked_alone(tmp_path: Path) -> None:
    huge = "x" * 200_000
    text = f"Email,Name\na@b.example,Ann\nb,c,d,e\n{huge},y\nc@d.example,Cyd\n"
    source = make(write(tmp_path / "a.csv", text))
    found = list(source.fetch(LONG_AGO))
    good = [item for item in found if item.submission]
    bad = [item for item in found if not item.submission]
    assert [i.submission.contact.name for i in good if i.submission] == ["Ann", "Cyd"]
    reasons = []
    for item in bad:
        with pytest.raises(Park) as caught:
            source.complete(item)
        reasons.append(str(caught.value))
    assert reasons[0] == "a.csv, row 3: 4 cells, but the header has 2"
    assert reasons[1].startswith("a.csv, row 4: not CSV: field larger")
    assert len({item.external_id for item in found}) == 4


def test_a_file_being_written_waits(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ROWS)
    assert items(path, settle_seconds=30) == []
    old = time.time() - 31
    os.utime(path, (old, old))
    assert len(items(path, settle_seconds=30)) == 1
    ahead = time.time() + 3600  # somebody's clock is wrong: no reason to wait for ever
    os.utime(path, (ahead, ahead))
    assert len(items(path, settle_seconds=30)) == 1


def test_half_a_row_waits_while_the_file_grows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Email\na@b.example\nc@d.example\ne@f.exa")
    found: Iterator[Item] = make(path).fetch(LONG_AGO)
    emails = [next(found), next(found)]
    with path.open("a") as file:
        file.write("mple\n")
    assert list(found) == []
    texts = [i.submission.contact.email for i in emails if i.submission]
    assert texts == ["a@b.example", "c@d.example"]
    assert len(items(path)) == 3


def test_only_what_came_since(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ROWS)
    now = datetime.now(UTC)
    assert len(list(make(path).fetch(now))) == 1
    assert list(make(path).fetch(now + timedelta(hours=1))) == []
    # a copy that keeps its old time still came now
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert len(list(make(path).fetch(now))) == 1


def test_a_folder(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden.csv", "notes.txt"):
        write(tmp_path / name, ROWS.replace("Jürgen", name))
    names = [s.payload["file"] for s in leads(tmp_path)]
    assert names == ["a.csv", "b.csv"]
    assert len(leads(tmp_path, pattern="*.txt")) == 1


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path / "b.csv", ROWS)
    (tmp_path / "a.csv").symlink_to(tmp_path)  # opens as a folder
    write(tmp_path / "c.csv", ROWS)
    source = make(tmp_path, encoding="no-such-encoding")
    with pytest.raises(StopSource, match="can't be read"):
        list(source.fetch(LONG_AGO))
    with pytest.raises(StopSource, match="does not exist"):
        items(tmp_path / "nothing.csv")


def test_an_import_that_broke_off_goes_on(tmp_path: Path) -> None:
    text = "Email\n" + "".join(f"p{n}@x.example\n" for n in range(50))
    path = write(tmp_path / "a.csv", text)
    begun = make(path).fetch(LONG_AGO)
    first = [next(begun).external_id for _ in range(20)]
    again = [item.external_id for item in items(path)]
    assert again[:20] == first and len(set(again)) == 50


def test_memory_is_flat(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("w") as file:
        file.write("Email,Name\n")
        for n in range(3_000):
            file.write(f"person{n}@firma.example,Person {'x' * 2_000} {n}\n")
    source = make(path)
    assert source.size_hint() == 3_000
    read = source.fetch(LONG_AGO)
    next(read)  # tables of labels and countries are loaded now
    tracemalloc.start()
    try:
        count = 1 + sum(1 for _ in read)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 3_000
    assert peak < 2_000_000  # the file has 6 MB


# check


def test_check_tells_what_each_column_is(tmp_path: Path) -> None:
    [finding] = make(write(tmp_path / "a.csv", ROWS)).check()
    assert finding.ok
    assert "email = E-Mail" in finding.what and "phone = Telefon" in finding.what
    path = write(tmp_path / "b.csv", "A;B\n1;2\n")
    [finding] = make(path).check()
    assert not finding.ok and "columns: A, B" in finding.cure
    [finding] = make(path, mapping={"email": "B"}).check()
    assert finding.ok
    [finding] = make(tmp_path / "none").check()
    assert not finding.ok
    (tmp_path / "empty").mkdir()
    [finding] = make(tmp_path / "empty").check()
    assert finding.ok and finding.warning
    assert make(tmp_path / "none").size_hint() is None


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "fuzz.csv"
    path.write_bytes(data)
    source = make(path)
    for item in source.fetch(LONG_AGO):
        if item.submission:
            assert_fits_odoo(item.submission)
        else:
            with pytest.raises(Park):
                source.complete(item)
    list(source.check())
