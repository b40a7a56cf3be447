"""Other ways to write a number: a model sets other signs between its groups, or none, or makes groups of four."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["respelled", "spellings"]

_SIGNS: Final = re.compile(r"[ ().\-/]+")
_NUMBER: Final = re.compile(r"\+?[0-9A-Z(][0-9A-Z ().\-/]{7,60}")
_DATE: Final = re.compile(r"\d{4}([./-])\d{1,2}\1\d{1,2}|\d{1,2}([./-])\d{1,2}\2(?:\d{4}|\d\d)")
_ADDRESS: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_LEAST: Final = 8


def respelled(standins: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Other spellings of stand-ins, each with its value in the same one; those that two would share are left out."""
    found: dict[str, set[str]] = {}
    for standin, value in standins:
        for sign, fours in (("", False), (" ", False), ("-", False), (" ", True), ("-", True)):
            other = _spelled(standin, sign, fours=fours)
            if other is not None and other != standin:
                found.setdefault(other, set()).add(_spelled(value, sign, fours=fours) or value)
    return {other: values.pop() for other, values in found.items() if len(values) == 1}


def spellings(standins: Iterable[str]) -> set[str]:
    """All other spellings of these."""
    return {*respelled((standin, standin) for standin in standins)}


def _spelled(number: str, sign: str, *, fours: bool) -> str | None:
    """A number with this sign between its groups; None if it is no number, or none that may be written so."""
    if _NUMBER.fullmatch(number) is None or _DATE.fullmatch(number) or _ADDRESS.fullmatch(number):
        return None
    bare = _SIGNS.sub("", number)
    if len(bare) < _LEAST or sum(map(str.isdigit, bare)) < _LEAST:
        return None
    if not fours:
        return _SIGNS.sub(sign, number).strip(" -")
    return sign.join(bare[at : at + 4] for at in range(0, len(bare), 4)) if len(bare) >= 13 and bare[0] != "+" else None
