"""What the kinds of the vocabulary that are no scheme's stand for: which types, of which lengths, how far away."""

from __future__ import annotations

import re
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.dates import is_span
from edgeagent.shield.detect.identifiers import GROUPS, shaped

__all__ = [
    "ANY_DIGITS",
    "CODE",
    "POSTAL",
    "REACH",
    "SIMILAR",
    "SURE",
    "UUID",
    "passport",
    "plate",
    "postcode",
    "some_scheme",
]

ANY_DIGITS: Final = {
    "PASSPORT": ("US_PASSPORT", 7, 10),
    "US_PASSPORT": ("US_PASSPORT", 8, 9),
    "UK_PASSPORT": ("UK_PASSPORT", 9, 9),
    "DE_PASSPORT": ("DE_PASSPORT", 9, 10),
    "DE_ID_CARD": ("DE_ID_CARD", 9, 10),
    "LICENSE": ("US_DRIVER_LICENSE", 7, 14),
    "US_DRIVER_LICENSE": ("US_DRIVER_LICENSE", 7, 14),
    "US_BANK_NUMBER": ("US_BANK_NUMBER", 6, 17),
    "HEALTH": ("HEALTH_ID", 7, 12),
    "DE_HANDELSREGISTER": ("DE_HANDELSREGISTER", 2, 8),
}
"""What digits alone may be when a word says it: the type, the least and the most digits."""

REACH: Final = {"NO": 24, "ACCOUNT": 20, "POSTCODE": 16, "PLATE": 24, "LICENSE": 32, "TAX": 24, "HEALTH": 24}
"""How far a word may be from what it names, in code points, for words that name other things too."""

CODE: Final = re.compile(r"[A-Z0-9 ./()-]+|[A-Za-z]{1,3}[ -]?\d{5,}[A-Za-z]?")
"""How codes that only a word makes known are written: capitals and digits, or a few letters before digits."""
UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
POSTAL: Final = (
    "plz",
    "leitzahl",
    "ort",
    "zip",
    "post",
    "cap",
    "邮编",
    "郵便",
    "우편",
    "индекс",
    "รหัส",
    "पिन",
    "cep",
    "poczt",
    "cp",
    "〒",
    "shipping",
)
"""Parts of the words for postcodes: nothing else is looked for where none of them stands near."""
_POST: Final = ("post", "cep", "zip code", "zipcode", "kod", "〒", "郵便", "邮", "우편", "индекс")
"""Those that no other form of a number goes with: a "cap" or a "zip" may be another thing than a postcode."""

SIMILAR: Final = {
    "UK_DRIVING_LICENCE": "LICENSE",
    "IT_DRIVER_LICENSE": "LICENSE",
    "MEDICAL_LICENSE": "LICENSE",
    "DE_FUEHRERSCHEIN": "LICENSE",
    "IT_IDENTITY_CARD": "ID",
    "PL_ID_CARD": "ID",
    "AR_CUIT": "TAX",
    "DE_VAT_ID": "TAX",
    "IT_VAT_CODE": "TAX",
    "PT_NIF": "TAX",
    "GR_AFM": "TAX",
    "HU_TAX_ID": "TAX",
    "UA_RNOKPP": "TAX",
    "ES_NIF": "ID",
}
_PERSONS: Final = """
    AU_TFN BE_NATIONAL_NUMBER BR_CPF CH_AHV CN_RESIDENT_ID DE_SOCIAL_SECURITY DK_CPR ES_NIE ES_NIF
    FI_PERSONAL_IDENTITY_CODE FR_NIR GR_AMKA HK_HKID HU_TAJ IN_AADHAAR IN_PAN IT_FISCAL_CODE JP_MY_NUMBER
    KR_RRN MX_CURP NL_BSN NO_FNR PL_PESEL SE_PERSONNUMMER TH_TNIN TR_NATIONAL_ID TW_NATIONAL_ID UK_NINO US_ITIN US_SSN
"""
SURE: Final = frozenset(_PERSONS.split())
"""Numbers of persons whose names are no other thing's: just behind such a name also one with a wrong check digit is
meant for one, mistyped or made up, and says nearly as much.
"""

_UK_POSTCODE: Final = re.compile(r"(?:[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]?|GIR0)\d[ABD-HJLNP-UW-Z]{2}")
_POSTCODE: Final = re.compile(
    r"[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d"  # Canada
    r"|[1-9]\d{3} ?[A-Z]{2}"  # the Netherlands
    r"|\d\d-\d{3}|\d{3} \d\d"  # Poland; Sweden, Czechia, Slovakia, Greece
    r"|\d{3}-\d{4}|\d{5}-\d{3,4}"  # Japan; Brazil, the United States (ZIP+4)
)
"""As the Universal Postal Union's address formats give them (S42)."""


def postcode(text: str, start: int, end: int) -> str | None:
    """The type of the postcode that stands there, if it is written like one."""
    written = text[start:end].upper()
    if end - start == 5 and written.isdigit():
        return "DE_PLZ"
    if _UK_POSTCODE.fullmatch(written.replace(" ", "").replace("-", "")):
        return "UK_POSTCODE"
    near = text[max(0, start - 24) : start].lower()
    return "POSTCODE" if _POSTCODE.fullmatch(written) and any(word in near for word in _POST) else None


def passport(kind: str, form: str) -> str:
    """The type of a passport of this form, where the word that names it does not tell the country."""
    if kind != "PASSPORT":
        return kind
    return _PASSPORTS.get(form, "DE_PASSPORT" if len(form) == 9 else "US_PASSPORT")


_PASSPORTS: Final = {
    "A99999999": "US_PASSPORT",
    "AA9999999": "UK_PASSPORT",
    "A9999999": "IN_PASSPORT",
    "A999A9999": "KR_PASSPORT",
    "AAA999999": "ES_PASSPORT",
}


def plate(form: str) -> str:
    """The type of a registration plate of this form."""
    if form.startswith("99A"):
        return "TR_LICENSE_PLATE"
    return (
        "IN_VEHICLE_REGISTRATION" if form.startswith("AA99A") and form.endswith("9999") else "UK_VEHICLE_REGISTRATION"
    )


def some_scheme(kind: str, text: str, start: int, end: int, value: str, score: float) -> Match | None:
    """A number that is said to be an identifier of some state: `kind` is `ID`, `TAX`, or another group's."""
    for scheme in () if is_span(text[start:end]) else shaped("9" * len(value)):
        if (
            scheme.whole
            and (kind != "TAX" or scheme.type in GROUPS["TAX"])
            and scheme.check is not None
            and scheme.check(value)
        ):
            return Match(scheme.type, start, end, score, "identifier")
    if kind in ("ID", "TAX") and 8 <= len(value) <= 14:
        return Match("NATIONAL_ID" if kind == "ID" else "TAX_ID", start, end, score - 0.3, "identifier")
    return None
