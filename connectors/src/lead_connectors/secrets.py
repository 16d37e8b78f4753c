# SPDX-License-Identifier: LGPL-3.0-or-later
"""Secrets: named in the configuration, kept in the environment or in files.

A field of type ``SecretRef`` in a source's ``config_model`` is all a source needs::

    class Config(SourceConfig):
        app_secret: SecretRef

In connectors.toml it is written ``app_secret = "env:META_APP_SECRET"`` or
``app_secret = "file:/run/secrets/meta_app_secret"`` and read once, at start.
"""

from __future__ import annotations

import contextlib
import hmac
import os
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

__all__ = ["SecretRef", "files_relative_to", "hide_secrets"]

_HIDDEN = "[secret]"
# Shorter values would blank out ordinary words and numbers of a log line.
_MIN_HIDDEN = 6
_known: set[str] = set()

# Where a relative "file:" starts: the folder of the configuration being read.
_folder: ContextVar[Path] = ContextVar("_folder", default=Path())

_CURE = 'write "env:NAME" (an environment variable) or "file:/path" (a file)'


class SecretRef:
    """A secret value that shows only where it came from.

    ``SecretRef("value")`` makes one directly, for tests.
    """

    __slots__ = ("_origin", "_value")

    def __init__(self, value: str, origin: str = "given") -> None:
        self._value = value
        self._origin = origin
        if len(value) >= _MIN_HIDDEN:
            _known.add(value)

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self._value

    def matches(self, given: str | bytes) -> bool:
        """Is ``given`` this secret? Compared in constant time."""
        if isinstance(given, str):
            given = given.encode("utf-8", "surrogateescape")
        return hmac.compare_digest(self._value.encode(), given)

    def __repr__(self) -> str:
        return f"SecretRef({self._origin})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretRef):
            return NotImplemented
        return self.matches(other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is never pickled")

    @classmethod
    def resolve(cls, reference: str) -> SecretRef:
        """Read ``env:NAME`` or ``file:PATH``.

        Raises ValueError, which names the reference and the cure, never the value.
        """
        kind, _, name = reference.partition(":")
        if kind == "env" and name:
            value = os.environ.get(name, "")
            if not value:
                raise ValueError(
                    f"the environment variable {name} is not set: set it for the"
                    " service (systemd: EnvironmentFile=) and start again"
                )
        elif kind == "file" and name:
            path = _folder.get() / name
            try:
                value = path.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeError) as error:
                what = getattr(error, "strerror", None) or "not UTF-8 text"
                raise ValueError(
                    f"the secret's file {path} can't be read ({what}): it must be"
                    " readable for the user that runs the service"
                ) from None
            if not value:
                raise ValueError(f"the secret's file {path} is empty")
        else:
            raise ValueError(f"a secret must not stand in this file: {_CURE}")
        return cls(value, reference)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda secret: secret._origin
            ),
        )

    @classmethod
    def _validate(cls, value: Any) -> SecretRef:
        if isinstance(value, SecretRef):
            return value
        try:
            if not isinstance(value, str):
                raise ValueError(f"a secret must be a text: {_CURE}")
            return cls.resolve(value)
        except ValueError as error:
            # not a ValueError: pydantic would show the input beside it
            raise PydanticCustomError(
                "secret", "{text}", {"text": str(error)}
            ) from None


@contextlib.contextmanager
def files_relative_to(folder: Path) -> Iterator[None]:
    """Meanwhile, a relative ``file:`` starts at ``folder``."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def hide_secrets(text: str) -> str:
    """``text`` without any secret that was ever read by this process."""
    for value in _known:
        if value in text:
            text = text.replace(value, _HIDDEN)
    return text
