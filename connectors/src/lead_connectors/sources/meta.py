# SPDX-License-Identifier: LGPL-3.0-or-later
"""Meta (Facebook and Instagram) lead ads: a webhook of ids, the lead from Graph.

One app has one callback address for all its pages, so one source serves them all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import requests
from pydantic import Field

from lead_connectors.errors import ConnectorError, Park, Refuse, StopSource
from lead_connectors.secrets import SecretRef
from lead_connectors.sources import _meta_check
from lead_connectors.sources._fields import FieldsConfig
from lead_connectors.sources._json import id_text, load_object, objects
from lead_connectors.sources._meta_graph import (
    Denied,
    Graph,
    Missing,
    Remembered,
    Unsupported,
)
from lead_connectors.sources._meta_lead import created_at, to_submission
from lead_connectors.sources.base import Answer, Finding, Item, Receipt, Source
from lead_connectors.submission import Submission

__all__ = ["MetaConfig", "MetaSource", "sign"]

_PLAIN_FIELDS = (
    "id,created_time,ad_id,form_id,is_organic,platform,field_data"
    ",custom_disclaimer_responses"
)
# names need ads_management; without that permission Graph refuses the whole call
_ALL_FIELDS = (
    _PLAIN_FIELDS + ",ad_name,adset_id,adset_name,campaign_id,campaign_name"
    ",partner_name,retailer_item_id"
)
_FORM_FIELDS = "id,name,locale,questions{key,label,type}"
_LEGAL_FIELDS = ",legal_content{id,custom_disclaimer{checkboxes{key,text}}}"


class MetaConfig(FieldsConfig):
    """Settings of a ``meta`` source."""

    app_secret: SecretRef = Field(description="App secret; signs what Meta sends.")
    verify_token: SecretRef = Field(
        description="The text typed into the app's webhook settings."
    )
    access_token: SecretRef = Field(
        description="Long-lived page token, or a system user's token for all pages."
    )
    page_ids: list[str] = Field(min_length=1, description="Pages to read leads of.")
    app_id: str = Field(default="", description="App id, to check the subscription.")
    form_ids: list[str] = Field(
        default_factory=list, description="Poll only these forms; empty: all."
    )
    test_form_id: str = Field(
        default="", description="Form in which send-test makes a test lead."
    )
    graph_version: str = Field(
        default="v25.0", pattern=r"^v\d+\.\d+$", description="Graph API version."
    )
    graph_url: str = Field(
        default="https://graph.facebook.com", description="Only tests change this."
    )


class MetaSource(Source[MetaConfig]):
    """The lead forms of one app's pages."""

    type = "meta"
    config_model = MetaConfig
    can_poll = True
    # a quiet page has almost no call budget; the webhook brings nearly everything
    default_poll_seconds = 3600

    def __init__(self, name: str, config: MetaConfig, http: requests.Session) -> None:
        super().__init__(name, config, http)
        self._remembered = Remembered()

    # the web door

    def handshake(self, request: Receipt) -> Answer:
        given = request.query.get("hub.verify_token", "").encode("utf-8", "replace")
        genuine = self.config.verify_token.matches(given)
        if request.query.get("hub.mode") != "subscribe" or not genuine:
            raise Refuse("the verify token does not match", status=403)
        challenge = request.query.get("hub.challenge", "")[:500]
        return Answer(200, challenge.encode("utf-8", "replace"))

    def verify(self, request: Receipt) -> None:
        given = request.headers.get("x-hub-signature-256", "")
        if not given:
            raise Refuse("X-Hub-Signature-256 is missing", status=401)
        expected = sign(self.config.app_secret.reveal(), request.body)
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise Refuse("X-Hub-Signature-256 is wrong: is it this app's secret?")

    def parse(self, receipt: Receipt) -> list[Item]:
        body = load_object(receipt.body)
        if body is None:
            raise Park("the body is not a JSON object")
        items: dict[str, Item] = {}
        for value in _leadgen_values(body):
            lead_id = id_text(value.get("leadgen_id"))
            if not lead_id.isalnum() or len(lead_id) > 100:
                raise Park("a leadgen notification without a leadgen_id")
            ids = ("page_id", "form_id")
            reference = {"leadgen_id": lead_id}
            reference |= {k: v for k in ids if (v := id_text(value.get(k)))}
            items.setdefault(lead_id, Item(lead_id, None, reference))
        return list(items.values())

    # reading from Graph

    def complete(self, item: Item) -> Submission:
        if item.submission is not None:
            return item.submission
        graph = self._graph(id_text(item.reference.get("page_id")))
        path = item.external_id
        try:
            lead = graph.get(path, fields=_ALL_FIELDS)
        except (Denied, Unsupported):
            lead = graph.get(path, fields=_PLAIN_FIELDS)
        return self._submission(graph, lead, item.external_id)

    def fetch(self, since: datetime) -> Iterator[Item]:
        for graph, lead in self._leads(since, _ALL_FIELDS, _PLAIN_FIELDS):
            lead_id = id_text(lead.get("id"))
            try:
                yield Item(lead_id, self._submission(graph, lead, lead_id))
            except Park:
                # complete() reads it alone and tells what is wrong with it
                yield Item(lead_id, None, {"leadgen_id": lead_id})

    def daily_counts(self, since: date) -> dict[date, int]:
        midnight = datetime(since.year, since.month, since.day, tzinfo=UTC)
        leads = self._leads(midnight, "id,created_time", "id,created_time")
        days = (_created_at(lead) for _, lead in leads)
        return dict(Counter(at.date() for at in days if at))

    def _leads(
        self, cutoff: datetime, *fields: str
    ) -> Iterator[tuple[Graph, dict[str, Any]]]:
        """Leads of all forms since ``cutoff``, each once; ``fields`` richest first.

        A form that can't be read is told at the end, after the others were.
        """
        seen: set[str] = set()
        broken: ConnectorError | None = None
        for page_id in self.config.page_ids:
            graph = self._graph(page_id)
            for form_id in self._form_ids(graph, page_id):
                try:
                    for lead in self._form_leads(graph, form_id, cutoff, *fields):
                        # the filter is silently ignored under conditions Meta does
                        # not document: look at the time ourselves
                        lead_id = id_text(lead.get("id"))
                        if lead_id and lead_id not in seen:
                            seen.add(lead_id)
                            at = _created_at(lead)
                            if at is None or at >= cutoff:
                                yield graph, lead
                except (Missing, Unsupported) as error:
                    broken = StopSource(f"form {form_id}: {error}")
        if broken:
            raise broken

    def _form_ids(self, graph: Graph, page_id: str) -> list[str]:
        if self.config.form_ids:
            return self.config.form_ids
        try:
            forms = graph.rows(f"{page_id}/leadgen_forms", fields="id", limit=100)
            return [id_text(form.get("id")) for form in forms]
        except (Missing, Unsupported) as error:
            raise StopSource(f"page {page_id}: {error}") from None

    def _form_leads(
        self, graph: Graph, form_id: str, cutoff: datetime, *fields: str
    ) -> Iterator[dict[str, Any]]:
        rule = {
            "field": "time_created",  # not created_time, as it comes back
            "operator": "GREATER_THAN",
            "value": int(cutoff.timestamp()) - 1,  # a number, or it is ignored
        }
        for names in fields:
            try:
                yield from graph.rows(
                    f"{form_id}/leads",
                    fields=names,
                    filtering=json.dumps([rule]),
                    limit=100,
                )
                return
            except (Denied, Unsupported):
                if names == fields[-1]:
                    raise

    def _submission(
        self, graph: Graph, lead: dict[str, Any], lead_id: str
    ) -> Submission:
        form = self._form(graph, id_text(lead.get("form_id")))
        return to_submission(
            lead, form, channel=self.channel, config=self.config, lead_id=lead_id
        )

    def _form(self, graph: Graph, form_id: str) -> dict[str, Any]:
        """Labels and legal texts; {} where the token may not read them."""
        if not form_id:
            return {}

        def read() -> dict[str, Any]:
            for fields in (_FORM_FIELDS + _LEGAL_FIELDS, _FORM_FIELDS):
                try:
                    return graph.get(form_id, fields=fields)
                except (Denied, Missing, Unsupported):
                    continue
            return {}

        form: dict[str, Any] = self._remembered.get(f"form {form_id}", read)
        return form

    def _graph(self, page_id: str = "") -> Graph:
        """Calls with the page's own token, which some of Meta's lists insist on."""
        if page_id not in self.config.page_ids:
            return self._make_graph(self.config.access_token.reveal())

        def read() -> str:
            own = self._make_graph(self.config.access_token.reveal())
            try:
                return str(own.get(page_id, fields="access_token")["access_token"])
            except (KeyError, Denied, Missing, Unsupported):
                return self.config.access_token.reveal()

        return self._make_graph(self._remembered.get(f"page {page_id}", read))

    def _make_graph(self, token: str, *, proof: bool = True) -> Graph:
        base = f"{self.config.graph_url.rstrip('/')}/{self.config.graph_version}"
        secret = self.config.app_secret.reveal() if proof else ""
        return Graph(self.http, base, token, secret)

    # operation

    def check(self) -> Iterator[Finding]:
        config = self.config
        token = config.access_token.reveal()
        app = f"{config.app_id}|{config.app_secret.reveal()}" if config.app_id else ""
        # an app token proves itself: a proof belongs to people's and pages' tokens
        debug = self._make_graph(app or token, proof=not app)
        yield from _meta_check.token(debug, token, config.app_id)
        for page_id in config.page_ids:
            yield from _meta_check.page(self._graph, page_id, config.app_id)

    def send_test(self, public_url: str) -> Receipt:
        form_id = self.config.test_form_id
        if not form_id:
            raise Park(
                "meta: set test_form_id to a form's id, so that a test lead can be made"
                " there, or use developers.facebook.com/tools/lead-ads-testing"
            )
        page_id = self.config.page_ids[0]
        made = self._graph(page_id).post(f"{form_id}/test_leads")
        now = datetime.now(UTC)
        value = {
            "leadgen_id": id_text(made.get("id")),
            "page_id": page_id,
            "form_id": form_id,
            "created_time": int(now.timestamp()),
        }
        entry = {"id": page_id, "changes": [{"field": "leadgen", "value": value}]}
        body = json.dumps({"object": "page", "entry": [entry]}).encode()
        signature = sign(self.config.app_secret.reveal(), body)
        headers = {"x-hub-signature-256": signature}
        return Receipt(body, now, "POST", "application/json", headers)


def sign(app_secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for ``body``."""
    digest = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def _created_at(lead: dict[str, Any]) -> datetime | None:
    try:
        return created_at(lead)
    except Park:
        return None


def _leadgen_values(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The leadgen changes; other fields and objects share the same address."""
    if body.get("object") != "page":
        return
    for entry in objects(body.get("entry")):
        for change in objects(entry.get("changes")):
            if change.get("field") == "leadgen":
                value = change.get("value")
                yield value if isinstance(value, dict) else {}
