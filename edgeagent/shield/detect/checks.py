"""Check digits and dates: what tells a number of some scheme from digits that merely look like it.

Cards and IBANs are checked here, since they are met most; of the other schemes those that python-stdnum has are checked
by it, loaded when a value of the scheme is first met. What it lacks is in `national`.
Each function takes a value without separators, letters in upper case.
"""

from __future__ import annotations

from base64 import b32decode
from binascii import crc_hqx
from collections.abc import Callable
from functools import cache
from hashlib import blake2b, sha256
from importlib import import_module
from string import ascii_letters
from typing import Final, TypeAlias

__all__ = [
    "ASCII_ALNUM",
    "BASE58",
    "BECH32",
    "RIPPLE",
    "Check",
    "base58",
    "base58_bytes",
    "bech32",
    "day_month",
    "iban",
    "iban_length",
    "luhn",
    "ss58",
    "stdnum",
    "strkey",
    "weighted",
]

Check: TypeAlias = Callable[[str], bool]

ASCII_ALNUM: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    values = [int(c) for c in digits]
    return (sum(values[-1::-2]) + sum(_DOUBLED[v] for v in values[-2::-2])) % 10 == 0


_REGISTRY: Final = """
AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 DJ:27
DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HN:28 HR:21 HU:28
IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22
MK:19 MN:20 MR:27 MT:31 MU:30 NI:28 NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33 SA:24
SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 SO:23 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20 YE:30
"""
_IBAN_LENGTHS: Final = dict(pair.split(":") for pair in _REGISTRY.split())
"""The IBAN registry's lengths by country (ISO 13616; SWIFT, release 99)."""


def iban_length(country: str) -> int:
    """How long an IBAN of `country` is, 0 where there are none."""
    return int(_IBAN_LENGTHS.get(country, 0))


def iban(value: str) -> bool:
    """ISO 13616: the country's length, and the remainder modulo 97 (ISO/IEC 7064)."""
    if iban_length(value[:2]) != len(value):
        return False
    return int((value[4:] + value[:4]).translate(_AS_NUMBERS)) % 97 == 1


_AS_NUMBERS: Final = {ord(letter): str(int(letter, 36)) for letter in ascii_letters}


BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE: Final = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
"""The order of the same characters on the XRP Ledger (https://xrpl.org/docs/references/protocol/data-types/base58-encodings)."""


def base58(value: str, alphabet: str = BASE58) -> bool:
    """Bitcoin's Base58Check: version byte, 20 bytes, and four of their double SHA-256."""
    raw = base58_bytes(value, 25, alphabet)
    return raw is not None and sha256(sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def ss58(value: str) -> bool:
    """Substrate's SS58: one byte of a network, 32 of a key, and two of their BLAKE2b."""
    raw = base58_bytes(value, 35)
    return raw is not None and blake2b(b"SS58PRE" + raw[:33]).digest()[:2] == raw[33:]


def base58_bytes(value: str, size: int, alphabet: str = BASE58) -> bytes | None:
    """The number that is written so, as so many bytes; None if it is none, or larger."""
    number = 0
    for c in value:
        digit = alphabet.find(c)
        if digit < 0:
            return None
        number = number * 58 + digit
    return None if number >= 1 << 8 * size else number.to_bytes(size, "big")


def strkey(value: str) -> bool:
    """Stellar's form (SEP 23): a version byte, 32 bytes, and two of their CRC-16, in Base32."""
    try:
        raw = b32decode(value)
    except ValueError:
        return False
    return len(raw) == 35 and crc_hqx(raw[:33], 0).to_bytes(2, "little") == raw[33:]


BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32(value: str) -> bool:
    """BIP 173 and BIP 350: an address in one case whose checksum is Bech32's or Bech32m's."""
    if value not in (value.lower(), value.upper()):
        return False
    prefix, _, data = value.lower().rpartition("1")
    numbers = [BECH32.find(c) for c in data]
    if min(numbers, default=-1) < 0:
        return False
    check = 1
    for number in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + numbers:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ number
        for i, generator in enumerate(_GENERATOR):
            check ^= generator if (top >> i) & 1 else 0
    return check in (1, 0x2BC830A3)


def weighted(weights: tuple[int, ...], modulus: int) -> Check:
    """A check that the sum of the digits, each times its weight, is a multiple of `modulus`."""

    def check(digits: str) -> bool:
        return sum(int(d) * w for d, w in zip(digits, weights, strict=False)) % modulus == 0

    return check


def day_month(day: str, month: str) -> bool:
    """Whether these two digits each may be a day and a month."""
    return "01" <= day <= "31" and "01" <= month <= "12"


@cache
def _loaded(module: str) -> Check:
    check: Check = import_module(f"stdnum.{module}").is_valid
    return check


def stdnum(module: str) -> Check:
    """python-stdnum's check of a scheme, loaded at the first value."""

    def check(value: str) -> bool:
        return _loaded(module)(value)

    return check
