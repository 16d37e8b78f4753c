# SPDX-License-Identifier: LGPL-3.0-or-later
"""The demo's connector: its sources, channels and secrets."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

# Beside the channels of the addon's own demo data.
CHANNELS = [
    {
        "name": "Installers' portal",
        "code": "partner-portal",
        "channel_type": "referral",
        "user": "demo",
    }
]

# `landing-winter` has no channel in Odoo: somebody forgot it, which loses no lead.
CONFIG = """\
[odoo]
url = "{odoo_url}"
database = "{database}"
login = "connector"
api_key = "env:ODOO_API_KEY"

[web]
host = "127.0.0.1"
port = {port}

[sources.meta-ads]
type = "meta"
app_id = "600000000000001"
app_secret = "env:META_APP_SECRET"
verify_token = "env:META_VERIFY_TOKEN"
access_token = "env:META_ACCESS_TOKEN"
page_ids = ["153125381133001"]
graph_url = "{meta_url}"

[sources.google-ads]
type = "google_ads"
google_key = "env:GOOGLE_KEY"

[sources.website-form]
type = "form"
token = "env:WEBSITE_TOKEN"
default_country = "DE"
consents = {{ gdpr = "contact" }}

[sources.website-form.mapping]
first_name = "1.3"
last_name = "1.6"

[sources.landing-winter]
type = "form"
token = "env:LANDING_TOKEN"

[sources.typeform-roof]
type = "typeform"
secret = "env:TYPEFORM_SECRET"

[sources.partner-portal]
type = "standard_webhooks"
secret = "env:PORTAL_SECRET"

[sources.trade-fair]
type = "csv"
path = "{folder}/trade-fair"
default_country = "DE"
poll_every = 2
settle_seconds = 0

[sources.meta-export]
type = "csv"
path = "{folder}/meta-export"
channel = "meta-ads"
mapping = {{ external_id = "id" }}
poll_every = 2
settle_seconds = 0
"""


def make_secrets() -> dict[str, str]:
    """Fresh ones for each run, as environment variables."""
    names = (
        "META_APP_SECRET",
        "META_VERIFY_TOKEN",
        "META_ACCESS_TOKEN",
        "GOOGLE_KEY",
        "WEBSITE_TOKEN",
        "LANDING_TOKEN",
        "TYPEFORM_SECRET",
    )
    portal = base64.b64encode(secrets.token_bytes(24)).decode()
    return {name: secrets.token_urlsafe(24) for name in names} | {
        "PORTAL_SECRET": f"whsec_{portal}"
    }


def write_config(
    folder: Path, *, odoo_url: str, database: str, port: int, meta_url: str
) -> Path:
    """Write connectors.toml into ``folder``, and make the folders it reads."""
    for name in ("trade-fair", "meta-export"):
        (folder / name).mkdir(parents=True)
    path = folder / "connectors.toml"
    path.write_text(
        CONFIG.format(
            odoo_url=odoo_url,
            database=database,
            port=port,
            meta_url=meta_url,
            folder=folder,
        )
    )
    return path
