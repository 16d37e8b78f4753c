# SPDX-License-Identifier: LGPL-3.0-or-later
"""What a field is called, in many languages -> what it is for us.

Only whole names count, never parts of them: "company name" is no name. First the
kind of input the tool states, then the field's id, then the label people see.
"""

from __future__ import annotations

import re
import unicodedata
from importlib import resources

__all__ = [
    "BY_LABEL",
    "BY_TYPE",
    "MAYBE_NOISE",
    "NOISE",
    "SECOND_CHOICE",
    "TOOL_MARKS",
    "fold_label",
]

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\s_\-.:/*?!()\[\]{}<>#,;|\"'’]+")
_POSSESSIVE = re.compile(
    r"^(?:your|ihre?n?|dein[e]?|votre|vos|ton|tu|su|il tuo|la tua|tuo|seu|sua|o seu"
    r"|a sua|uw|je|din|ditt|twoj|twoje|form fields?|field|contact|billing|lead"
    r"|your contact) (?=\S)"
)
# conversational forms ask: "What's your name?"
_QUESTION = re.compile(
    r"^(?:what ?s|what is|wie lautet|wie ist|quel(?:le)? est|cual es|qual e) (?=\S)"
)
_REMARK = re.compile(
    r" (?:required|optional|pflichtfeld|obligatoire|obligatorio|obbligatorio|verplicht"
    r"|opcional|facultatif)$"
)


def fold_label(text: str) -> str:
    """A label or id as the tables hold it: lower case, no accents, single blanks."""
    text = _CAMEL.sub(" ", text[:200])
    bare = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    bare = "".join(char for char in bare if not unicodedata.combining(char))
    bare = _SEPARATORS.sub(" ", bare.replace("ı", "i")).strip()
    return _POSSESSIVE.sub("", _QUESTION.sub("", _REMARK.sub("", bare)))


# Input types of HTML, Elementor, Typeform, Tally, Meta and Google, casefolded
BY_TYPE = {
    "email": "email",
    "input_email": "email",
    "tel": "phone",
    "phone": "phone",
    "phone_number": "phone",
    "input_phone_number": "phone",
    "textarea": "message",
    "url": "website",
    "website": "website",
    "full_name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "company_name": "company",
    "job_title": "job_title",
    "street_address": "street",
    "city": "city",
    "region": "state",
    "state": "state",
    "province": "state",
    "zip": "zip",
    "postal_code": "zip",
    "post_code": "zip",
    "country": "country",
}


def _load() -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    path = resources.files("lead_connectors.normalise").joinpath("data", "labels.tsv")
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            choice, target, *names = line.split("\t")
            for name in names:
                tables.setdefault(choice, {}).setdefault(fold_label(name), target)
    return tables


_tables = _load()
#: folded label -> target; the second only when no better field is there
BY_LABEL, SECOND_CHOICE = _tables["first"], _tables["second"]
#: what tools add for themselves, neither contact nor answer (the payload keeps it);
#: MAYBE_NOISE only beside one of TOOL_MARKS, else it is what a person chose
NOISE, MAYBE_NOISE = frozenset(_tables["noise"]), frozenset(_tables["maybe"])
TOOL_MARKS = frozenset(("remote ip", "user agent", "powered by", "date created"))
