"""Stand-ins: values of the same form as another, which a model can work with and which belong to nobody.

Addresses are those that were set aside for documentation (RFC 2606, 5737, 3849, 7042), card numbers and IBANs fail
their check, social security numbers are of the area 000, North American telephone numbers of the range for fiction
(555-0100 to 555-0199). The n-th stand-in of a type depends on the value's form alone: prompts that differ only in
values stay the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

from edgeagent.shield.detect.checks import BASE58, BECH32
from edgeagent.shield.detect.coins import NETWORKS

__all__ = ["SHORTEST", "shifted", "standin"]

SHORTEST: Final = 4
"""Values with fewer characters get a placeholder: a shorter stand-in would be found where it is not meant."""

_SHORTEST_NUMBER: Final = 7

_GIVEN: Final = (
    "Alex", "Robin", "Kim", "Sasha", "Jamie", "Taylor", "Casey", "Morgan", "Riley", "Jordan", "Quinn", "Avery", "Rowan",
    "Skyler", "Emery", "Finley", "Harper", "Marlow", "Noa", "Ariel",
)  # fmt: skip
_FAMILY: Final = (
    "Linden", "Marsh", "Archer", "Weaver", "Holm", "Brook", "Falk", "Stone", "Winter", "Vale", "Ash", "Berg", "Thorn",
    "Field", "Lark", "Moss", "Reed",
)  # fmt: skip
_DOMAINS: Final = ("example.com", "example.org", "example.net")
_DIGIT: Final = re.compile(r"\d")
_NORTH_AMERICAN: Final = re.compile(r"1?[2-9]\d{9}")


def standin(kind: str, value: str, number: int) -> str | None:
    """The `number`-th stand-in for a value; None if its form leaves no room for one."""
    if len(value) < SHORTEST:
        return None
    return _MAKERS.get(kind, _same_shape)(value, number)


def _person(value: str, number: int) -> str:
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number % len(_FAMILY)]
    round_ = number // (len(_GIVEN) * len(_FAMILY))  # the two lengths have no common factor
    suffix = f" {_roman(round_ + 1)}" if round_ else ""
    return f"{given} {family}{suffix}" if " " in value.strip() else f"{family}{number}"


def _roman(number: int) -> str:
    signs = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    text = ""
    for worth, sign in signs:
        text, number = text + sign * (number // worth), number % worth
    return text


def _email(_value: str, number: int) -> str:
    given, family = _GIVEN[number % len(_GIVEN)].lower(), _FAMILY[number % len(_FAMILY)].lower()
    return f"{given}.{family}{number}@{_DOMAINS[number % len(_DOMAINS)]}"


def _card(value: str, number: int) -> str:
    """The issuer's first digit, then the number, then a digit that is not the right one."""
    size = len(_DIGIT.findall(value))
    if size < 8:
        return _same_shape(value, number) or value
    body = next(iter(_DIGIT.findall(value))) + str(number).rjust(size - 2, "0")[-(size - 2) :]
    return _in_form(value, body + str((_luhn(body) + 1) % 10))


def _luhn(body: str) -> int:
    """The check digit of ISO/IEC 7812-1."""
    digits = [int(digit) for digit in reversed(body)]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[::2]]
    return -(sum(doubled) + sum(digits[1::2])) % 10


def _phone(value: str, number: int) -> str | None:
    """Country and area stay; of the rest the last digits are counted."""
    digits = "".join(_DIGIT.findall(value))
    national = not value.strip().startswith(("+", "00"))
    if _NORTH_AMERICAN.fullmatch(digits) and (national or digits.startswith("1")):
        return _in_form(value, digits[:-7] + f"555{100 + number % 100:04}") if number <= 100 else None
    free = min(6, len(digits) // 2)
    if number >= 10**free:
        return None
    return _in_form(value, digits[: len(digits) - free] + str(number).rjust(free, "0"))


def _iban(value: str, number: int) -> str | None:
    """Country and length stay; check digits 00 and 99 are those of no account."""
    size = len(_DIGIT.findall(value))
    return _in_form(value, "99" + str(number).rjust(size - 2, "0")[-(size - 2) :]) if size > 6 else None


def _address(value: str, number: int) -> str | None:
    if ":" in value:
        return f"2001:db8::{number:x}"
    if number > 3 * 254:
        return None
    network = ("192.0.2", "198.51.100", "203.0.113")[(number - 1) // 254]
    return f"{network}.{(number - 1) % 254 + 1}"


def _hardware(value: str, number: int) -> str | None:
    """Of the block 00-00-5E-00-53 (RFC 7042, 2.1.2)."""
    if number > 255:
        return None
    sign = next((sign for sign in ":-." if sign in value), ":")
    digits = f"00005e0053{number:02x}"
    size = 4 if sign == "." else 2
    made = sign.join(digits[at : at + size] for at in range(0, 12, size))
    return made.upper() if value.isupper() else made


def _wallet(value: str, number: int) -> str | None:
    """An address of the same kind; where the kind has a checksum, one whose checksum is wrong."""
    head, signs = value[:1], BASE58
    network = value.rpartition("1")[0]
    if network.lower() in NETWORKS:
        head, signs = f"{network}1", BECH32
    elif value[:2].lower() == "0x":
        head, signs = value[:2], "0123456789abcdef"
    elif len(value) == 56 and value.isupper():
        signs = _BASE32
    noise = sha256(f"{number}".encode()).digest() * 4
    made = head + "".join(signs[noise[at] % len(signs)] for at in range(len(value) - len(head)))
    return made.upper() if value.isupper() else made


_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def _security(value: str, number: int) -> str | None:
    """Of the area 000, which is never given (SSA)."""
    return _in_form(value, f"000{120_000 + number:06}") if len(_DIGIT.findall(value)) == 9 and number < 10**5 else None


def _url(_value: str, number: int) -> str:
    return f"https://example.com/{number}"


def _same_shape(value: str, number: int) -> str | None:
    """Other digits and letters in the same places; what is neither stays. A short number has no stand-in: another one
    like it may well stand in an answer.
    """
    signs = [character for character in value if character.isascii() and character.isalnum()]
    if not signs or (len(signs) < _SHORTEST_NUMBER and "".join(signs).isdigit()):
        return None
    noise = sha256(f"{number}".encode()).digest()
    while len(noise) < len(value):
        noise += sha256(noise).digest()
    return "".join(_other(character, noise[at]) for at, character in enumerate(value))


def _other(character: str, noise: int) -> str:
    if character.isdigit() and character.isascii():
        return str(noise % 10)
    if not character.isalpha() or not character.isascii():
        return character
    return chr((ord("a") if character.islower() else ord("A")) + noise % 26)


def _in_form(value: str, digits: str) -> str:
    """The digits, in the places of those of the value."""
    left = iter(digits)
    return _DIGIT.sub(lambda _: next(left), value)


_MAKERS: Final[Mapping[str, Callable[[str, int], str | None]]] = {
    "CREDIT_CARD": _card,
    "CRYPTO": _wallet,
    "EMAIL_ADDRESS": _email,
    "IBAN_CODE": _iban,
    "IP_ADDRESS": _address,
    "MAC_ADDRESS": _hardware,
    "PERSON": _person,
    "PHONE_NUMBER": _phone,
    "URL": _url,
    "US_SSN": _security,
}

# Dates

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_DAY_MONTH: Final = re.compile(r"(\d{1,2})(\.? |-)([A-Za-z]{3,9})(,? |-)(\d{4})")
_MONTH_DAY: Final = re.compile(r"([A-Za-z]{3,9}) (\d{1,2})(, | )(\d{4})")


def shifted(value: str, days: int) -> str | None:
    """A date in the same form, so many days later; None if it is none that can be read.

    `03/04/2024` is read with the month first, as is usual where dates have slashes, unless that is no date; with dots
    or dashes, the day is first.
    """
    for pattern, change in _FORMS:
        found = pattern.fullmatch(value.strip())
        if found is not None:
            try:
                return change(found, timedelta(days))
            except (ValueError, OverflowError):
                return None
    return None


def _year_first(found: re.Match[str], days: timedelta) -> str:
    year, sign, month, day = found.groups()
    then = date(int(year), int(month), int(day)) + days
    return f"{then.year:04}{sign}{then.month:0{len(month)}}{sign}{then.day:0{len(day)}}"


def _year_last(found: re.Match[str], days: timedelta) -> str:
    one, sign, two, year = found.groups()
    month_first = (sign == "/" and int(one) <= 12) or int(two) > 12
    day, month = (two, one) if month_first else (one, two)
    then = date(int(year), int(month), int(day)) + days
    parts = f"{then.day:0{len(day)}}", f"{then.month:0{len(month)}}"
    return sign.join([*(reversed(parts) if month_first else parts), f"{then.year:04}"])


def _day_month(found: re.Match[str], days: timedelta) -> str:
    day, before, month, after, year = found.groups()
    then = date(int(year), _month(month), int(day)) + days
    return f"{then.day:0{len(day)}}{before}{_month_like(month, then.month)}{after}{then.year:04}"


def _month_day(found: re.Match[str], days: timedelta) -> str:
    month, day, between, year = found.groups()
    then = date(int(year), _month(month), int(day)) + days
    return f"{_month_like(month, then.month)} {then.day:0{len(day)}}{between}{then.year:04}"


def _month(name: str) -> int:
    """Its number. Raises `ValueError` for a word that is no English month."""
    low = name.lower()
    for number, full in enumerate(_MONTHS, 1):
        if low in (full.lower(), full[:3].lower()):
            return number
    raise ValueError(name)


def _month_like(pattern: str, month: int) -> str:
    name = _MONTHS[month - 1]
    name = name[:3] if len(pattern) == 3 else name
    return name.upper() if pattern.isupper() else name.lower() if pattern.islower() else name


_FORMS: Final = (
    (_YEAR_FIRST, _year_first),
    (_YEAR_LAST, _year_last),
    (_DAY_MONTH, _day_month),
    (_MONTH_DAY, _month_day),
)
