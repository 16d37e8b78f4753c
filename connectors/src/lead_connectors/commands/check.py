# SPDX-License-Identifier: LGPL-3.0-or-later
"""``check``: everything that must be right, looked at one by one."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lead_connectors.config import Config
from lead_connectors.inbox import Inbox, InboxUnavailable
from lead_connectors.odoo.client import (
    OdooClient,
    OdooDenied,
    OdooError,
    OdooUnreachable,
)
from lead_connectors.sources.base import Finding, Source

__all__ = ["check_inbox", "check_odoo", "check_source", "check_web"]

_KEY_WARNING = timedelta(days=14)
_WANTED = "19.0"


def check_inbox(inbox: Inbox) -> Iterator[Finding]:
    """Can leads be written down? The inbox is closed at the end."""
    try:
        inbox.open()
    except InboxUnavailable as error:
        yield Finding(
            False,
            str(error),
            "see that the folder or database exists and may be written by this user",
            unreachable=True,
        )
    else:
        yield Finding(True, f"inbox {inbox.db.where} can be written")
        if inbox.db.path is not None:
            yield from _check_private(inbox.db.path)
    finally:
        inbox.close()


def _check_private(database: str) -> Iterator[Finding]:
    """It holds people's addresses: nobody but the service has to read it."""
    for suffix in ("", "-wal", "-shm", ".lock"):
        path = Path(database + suffix)
        if path.exists() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            yield Finding(
                True,
                f"every user of this machine can read {path}",
                f"chmod o= {path}",
                warning=True,
            )


def check_web(config: Config) -> Iterator[Finding]:
    """Can platforms find us, safely?"""
    web = config.settings.web
    if not web.public_url:
        yield Finding(
            True,
            "[web] public_url is not set",
            "set it, so that the hooks' addresses can be shown and tested",
            warning=True,
        )
    elif not web.public_url.startswith("https://"):
        yield Finding(
            True,
            "[web] public_url is not https",
            "platforms refuse plain http: put a proxy with a certificate before it",
            warning=True,
        )
    elif not web.trusted_proxies:
        yield Finding(
            True,
            "[web] trusted_proxies is 0 though public_url is https",
            "set it to 1 if one proxy stands before the service: only then can forgers"
            " be slowed down by their address",
            warning=True,
        )


def check_odoo(odoo: OdooClient, config: Config) -> Iterator[Finding]:
    """Is Odoo there, does it let us in, and may we do what we need and no more?"""
    settings = config.settings.odoo
    try:
        info = odoo.info()
    except OdooDenied as error:
        yield Finding(False, str(error), "correct [odoo], or the user in Odoo")
        return
    except OdooError as error:
        yield Finding(
            False,
            str(error),
            f"see that Odoo runs, that {settings.url} is its address, and that the"
            " addon lead_pipeline is installed",
            unreachable=isinstance(error, OdooUnreachable),
        )
        return
    version = str(info.get("version", ""))
    yield Finding(True, f"Odoo answers at {settings.url}, addon {version}")
    if not version.startswith(_WANTED):
        yield Finding(
            False,
            f"the addon's version is {version}, this connector is for {_WANTED}",
            "install the connector and the addon of the same release",
        )
    if info["can_ingest"]:
        yield Finding(True, f"{info.get('login', settings.login)} may deliver leads")
    else:
        yield Finding(
            False,
            f"{info.get('login', settings.login)} may not deliver leads",
            "give the user the role Lead Pipeline / Connector",
        )
    if rights := info.get("extra_rights"):
        yield Finding(
            True,
            f"the user has more rights than needed: {', '.join(map(str, rights))}",
            "take them away: a stolen key should open nothing but the letter slot",
            warning=True,
        )
    if int(info.get("batch_limit") or 500) < settings.batch_size:
        yield Finding(
            False,
            f"Odoo takes {info['batch_limit']} leads a call, [odoo] batch_size is"
            f" {settings.batch_size}",
            f"set batch_size = {info['batch_limit']}",
        )
    yield from _check_key(info)
    yield from _check_channels(info, config)


def _check_key(info: dict[str, Any]) -> Iterator[Finding]:
    text = info.get("api_key_expires_at")
    if not text:
        return
    expires = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    if expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    left = expires - datetime.now(UTC)
    soon = left < _KEY_WARNING
    yield Finding(
        left > timedelta(0),
        f"the API key ends on {expires:%Y-%m-%d} ({max(0, left.days)} days left)",
        "make a new key for the connector's user and set [odoo] api_key"
        if soon
        else "",
        warning=soon,
    )


def _check_channels(info: dict[str, Any], config: Config) -> Iterator[Finding]:
    known = {str(channel["code"]) for channel in info.get("channels") or ()}
    for setup in config.sources:
        code = setup.config.channel or setup.name
        if code in known:
            yield Finding(True, f"channel {code} exists in Odoo")
        else:
            yield Finding(
                False,
                f"[sources.{setup.name}]: Odoo has no channel with the code {code}",
                "make it in Odoo (Lead Pipeline / Channels), or correct `channel`;"
                " until then its leads wait in quarantine",
            )


def check_source(source: Source[Any]) -> Iterator[Finding]:
    """What the source itself can tell; an error in it is a finding too."""
    try:
        yield from source.check()
    except Exception as error:
        yield Finding(
            False,
            f"the check itself failed: {type(error).__name__}",
            "report it to the author of this source",
        )
