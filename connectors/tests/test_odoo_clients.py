# SPDX-License-Identifier: LGPL-3.0-or-later
"""Both ways to Odoo, against a real HTTP server."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.items import item
from support.odoo_server import DATABASE, Failing, OdooServer, Raw
from support.running import write_config

from lead_connectors.config import load
from lead_connectors.odoo.client import (
    OdooClient,
    OdooDenied,
    OdooError,
    OdooGarbled,
    OdooRejected,
    OdooUnreachable,
    check_results,
)
from lead_connectors.service import make_odoo


@pytest.fixture(params=["odoorpc", "json2"])
def client(
    request: pytest.FixtureRequest, tmp_path: Path, odoo: OdooServer
) -> OdooClient:
    extra = f'protocol = "{request.param}"'
    return make_odoo(load(write_config(tmp_path, odoo=odoo.url, odoo_extra=extra)))


def sample(key: str) -> dict[str, object]:
    submission = item(key).submission
    assert submission
    return submission.to_odoo()


def test_ingest(client: OdooClient, odoo: OdooServer) -> None:
    first, second = client.ingest([sample("a"), sample("b")])
    assert (first.status, first.lead_id, second.lead_id) == ("created", 1, 2)
    [again] = client.ingest([sample("a")])
    assert (again.status, again.submission_id) == ("duplicate", first.submission_id)
    assert odoo.requests.count("login") <= 1  # one session for many calls


def test_info_and_counts(client: OdooClient, odoo: OdooServer) -> None:
    assert client.info()["batch_limit"] == 500
    client.ingest([sample("a")])
    counts = [{"channel": "web", "day": "2026-11-21", "count": 3}]
    assert client.report_counts(counts)[0]["difference"] == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("odoo.exceptions.AccessError", OdooDenied),
        ("odoo.exceptions.ValidationError", OdooRejected),
        ("builtins.KeyError", OdooRejected),
        ("psycopg2.errors.SerializationFailure", OdooUnreachable),
        ("psycopg2.OperationalError", OdooUnreachable),
        ("odoo.exceptions.LockError", OdooUnreachable),
    ],
)
def test_errors_say_what_to_do(
    name: str, kind: type[OdooError], client: OdooClient, odoo: OdooServer
) -> None:
    def answer(method: str) -> Raw | None:
        if method == "ingest":
            raise Failing(name, "no luck")
        return None

    odoo.answer = answer
    with pytest.raises(kind) as caught:
        client.ingest([sample("a")])
    assert "SECRET-TRACE" not in str(caught.value)
    odoo.answer = lambda method: None
    assert client.ingest([sample("a")])[0].status == "created"  # works again at once


def test_timeout(tmp_path: Path, odoo: OdooServer) -> None:
    import time

    def answer(method: str) -> Raw | None:
        if method == "ingest":
            time.sleep(0.6)
        return None

    odoo.answer = answer
    for protocol in ("odoorpc", "json2"):
        text = write_config(
            tmp_path, odoo=odoo.url, odoo_extra=f'protocol = "{protocol}"'
        )
        text.write_text(text.read_text().replace("timeout = 5", "timeout = 0.2"))
        with pytest.raises(OdooUnreachable):
            make_odoo(load(text)).ingest([sample("a")])


def test_unknown_database(tmp_path: Path, odoo: OdooServer) -> None:
    def answer(method: str) -> Raw | None:
        raise Failing(
            "psycopg2.OperationalError", f'database "{DATABASE}" does not exist'
        )

    odoo.answer = answer
    config = load(write_config(tmp_path, odoo=odoo.url))
    with pytest.raises(OdooDenied, match=r"check \[odoo\] database"):
        make_odoo(config).info()


def test_odd_ids_may_come_back_cleaned() -> None:
    """Odoo strips control characters and shortens giants; that is still an answer."""
    for sent, got in (("a\x01b", "ab"), ("x" * 600, "sha256:0"), ("a", "a")):
        echo = {"channel": "web", "external_id": got, "status": "created"}
        [result] = check_results([{"channel": "web", "external_id": sent}], [echo])
        assert result.status == "created"
    with pytest.raises(OdooGarbled):
        check_results([{"channel": "web", "external_id": "b"}], [echo])
