# SPDX-License-Identifier: LGPL-3.0-or-later
"""Errors, named by what to do about them.

Texts are shown to operators and written to logs: never put a secret, a whole
response body or personal data into one.
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "ConnectorError",
    "Dismiss",
    "Park",
    "Refuse",
    "Retry",
    "StopSource",
]


class ConnectorError(Exception):
    """Base of every error the connector raises on purpose."""


class Retry(ConnectorError):
    """It may work later: try again with backoff.

    ``after``: seconds the other side asked us to wait, if it said so.
    ``limit``: give up (park) after so many attempts, where endless retries make no
    sense; None means the delivery settings decide.
    """

    def __init__(
        self, reason: str, *, after: float | None = None, limit: int | None = None
    ) -> None:
        super().__init__(reason)
        self.after = after
        self.limit = limit


class Park(ConnectorError):
    """This item can't be processed as it is: keep it, tell why, go on with others."""


class Dismiss(Park):
    """Nobody sent this, a robot did: keep it for a while, count it, call nobody."""


class StopSource(ConnectorError):
    """The whole source is broken (token, permission): stop polling it and alert.

    Items wait, nothing is parked; the source is tried again after a while.
    """


class Refuse(ConnectorError):
    """The web door turns this request away; it is not stored.

    ``status`` is the HTTP answer: 400 malformed, 401 no credentials, 403 forged,
    404 unknown source, 413 too large, 429 too many.
    """

    def __init__(self, reason: str, *, status: int = 403) -> None:
        super().__init__(reason)
        self.status = status


class ConfigError(ConnectorError):
    """The configuration is wrong. The text names the place and the cure."""
