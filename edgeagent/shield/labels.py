"""Types of entities: what they are called in a placeholder, and which spellings of a value are one value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from ipaddress import ip_address
from typing import Final
from unicodedata import category, normalize

__all__ = ["canonical", "label_of"]

_LABELS: Final[Mapping[str, str]] = {
    "CREDIT_CARD": "CARD",
    "CRYPTO": "WALLET",
    "DATE_TIME": "DATE",
    "EMAIL_ADDRESS": "EMAIL",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "NRP": "GROUP",
    "PHONE_NUMBER": "PHONE",
    "US_SSN": "SSN",
}
"""Types whose label is not their own name: shorter is cheaper, and models copy it more surely."""

_NO_LETTER: Final = re.compile(r"[^A-Z]+")
_TRUNK: Final = re.compile(r"\(0\)")
_NUMBER: Final = re.compile(r"[\d\s.,+*/()_\u2010-\u2015-]+")
"""A number in any way of writing it."""
_EXTENSION: Final = re.compile(r"(.*?)[^\W\d_]+[\s.:]*(\d{1,6})", re.DOTALL)
_NO_DIGIT: Final = re.compile(r"\D+")
_NO_SIGN: Final = re.compile(r"[\s.\-/()]+")


def label_of(kind: str) -> str:
    """The word that stands for a type in a placeholder: capital letters and single underscores."""
    known = _LABELS.get(kind)
    return known if known is not None else _NO_LETTER.sub("_", kind.upper()).strip("_") or "VALUE"


def canonical(kind: str, value: str) -> str:
    """What all spellings of one value have in common. Secrets and unknown types are told apart by every character."""
    spelling = _SPELLINGS.get(kind) or (_signs if kind in _identifiers() else None)
    if spelling is None:
        return value.strip()
    return spelling(value if value.isascii() else _plain(value))


def _plain(value: str) -> str:
    """Full-width and composed characters as usual ones, without those that do not show (Unicode's class Cf)."""
    return "".join(character for character in normalize("NFKC", value) if category(character) != "Cf")


def _address(value: str) -> str:
    """The shortest way to write an address of the Internet (RFC 5952)."""
    try:
        return ip_address(value).compressed
    except ValueError:
        return value.lower()


def _words(value: str) -> str:
    return " ".join(value.lower().split())  # \u00df is not ss: these are two names


def _digits(value: str) -> str:
    """Its digits; all of it where it has something else in it, as where it overlapped another finding."""
    return _NO_DIGIT.sub("", value) if _NUMBER.fullmatch(value) else value.strip()


def _phone(value: str) -> str:
    """Its digits with the country's code; those of an extension are no part of the number."""
    extended = _EXTENSION.fullmatch(value)
    if extended is not None:
        return f"{_phone(extended[1])}x{extended[2]}"
    text = _TRUNK.sub("", value.strip())
    if _NUMBER.fullmatch(text) is None:
        return text
    number = _digits(text)
    if text.startswith("00"):
        return "+" + number[2:]
    return "+" + number if text.startswith(("+", "(+")) else number


def _signs(value: str) -> str:
    return _NO_SIGN.sub("", value).upper()


def _hexadecimal(value: str) -> str:
    return re.sub(r"[\s:.\-]", "", value).lower()


def _wallet(value: str) -> str:
    """Its address: Ethereum's capitals are a check (ERC-55), Bech32 may be in capitals; Base58 tells cases apart."""
    text = value.strip()
    return text.lower() if text[:2].lower() == "0x" or text == text.upper() else text


_OTHERS: Final = """
US_PASSPORT UK_PASSPORT DE_PASSPORT IN_PASSPORT KR_PASSPORT ES_PASSPORT IT_PASSPORT US_DRIVER_LICENSE US_BANK_NUMBER
NATIONAL_ID TAX_ID HEALTH_ID POSTCODE UK_POSTCODE UK_VEHICLE_REGISTRATION TR_LICENSE_PLATE IN_VEHICLE_REGISTRATION
NG_VEHICLE_REGISTRATION
"""
_PARTED: Final = frozenset({"DE_TAX_NUMBER"})
"""Where the parts begin is a part of the number; so it is with plates of Germany (`B-AB 1`, `BA-B 1`)."""


@cache
def _identifiers() -> frozenset[str]:
    """The types that are told by their letters and digits alone; the schemes are loaded when one is first asked for."""
    from edgeagent.shield.detect.identifiers import SCHEMES

    return frozenset({scheme.type for scheme in SCHEMES} | {*_OTHERS.split()}) - _PARTED


_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "CREDIT_CARD": _digits,
    "CRYPTO": _wallet,
    "EMAIL_ADDRESS": _words,
    "IBAN_CODE": _signs,
    "IP_ADDRESS": _address,
    "LOCATION": _words,
    "MAC_ADDRESS": _hexadecimal,
    "ORGANIZATION": _words,
    "PERSON": _words,
    "PHONE_NUMBER": _phone,
    "US_ITIN": _digits,
    "US_SSN": _digits,
}
