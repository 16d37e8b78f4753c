# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who is the same person: the decision, without a database.

A person is known by the normalised e-mail first, then by the phone in E.164, inside
one company. Two people behind one switchboard stay two: a phone alone does not join
them when both the e-mails and the names differ.
"""

import hashlib
import unicodedata
from dataclasses import dataclass

OPEN, LOST, WON = "open", "lost", "won"


@dataclass(frozen=True, slots=True)
class Person:
    """What identifies somebody: normalised, "" where unknown."""

    email: str = ""
    phone: str = ""
    name: str = ""

    def keys(self) -> list[str]:
        """The match keys, strongest first."""
        keys = []
        if self.email:
            keys.append(f"email:{self.email}")
        if self.phone:
            keys.append(f"phone:{self.phone}")
        return keys


@dataclass(frozen=True, slots=True)
class Known:
    """A lead that is already there. ``ref``: its id, or a place in this batch."""

    ref: object
    person: Person
    state: str  # OPEN, LOST or WON
    rank: int = 0  # among equals the highest is taken: the newest lead


def same_name(one: str, other: str) -> bool:
    """Whether two names can be one person's: one's words are within the other's.

    Case, accents and order do not count; an unknown name excludes nothing.
    """
    words, others = _words(one), _words(other)
    return not words or not others or words <= others or others <= words


def _words(name: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return set(plain.replace(",", " ").replace(".", " ").split())


def are_two_people(one: Person, other: Person) -> bool:
    """Whether a shared phone is a shared line: other e-mail and other name."""
    return bool(
        one.email
        and other.email
        and one.email != other.email
        and not same_name(one.name, other.name)
    )


def lock_number(company_id: int, key: str) -> int:
    """A match key as the signed 64 bit number of a PostgreSQL advisory lock."""
    digest = hashlib.blake2b(f"lead:{company_id}:{key}".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)


class PersonIndex:
    """The leads of one company by match key; new ones are added as a batch goes on,
    so that the second item of a person finds the lead of the first."""

    def __init__(self):
        self._by_key: dict[str, list[Known]] = {}

    def add(self, known: Known) -> None:
        """Make a lead findable. A ref that comes again replaces its older state."""
        for key in known.person.keys():
            same = self._by_key.setdefault(key, [])
            same[:] = [other for other in same if other.ref != known.ref]
            same.append(known)

    def match(self, person: Person) -> Known | None:
        """The lead a new enquiry of this person belongs to, or None.

        An open lead before a lost one; within these e-mail before phone, then the
        newest. Won leads never match: a customer's new enquiry is a new lead.
        """
        for state in (OPEN, LOST):
            for key in person.keys():
                found = [
                    known
                    for known in self._by_key.get(key, ())
                    if known.state == state
                    and (
                        key.startswith("email:")
                        or not are_two_people(person, known.person)
                    )
                ]
                if found:
                    return max(found, key=lambda known: known.rank)
        return None
