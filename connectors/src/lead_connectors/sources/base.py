# SPDX-License-Identifier: LGPL-3.0-or-later
"""What a source is: the contract between a platform's module and the connector.

A source is registered by the entry point group ``lead_connectors.sources`` (name =
the ``type`` used in connectors.toml, value = the class), so others can add theirs.

The life of one lead:

1. the web door calls ``handshake`` (GET) or ``verify`` (anything else) on the raw
   request. After ``verify`` the raw bytes are stored durably, then ``accepted`` is
   answered. ``verify`` must be fast and must not touch the network or a disk.
2. later a worker calls ``parse`` on the stored receipt: no network, deterministic, so
   that a replay gives the same external ids. One receipt may hold many items.
3. for id-only items (Meta), ``complete`` reads the rest from the platform's API.
4. polls call ``fetch`` with the time up to which everything was seen; what it yields
   goes the same way as what a webhook brought, from step 3 or 4.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import requests
from pydantic import BaseModel, ConfigDict, Field

from lead_connectors.errors import Park
from lead_connectors.secrets import SecretRef
from lead_connectors.submission import Submission

__all__ = ["Answer", "Finding", "Item", "Receipt", "Source", "SourceConfig"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One raw request or file, as it came in. ``headers`` keys are lower case."""

    body: bytes
    received_at: datetime  # UTC
    method: str = "POST"
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the web door answers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    location: str = ""  # with a 303: where the visitor's browser goes next


@dataclass(frozen=True, slots=True)
class Item:
    """One lead found in a receipt or by a poll.

    Either ``submission`` is there, or ``reference`` (small JSON, ids only) says what
    ``complete`` must read. ``external_id`` is the same by webhook, poll and replay.

    ``same_as``: other ids under which the very same lead may have come a moment ago.
    Only forms without an id of their own use it: they can't tell a double click from a
    new enquiry but by its time, and any pure function of the time has an edge. The
    inbox treats the item as a repeat when it knows ``external_id`` or one of
    ``same_as`` of this source. Where it doesn't look, nothing is lost: Odoo matches
    the person and the double click becomes a second touchpoint.
    """

    external_id: str
    submission: Submission | None = None
    reference: Mapping[str, Any] = field(default_factory=dict)
    same_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``lead-connectors check``. ``cure`` says what a person should do."""

    ok: bool
    what: str
    cure: str = ""
    warning: bool = False  # ok today, but needs attention soon
    unreachable: bool = False  # nobody answered, so more may be wrong


class SourceConfig(BaseModel):
    """Settings every source has; a source's own ``config_model`` extends it.

    Unknown keys are an error, so that a typo is found at start. A secret is a field of
    type ``SecretRef``.

    ``token`` is checked by the web door, in constant time, before ``verify`` is called,
    and is never logged or stored. A source whose platform can't sign makes it required:
    ``token: SecretRef = Field(description=...)``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    channel: str = Field(
        default="",
        description="Code of the channel in Odoo. Default: the source's name.",
    )
    default_country: str = Field(
        default="",
        pattern=r"^([A-Z]{2})?$",
        description="ISO country for phones without +, when the lead has no country.",
    )
    poll_every: int = Field(
        default=0, ge=0, description="Seconds between polls; 0: this source's default."
    )
    token: SecretRef | None = Field(
        default=None,
        description=(
            "Long random text that must come as the last part of the hook's address"
            " (/hooks/NAME/TOKEN) or in the header X-Lead-Token."
        ),
    )


ConfigT = TypeVar("ConfigT", bound=SourceConfig)
# In the class below the name `type` means the source's own.
ConfigModel: TypeAlias = type[SourceConfig]


class Source(abc.ABC, Generic[ConfigT]):
    """One configured place leads come from. Thread-safe: holds no mutable state."""

    type: ClassVar[str]
    config_model: ClassVar[ConfigModel]
    #: is there something to poll? an instance may set its own, by its settings
    can_poll: bool = False
    default_poll_seconds: ClassVar[int] = 900
    #: request headers worth keeping with the stored receipt (never credentials)
    kept_headers: ClassVar[tuple[str, ...]] = ("content-type", "user-agent")
    #: what the web door answers once the bytes are safe; an instance may set its own
    accepted: Answer = Answer(200, b"{}", "application/json")

    def __init__(self, name: str, config: ConfigT, http: requests.Session) -> None:
        self.name = name
        self.config = config
        self.http = http  # has timeouts and our user agent; verifies TLS
        self.channel = config.channel or name

    def handshake(self, request: Receipt) -> Answer:
        """Answer a GET on the hook's address. Raises Refuse; default: 405."""
        return Answer(405, b"only POST here")

    @abc.abstractmethod
    def verify(self, request: Receipt) -> None:
        """Check the raw request is genuine, in constant time. Raises Refuse."""

    def refused(self, status: int, reason: str) -> Answer:
        """The answer to a refused request; sources with a documented shape override."""
        return Answer(status, reason.encode())

    def redact(self, request: Receipt) -> bytes:
        """The body to store: as it came, without secrets the platform echoes."""
        return request.body

    @abc.abstractmethod
    def parse(self, receipt: Receipt) -> list[Item]:
        """The leads in a stored receipt. Raises Park when it can't be understood.

        An empty list is fine: a genuine notification that holds no lead.
        """

    def complete(self, item: Item) -> Submission:
        """Read what a webhook left out. Raises Retry, Park or StopSource."""
        if item.submission is None:
            raise Park(f"{self.type}: nothing to read for this item")
        return item.submission

    def fetch(self, since: datetime) -> Iterator[Item]:
        """Everything submitted at or after ``since`` (UTC), paging as needed.

        May yield what was seen before: the inbox knows. Raises Retry, StopSource. An
        item that can't be read is yielded all the same, with the reason in its
        ``reference``; ``complete`` then raises Park, so it is kept and shown.
        """
        raise NotImplementedError(f"{self.type} has nothing to poll")

    def size_hint(self) -> int | None:
        """About how many items ``fetch`` would read now, for a progress bar.

        None: unknown. Never raises, never touches the network.
        """
        return None

    def daily_counts(self, since: date) -> dict[date, int] | None:
        """Leads per UTC day by the platform's own count, to reconcile; None: unknown.

        Days without leads are absent.
        """
        return None

    def check(self) -> Iterator[Finding]:
        """Look at token, scopes, subscription: one finding each. Never raises."""
        return iter(())

    def send_test(self, public_url: str) -> Receipt:
        """A genuine, signed sample request for ``lead-connectors send-test``.

        Its lead is marked as a test. Raises Park where a source can't make one.
        """
        raise Park(f"{self.type} can't make a test request itself")
