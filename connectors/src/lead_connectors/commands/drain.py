# SPDX-License-Identifier: LGPL-3.0-or-later
"""Delivering from a command, in the foreground, until nothing more is due."""

from __future__ import annotations

from collections.abc import Callable

from lead_connectors.deliver.worker import Worker
from lead_connectors.inbox import report
from lead_connectors.odoo.client import OdooError
from lead_connectors.service import Service

__all__ = ["NotDelivered", "drain"]


class NotDelivered(OdooError):
    """Odoo can't take what waits; it stays in the inbox."""


def drain(service: Service, progress: Callable[[int], None] = lambda left: None) -> int:
    """Parse, complete and deliver until no step finds anything to do.

    Returns how many are left (they wait for a retry, or another process has them).
    ``progress`` is called with the number that still waits. Raises NotDelivered.
    """
    workers: list[Worker] = [service.parser, *service.completers, service.deliverer]
    while True:
        pauses = [worker.step() for worker in workers]
        if service.deliverer.breaker.reason:
            raise NotDelivered(service.deliverer.breaker.reason)
        live = report.live(service.inbox.db)
        left = live["new"] + live["incomplete"] + live["waiting"]
        progress(left)
        if left == 0 or all(pause > 0 for pause in pauses):
            return left
