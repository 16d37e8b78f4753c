# SPDX-License-Identifier: LGPL-3.0-or-later
"""All that comes in during the demo, in an order that lets repeats be repeats."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from demo import people, wire
from demo.people import Person
from demo.wire import Post
from lead_connectors.testing.platforms.meta import MetaPlatform


def posts(meta: MetaPlatform, secrets: Mapping[str, str]) -> Iterator[Post]:
    """Requests to the web door, made as they are sent.

    :param meta: people fill in its form first; its webhook tells only their ids
    """
    yield from from_meta(meta)
    yield from google_ads(secrets["GOOGLE_KEY"])
    yield from website(secrets["WEBSITE_TOKEN"])
    yield from roof_check(secrets["TYPEFORM_SECRET"])
    yield from partner_portal(secrets["PORTAL_SECRET"])
    for person in people.LANDING:  # nobody made this channel in Odoo
        yield wire.plain_html(person, secrets["LANDING_TOKEN"], "landing-winter")


def from_meta(meta: MetaPlatform) -> Iterator[Post]:
    form = meta.add_form(
        "Solar for your home",
        [
            {"key": "full_name", "label": "Full name", "type": "FULL_NAME"},
            {"key": "email", "label": "Email", "type": "EMAIL"},
            {"key": "phone_number", "label": "Phone number", "type": "PHONE"},
            {"key": "city", "label": "City", "type": "CITY"},
            {
                "key": "roof",
                "label": "What kind of roof do you have?",
                "type": "CUSTOM",
            },
        ],
        checkboxes={"newsletter": "Send me offers by email."},
    )

    def submit(person: Person) -> str:
        answers = {
            "full_name": person.name,
            "email": person.email,
            "phone_number": person.phone,
            "city": person.city,
            "roof": "Flat",
        }
        filled = {key: value for key, value in answers.items() if value}
        return meta.submit(form, filled, checked={"newsletter": bool(person.phone)})

    def post(*leads: str) -> Post:
        body = meta.webhook(*leads)
        return Post("meta-ads", body, headers=meta.sign(body))

    first = post(submit(people.META[0]))
    yield first
    for person in people.META[1:]:
        yield post(submit(person))
    yield post(*(submit(person) for person in people.META_TOGETHER))
    yield first  # Meta sends again what it believes was not taken
    dummy = {
        "full_name": "<test lead: dummy data for full_name>",
        "email": "test@meta.com",
    }
    yield post(meta.submit(form, dummy, organic=True))
    yield post(submit(people.META_UNREACHABLE))
    yield wire.forged(first)


def google_ads(key: str) -> Iterator[Post]:
    sent = [
        wire.google_ads(person, number, key)
        for number, person in enumerate(people.GOOGLE)
    ]
    yield from sent
    yield sent[2]  # a second delivery
    test = Person("Test Lead", "test@example.com", "+16505550123")
    yield wire.google_ads(test, 90, key, is_test=True)
    wrong = wire.google_ads(people.GOOGLE[0], 91, "not-the-key")
    yield replace(wrong, forged=True)


def website(token: str) -> Iterator[Post]:
    for person in people.ELEMENTOR:
        yield wire.elementor(person, token)
    yield wire.elementor_plain(people.ELEMENTOR_PLAIN, token)
    for person in people.CONTACT_FORM_7:
        yield wire.contact_form_7(person, token)
    for number, person in enumerate(people.GRAVITY):
        yield wire.gravity(person, number, token)
    yield wire.plain_html(people.PLAIN_HTML, token)
    double_click = wire.multipart(people.MULTIPART, token)
    yield double_click
    yield double_click
    yield wire.plain_html(people.MISTYPED, token)
    stranger = wire.plain_html(people.PLAIN_HTML, "a-guessed-token")
    yield replace(stranger, forged=True)


def roof_check(secret: str) -> Iterator[Post]:
    sent = [
        wire.typeform_response(person, number, secret)
        for number, person in enumerate(people.TYPEFORM)
    ]
    yield from sent
    yield sent[1]
    yield wire.forged(wire.typeform_response(people.TYPEFORM[0], 90, secret))


def partner_portal(secret: str) -> Iterator[Post]:
    sent = [
        wire.portal(person, number, secret)
        for number, person in enumerate(people.PORTAL)
    ]
    yield from sent
    yield sent[0]
    test = Person("Test Lead", "test@example.com")
    yield wire.portal(test, 90, secret, test=True)
    yield wire.forged(wire.portal(people.PORTAL[1], 91, secret))


def write_files(folder: Path, meta: MetaPlatform) -> None:
    """Two files that people drop: a list from a fair, and Meta's own export.

    The export holds leads that came by webhook: nothing of it is new.
    """
    with (folder / "trade-fair" / "munich.csv").open("w", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["Name", "E-Mail", "Telefon"])
        rows.writerows((p.name, p.email, p.phone) for p in people.TRADE_FAIR)
    exported = [lead for lead in meta.leads.values() if not lead["is_organic"]][:2]
    with (folder / "meta-export" / "leads.csv").open("w", newline="") as file:
        rows = csv.writer(file, delimiter="\t")
        rows.writerow(["id", "created_time", "full_name", "email"])
        for lead in exported:
            answers = {a["name"]: a["values"][0] for a in lead["field_data"]}
            rows.writerow(
                [
                    f"l:{lead['id']}",
                    lead["created_time"],
                    answers["full_name"],
                    answers["email"],
                ]
            )
