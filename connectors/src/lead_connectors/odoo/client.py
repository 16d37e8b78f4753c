# SPDX-License-Identifier: LGPL-3.0-or-later
"""What the connector asks of Odoo, and how Odoo may fail.

The errors say what to do:

- ``OdooUnreachable``: no answer, or not Odoo's. Wait and send again; nobody's fault.
- ``OdooGarbled``: an answer that can't be true (half of it, wrong length). What became
  of the items is unknown, so they are sent again: ``ingest`` is idempotent.
- ``OdooDenied``: Odoo does not let us in. Wait, and tell a person.
- ``OdooRejected``: Odoo failed on what was sent. Find the item that does it.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lead_connectors.errors import ConnectorError

__all__ = [
    "STATUSES",
    "IngestResult",
    "OdooClient",
    "OdooDenied",
    "OdooError",
    "OdooGarbled",
    "OdooRejected",
    "OdooUnreachable",
    "error_for",
]

STATUSES = frozenset({"created", "matched", "duplicate", "test", "quarantined"})


class OdooError(ConnectorError):
    """Base: something about Odoo."""


class OdooUnreachable(OdooError):
    """Not there, too slow, restarting, or something else answers in its place."""


class OdooGarbled(OdooError):
    """An answer came, but not one that ``ingest`` gives."""


class OdooDenied(OdooError):
    """Wrong database, login or API key, or the user lacks the right."""


class OdooRejected(OdooError):
    """An error inside Odoo while it worked on what was sent."""


@dataclass(frozen=True, slots=True)
class IngestResult:
    """Odoo's answer for one item; ``reason`` is empty unless quarantined."""

    status: str
    submission_id: int | None
    lead_id: int | None
    reason: str


class OdooClient(abc.ABC):
    """One Odoo database, as the connector's user. Thread-safe."""

    def ingest(self, items: Sequence[dict[str, Any]]) -> list[IngestResult]:
        """Give submissions to Odoo: one result each, in the same order.

        Raises OdooUnreachable, OdooGarbled, OdooDenied, OdooRejected.
        """
        answer = self.call("lead.submission", "ingest", submissions=list(items))
        return check_results(items, answer)

    def info(self) -> dict[str, Any]:
        """Who we are there and what we may do, as ``ingest_info`` tells it."""
        answer = self.call("lead.submission", "ingest_info")
        if not isinstance(answer, dict) or "can_ingest" not in answer:
            raise OdooGarbled("Odoo gave no answer that ingest_info gives")
        return answer

    def report_counts(self, counts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Tell Odoo a platform's own counts per channel and day; get both numbers.

        Channels that Odoo does not know are left out.
        """
        answer = self.call("lead.channel", "report_counts", counts=list(counts))
        if not isinstance(answer, list) or any(type(row) is not dict for row in answer):
            raise OdooGarbled("Odoo gave no answer that report_counts gives")
        return answer

    @abc.abstractmethod
    def call(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a public ``@api.model`` method with keyword arguments of plain JSON."""


def check_results(items: Sequence[dict[str, Any]], answer: Any) -> list[IngestResult]:
    """Odoo's answer as results, or OdooGarbled when it can't be one for ``items``."""
    if not isinstance(answer, list) or len(answer) != len(items):
        size = len(answer) if isinstance(answer, list) else type(answer).__name__
        raise OdooGarbled(f"Odoo answered {size} for {len(items)} items")
    results = []
    for item, result in zip(items, answer, strict=True):
        if (
            not isinstance(result, dict)
            or not _echoes(item["channel"], result.get("channel"))
            or not _echoes(item["external_id"], result.get("external_id"))
            or result.get("status") not in STATUSES
        ):
            raise OdooGarbled("Odoo answered for other items than were sent")
        results.append(
            IngestResult(
                status=result["status"],
                # Odoo says False where there is none
                submission_id=result.get("submission_id") or None,
                lead_id=result.get("lead_id") or None,
                reason=str(result.get("reason") or ""),
            )
        )
    return results


def _echoes(sent: str, got: Any) -> bool:
    """Is ``got`` what Odoo makes of an id? Strange ones it cleans or shortens."""
    strange = not sent.isprintable() or sent != sent.strip() or len(sent) > 200
    return bool(sent == got or (strange and isinstance(got, str)))


_DENIED = {"AccessDenied", "AccessError", "SessionExpiredException", "Unauthorized"}
# Passing troubles of the server or its database, whoever asks.
_PASSING = {
    "ConcurrencyError",
    "DeadlockDetected",
    "InterfaceError",
    "LockError",
    "LockNotAvailable",
    "OperationalError",
    "PoolError",
    "ReadOnlySqlTransaction",
    "SerializationFailure",
    "ServiceUnavailable",
}


def error_for(name: str, message: str) -> OdooError:
    """The error for an exception inside Odoo: its dotted class name and its text."""
    kind = name.rpartition(".")[2]
    text = f"{kind}: {message}".strip()[:500] if message else (kind or "unknown error")
    if kind in _DENIED:
        return OdooDenied(f"Odoo refuses: {text}")
    if kind in _PASSING:
        return OdooUnreachable(f"Odoo is busy: {text}")
    return OdooRejected(f"Odoo failed: {text}")
