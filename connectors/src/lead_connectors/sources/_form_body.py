# SPDX-License-Identifier: LGPL-3.0-or-later
"""The body of any web form -> JSON-like values, whatever way it was encoded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import Message
from typing import Any
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from lead_connectors.errors import Park
from lead_connectors.sources._json import load
from lead_connectors.sources.base import Receipt

__all__ = ["decode", "nested"]

MAX_PAIRS = 3_000
MAX_STEPS = 6  # of a key such as fields[email][value]

_STEPS = re.compile(r"\[([^\[\]]*)\]")
_KEY = r'"(?P<key>[^"\\\n]{1,200})"\s*:\s*'
_FIRST_KEY = re.compile(r"\s*\{\s*" + _KEY)
_NEXT_KEY = re.compile(r",\s*" + _KEY)
_BARE = re.compile(r'[^\s,"\[\]{}]{1,200}')  # a number, true, null
_MAX_LOOSE = 200_000


def decode(receipt: Receipt) -> Any:
    """A dict (mostly) of what was sent; files as {"file", "size"} without content.

    Trusts the body more than the content type. Raises Park when it is none of JSON,
    urlencoded and multipart.
    """
    body = receipt.body.strip()
    kind, charset, boundary = _content_type(receipt.content_type)
    if kind.startswith("multipart/") and boundary:
        return nested(_multipart(receipt.body, boundary, charset))
    if body[:1] in (b"{", b"[") or body[:3] == b"\xef\xbb\xbf" or kind.endswith("json"):
        value = load(body)
        if value is None:
            value = load(_text(body, charset), strict=False)
        if value is None:
            value = _loose_object(_text(body, charset))
        if isinstance(value, dict | list) and value:
            return value
        raise Park("the body is not JSON")
    if b"=" in body:
        return nested(_urlencoded(body, charset))
    raise Park("the body is none of JSON, urlencoded and multipart")


def _content_type(header: str) -> tuple[str, str, bytes]:
    message = Message()
    message["content-type"] = re.sub(r"[\r\n\x00]|[^\x00-\x7f]", "", header)[:500]
    boundary = message.get_param("boundary", "")
    charset = message.get_param("charset", "")
    return (
        message.get_content_type(),
        charset if isinstance(charset, str) else "",
        boundary.encode("ascii", "replace") if isinstance(boundary, str) else b"",
    )


def _text(data: bytes, charset: str = "") -> str:
    """Text in UTF-8, else in what the sender said, else in Windows' Latin."""
    for name in ("utf-8-sig", charset):
        try:
            return data.decode(name) if name else data.decode("cp1252")
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", "replace")


def _urlencoded(body: bytes, charset: str) -> Iterable[tuple[str, Any]]:
    for pair in body.split(b"&", MAX_PAIRS)[:MAX_PAIRS]:
        key, _, value = pair.partition(b"=")
        if key or value:
            yield (
                _text(unquote_to_bytes(key.replace(b"+", b" ")), charset),
                _text(unquote_to_bytes(value.replace(b"+", b" ")), charset),
            )


def _multipart(body: bytes, boundary: bytes, charset: str) -> list[tuple[str, Any]]:
    reader = _MultipartReader(charset)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": reader.begin,
            "on_header_field": reader.header_field,
            "on_header_value": reader.header_value,
            "on_header_end": reader.header_end,
            "on_part_data": reader.data,
            "on_part_end": reader.end,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError:
        if not reader.pairs:
            raise Park("the multipart body is broken") from None
        # a sender that forgot the last boundary: what was whole is kept
    if not reader.pairs:
        raise Park("the multipart body holds no field")
    return reader.pairs


class _MultipartReader:
    """Collects the parser's callbacks."""

    def __init__(self, charset: str) -> None:
        self.pairs: list[tuple[str, Any]] = []
        self._charset = charset
        self._reset()

    def _reset(self) -> None:
        self._headers: dict[str, str] = {}
        self._field = b""
        self._value = b""
        self._data = bytearray()

    def begin(self) -> None:
        self._reset()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[_text(self._field).lower()] = _text(self._value)
        self._field = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def end(self) -> None:
        disposition = self._headers.get("content-disposition", "")
        name = _parameter(disposition, "name")
        filename = _parameter(disposition, "filename")
        if not name or len(self.pairs) >= MAX_PAIRS:
            return
        if filename is None:
            self.pairs.append((name, _text(bytes(self._data), self._charset)))
        elif filename or self._data:
            self.pairs.append((name, {"file": filename, "size": len(self._data)}))


def _parameter(disposition: str, name: str) -> str | None:
    """name="…" of a Content-Disposition, as browsers write it (%22 for a quote)."""
    found = re.search(rf';\s*{name}="([^"]*)"', disposition) or re.search(
        rf";\s*{name}=([^;\s]+)", disposition
    )
    return found.group(1).replace("%22", '"') if found else None


def _loose_object(text: str) -> dict[str, str] | None:
    """{"key": "value", ...} whose values were pasted in unescaped, or None.

    Contact Form 7 with a body template sends such. A text ends at the first quote
    that stands before the next key or the end. One pass: strangers may send it.
    """
    text = text.rstrip()
    first = _FIRST_KEY.match(text)
    if len(text) > _MAX_LOOSE or first is None or text[-1] != "}":
        return None
    found: dict[str, str] = {}
    key, start = first["key"], first.end()
    for following in _NEXT_KEY.finditer(text, start):
        if _loose_value(text, start, following.start(), found, key):
            key, start = following["key"], following.end()
            if len(found) >= MAX_PAIRS:
                return found
    _loose_value(text, start, len(text) - 1, found, key)
    return found or None


def _loose_value(
    text: str, start: int, end: int, found: dict[str, str], key: str
) -> bool:
    """Note what stands between ``start`` and ``end``; False: it goes on after that."""
    while end > start and text[end - 1].isspace():
        end -= 1
    if not text.startswith('"', start):
        if _BARE.fullmatch(text, start, end):
            value = text[start:end]
            found.setdefault(key, "" if value == "null" else value)
        return True
    if end - start < 2 or text[end - 1] != '"':
        return False
    value = text[start + 1 : end - 1]
    value = value.replace('\\"', '"').replace("\\n", "\n").replace("\\/", "/")
    found.setdefault(key, value)
    return True


def nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """PHP's way of writing trees in flat keys: a[b]=1, a[]=1; repeats become lists."""
    tree: dict[str, Any] = {}
    for key, value in pairs:
        head, bracket, _ = key.partition("[")
        steps = _STEPS.findall(key[len(head) :])
        whole = head + "".join(f"[{step}]" for step in steps) == key
        if not bracket or not head or not whole or len(steps) > MAX_STEPS:
            _add(tree, key, value)
            continue
        *path, last = [head, *steps]
        node: dict[str, Any] = tree
        if last == "":
            *path, last = path  # a[] adds to the list a
        for step in path:
            inner = node.setdefault(step, {})
            if not isinstance(inner, dict) or "file" in inner:
                break
            node = inner
        else:
            _add(node, last, value)
            continue
        _add(tree, key, value)  # a=1&a[b]=2: no tree, so the key stays as it came
    return tree


def _add(node: dict[str, Any], key: str, value: Any) -> None:
    if key not in node:
        node[key] = value
    elif isinstance(node[key], list):
        node[key].append(value)
    else:
        node[key] = [node[key], value]
