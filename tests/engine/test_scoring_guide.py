# SPDX-License-Identifier: LGPL-3.0-or-later
"""The worked example of docs/scoring.md says what the engine computes."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from engine.decay import Activity, Decay, Touch
from engine.scoring import Bands, Criterion, Option, ReadyLine, quality

GUIDE = Path(__file__).parents[2] / "docs" / "scoring.md"


@pytest.fixture(scope="module")
def example():
    text = GUIDE.read_text(encoding="utf-8")
    return text.partition("## A worked example")[2].partition("\n## ")[0]


def table(text, *header):
    """The rows of the table with this header, as dicts."""
    head = "| " + " | ".join(header) + " |"
    lines = text.partition(head + "\n")[2].splitlines()
    assert lines, f"the guide has no table {head}"
    rows = []
    for line in lines[1:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


def bold(text, before):
    """The bold text that follows these words (blanks and line ends are alike)."""
    flat = " ".join(text.split())
    found = re.search(re.escape(before) + r"[^*]*\*\*([^*]+)\*\*", flat)
    assert found, f"the guide does not say “{before} …”"
    return found[1]


@pytest.fixture(scope="module")
def scored(example):
    """The engine's quality of the example, with its criteria by name."""
    rows = table(example, "Criterion", "Weight", "Option", "Points")
    held = table(example, "Criterion", "Option", "Points", "Of", "Counts")
    criteria = [
        Criterion(
            name,
            tuple(
                Option((name, row["Option"]), float(row["Points"]))
                for row in rows
                if row["Criterion"] == name
            ),
            float(next(row["Weight"] for row in rows if row["Criterion"] == name)),
        )
        for name in dict.fromkeys(row["Criterion"] for row in rows)
    ]
    return quality(criteria, {(row["Criterion"], row["Option"]) for row in held})


@pytest.fixture(scope="module")
def rate(example):
    found = re.search(r"Half-life (\d+) days", example)
    assert found
    return Decay(float(found[1]))


@pytest.fixture(scope="module")
def activities(example):
    rows = table(example, "Activity", "Points", "At most", "Within (days)")
    return {
        row["Activity"]: Activity(
            float(row["Points"]),
            float(row["At most"]) if row["At most"] else None,
            float(row["Within (days)"] or 1),
        )
        for row in rows
    }


@pytest.fixture(scope="module")
def contacts(example):
    rows = table(example, "When", "Contact", "Points", "Of it now")
    return [
        Touch(number, row["Contact"], datetime.fromisoformat(row["When"]))
        for number, row in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def now(example):
    found = re.search(r"seen on (\d{4}-\d\d-\d\d) at (\d\d:\d\d)", example)
    assert found
    return datetime.fromisoformat(" ".join(found.groups()))


def lines(example, pattern):
    found = re.search(pattern, " ".join(example.split()))
    assert found, f"the guide does not say {pattern}"
    return tuple(map(float, found.groups()))


def test_quality(example, scored):
    assert bold(example, "most possible is") == f"{scored.most:g}"
    assert bold(example, "She reaches") == f"{scored.points:g}"
    assert bold(example, "shown as") == str(scored.shown)
    said = table(example, "Criterion", "Option", "Points", "Of", "Counts")
    assert [
        (
            row["Criterion"],
            row["Option"],
            float(row["Points"]),
            float(row["Of"]),
            row["Counts"],
        )
        for row in said
    ] == [
        (
            part.criterion,
            part.option[1] if part.option else "",
            part.points,
            part.most,
            f"{part.shown:.1f}",
        )
        for part in scored.parts
    ]


def test_engagement(example, rate, activities, contacts, now):
    explained = rate.explain(contacts, activities, now)
    assert bold(example, "Engagement is") == str(explained.shown)
    said = table(example, "Activity", "Contacts", "Counts")
    assert [(row["Activity"], row["Contacts"], row["Counts"]) for row in said] == [
        (part.activity, str(len(part.touches)), f"{part.shown:.1f}")
        for part in explained.parts
    ]


def test_each_contact(example, rate, activities, contacts, now):
    rows = table(example, "When", "Contact", "Points", "Of it now")
    explained = rate.explain(contacts, activities, now, digits=6)
    gives = {
        touch.touch.ref: touch.now for part in explained.parts for touch in part.touches
    }
    for number, row in enumerate(rows):
        assert float(row["Points"]) == activities[row["Contact"]].points
        said = float(row["Of it now"].rpartition("= ")[2])
        assert gives[number] == pytest.approx(said, abs=0.005)


def test_grade_and_when_it_cools(example, scored, rate, activities, contacts, now):
    bands = Bands(
        lines(example, r"A from (\d+), B from (\d+), C from (\d+)"),
        lines(example, r"1 from (\d+), 2 from (\d+), 3 from (\d+)"),
    )
    line = ReadyLine(*lines(example, r"from quality (\d+) and engagement (\d+)"))
    level, _windows = rate.replay(
        ((touch.activity, touch.at) for touch in contacts), activities
    )
    engagement = rate.score(level, now)
    assert bold(example, "Her grade is") == bands.grade(scored.shown, engagement)
    assert line.reached(scored.shown, engagement)
    cools = rate.cools_at(level, bands.engagement[1])
    assert bold(example, "If nothing more happens") == f"{cools:%Y-%m-%d %H:%M}"
    after = bands.grade(scored.shown, rate.score(level, cools))
    assert f"her grade to {after}" in " ".join(example.split())


def test_the_pictures_are_there():
    text = GUIDE.read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^]]*\]\((images/score-[^)]+)\)", text)
    assert pictures
    for picture in pictures:
        assert (GUIDE.parent / picture).is_file(), picture
