# SPDX-License-Identifier: LGPL-3.0-or-later
"""What /metrics shows. No label holds personal data, an address or a token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from lead_connectors.odoo.client import STATUSES
from lead_connectors.sources.base import Source

__all__ = ["Metrics"]

# What the web door answers when it turns a request away.
_REFUSALS = ("400", "401", "403", "404", "405", "413", "429", "500", "503")
_DISMISSALS = ("robot", "too_old")
_POLLS = ("ok", "retry", "stopped")
_FAILURES = ("unreachable", "garbled", "denied", "rejected")
_LATENCY = (0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1800, 7200, 43200, 172800)


class Metrics:
    """One registry a service, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.received = Counter(
            "lead_connectors_received",
            "Requests stored durably and acknowledged",
            ["source"],
            registry=registry,
        )
        self.refused = Counter(
            "lead_connectors_refused",
            "Requests turned away, by the answer's status",
            ["source", "status"],
            registry=registry,
        )
        self.parsed = Counter(
            "lead_connectors_parsed_receipts",
            "Receipts parsed into items",
            ["source"],
            registry=registry,
        )
        self.parked = Counter(
            "lead_connectors_parked",
            "Receipts and items put aside for a person",
            ["source"],
            registry=registry,
        )
        self.dismissed = Counter(
            "lead_connectors_dismissed",
            "Receipts and items that nobody has to look at, by why",
            ["source", "why"],
            registry=registry,
        )
        self.delivered = Counter(
            "lead_connectors_delivered",
            "Items that Odoo answered, by status",
            ["source", "status"],
            registry=registry,
        )
        self.delivery_seconds = Histogram(
            "lead_connectors_delivery_seconds",
            "From the item being known to Odoo's answer",
            registry=registry,
            buckets=_LATENCY,
        )
        self.polls = Counter(
            "lead_connectors_polls",
            "Polls of a platform, by outcome",
            ["source", "outcome"],
            registry=registry,
        )
        self.polled_new = Counter(
            "lead_connectors_polled_new",
            "Items that only a poll brought",
            ["source"],
            registry=registry,
        )
        self.odoo_failures = Counter(
            "lead_connectors_odoo_failures",
            "Calls that Odoo did not answer well, by kind",
            ["kind"],
            registry=registry,
        )
        self.breaker_open = Gauge(
            "lead_connectors_odoo_breaker_open",
            "1 while Odoo is left alone after failures",
            registry=registry,
        )
        self.items = Gauge(
            "lead_connectors_inbox",
            "What needs work or a person, by state",
            ["state"],
            registry=registry,
        )
        self.oldest_seconds = Gauge(
            "lead_connectors_oldest_waiting_seconds",
            "How long the oldest undelivered lead has waited",
            registry=registry,
        )

    def begin(self, sources: Iterable[Source[Any]]) -> None:
        """Show every counter of these sources at 0.

        Prometheus sees a rise only in what it has seen before: without this, the
        first event of each kind would be missed.
        """
        for source in sources:
            name = source.name
            for counter in (self.received, self.parsed, self.parked):
                counter.labels(name)
            for why in _DISMISSALS:
                self.dismissed.labels(name, why)
            for status in _REFUSALS:
                self.refused.labels(name, status)
            for status in sorted(STATUSES):
                self.delivered.labels(name, status)
            if source.can_poll:
                self.polled_new.labels(name)
                for outcome in _POLLS:
                    self.polls.labels(name, outcome)
        self.refused.labels("", "404")
        for kind in _FAILURES:
            self.odoo_failures.labels(kind)
