# SPDX-License-Identifier: LGPL-3.0-or-later
"""Sends everything through the real doors and waits until Odoo has it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from demo import fate
from demo.fate import Sent
from demo.submissions import posts, write_files
from demo.wire import Post
from lab import LabError
from lead_connectors.config import Config
from lead_connectors.inbox import Inbox
from lead_connectors.service import make_sources
from lead_connectors.sources.base import Source
from lead_connectors.testing.platforms.meta import MetaPlatform

ARRIVES_WITHIN = 90.0  # seconds without news before something must be wrong
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def play(
    url: str,
    config: Config,
    inbox: Inbox,
    meta: MetaPlatform,
    secrets: Mapping[str, str],
    console: Console,
) -> list[Sent]:
    """Post, drop the files, wait; returns all leads that were sent, in order.

    :param url: of the connector
    :raises LabError: the door answered otherwise than it should, or a lead does not
        arrive
    """
    # the sources themselves tell which leads a request holds
    sources = make_sources(config.sources)
    sent: list[Sent] = []
    columns = (
        TextColumn("{task.description:22}"),
        BarColumn(),
        MofNCompleteColumn(),
    )
    with Progress(*columns, console=console) as bar, requests.Session() as http:
        task = bar.add_task("webhooks sent", total=None)
        for post in posts(meta, secrets):
            knock(http, url, post)
            source = sources[post.source]
            found = [item.external_id for item in source.parse(post.receipt())]
            sent += [Sent(source.name, source.channel, i, post.forged) for i in found]
            bar.advance(task)
        bar.update(task, total=bar.tasks[task].completed)
        write_files(config.path.parent, meta)
        sent += read_files(sources)
        arrive(inbox, sent, bar)
    return sent


def knock(http: requests.Session, url: str, post: Post) -> None:
    """Post it; a forged one must be turned away, any other be taken."""
    path = "/".join(filter(None, (post.source, post.token)))
    answer = http.post(
        f"{url}/hooks/{path}",
        data=post.body,
        headers={**post.headers, "Content-Type": post.content_type},
        timeout=30,
    )
    if post.forged != (400 <= answer.status_code < 500) or answer.status_code >= 500:
        raise LabError(f"the door {post.source} answered {answer.status_code}")


def read_files(sources: Mapping[str, Source[Any]]) -> list[Sent]:
    """The leads that the connector will find in the files."""
    return [
        Sent(source.name, source.channel, item.external_id)
        for source in sources.values()
        if source.type == "csv"
        for item in source.fetch(LONG_AGO)
    ]


def arrive(inbox: Inbox, sent: list[Sent], bar: Progress) -> None:
    """Wait until Odoo has answered for every lead."""
    wanted = fate.distinct(sent)
    task = bar.add_task("leads in Odoo", total=wanted)
    here, since = 0, time.monotonic()
    while here < wanted:
        now = fate.delivered(inbox, sent)
        if now > here:
            here, since = now, time.monotonic()
        elif time.monotonic() - since > ARRIVES_WITHIN:
            raise LabError(f"{wanted - here} of {wanted} leads did not reach Odoo")
        bar.update(task, completed=here)
        time.sleep(0.1)
