"""Checks of the schemes that python-stdnum lacks, or has in a form too loose or too slow: one function for each.

Each takes a value in capitals without separators, of one of the scheme's forms.
"""

from __future__ import annotations

import re
from typing import Final

from edgeagent.shield.detect.checks import Check, day_month, luhn, weighted

__all__ = [
    "DVLA",
    "GSTIN",
    "MBI",
    "PAN",
    "ahv",
    "both",
    "cpr",
    "curp",
    "date6",
    "dea",
    "fiscal",
    "fits",
    "frn",
    "german_health",
    "german_insurance",
    "hetu",
    "hkid",
    "hungarian_tax",
    "iberian",
    "itin",
    "letters_in",
    "medicare",
    "nino",
    "nir",
    "npi",
    "nric",
    "personnummer",
    "polish_card",
    "resident",
    "rfc",
    "routing",
    "rrn",
    "ssn",
    "taiwan",
    "taj",
]


def date6(value: str) -> bool:
    """Six digits that may be a date, year first or day first."""
    return day_month(value[4:6], value[2:4]) or day_month(value[:2], value[2:4])


def rrn(value: str) -> bool:
    """Korea, Resident Registration Act: date of birth, then 1-4 for citizens (5-8 for foreigners)."""
    return day_month(value[4:6], value[2:4]) and value[6] in "1234"


def frn(value: str) -> bool:
    """The same for foreigners."""
    return day_month(value[4:6], value[2:4]) and value[6] in "5678"


def ssn(value: str) -> bool:
    """SSA: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    return (
        value[:3] not in ("000", "666")
        and value[0] != "9"
        and value[3:5] != "00"
        and value[5:] != "0000"
        and len(set(value)) > 1
        and value not in ("123456789", "078051120", "987654320")
    )


def itin(value: str) -> bool:
    """IRS: 9xx, and a group of 50-65, 70-88, 90-92, 94-99."""
    group = int(value[3:5])
    return value[0] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99)


def medicare(value: str) -> bool:
    """Services Australia: first digit 2-6, ninth digit a weighted sum of the first eight modulo 10."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    return value[0] in "23456" and sum(int(d) * w for d, w in zip(value, weights, strict=False)) % 10 == int(value[8])


def npi(value: str) -> bool:
    """CMS: Luhn over the number with the prefix 80840."""
    return value[0] in "12" and luhn("80840" + value)


def dea(value: str) -> bool:
    """DEA: registrant's code, initial, and a check digit: (1+3+5) + 2 (2+4+6) modulo 10."""
    d = [int(c) for c in value[2:]]
    return value[0] in "ABCDEFGHJKLMPRSTUX" and (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


def nric(value: str) -> bool:
    """Singapore's ICA: weights 2 7 6 5 4 3 2, an offset and letters by series."""
    total = sum(int(d) * w for d, w in zip(value[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    total += {"T": 4, "G": 4, "M": 3}.get(value[0], 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}
    series = letters.get(value[0])
    if series is None:
        return False
    return series[(10 - total % 11) if value[0] == "M" else total % 11] == value[8]


def hkid(value: str) -> bool:
    """Hong Kong's Immigration Department: letters count 10-35, a missing first letter 36, weights 9 … 1, modulo 11."""
    padded = value.rjust(9)
    values = [36 if c == " " else int(c, 36) for c in padded[:8]]
    values.append(10 if padded[8] == "A" else int(padded[8])) if padded[8] in "A0123456789" else values.append(99)
    return values[-1] < 99 and sum(v * w for v, w in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


_TW: Final = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def taiwan(value: str) -> bool:
    """Taiwan's Ministry of the Interior: the letter counts 10-35 in its own order, weights 1 9 8 … 1 1, modulo 10."""
    if value[1] not in "1289":
        return False
    number = str(_TW.index(value[0]) + 10) + value[1:]
    return sum(int(d) * w for d, w in zip(number, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True)) % 10 == 0


def german_insurance(value: str) -> bool:
    """Deutsche Rentenversicherung, VKVV §2: area, date of birth, initial, serial, check digit."""
    digits = value[:8] + f"{ord(value[8]) - 64:02d}" + value[9:]
    weights = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
    total = sum(sum(divmod(int(d) * w, 10)) for d, w in zip(digits, weights, strict=False))
    return "01" <= value[4:6] <= "12" and "01" <= value[2:4] <= "81" and total % 10 == int(value[11])


def german_health(value: str) -> bool:
    """GKV-Spitzenverband, §290 SGB V: the last digit by weights 1 and 2, the letter first as two digits."""
    digits = f"{ord(value[0]) - 64:02d}" + value[1:9]
    return sum(sum(divmod(int(d) * (1 + i % 2), 10)) for i, d in enumerate(digits)) % 10 == int(value[9])


def nino(value: str) -> bool:
    """HMRC, NIM39110: letters that a prefix never has."""
    return (
        value[0] not in "DFIQUV"
        and value[1] not in "DFIQUVO"
        and value[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
        and value[8] in "ABCD"
    )


DVLA: Final = re.compile(
    r"(?=[A-Z]{1,5}9{0,4}\d)[A-Z9]{5}\d(?:[05][1-9]|[16][0-2])(?:0[1-9]|[12]\d|3[01])\d[A-Z9]{2}[A-Z0-9]{3}"
)
"""DVLA: five letters of the surname filled with 9, decade, month (plus 50 for women), day, year, initials."""

MBI: Final = re.compile(
    r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y]{2}\d\d"
)
"""CMS, "Understanding the Medicare Beneficiary Identifier format"."""

_CURP: Final = re.compile(r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[A-Z\d]\d")
_FISCAL: Final = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]")
PAN: Final = re.compile(r"[A-Z]{3}[ABCFGHJLPTKE][A-Z]\d{4}[A-Z]")
GSTIN: Final = re.compile(r"(?:0[1-9]|[12]\d|3[0-8]|97|99)[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]")


def hetu(value: str) -> bool:
    """Digital and Population Data Services Agency: date, individual number, and that of the nine digits modulo 31."""
    if not day_month(value[:2], value[2:4]) or (len(value) == 11 and value[6] not in "ABCDEFYXWVU"):
        return False
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(value[:6] + value[-4:-1]) % 31] == value[-1]


def fits(pattern: re.Pattern[str]) -> Check:
    """A check that the whole value fits a pattern."""
    return lambda value: pattern.fullmatch(value) is not None


def both(first: Check, second: Check) -> Check:
    """A check that two checks pass."""
    return lambda value: first(value) and second(value)


_ABA: Final = weighted((3, 7, 1, 3, 7, 1, 3, 7, 1), 10)


def routing(value: str) -> bool:
    """ABA: the first two digits are 00-12, 21-32, 61-72 or 80; weights 3 7 1."""
    head = int(value[:2])
    return (head <= 12 or 21 <= head <= 32 or 61 <= head <= 72 or head == 80) and value[:4] != "0000" and _ABA(value)


def personnummer(value: str) -> bool:
    """Skatteverket: date (day plus 60 for coordination numbers), then Luhn over the last ten digits."""
    ten = value[-10:]
    day = int(ten[4:6])
    return "01" <= ten[2:4] <= "12" and (1 <= day <= 31 or 61 <= day <= 91) and luhn(ten)


def cpr(value: str) -> bool:
    """CPR-kontoret: a date first; the check digit was given up in 2007."""
    return day_month(value[:2], value[2:4])


def nir(value: str) -> bool:
    """INSEE: sex, year, month (or 20-99 for unknown ones), place, order, and 97 minus the remainder."""
    number = value[:13].replace("2A", "19").replace("2B", "18")
    if not (number.isdigit() and value[13:].isdigit()) or value[0] not in "123478" or value[3:5] == "00":
        return False
    return 97 - int(number) % 97 == int(value[13:])


def iberian(value: str) -> bool:
    """Spain, Real Decreto 1553/2005: the letter is that of the number modulo 23; X, Y and Z count 0, 1 and 2."""
    number = value[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == value[-1]


def fiscal(value: str) -> bool:
    """Agenzia delle Entrate, DM 23/12/1976: the form, digits as letters where codes would clash."""
    return _FISCAL.fullmatch(value) is not None


def resident(value: str) -> bool:
    """GB 11643-1999: division, date of birth, order, and ISO 7064 mod 11-2."""
    if value[6:8] not in ("18", "19", "20") or not day_month(value[12:14], value[10:12]) or value[0] not in "12345678":
        return False
    total = sum(
        int(d) * w for d, w in zip(value[:17], (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), strict=True)
    )
    return "10X98765432"[total % 11] == value[17]


def ahv(value: str) -> bool:
    """ZAS: the prefix 756, and EAN-13's check digit."""
    return value[:3] == "756" and sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(value)) % 10 == 0


def curp(value: str) -> bool:
    """Mexico's RENAPO: the form, and a date in it."""
    return _CURP.fullmatch(value) is not None and day_month(value[8:10], value[6:8])


def taj(value: str) -> bool:
    """Hungary, Act XX of 1996, annex 2: weights 3 and 7 in turn, the sum modulo 10."""
    return (
        sum(int(d) * w for d, w in zip(value, (3, 7) * 4, strict=False)) % 10 == int(value[8]) and value[:8] != "0" * 8
    )


def hungarian_tax(value: str) -> bool:
    """The same act, annex 1: an 8, then the place of each digit as its weight, the sum modulo 11."""
    return value[0] == "8" and sum(int(d) * w for w, d in enumerate(value[:9], 1)) % 11 == int(value[9])


def letters_in(letters: str) -> Check:
    """A check that the value starts with one of the letters."""
    return lambda value: value[0] in letters


_CARD_WEIGHTS: Final = (7, 3, 1, 9, 7, 3, 1, 7, 3)


def polish_card(value: str) -> bool:
    """Poland, identity card: three letters and six digits of which the first checks the rest (ICAO 9303's weights)."""
    return sum(int(sign, 36) * weight for sign, weight in zip(value, _CARD_WEIGHTS, strict=True)) % 10 == 0


_RFC_VALUES: Final = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ"


def rfc(value: str) -> bool:
    """Mexico, a person's RFC: date of birth, and the last sign checks the others modulo 11 (SAT)."""
    total = sum(_RFC_VALUES.index(sign) * (13 - i) for i, sign in enumerate(value[:-1]))
    return day_month(value[8:10], value[6:8]) and value[-1] == "0123456789A"[-total % 11]
