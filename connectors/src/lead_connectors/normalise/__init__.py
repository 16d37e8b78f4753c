# SPDX-License-Identifier: LGPL-3.0-or-later
"""What people type, made regular: phones, names, countries, languages, junk.

Plain functions of text. What can't be understood stays as it was typed: a sales
person reads it better than any rule, and nothing a person wrote is ever lost.
"""

from lead_connectors.normalise.country import country_code
from lead_connectors.normalise.email import clean_email, looks_like_email
from lead_connectors.normalise.junk import junk_reasons
from lead_connectors.normalise.language import language_code
from lead_connectors.normalise.names import join_name, split_name
from lead_connectors.normalise.phone import e164
from lead_connectors.normalise.text import clean_json, clean_line, clean_text

__all__ = [
    "clean_email",
    "clean_json",
    "clean_line",
    "clean_text",
    "country_code",
    "e164",
    "join_name",
    "junk_reasons",
    "language_code",
    "looks_like_email",
    "split_name",
]
