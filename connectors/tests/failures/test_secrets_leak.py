# SPDX-License-Identifier: LGPL-3.0-or-later
"""Whatever fails, no secret and no person shows up in logs, errors or answers."""

from __future__ import annotations

import json
import logging
import pickle
from pathlib import Path

import pytest
import requests
import structlog
from support.odoo_server import Failing, OdooServer, Raw
from support.running import (
    SECRET,
    SECRETS,
    TOKEN,
    leads_body,
    post,
    process,
    wait_until,
    write_config,
)

from lead_connectors import log
from lead_connectors.config import load
from lead_connectors.secrets import SecretRef, hide_secrets


def assert_clean(text: str) -> None:
    for value in [*SECRETS.values(), "nguyen.", "Traceback", "SECRET-TRACE"]:
        assert value not in text, text


def test_a_bad_day_leaves_no_trace_of_them(tmp_path: Path, odoo: OdooServer) -> None:
    def answer(method: str) -> Raw | None:
        calls.append(method)
        if method == "ingest" and len(calls) < 6:
            raise Failing("builtins.KeyError", "it broke")
        return None

    calls: list[str] = []
    odoo.answer = answer
    config = write_config(tmp_path, odoo=odoo.url, extra='[log]\nlevel = "debug"\n')
    config.write_text(config.read_text().replace('[log]\nformat = "json"\n', "", 1))
    with process(config) as service:
        service.ready()
        base = service.base
        answers = [
            post(base, leads_body(1)),
            post(base, b"{broken"),
            post(base, b'{"leads": [{"id": "x", "email": ["nguyen.7@example.com"]}]}'),
            post(base, leads_body(2), signature="0" * 64),
            requests.post(f"{base}/hooks/bare/{TOKEN}", data=leads_body(3)),
            requests.post(f"{base}/hooks/bare/{TOKEN}x", data=leads_body(3)),
            requests.post(f"{base}/hooks/gone/{TOKEN}", data=leads_body(3)),
            requests.get(f"{base}/readyz"),
        ]
        # the lead on which Odoo failed came through or was parked, the others came
        wait_until(lambda: calls.count("ingest") > 4 and odoo.memory.rows)
        answers.append(requests.get(f"{base}/metrics"))
        assert service.terminate() == 0
        output = service.log.read_text()
    assert '"item parked"' in output or '"receipt parked"' in output
    assert_clean(output)
    for reply in answers:
        assert_clean(reply.text + str(reply.headers))
    # the token is not kept with the stored request either
    stored = b"".join(p.read_bytes() for p in tmp_path.glob("inbox.sqlite*"))
    assert TOKEN.encode() not in stored and SECRET.encode() not in stored


def test_not_in_any_text_of_the_configuration(tmp_path: Path) -> None:
    config = load(write_config(tmp_path))
    dumped = [source.config.model_dump_json() for source in config.sources]
    for text in (repr(config), str(config.settings), *dumped):
        assert_clean(text)
    assert "env:TEST_SECRET" in dumped[0]


def test_a_secret_keeps_itself() -> None:
    secret = SecretRef("s3cr3t-value", "env:X")
    assert "s3cr3t" not in f"{secret} {secret!r}"
    assert secret.matches("s3cr3t-value") and secret.matches(b"s3cr3t-value")
    assert not secret.matches("s3cr3t-valuE") and not secret.matches("é")
    assert secret == SecretRef("s3cr3t-value") and secret != SecretRef("another-one")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize("style", ["json", "console"])
def test_logs_blank_what_slips_in(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    SecretRef("leaked-value-1")
    log.set_up(style, "info")
    logger = structlog.get_logger()
    logger.info("called", url="http://x/leaked-value-1", more={"k": "leaked-value-1"})
    logging.getLogger("some.library").warning("failed at %s", "leaked-value-1")
    try:
        raise ValueError("leaked-value-1 of nguyen.1@example.com")
    except ValueError:
        logger.exception("broke")
    output = capsys.readouterr().err
    assert "[secret]" in output and "ValueError" in output
    assert "leaked-value" not in output and "nguyen" not in output
    if style == "json":
        assert [json.loads(line)["event"] for line in output.splitlines()]


def test_hide() -> None:
    SecretRef("abcdef-hidden")
    assert hide_secrets("x abcdef-hidden y") == "x [secret] y"
