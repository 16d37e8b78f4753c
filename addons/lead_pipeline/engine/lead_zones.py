# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Where the clock of a person hangs, as far as it can be known.

Three things tell of it: the phone number, the country, the state. Often they leave more
than one zone, as for a mobile of the United States without a state. All of them are
kept: what suits every clock the person may look at is right wherever they are.
"""

from datetime import datetime
from functools import lru_cache

import phonenumbers
import pytz
from phonenumbers import timezone as phone_timezone

from .business_time import zone

#: zones of countries with several: the first for what is not listed. Where a state has
#: two, that of most of its people.
STATES: dict[str, dict[str, str]] = {
    "US": {
        "America/New_York": "",
        "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
        "America/Denver": "CO ID MT NM UT WY",
        "America/Phoenix": "AZ",
        "America/Los_Angeles": "CA NV OR WA",
        "America/Anchorage": "AK",
        "Pacific/Honolulu": "HI",
        "America/Puerto_Rico": "PR VI",
        "Pacific/Guam": "GU MP",
    },
    "CA": {
        "America/Toronto": "",
        "America/St_Johns": "NL",
        "America/Halifax": "NB NS PE",
        "America/Winnipeg": "MB",
        "America/Regina": "SK",
        "America/Edmonton": "AB NT",
        "America/Vancouver": "BC",
        "America/Whitehorse": "YT",
    },
    "AU": {
        "Australia/Sydney": "",
        "Australia/Brisbane": "QLD",
        "Australia/Adelaide": "SA",
        "Australia/Darwin": "NT",
        "Australia/Perth": "WA",
    },
    "BR": {
        "America/Sao_Paulo": "",
        "America/Manaus": "AM MS MT RO RR",
        "America/Rio_Branco": "AC",
    },
    "MX": {
        "America/Mexico_City": "",
        "America/Cancun": "ROO",
        "America/Mazatlan": "BCS NAY SIN",
        "America/Hermosillo": "SON",
        "America/Tijuana": "BCN",
    },
    "RU": {
        "Europe/Moscow": "",
        "Europe/Kaliningrad": "KGD",
        "Europe/Samara": "AST SAM SAR UD ULY",
        "Asia/Yekaterinburg": "BA CHE KGN KHM ORE PER SVE TYU YAN",
        "Asia/Omsk": "OMS",
        "Asia/Novosibirsk": "AL ALT KEM KHA KK KYA NVS TOM TY",
        "Asia/Irkutsk": "BU IRK",
        "Asia/Yakutsk": "AMU SA ZAB",
        "Asia/Vladivostok": "PRI YEV",
        "Asia/Sakhalin": "MAG SAK",
        "Asia/Kamchatka": "CHU KAM",
    },
    "ID": {
        "Asia/Jakarta": "",
        "Asia/Makassar": "BA GO KI KS KU NB NT SA SG SN SR ST",
        "Asia/Jayapura": "MA MU PA PB PD PE PS PT",
    },
    "ES": {"Europe/Madrid": "", "Atlantic/Canary": "GC TF"},
    "PT": {"Europe/Lisbon": "", "Atlantic/Azores": "20"},
    "CL": {"America/Santiago": ""},
    "EC": {"America/Guayaquil": ""},
    "NZ": {"Pacific/Auckland": ""},
    "CN": {"Asia/Shanghai": ""},
    "UA": {"Europe/Kyiv": ""},
    "MN": {"Asia/Ulaanbaatar": ""},
}
#: so far away that no hour suits them and the rest: only for whoever is there for sure
REMOTE = {"Pacific/Guam"}
#: clocks that agree at these moments are one clock to us
PROBES = (datetime(2026, 1, 15, 12), datetime(2026, 7, 15, 12))


@lru_cache(maxsize=8192)
def zones_of(
    phone: str = "", country: str = "", state: str = "", default: str = "UTC"
) -> tuple[str, ...]:
    """The time zones in which a person may be, the likeliest first.

    :param phone: as E.164 (``+4930123456``); anything else tells nothing
    :param country: two letters (``US``); "" where unknown
    :param state: code of the state within its country, as Odoo has it (``CA``)
    :param default: where nothing is known
    :return: at least one name; each has clocks of its own
    """
    by_place = _of_place(country, state)
    by_phone = _of_phone(phone)
    known = {_clock(name) for name in by_place}
    both = [name for name in by_phone if _clock(name) in known]
    if not by_place:
        found = by_phone
    elif both:  # each narrows the other down
        clocks = {_clock(name) for name in both}
        found = [name for name in by_place if _clock(name) in clocks]
    elif len(by_phone) == 1:  # moved, or here with a foreign phone: either may be
        found = [*by_place, *by_phone]
    else:
        found = by_place
    return tuple(found) or (default,)


def _of_place(country: str, state: str) -> list[str]:
    country = country.upper()
    if country in STATES:
        zones = STATES[country]
        if state:
            code = state.upper().removeprefix(f"{country}-")
            listed = (name for name, codes in zones.items() if code in codes.split())
            return [next(listed, next(iter(zones)))]
        return _distinct(name for name in zones if name not in REMOTE)
    return _distinct(pytz.country_timezones.get(country, []))


def _of_phone(phone: str) -> list[str]:
    if not phone.startswith("+"):
        return []
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return []
    names = phone_timezone.time_zones_for_number(number)
    return _distinct(name for name in names if "/" in name and name != "Etc/Unknown")


def _distinct(names) -> list[str]:
    """One name for each clock, in order; names that this machine lacks are left out."""
    by_clock: dict[tuple, str] = {}
    for name in names:
        try:
            by_clock.setdefault(_clock(name), name)
        except ValueError:
            continue
    return list(by_clock.values())


@lru_cache(maxsize=1024)
def _clock(name: str) -> tuple:
    place = zone(name)
    return tuple(place.utcoffset(moment.replace(tzinfo=place)) for moment in PROBES)
