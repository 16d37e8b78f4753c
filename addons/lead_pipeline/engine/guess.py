# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""What an answer of an unmapped form probably is: a suggestion for a person."""

import re
import unicodedata

#: words of a question, most telling target first; compared without case and accents
WORDS = (
    (
        "name",
        "full_name your_name first_and_last_name vor_und_nachname nom_et_prenom"
        " nombre_y_apellidos nome_e_cognome nombre_completo",
    ),
    ("email", "email e-mail mail correo courriel البريد 邮箱 电子邮件"),
    (
        "phone",
        "phone tel telephone telefon telefono telefone mobile mobil cell handy whatsapp"
        " numero dien_thoai الهاتف هاتف جوال 电话 手机",
    ),
    ("first_name", "first_name firstname given_name vorname prenom nombre"),
    ("last_name", "last_name lastname surname family_name nachname nom apellido"),
    (
        "company",
        "company organisation organization firma empresa entreprise societe"
        " business شركة الشركة 公司",
    ),
    ("job_title", "job_title job position role title funktion cargo poste"),
    ("website", "website web site url homepage"),
    ("zip", "zip postcode postal_code plz code_postal"),
    ("street", "street address adresse strasse direccion"),
    ("city", "city town ort stadt ville ciudad المدينة 城市"),
    ("state", "state province region bundesland"),
    ("country", "country land pays pais البلد 国家"),
    ("lang", "language sprache langue idioma"),
    ("name", "full_name name your_name contact ten الاسم 姓名 名字"),
    ("subject", "subject topic betreff sujet asunto"),
    (
        "message",
        "message comment comments question nachricht mensaje enquiry inquiry details"
        " notes الرسالة 留言",
    ),
)

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}")
_PHONE = re.compile(r"\+?[\d\s().\-/]{7,25}")
_URL = re.compile(r"(https?://|www\.)\S+", re.IGNORECASE)


def guess_target(key: str, label: str, value: str) -> str:
    """What an answer fills, as a field of ``contact``, "subject" or "message".

    The value decides where it can be nothing else (an address with an @); then the
    words of the key and the label.

    :return: "" where nothing speaks for anything
    """
    value = value.strip()
    if _EMAIL.fullmatch(value):
        return "email"
    question = " ".join(_words(f"{key} {label}"))
    padded = f" {question} "
    for target, words in WORDS:
        for word in words.split():
            if f" {' '.join(_words(word))} " in padded:
                return target
    if _URL.match(value):
        return "website"
    if _PHONE.fullmatch(value) and sum(char.isdigit() for char in value) >= 7:
        return "phone"
    return ""


def _words(text: str) -> list[str]:
    """Words without case and accents; "workEmail" and "work_email" are two."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return re.findall(r"[^\W_]+", plain)
