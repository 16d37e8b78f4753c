# SPDX-License-Identifier: LGPL-3.0-or-later
"""The tables of docs/distribution.md say what the engine decides."""

import ast
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.business_time import Attendance, Calendar
from engine.distribution import MATCH, METHODS, ONLY, TURN, UNFIT, UNPLACED, Pool
from engine.members import COUNTRY, Lead, Member
from engine.replay import NO_RULE, Arrival, replay

DOCS = Path(__file__).parents[2] / "docs"
ADDON = Path(__file__).parents[2] / "addons" / "lead_pipeline"
NOON = datetime(2026, 11, 23, 12)
WORDS = {
    MATCH: "best match",
    TURN: "turn",
    ONLY: "nobody else was free",
    UNFIT: "nobody has what it demands",
}


@pytest.fixture(scope="module")
def guide():
    return (DOCS / "distribution.md").read_text(encoding="utf-8")


def table(text, *header):
    """The rows of the table with this header, as lists of cells."""
    head = "| " + " | ".join(header) + " |\n"
    lines = text.partition(head)[2].splitlines()
    assert lines, f"the guide has no table {head}"
    rows = []
    for line in lines[1:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def several(cell):
    return frozenset(filter(None, cell.split(", ")))


def selection(name):
    """The labels of a list of pairs in the addon's file of assignments."""
    path = ADDON / "models" / "distribution" / "lead_assignment.py"
    source = path.read_text(encoding="utf-8")
    [value] = [
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and node.targets[0].id == name
    ]
    return [ast.literal_eval(pair.elts[1]) for pair in value.elts]


def test_three_people(guide):
    team = Pool([Member("Lena", 2), Member("Amira", 2), Member("Jonas", 1)])
    said = table(guide, "Lead", "Gets it", "Lena", "Amira", "Jonas")
    assert len(said) == 5
    for lead, chosen, *owed in said:
        decision = team.decide(Lead(lead), NOON)
        assert decision.chosen == chosen
        after = [one.after for one in decision.candidates]
        assert [float(cell.replace("−", "-")) for cell in owed] == pytest.approx(after)
        assert all(abs(one) < 1 for one in after)
    assert after == pytest.approx([0, 0, 0])


def test_at_night(guide):
    holidays = [(datetime(2026, 12, 24, 23), datetime(2026, 12, 26, 22, 59, 59))]

    def office(tz, leaves=()):
        return Calendar([Attendance(day, 9, 17) for day in range(5)], tz, leaves)

    people = [
        Member("Lena", calendar=office("Europe/Berlin", holidays)),
        Member("Mai", calendar=office("Asia/Ho_Chi_Minh")),
    ]
    rows = table(
        guide,
        "A lead comes",
        "Lena gets it",
        "and touches it by",
        "Mai gets it",
        "and touches it by",
    )
    assert len(rows) == 5
    for came, *said in rows:
        at = datetime.fromisoformat(came)
        found = []
        for member in people:
            arrival = Arrival(at, Lead(1), "pool", sla=lambda _at: 3600)
            pools = {"pool": Pool([member])}
            [outcome] = replay([arrival], pools, at + timedelta(days=9)).outcomes
            found += [
                f"{outcome.at:%Y-%m-%d %H:%M}",
                f"{outcome.due_at:%Y-%m-%d %H:%M}",
            ]
        assert found == said, came


def test_three_countries(guide):
    people = [
        Member(
            name,
            countries=several(countries),
            languages=several(languages),
            skills=several(skills),
        )
        for name, countries, languages, skills in table(
            guide, "Who", "Countries", "Languages", "Skills"
        )
    ]
    rows = table(guide, "Country", "Language", "Skills", "Gets it", "Because")
    assert len(rows) == 6
    for country, language, skills, chosen, because in rows:
        lead = Lead(1, several(skills), language, country, frozenset([COUNTRY]))
        decision = Pool(people).decide(lead, NOON, MATCH)
        assert (decision.chosen or "nobody") == chosen
        assert WORDS[decision.reason] == because


def test_everything_has_its_line(guide):
    assert len(table(guide, "method", "the turn is among")) == len(METHODS)
    reasons = [why for why, _helps in table(guide, "Why", "What helps")]
    assert reasons == selection("WAITING_REASONS")
    assert len(reasons) == len({NO_RULE, *UNPLACED})


def test_pictures_and_links_are_there(guide):
    pictures = re.findall(r"!\[[^]]*\]\((images/[^)]+)\)", guide)
    assert len(pictures) >= 8
    links = re.findall(r"\]\(([a-z0-9/-]+\.(?:md|png))", guide)
    for target in links:
        assert (DOCS / target).is_file(), target
    heads = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in guide.splitlines()
        if line.startswith("#")
    }
    # a link may break over two lines
    anchors = set(re.findall(r"\]\(#([^)]+)\)", guide))
    assert anchors <= heads
