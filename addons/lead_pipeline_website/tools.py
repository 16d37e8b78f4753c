# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from urllib.parse import parse_qsl, urlsplit

from odoo.addons.lead_pipeline.engine.item import CLICK_IDS

#: what a landing page's address may say about where a visitor came from
URL_PARAMETERS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    *CLICK_IDS,
)


def url_attribution(url):
    """The campaign parameters of an address; {} where it has none or can't be read."""
    try:
        query = parse_qsl(urlsplit(url or "").query, max_num_fields=100)
    except ValueError:
        return {}
    return {name: value for name, value in query if name in URL_PARAMETERS}
