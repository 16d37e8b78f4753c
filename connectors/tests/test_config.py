# SPDX-License-Identifier: LGPL-3.0-or-later
"""Configuration: errors name the file, the line and the cure, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.running import SECRET, write_config

from lead_connectors.config import load
from lead_connectors.errors import ConfigError
from lead_connectors.registry import known_types
from lead_connectors.toml_lines import line_of

GOOD = """\
[odoo]
url = "https://odoo.example.com/"
database = "production"
login = "connector"
api_key = "env:TEST_ODOO_KEY"

[sources.signed]
type = "test_signed"
secret = "env:TEST_SECRET"
"""


def errors(folder: Path, text: str) -> str:
    path = folder / "connectors.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value).replace(str(path), "FILE")


def test_good(tmp_path: Path) -> None:
    path = tmp_path / "connectors.toml"
    path.write_text(GOOD)
    config = load(path)
    assert config.settings.odoo.url == "https://odoo.example.com"
    assert config.inbox_url == f"sqlite:///{tmp_path}/inbox.sqlite"
    [source] = config.sources
    assert source.config.secret.reveal() == SECRET  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('type = "test_signed"', 'type = "test_singed"', 8, 'mean "test_signed"'),
        ('type = "test_signed"', 'type = "x"', 8, "Installed types: csv, form"),
        ('type = "test_signed"', "", 7, "needs a type"),
        ('login = "conn', 'loggin = "conn', 4, 'did you mean "login"'),
        ('login = "connector"\n', "", 1, "odoo.login is missing"),
        ("secret =", "secrt =", 9, 'did you mean "secret"'),
        ("secret =", "# secret =", 7, "What the platform signs with: Write"),
        ('"env:TEST_SECRET"', '"env:NOT_SET"', 9, "NOT_SET is not set"),
        ('"env:TEST_SECRET"', '"file:gone"', 9, "gone can't be read"),
        ('"env:TEST_SECRET"', '"pa55word"', 9, "must not stand in this file"),
        ('"env:TEST_SECRET"', "12345", 9, "a secret must be a text"),
        ('"https://odoo', '"odoo', 2, "must start with http"),
        ("[sources.signed]", "[sources.Signed]", 7, "use only small letters"),
        ("[odoo]", "[odo]", 1, "is not a setting"),
        ("[odoo]", "[odoo", 1, "not valid TOML"),
        ("login =", "login ==", 4, "not valid TOML"),
        ("[sources.signed]", "[web]\nport = 99999\n[sources.signed]", 8, "web.port"),
        (
            "[sources.signed]",
            '[inbox]\nurl = "postgresql://u:pa55word@h/d"\n[sources.signed]',
            8,
            "a URL with a password must not stand",
        ),
        (
            "[sources.signed]",
            '[inbox]\nurl = "mysql://h/d"\n[sources.signed]',
            8,
            "only sqlite:// and postgresql://",
        ),
    ],
)
def test_line_and_cure(
    old: str, new: str, line: int, words: str, tmp_path: Path
) -> None:
    assert old in GOOD
    text = errors(tmp_path, GOOD.replace(old, new))
    assert f"FILE:{line}: " in text, text
    assert words in text
    assert "pa55word" not in text and "12345" not in text


def test_all_errors_at_once(tmp_path: Path) -> None:
    bad = GOOD.replace("login", "lgin").replace("test_signed", "nothing")
    text = errors(tmp_path, bad)
    assert "lgin" in text and "nothing" in text


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lead-connectors init"):
        load(tmp_path / "none.toml")


def test_environment_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAD_CONNECTORS_WEB__PORT", "9123")
    monkeypatch.setenv("LEAD_CONNECTORS_SOURCES__SIGNED__CHANNEL", "other")
    config = load(write_config(tmp_path))
    assert config.settings.web.port == 9123
    assert config.sources[0].config.channel == "other"


def test_secret_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    path = tmp_path / "connectors.toml"
    path.write_text(GOOD.replace("env:TEST_SECRET", "file:key"))
    [source] = load(path).sources
    assert source.config.secret.reveal() == "from-a-file"  # type: ignore[attr-defined]


def test_inbox_beside_the_configuration_wherever_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    path = write_config(tmp_path, inbox='url = "sqlite:///data/leads.sqlite"')
    assert load(path).inbox_url == f"sqlite:///{tmp_path}/data/leads.sqlite"
    path = write_config(tmp_path, inbox='url = "sqlite:////var/lib/x.sqlite"')
    assert load(path).inbox_url == "sqlite:////var/lib/x.sqlite"


def test_types_of_this_package_and_of_others() -> None:
    ours = {"csv", "form", "google_ads", "meta", "standard_webhooks", "typeform"}
    assert ours | {"test_signed"} <= set(known_types())


def test_lines() -> None:
    text = 'a = 1\n[x]\n"b c" = 2\nd.e = 3\n[x.y] # note\nf = [\n 1,\n]\n[[z]]\ng=1'
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("x", "b c")) == 3
    assert line_of(text, ("x", "d", "e")) == 4
    assert line_of(text, ("x", "y", "f", 0)) == 6
    assert line_of(text, ("x", "y", "gone")) == 5
    assert line_of(text, ("gone",)) == 1
