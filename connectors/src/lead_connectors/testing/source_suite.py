# SPDX-License-Identifier: LGPL-3.0-or-later
"""The standard tests every source must pass, ours and those others write.

Subclass it in a test module, under a name pytest collects::

    class TestMySource(SourceSuite):
        signature_header = "x-my-signature"
        secret_values = ("top-secret-1",)

        def source(self) -> MySource:
            config = MyConfig(type="my", secret=SecretRef("top-secret-1"))
            return MySource("mine", config, requests.Session())

        def genuine(self) -> list[Receipt]:
            return [receipt_as_the_platform_sends_it]

Needs pytest and hypothesis (``pip install lead-connectors[dev]``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lead_connectors.errors import ConnectorError, Park, Refuse
from lead_connectors.sources.base import Item, Receipt, Source
from lead_connectors.submission import Submission

__all__ = ["SourceSuite", "assert_fits_odoo"]

NOW = datetime(2026, 11, 22, 8, 49, 14, tzinfo=UTC)

CONTENT_TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain; charset=utf-16",
    "",
)
# what a hostile or broken sender sends; each once, beside what hypothesis finds
HOSTILE = (
    b"",
    b"\x00",
    b"null",
    b"[]",
    b"{}",
    b"[" * 50_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"a": ' + b"9" * 6_000 + b"}",
    b'{"a": NaN, "b": Infinity, "c": 1e999}',
    b'{"name": "\\u0000\\ud800", "email": "\\udc00@example.com"}',
    b"\xff\xfe{\x00}\x00",
    b"a=1&" * 2_000,
    b"fields[a][b][c][d][e][f]=1&__proto__[x]=1&x[]=1&x[]=2&x=3",
    b"name=" + b"x" * 300_000,
    b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1',
    b"%ff%fe=%00&=&&;",
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)

bounded = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
)


def assert_fits_odoo(submission: Submission) -> None:
    """The item can go to ``ingest``: plain JSON, storable text, bounded size."""
    item = submission.to_odoo()
    text = json.dumps(item, allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")  # no half surrogates
    assert not any("\x00" in one for one in _texts(item))
    assert len(text) < 12_000_000
    assert 0 < len(submission.external_id) <= 250
    assert submission.submitted_at.utcoffset() == timedelta(0)
    country = submission.contact.country
    assert country == "" or (len(country) == 2 and country.isupper())
    assert len(submission.answers) <= 501


class SourceSuite:
    """See the module. Every test builds its own source."""

    #: lower-case header that carries the signature; "" for another kind of check
    signature_header: ClassVar[str] = ""
    #: does an altered byte in the body make the request forged?
    signs_body: ClassVar[bool] = True
    #: does the source check requests itself (else: only the token in the address)?
    verifies: ClassVar[bool] = True
    #: the secrets in ``source()``'s configuration, as plain text
    secret_values: ClassVar[tuple[str, ...]] = ()

    def source(self) -> Source[Any]:
        """A new instance, configured with ``secret_values``."""
        raise NotImplementedError

    def genuine(self) -> list[Receipt]:
        """Requests as the platform sends them; [] for a source without a hook."""
        raise NotImplementedError

    def unauthorised(self, request: Receipt) -> list[Receipt]:
        """``request`` without credentials, and with wrong ones."""
        name = self.signature_header
        if not name:
            return []
        bare = {k: v for k, v in request.headers.items() if k != name}
        value = request.headers[name]
        # another last digit, another one in the middle, another scheme
        half = len(value) // 2
        wrong = (
            value[:half] + ("1" if value[half] != "1" else "2") + value[half + 1 :],
            value[:-8],
            "",
            "sha256=é",
            "v1,",
        )
        return [replace(request, headers=bare)] + [
            replace(request, headers={**bare, name: text}) for text in wrong
        ]

    # the web door

    def test_genuine_requests_are_accepted(self) -> None:
        for request in self.genuine():
            self.source().verify(request)

    def test_altered_bodies_are_refused(self) -> None:
        if not (self.verifies and self.signs_body):
            return  # nothing signs the body here
        for request in self.genuine():
            size = len(request.body)
            for at in {0, size // 3, size // 2, size - 1}:
                flipped = bytes([request.body[at] ^ 1])
                body = request.body[:at] + flipped + request.body[at + 1 :]
                self._refused(replace(request, body=body))
            self._refused(replace(request, body=request.body + b" "))

    def test_missing_and_wrong_credentials_are_refused(self) -> None:
        if not self.verifies:
            # then the address or a header must hold a secret
            assert self.source().config_model.model_fields["token"].is_required()
        for request in self.genuine():
            requests = self.unauthorised(request)
            assert requests or not self.verifies
            for other in requests:
                self._refused(other)

    def _refused(self, request: Receipt) -> None:
        source = self.source()
        with pytest.raises(Refuse) as caught:
            source.verify(request)
        assert caught.value.status in (400, 401, 403)
        answer = source.refused(caught.value.status, str(caught.value))
        assert answer.status == caught.value.status
        for secret in self.secret_values:
            assert secret not in str(caught.value)
            assert secret.encode() not in answer.body

    # secrets

    def test_secrets_are_not_stored(self) -> None:
        source = self.source()
        for request in self.genuine():
            stored = source.redact(request)
            kept = {k: request.headers.get(k, "") for k in source.kept_headers}
            for secret in self.secret_values:
                assert secret.encode() not in stored
                assert secret not in str(kept)
            for item in source.parse(replace(request, body=stored)):
                if item.submission:
                    text = json.dumps(item.submission.to_odoo())
                    assert not any(secret in text for secret in self.secret_values)

    def test_secrets_are_not_shown(self) -> None:
        source = self.source()
        shown = f"{source!r} {source.config!r} {source.config}"
        assert not any(secret in shown for secret in self.secret_values)

    def test_settings_are_documented(self) -> None:
        for name, info in self.source().config_model.model_fields.items():
            assert info.description or name == "type", f"{name} has no description"

    # parsing: what is stored is what ``redact`` left

    def test_parse_is_deterministic(self) -> None:
        for request in self._stored():
            items = self.source().parse(request)
            assert items == self.source().parse(request)
            ids = [item.external_id for item in items]
            assert all(isinstance(one, str) and one for one in ids)
            assert len(set(ids)) == len(ids)

    def test_redacting_does_not_change_what_is_read(self) -> None:
        for request, stored in zip(self.genuine(), self._stored(), strict=True):
            before = [item.external_id for item in self.source().parse(request)]
            after = [item.external_id for item in self.source().parse(stored)]
            assert before == after

    def test_submissions_fit_odoo(self) -> None:
        source = self.source()
        for request in self._stored():
            for item in source.parse(request):
                if item.submission is None:
                    assert item.reference, "neither a lead nor a way to read one"
                    json.dumps(dict(item.reference))
                    continue
                assert_fits_odoo(item.submission)
                assert item.submission.channel == source.channel
                assert item.submission.external_id == item.external_id
                assert item.submission.payload, "the payload must be kept"

    def test_its_own_test_request_is_genuine_and_marked(self) -> None:
        source = self.source()
        try:
            request = source.send_test("https://leads.example.com/hooks/mine")
        except Park:
            return  # it can't make one; that is allowed
        source.verify(request)
        stored = replace(request, body=source.redact(request))
        items = source.parse(stored)
        assert items
        assert all(item.submission is None or item.submission.test for item in items)

    # garbage

    def test_hostile_requests_raise_only_named_errors(self) -> None:
        source = self.source()
        headers = self._any_headers()
        for body in HOSTILE:
            for content_type in CONTENT_TYPES:
                self._survives(
                    source, Receipt(body, NOW, "POST", content_type, headers)
                )

    @bounded
    @given(st.binary(max_size=300), st.sampled_from(CONTENT_TYPES))
    def test_any_bytes(self, body: bytes, content_type: str) -> None:
        request = Receipt(body, NOW, "POST", content_type, self._any_headers())
        self._survives(self.source(), request)

    @bounded
    @given(json_values)
    def test_any_json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        request = Receipt(body, NOW, "POST", "application/json", self._any_headers())
        self._survives(self.source(), request)

    @bounded
    @given(st.data())
    def test_genuine_json_with_any_value_exchanged(self, data: st.DataObject) -> None:
        """The shape almost right: what a platform's next version will send."""
        for request in self._stored()[:2]:
            try:
                value = json.loads(request.body)
            except ValueError:
                continue
            paths = list(_paths(value))
            path = data.draw(st.sampled_from(paths), label="path")
            other = data.draw(json_values, label="value")
            body = json.dumps(_exchanged(value, path, other)).encode()
            self._survives(self.source(), replace(request, body=body))

    @bounded
    @given(st.dictionaries(st.text(max_size=12), st.text(max_size=20), max_size=4))
    def test_any_headers(self, headers: dict[str, str]) -> None:
        for request in self.genuine()[:1]:
            mixed = {**headers, self.signature_header or "x": next(iter(headers), "")}
            try:
                self.source().verify(replace(request, headers=mixed))
            except Refuse:
                pass

    def _any_headers(self) -> dict[str, str]:
        return dict(self.genuine()[0].headers) if self.genuine() else {}

    def _stored(self) -> list[Receipt]:
        source = self.source()
        return [replace(r, body=source.redact(r)) for r in self.genuine()]

    def _survives(self, source: Source[Any], request: Receipt) -> None:
        try:
            source.verify(request)
        except Refuse as error:
            source.refused(error.status, str(error))
        source.redact(request)
        try:
            items: list[Item] = source.parse(request)
        except ConnectorError as error:
            assert str(error)
            return
        for item in items:
            if item.submission is not None:
                assert_fits_odoo(item.submission)


def _texts(value: Any) -> Iterable[str]:
    """Every text in a JSON tree, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *_texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """Where every value in a JSON tree stands."""
    yield path
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, inner in pairs:
        yield from _paths(inner, (*path, key))


def _exchanged(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """A copy of ``value`` with ``other`` at ``path``."""
    if not path:
        return other
    copy = value.copy()
    copy[path[0]] = _exchanged(value[path[0]], path[1:], other)
    return copy
