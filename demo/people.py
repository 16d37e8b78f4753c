# SPDX-License-Identifier: LGPL-3.0-or-later
"""Who asks. All of them are invented; addresses are reserved for examples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """One enquiry; ``note`` is what they write or answer."""

    name: str
    email: str = ""
    phone: str = ""
    city: str = ""
    country: str = ""
    company: str = ""
    note: str = ""


META = [
    Person("Hannah Brandt", "hannah.brandt@example.com", "+49 151 23456701", "Kiel"),
    Person("يوسف الخطيب", "youssef.khatib@example.com", "+971 50 234 5671", "Dubai"),
    Person("Sofia Rossi", "sofia.rossi@example.com", "+39 312 555 0143", "Torino"),
    Person("Phạm Quốc Bảo", "bao.pham@example.com", "+84 90 345 67 01", "Đà Nẵng"),
    Person("Olga Petrenko", "olga.petrenko@example.com", "+380 50 123 4501", "Lviv"),
    Person("Chidi Eze", "chidi.eze@example.com", "+234 803 123 4501", "Enugu"),
    Person("Ingrid Solberg", "ingrid.solberg@example.com", "+47 412 34 501", "Bergen"),
    Person("Rahul Deshmukh", "rahul.deshmukh@example.com", "+91 98220 12301", "Pune"),
    # these two have asked before, on another channel or some weeks ago
    Person("Lina Haddad", "lina.haddad@example.com", "+971 50 123 4567", "Dubai"),
    Person("Katarzyna Wójcik", "k.wojcik@meblewojcik.example", "", "Poznań"),
]
META_TOGETHER = [  # one webhook can tell of several leads
    Person(
        "Camille Girard", "camille.girard@example.com", "+33 6 12 34 50 01", "Lille"
    ),
    Person("Tiago Carvalho", "tiago.carvalho@example.com", "+351 912 345 501", "Braga"),
]
META_UNREACHABLE = Person("Nobody Knows", "not an address", "—")

GOOGLE = [
    Person(
        "Élodie Marchand",
        "e.marchand@serres-marchand.example",
        "+33 6 23 45 60 11",
        "Nantes",
        "FR",
        "Serres Marchand",
        "Greenhouses, 6 000 m² of roof.",
    ),
    Person(
        "陈伟",
        "chen.wei@nanjing-tools.example",
        "+86 138 1234 5611",
        "南京",
        "CN",
        "南京工具",
        "工厂屋顶约三千平方米，请报价。",
    ),
    Person(
        "Ahmet Demir",
        "ahmet.demir@demir-tekstil.example",
        "+90 533 123 45 11",
        "Bursa",
        "TR",
        "Demir Tekstil",
        "Two halls, next to each other.",
    ),
    Person(
        "Marta Nowak",
        "marta.nowak@piekarnia.example",
        "+48 601 234 511",
        "Gdańsk",
        "PL",
        "Piekarnia Nowak",
        "Bakery; ovens run at night. Does a battery pay?",
    ),
    Person(
        "Peter Hofer",
        "p.hofer@gasthof-hofer.example",
        "+43 664 1234511",
        "Lienz",
        "AT",
        "Gasthof Hofer",
        "Heat pump and panels for a guest house.",
    ),
    Person(
        "Grace Mwangi",
        "grace.mwangi@mwangi-flowers.example",
        "+254 712 345 611",
        "Naivasha",
        "KE",
        "Mwangi Flowers",
        "Cold store of a flower farm.",
    ),
    Person(
        "Lars Nyström",
        "lars@nystrom-bygg.example",
        "+46 70 234 56 11",
        "Umeå",
        "SE",
        "Nyström Bygg",
        "We build 14 row houses.",
    ),
    # asked through Meta as well
    Person(
        "Sofia Rossi", "sofia.rossi@example.com", "+39 312 555 0143", "Torino", "IT"
    ),
]

ELEMENTOR = [
    Person(
        "Jürgen Groß",
        "juergen.gross@example.com",
        "0431 901820",
        "Kiel",
        note="Passt eine Wärmepumpe in unser Haus von 1936?",
    ),
    Person(
        "Ayşe Kaya",
        "ayse.kaya@example.com",
        "0151 23456722",
        "Köln",
        note="Bitte abends anrufen.",
    ),
]
ELEMENTOR_PLAIN = Person(
    "Camille Lefèvre",
    "camille.lefevre@example.com",
    "+33 6 12 34 56 22",
    "Lyon",
    note="Un devis pour 8 panneaux.",
)
CONTACT_FORM_7 = [
    Person(
        "María José Pérez",
        "mariajose.perez@example.com",
        "+34 612 345 622",
        note="¿Cuánto cuesta una instalación\npara un piso?",
    ),
    Person(
        "Wei Zhang",
        "wei.zhang@example.com",
        "+49 170 2345622",
        note="We move in March. Can you be ready?",
    ),
]
GRAVITY = [
    Person(
        "An Nguyễn",
        "an.nguyen@example.com",
        "+84 91 234 56 22",
        note="Quote for a roof of 80 m², please.",
    ),
    # the same person as in Typeform
    Person(
        "Carlos Aguilar",
        "carlos.aguilar@example.com",
        "+52 55 1234 5622",
        note="I filled in the roof check, too.",
    ),
]
PLAIN_HTML = Person(
    "Aoife Byrne",  # in the demo data: she asked about a heat pump
    "aoife.byrne@example.com",
    "+353 85 012 3456",
    note="Any news about my heat pump?",
)
MULTIPART = Person(
    "Fatou Diop",
    "fatou.diop@example.com",
    "+221 77 123 45 22",
    note="Plans of the house are attached.",
)
MISTYPED = Person("Bernd Lang", "bernd.lang(at)example", note="Please send a brochure.")
LANDING = [
    Person("Elif Şahin", "elif.sahin@example.com", "+90 532 123 45 33"),
    Person("Noah Fischer", "noah.fischer@example.com", "+49 160 2345633"),
]

TYPEFORM = [
    Person("Carlos Aguilar", "carlos.aguilar@example.com", "+525512345622"),
    Person("Sanne de Boer", "sanne.deboer@example.com", "+31612345644"),
    Person("Amira Ben Salah", "amira.bensalah@example.com", "+21620123444"),
    Person("Jonas Keller", "jonas.keller@example.com", "+41791234544"),
    Person("Lucía Fernández", "lucia.fernandez@example.com", "+5491123456744"),
    Person("Oskar Lindqvist", "oskar.lindqvist@example.com", "+46702345644"),
]

PORTAL = [
    Person(
        "Nguyễn Thị Hoa",
        "hoa.nguyen@saigon-cafe.example",
        "0912 345 655",
        "Hồ Chí Minh",
        "VN",
        "Saigon Café",
        "Three cafés; the installer has seen the roofs.",
    ),
    Person(
        "Tom Gallagher",
        "tom@gallagher-dairy.example",
        "+353 87 123 4555",
        "Tralee",
        "IE",
        "Gallagher Dairy",
        "180 cows, milk cooling is the big load.",
    ),
    Person(
        "Ruth Abebe",
        "ruth.abebe@blue-nile.example",
        "+251 91 123 4555",
        "Bahir Dar",
        "ET",
        "Blue Nile Lodge",
        "Diesel is too expensive.",
    ),
    Person(
        "Matti Virtanen",
        "matti.virtanen@example.com",
        "+358 40 1234555",
        "Oulu",
        "FI",
        "",
        "Ground source, detached house.",
    ),
    # known from the website's form, by the phone number alone
    Person(
        "J. Groß",
        "",
        "+49 431 901820",
        "Kiel",
        "DE",
        "",
        "Customer of the installer Hansen.",
    ),
]

TRADE_FAIR = [
    Person("Dr. Helga Stein", "helga.stein@klinik-stein.example", "089 1234566"),
    Person("Marco Bianchi", "marco.bianchi@hotel-bianchi.example", "+39 320 123 4566"),
    Person("Petra Svobodová", "petra.svobodova@example.com", "+420 602 123 466"),
    Person("Yuki Tanaka", "yuki.tanaka@example.com", "+81 90 1234 5666"),
    Person("Jonas Keller", "jonas.keller@example.com", "+41 79 123 45 44"),
]
