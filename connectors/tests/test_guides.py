# SPDX-License-Identifier: LGPL-3.0-or-later
"""The guides tell the truth: their blocks load, and no option or metric is missing."""

from __future__ import annotations

import base64
import re
import sys
import types
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import lead_connectors
from lead_connectors.config import Settings, load
from lead_connectors.metrics import Metrics
from lead_connectors.registry import GROUP, source_class
from lead_connectors.service import make_sources

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = ("install.md", "connector.md", "operate.md")
ODOO = """
[odoo]
url = "https://odoo.example.com"
database = "production"
login = "lead-connector"
api_key = "env:ODOO_API_KEY"
"""
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
SECTIONS = ("odoo", "inbox", "web", "deliver", "log")


def guide(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", guide(name), re.S | re.M)


def our_types() -> list[str]:
    return sorted(
        point.name
        for point in entry_points(group=GROUP)
        if point.value.startswith("lead_connectors.")
    )


# -- configuration -----------------------------------------------------------------


def configurations() -> Iterator[tuple[str, str]]:
    for name in GUIDES:
        for number, block in enumerate(blocks(name, "toml"), 1):
            if "[project." not in block:  # of a package, not of the connector
                yield f"{name} block {number}", block
    example = files("lead_connectors").joinpath("connectors.example.toml").read_text()
    yield "example", example
    yield "example, all of it", uncommented(example)


def uncommented(text: str) -> str:
    """Every commented setting switched on; of alternatives the first."""
    lines: list[str] = []
    seen: set[str] = set()
    for line in text.splitlines():
        setting = re.fullmatch(r"(?:# )?(\[[\w.]+\]|\w+ = .*)", line)
        if setting is None:
            continue
        key = setting[1].partition(" =")[0]
        seen = set() if key.startswith("[") else seen
        if key not in seen:
            lines.append(setting[1])
        seen.add(key)
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name) for name, text in configurations()]
)
def test_configurations_load(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "[odoo]" not in text:
        text = ODOO + text
    for name in re.findall(r'"env:(\w+)"', text):
        url = "postgresql://connectors:pw@db.example.com/connectors"
        monkeypatch.setenv(name, url if name.endswith("_URL") else SECRET)
    path = tmp_path / "connectors.toml"
    path.write_text(text, encoding="utf-8")
    config = load(path)
    written = re.findall(r'^type = "', text, re.M)
    assert len(make_sources(config.sources)) == len(written)


def test_there_is_a_block_for_every_type() -> None:
    example = files("lead_connectors").joinpath("connectors.example.toml").read_text()
    for written in ("".join(blocks("connector.md", "toml")), example):
        missing = [kind for kind in our_types() if f'type = "{kind}"' not in written]
        assert not missing


# -- options -----------------------------------------------------------------------


def chapter(title: str) -> str:
    """The text below a heading of docs/connector.md, up to the next of its level."""
    found = re.search(
        rf"^(#+) [^\n]*{re.escape(title)}[^\n]*\n(.*?)(?=^\1 |\Z)",
        guide("connector.md"),
        re.S | re.M,
    )
    assert found, f"docs/connector.md has no chapter {title}"
    return found[2]


def rows(text: str) -> dict[str, str]:
    """Option -> its default, as the tables of a chapter say."""
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \| [^|]", text, re.M))


def shown(model: type[BaseModel], name: str) -> str:
    """A default as the tables write it."""
    info = model.model_fields[name]
    if info.is_required():
        return "**required**"
    value: Any = info.default
    if info.default_factory is not None:
        value = info.default_factory()  # type: ignore[call-arg]
    assert value is not PydanticUndefined
    if value in ("", None, [], {}):
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value:g}`"


@pytest.mark.parametrize("kind", our_types())
def test_options_of_sources(kind: str) -> None:
    model = source_class(kind).config_model
    common = rows(chapter("Options of every source"))
    fields = rows(chapter("Options of sources with fields"))
    own = rows(chapter(f"(`{kind}`)"))
    assert own, "no table of options"
    told = {**common, **fields, **own}
    assert told.keys() == model.model_fields.keys()
    assert told == {name: shown(model, name) for name in told}


def test_options_of_sections() -> None:
    table = re.findall(
        r"^\| `\[(\w+)\]` \| `(\w+)` \| ([^|]*) \|", chapter("Sections"), re.M
    )
    told = {(section, name): default for section, name, default in table}
    expected = {}
    for section in SECTIONS:
        model = Settings.model_fields[section].annotation
        assert isinstance(model, type) and issubclass(model, BaseModel)
        for name in model.model_fields:
            expected[section, name] = shown(model, name)
    expected["inbox", "url"] = "`inbox.sqlite` beside the file"
    expected["web", "body_limit"] = "`1048576`"
    assert told == expected
    assert set(Settings.model_fields) == {*SECTIONS, "sources"}


def test_targets_of_a_mapping() -> None:
    from lead_connectors.sources._fields import _TARGETS

    text = chapter("What becomes of a field")
    assert [name for name in _TARGETS if f"`{name}`" not in text] == []


# -- the source in the guide -------------------------------------------------------


def test_the_source_of_the_guide_passes_the_suite() -> None:
    module = types.ModuleType("source_of_the_guide")
    sys.modules[module.__name__] = module
    try:
        for block in blocks("connector.md", "python"):
            exec(compile(block, "connector.md", "exec"), module.__dict__)
        suite = module.TestMySource()
        tests = [name for name in dir(suite) if name.startswith("test_")]
        assert len(tests) > 10
        for name in tests:
            getattr(suite, name)()
    finally:
        del sys.modules[module.__name__]


# -- operation ---------------------------------------------------------------------


def metric_names() -> set[str]:
    return {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in Metrics().registry.collect()
    }


def test_every_metric_is_described() -> None:
    text = guide("operate.md")
    assert [name for name in sorted(metric_names()) if f"`{name}`" not in text] == []


def test_alert_rules_name_metrics_that_exist() -> None:
    named = set(re.findall(r"\blead_connectors_[a-z_]+", guide("operate.md")))
    parts = {re.sub(r"_(bucket|count|sum)$", "", name) for name in named}
    assert named
    assert parts - metric_names() == set()


def test_every_log_event_is_described() -> None:
    package = Path(lead_connectors.__file__).parent
    events = {
        event
        for path in package.rglob("*.py")
        for event in re.findall(
            r'\blog\.(?:info|warning|error|exception)\(\s*"([^"]+)"', path.read_text()
        )
    }
    text = guide("operate.md")
    assert len(events) > 10
    assert [event for event in sorted(events) if f"`{event}`" not in text] == []


def test_links_between_guides_exist() -> None:
    for name in GUIDES:
        for target in re.findall(r"\]\(([^)\s]+)\)", guide(name)):
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            file = (DOCS / path) if path else DOCS / name
            assert file.exists(), f"{name}: {target}"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", file.read_text(), re.M)
                assert anchor in {slug(title) for title in titles}, f"{name}: {target}"


def slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
