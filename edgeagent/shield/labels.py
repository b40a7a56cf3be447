"""Types of entities: what they are called in a placeholder, and which spellings of a value are one value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

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
_NO_DIGIT: Final = re.compile(r"\D+")
_NO_SIGN: Final = re.compile(r"[\s.\-/()]+")


def label_of(kind: str) -> str:
    """The word that stands for a type in a placeholder: capital letters and single underscores."""
    known = _LABELS.get(kind)
    return known if known is not None else _NO_LETTER.sub("_", kind.upper()).strip("_") or "VALUE"


def canonical(kind: str, value: str) -> str:
    """What all spellings of one value have in common. Secrets and unknown types are told apart by case."""
    return _SPELLINGS.get(kind, str.strip)(value)


def _words(value: str) -> str:
    return " ".join(value.casefold().split())


def _digits(value: str) -> str:
    return _NO_DIGIT.sub("", value)


def _phone(value: str) -> str:
    text = _TRUNK.sub("", value.strip())
    number = _digits(text)
    if text.startswith("00"):
        return "+" + number[2:]
    return "+" + number if text.startswith(("+", "(+")) else number


def _signs(value: str) -> str:
    return _NO_SIGN.sub("", value).upper()


def _hexadecimal(value: str) -> str:
    return re.sub(r"[\s:.\-]", "", value).lower()


_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "CREDIT_CARD": _digits,
    "EMAIL_ADDRESS": _words,
    "IBAN_CODE": _signs,
    "IP_ADDRESS": str.lower,
    "LOCATION": _words,
    "MAC_ADDRESS": _hexadecimal,
    "ORGANIZATION": _words,
    "PERSON": _words,
    "PHONE_NUMBER": _phone,
    "US_ITIN": _digits,
    "US_SSN": _digits,
}
