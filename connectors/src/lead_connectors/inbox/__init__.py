# SPDX-License-Identifier: LGPL-3.0-or-later
"""What came in and what became of it, on disk before anything is acknowledged."""

from lead_connectors.inbox.commit import GroupCommit
from lead_connectors.inbox.store import Inbox, InboxUnavailable

__all__ = ["GroupCommit", "Inbox", "InboxUnavailable"]
