# SPDX-License-Identifier: LGPL-3.0-or-later
"""The commands, as a person and as a monitor use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.ad_platform import Platform
from support.items import fill, reopened
from support.odoo_server import API_KEY, OdooServer
from support.running import SECRET, live, post, wait_until, write_config

from lead_connectors import cli
from lead_connectors.inbox import report
from lead_connectors.odoo.memory import MemoryOdoo

API_SOURCE = """
[sources.api]
type = "test_api"
secret = "env:TEST_SECRET"
api = "{api}"
"""


class Run:
    """One command, run in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: str | Path) -> tuple[int, str]:
        self._capsys.readouterr()
        code = 0
        before, sys.argv = sys.argv, ["lead-connectors", *map(str, args)]
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            sys.argv = before
        out, err = self._capsys.readouterr()
        assert API_KEY not in out + err and SECRET not in out + err
        return code, out + err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def api() -> Iterator[Platform]:
    with Platform() as running:
        yield running


def test_init_then_check(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "connectors.toml"
    assert run("init", "--config", path)[0] == 0
    assert run("init", "--config", path)[0] == 2
    code, text = run("check", "--config", path)
    assert code == 2 and "ODOO_API_KEY is not set" in text


def test_check_when_all_is_well(tmp_path: Path, odoo: OdooServer, run: Run) -> None:
    odoo.memory.channels = {"signed", "bare"}
    config = write_config(tmp_path, odoo=odoo.url)
    code, text = run("check", "--config", config)
    assert code == 0, text
    assert "✓ odoo: connector may deliver leads" in text
    assert "✓ signed: the secret is there" in text
    code, text = run("check", "--config", config, "--json")
    assert all(finding["ok"] for finding in json.loads(text))


def test_check_tells_what_is_wrong(tmp_path: Path, odoo: OdooServer, run: Run) -> None:
    odoo.memory.channels = {"signed"}
    odoo.memory.can_ingest = False
    odoo.memory.extra_rights = ["Sales / Administrator"]
    soon = datetime.now(UTC) + timedelta(days=5, hours=1)
    odoo.memory.api_key_expires_at = soon.isoformat().replace("+00:00", "Z")
    code, text = run("check", "--config", write_config(tmp_path, odoo=odoo.url))
    assert code == 1
    for words in (
        "✗ odoo: connector may not deliver leads",
        "! odoo: the user has more rights than needed: Sales / Administrator",
        "(5 days left)",
        "✗ odoo: [sources.bare]: Odoo has no channel with the code bare",
    ):
        assert words in text


def test_check_without_odoo(tmp_path: Path, run: Run) -> None:
    """Nobody there is another thing than something wrong: a monitor may wait."""
    config = write_config(tmp_path)
    code, text = run("check", "--config", config)
    assert code == 3 and "✗ odoo: http://127.0.0.1:9: " in text
    code, text = run("check", "--config", config, "--json")
    away = [found["where"] for found in json.loads(text) if found["unreachable"]]
    assert code == 3 and away == ["odoo"]


def test_check_without_an_inbox(tmp_path: Path, odoo: OdooServer, run: Run) -> None:
    inbox = f'url = "sqlite:///{tmp_path}/missing/inbox.sqlite"'
    config = write_config(tmp_path, odoo=odoo.url, inbox=inbox)
    code, text = run("check", "--config", config)
    assert code == 3 and "✗ inbox: " in text


def test_the_inbox_is_private(tmp_path: Path, odoo: OdooServer, run: Run) -> None:
    """Whatever the umask; a file that is open to others is told."""
    odoo.memory.channels = {"signed", "bare"}
    config = write_config(tmp_path, odoo=odoo.url)
    before = os.umask(0)
    try:
        with reopened(tmp_path) as inbox:
            fill(inbox, ["a"])
            files = sorted(tmp_path.glob("inbox.sqlite*"))
            assert [path.name for path in files] == [
                "inbox.sqlite",
                "inbox.sqlite-shm",
                "inbox.sqlite-wal",
            ]
            assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    finally:
        os.umask(before)
    assert "every user" not in run("check", "--config", config)[1]
    files[0].chmod(0o644)
    code, text = run("check", "--config", config)
    assert code == 0 and f"! inbox: every user of this machine can read {files[0]}" in (
        text
    )


def test_status_and_replay(tmp_path: Path, run: Run) -> None:
    config = write_config(tmp_path)
    code, text = run("status", "--config", config)
    assert code == 0 and "Nothing came in yet" in text
    with reopened(tmp_path) as inbox:
        fill(inbox, ["a", "b"], source="signed")
        [first, _] = inbox.claim_waiting(10, 1 << 20)
        inbox.park([(first, "Odoo failed: KeyError")])
    code, text = run("status", "--config", config)
    assert code == 1 and "Odoo failed: KeyError" in text and f"i{first.id}" in text
    code, text = run("status", "--config", config, "--json")
    status = json.loads(text)
    assert code == 1 and status["oldest_waiting_seconds"] >= 0

    assert run("replay", "--config", config)[0] == 2
    assert run("replay", "--id", "12", "--config", config)[0] == 2
    assert run("replay", "--parked", "--source", "nix", "--config", config)[0] == 2
    ask = ("replay", "--id", f"i{first.id}", "--config", config, "--json")
    assert json.loads(run(*ask, "--dry-run")[1])["items"] == 1
    with reopened(tmp_path) as inbox:
        assert report.live(inbox.db)["parked"] == 1
    assert run("replay", "--parked", "--config", config)[0] == 0
    with reopened(tmp_path) as inbox:
        assert report.live(inbox.db) | {"waiting": 0} == dict.fromkeys(
            report.live(inbox.db), 0
        )


def test_dismiss(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_config(tmp_path)
    with reopened(tmp_path) as inbox:
        fill(inbox, ["a"], source="signed")
        [one] = inbox.claim_waiting(10, 1 << 20)
        inbox.park([(one, "[sources.signed] is gone")])
    text = run("status", "--config", config)[1]
    assert "[sources.signed] is gone" in text and "dismiss" in text
    dismiss = ("dismiss", "--config", config)
    assert run(*dismiss, "--parked")[0] == 2  # why?
    assert run(*dismiss, "--parked", "--reason", " ")[0] == 2
    assert run(*dismiss, "--reason", "no lead")[0] == 2
    monkeypatch.setenv("SUDO_USER", "ana")
    code, text = run(*dismiss, "--id", f"i{one.id}", "--reason", "no lead")
    assert code == 0 and "1 items and 0 raw requests are dismissed" in text
    with reopened(tmp_path) as inbox:
        [fate] = report.fates(inbox.db, "signed", ["a"])
    today = datetime.now(UTC).date()
    assert fate.reason == (
        f"[sources.signed] is gone (dismissed by ana on {today}: no lead)"
    )
    code, text = run("status", "--config", config)
    assert code == 0 and "dismissed" in text
    code, text = run(*dismiss, "--id", f"i{one.id}", "--reason", "again", "--json")
    assert (code, json.loads(text)) == (1, {"receipts": 0, "items": 0, "others": 1})
    code, text = run("replay", "--dismissed", "--config", config)
    assert code == 0 and "1 items and 0 raw requests will be sent again" in text


def test_status_warns_before_leads_are_given_up(tmp_path: Path, run: Run) -> None:
    config = write_config(tmp_path, inbox="keep_days = 30")
    with reopened(tmp_path) as inbox:
        fill(inbox, ["a"], source="signed")
        inbox.park((i, "no") for i in inbox.claim_waiting(10, 1 << 20))
        with inbox.db.write() as conn:
            conn.exec_driver_sql(
                "UPDATE items SET created_at = created_at - 24 * 86400"
            )
    code, text = run("status", "--config", config)
    assert code == 1 and "! 1 of them are dismissed within 7 days" in text


def test_send_test(tmp_path: Path, run: Run) -> None:
    odoo = MemoryOdoo()
    config = write_config(tmp_path)
    code, text = run("send-test", "signed", "--config", config)
    assert code == 3 and "lead-connectors serve" in text
    with live(config, odoo):
        code, text = run("send-test", "signed", "--config", config)
        assert (code, text.strip()) == (0, "t-1: delivered test")
        assert run("send-test", "bare", "--config", config)[0] == 2
        code, text = run("send-test", "sined", "--config", config)
        assert code == 2 and 'did you mean "signed"?' in text
    assert odoo.statuses() == {"test": 1} and not odoo.leads


def test_send_test_to_a_service_with_another_secret(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path)
    with live(config, MemoryOdoo()):
        monkeypatch.setenv("TEST_SECRET", "not-what-it-runs-with")
        code, text = run("send-test", "signed", "--config", config)
    assert code == 1 and "answered 403" in text


def test_sync(tmp_path: Path, odoo: OdooServer, api: Platform, run: Run) -> None:
    today = datetime.now(UTC).date()
    api.add(*range(450))
    api.counts = {(today - timedelta(days=1)).isoformat(): 451}
    config = write_config(
        tmp_path, odoo=odoo.url, sources=API_SOURCE.format(api=api.url)
    )
    code, text = run("sync", "--config", config)
    assert code == 1, text  # the platform counts one more than Odoo
    assert "450 read, 450 new" in text and "the platform counts 451, Odoo 450" in text
    assert len(odoo.memory.leads) == 450
    api.counts = {}
    code, text = run(
        "sync", "api", "--since", "2026-11-01", "--config", config, "--json"
    )
    [synced] = json.loads(text)["sources"]
    assert (code, synced["seen"], synced["new"]) == (0, 450, 0)


def test_sync_without_odoo(tmp_path: Path, api: Platform, run: Run) -> None:
    api.add(1)
    config = write_config(tmp_path, sources=API_SOURCE.format(api=api.url))
    code, text = run("sync", "--config", config)
    assert code == 3 and "kept in the inbox" in text
    with reopened(tmp_path) as inbox:
        assert report.live(inbox.db)["waiting"] == 1


def test_sync_of_what_only_sends(tmp_path: Path, odoo: OdooServer, run: Run) -> None:
    """There is nothing to read; what waits is delivered all the same."""
    with reopened(tmp_path) as inbox:
        fill(inbox, ["a", "b"], source="signed")
    code, text = run("sync", "--config", write_config(tmp_path))
    assert code == 3 and "kept in the inbox" in text
    config = write_config(tmp_path, odoo=odoo.url)
    code, text = run("sync", "signed", "--config", config)
    assert code == 0 and "only send webhooks" in text and "✓ nothing waits" in text
    assert len(odoo.memory.leads) == 2
    code, text = run("sync", "--config", config, "--json")
    assert (code, json.loads(text)) == (0, {"sources": [], "undelivered": 0})


def test_installed_command() -> None:
    command = Path(sys.executable).with_name("lead-connectors")
    text = subprocess.check_output([command, "--help"], text=True)
    for name in ("serve", "sync", "status", "replay", "check", "send-test"):
        assert name in text


def test_webhook_and_poll_bring_one_lead(tmp_path: Path, api: Platform) -> None:
    """A webhook with ids only, the poll with everything: once."""
    odoo = MemoryOdoo()
    api.add(*range(5))
    config = write_config(tmp_path, sources=API_SOURCE.format(api=api.url))

    def hook(*ids: Any) -> None:
        body = json.dumps({"leads": [{"id": i} for i in ids]}).encode()
        assert post(base, body, source="api").status_code == 200

    with live(config, odoo) as (service, base):
        hook(0, 1)
        hook(1, 2)
        wait_until(lambda: len(odoo.rows) == 5)
        api.add(77)
        hook(77)
        wait_until(lambda: len(odoo.rows) == 6)
        assert len(odoo.leads) == 6
        hook("unknown to the platform")
        [parked] = wait_until(lambda: report.parked(service.inbox.db))
        assert "does not know this lead" in parked.reason
