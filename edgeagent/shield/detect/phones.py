"""Telephone numbers: international ones by their calling code, national ones by a word or by their way of writing."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["dialled", "international", "is_version", "is_zip", "national_shape", "with_extension"]

_ASSIGNED: Final = """
1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84
86 90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236
237 238 239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265
266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378
380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596
597 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852
853 855 856 870 878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977
979 992 993 994 995 996 998
"""
_CODES: Final = frozenset(_ASSIGNED.split())
"""ITU-T E.164, annex: list of assigned country codes."""


def international(digits: str) -> bool:
    """Whether the digits behind a `+` start with an assigned country code and have a number's length (E.164)."""
    return 8 <= len(digits) <= 15 and (digits[0] in _CODES or digits[:2] in _CODES or digits[:3] in _CODES)


_LENGTHS: Final = {"1": 11, "7": 11}
"""Of the numbers with these country codes, with the code."""


def dialled(written: str, digits: str) -> bool:
    """Whether it is an international number behind two zeros, the prefix of most countries (ITU-T E.164, E.123).

    The country code stands by itself, with or without the zeros: `00420 728 328 757`, `00 1 831 494 8757`.
    """
    if not digits.startswith("00") or not international(digits[2:]):
        return False
    first, *others = _DIGITS.findall(written)
    code = first[2:] or (others[0] if others else "")
    return code in _CODES and len(digits) - 2 == _LENGTHS.get(code, len(digits) - 2)


_DIGITS: Final = re.compile(r"\d+")

_EXTENSION: Final = re.compile(
    r"(?:,? ?(?:extension|extn?\.?|x|poste|ramal|interno|int\.|durchwahl|dw\.?|доб\.?)| ?(?:内線|内线|分机|내선)) ?"
    r"\d{1,6}(?![0-9A-Za-z])",
    re.IGNORECASE,
)


def with_extension(text: str, end: int) -> int:
    """Where a number ends, with the extension behind it if there is one."""
    found = _EXTENSION.match(text, end)
    return end if found is None else found.end()


def is_version(before: str, written: str) -> bool:
    """Whether it is a version behind the name of a product, as in a `User-Agent` (RFC 9110, 10.1.5)."""
    return before[1:] == "/" and before[0].isalpha() and "." in written


_ZIP: Final = re.compile(r"(?<![A-Za-z])[A-Z]{2} {1,2}\d{5}-\d{4}")


def is_zip(text: str, start: int, end: int) -> bool:
    """Whether the digits are a ZIP code of nine digits behind a state: `MA 02111-1301`."""
    return end - start == 10 and any(
        _ZIP.fullmatch(text, start - gap, end) is not None for gap in (3, 4) if start >= gap
    )


_SHAPES: Final = re.compile(
    r"\(?[2-9]\d\d(?:\) ?|[-.])[2-9]\d\d[-.]\d{4}"  # North American Numbering Plan
    r"|\(0\d{1,4}\) ?\d{2,4}(?:[ -]?\d{2,4}){1,3}"
    r"|0\d{1,5}(?:[ -]\d{2,8}){1,4}|0\d(?:\.\d\d){4}"  # a trunk prefix and groups
    r"|8[ -]?\(\d{3}\) ?\d{3}[ -]\d\d[ -]\d\d|8([ -])[79]\d\d\1\d{3}\1\d\d\1\d\d"  # Russia, Kazakhstan
    r"|0 ?\(5\d\d\) ?\d{3} \d\d \d\d"  # Turkey
    r"|\(\d\d\) ?9?\d{4}[ -]\d{4}"  # Brazil
)


def national_shape(written: str, digits: str) -> bool:
    """Whether a number is written as national telephone numbers are: a trunk prefix or an area code, and groups."""
    return (
        (8 if written[0] == "(" else 9) <= len(digits) <= 12
        and _SHAPES.fullmatch(written) is not None
        and len(set(digits)) > 2
    )
