"""Payment cards and IBANs."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.checks import ASCII_ALNUM, iban, iban_length, luhn

__all__ = ["MORE_DIGITS", "account", "is_card", "prefixed"]

_BRANDS: Final = re.compile(
    r"(?:4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-59]|[689]\d)\d{11,13}|"
    r"(?:6011|65\d\d|64[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|(?:50|5[6-9]|6\d)\d{10,17}|220[0-4]\d{12})"
)
"""Issuers' ranges and lengths (ISO/IEC 7812; the networks' published ranges)."""
_CARD_GROUPS: Final = re.compile(r"\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -]?)\d{6}\2\d{4,5}")


MORE_DIGITS: Final = re.compile(r"[ -]?\d{4}(?!\d)")


def is_card(value: str, written: str) -> bool:
    """Whether digits are a payment card's: an issuer's range and length, Luhn, and groups as cards have them.

    17 and 18 digits without groups are the ids of chats and posts far more often.
    """
    if (
        len(value) in (12, 13)
        or (len(value) in (17, 18) and written.isdigit())
        or _BRANDS.fullmatch(value) is None
        or not luhn(value)
        or len(set(value)) < 2
    ):
        return False
    return _CARD_GROUPS.fullmatch(written.replace(" \n", " ").replace("\n", " ")) is not None or (
        len(value) == 19 and written.isdigit()
    )


_IBAN: Final = re.compile(r"[A-Za-z]{2}\d\d(?:[ \-]?\n?[A-Za-z0-9]){11,30}")
_NO_SEPARATORS: Final = dict.fromkeys(map(ord, " -\n"))


@cache
def _first(count: int) -> re.Pattern[str]:
    """As much of a text as holds so many letters and digits."""
    return re.compile(rf"(?:[^A-Za-z0-9]*[A-Za-z0-9]){{{count}}}")


def prefixed(text: str, start: int) -> bool:
    """Whether an IBAN may start here: two letters, two digits."""
    return text[start : start + 2].isalpha() and text[start + 2 : start + 4].isdigit()


def account(text: str, start: int) -> Match | None:
    """An IBAN that starts here, of its country's length, and right modulo 97."""
    length = iban_length(text[start : start + 2].upper())
    if not length:
        return None
    found = _IBAN.match(text, start)
    if found is None:
        return None
    whole = _first(length).match(text, start, found.end())
    if whole is None:
        return None
    end = whole.end()
    written = whole[0]
    value = written.translate(_NO_SEPARATORS).upper()
    if text[end : end + 1] in ASCII_ALNUM or not iban(value) or written not in (written.upper(), written.lower()):
        return None
    return Match("IBAN_CODE", start, end, 1.0, "iban")
