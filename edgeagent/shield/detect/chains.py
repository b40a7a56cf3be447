"""Chains: digits and what is joined to them, in groups; where a value may start and end among these."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from edgeagent.shield.detect.checks import ASCII_ALNUM

__all__ = ["Group", "closes", "first_behind", "groups_of", "opens", "plus_before"]

Group: TypeAlias = tuple[int, int]
"""From where to where."""

_GROUP: Final = re.compile(r"[0-9]{2,}(?=x[0-9]{1,6}(?![0-9A-Za-z]))|[0-9A-Za-z]+")
"""An extension that is joined to its number, as in `494-8757x49`, is a group of its own."""
_TAIL: Final = re.compile(r"[ -]?(?:\([A-Za-z0-9]\)|[A-Za-z]{1,2})(?![0-9A-Za-z])")
_CARD: Final = re.compile(r"[A-Z]{3} \d{6}(?![0-9A-Za-z])")
"""How the numbers of Polish identity cards are written."""
_BEFORE_TAIL: Final = frozenset(" -(")
_JOINED: Final = ASCII_ALNUM | {" ", "-"}
"""What stands before a chain that may start further left."""
_DIGITS: Final = "0123456789"
_JOINT: Final = "-._"
"""Characters that join what stands on both sides without a space."""
_LEAST: Final = 4
"""No type has fewer letters and digits."""
_LONGEST_WORD: Final = 24


def groups_of(text: str, start: int, end: int) -> list[Group]:
    """The groups of the chain at `start`; none if it is too short to be anything, or the end of a long word."""
    if (not start or text[start - 1] not in _JOINED) and text[end : end + 1] not in _BEFORE_TAIL:
        return _spans(text, start, end) if end - start >= _LEAST else []
    if start and text[start - 1] in ASCII_ALNUM:
        limit = max(0, start - _LONGEST_WORD)
        while start > limit and text[start - 1] in ASCII_ALNUM:
            start -= 1
        if start == limit and start and text[start - 1] in ASCII_ALNUM:
            return []
    head = _head(text, start) if start >= 2 and text[start - 1] in " -" else None
    tail = _tail(text, end) if text[end : end + 1] in _BEFORE_TAIL else None
    if head is None and tail is None and end - start < _LEAST:
        return []
    groups = _spans(text, start, end)
    if head is not None:
        groups.insert(0, head)
    if tail is not None:
        groups.append(tail)
    return groups


def _spans(text: str, start: int, end: int) -> list[Group]:
    written = text[start:end]
    if "x" not in written and written.isalnum() and written.isascii():
        return [(start, end)]
    return [found.span() for found in _GROUP.finditer(text, start, end)]


def _head(text: str, start: int) -> Group | None:
    """One or two capitals before the digits and the space or dash that is just before them."""
    if text[start - 2].isupper() and text[start - 2].isascii():
        at = start - 2
        if at and text[at - 1].isupper() and text[at - 1].isascii():
            at -= 1
        if text[at - 1 : at + 2] in ("HRA", "HRB") or _CARD.match(text, at - 1) is not None:
            at -= 1
        if not at or text[at - 1] not in ASCII_ALNUM:
            return at, start - 1
    return None


def _tail(text: str, end: int) -> Group | None:
    """One or two letters behind the digits, with a space or a dash between or in brackets."""
    if _TAIL.match(text, end) is None:
        return None
    last = _GROUP.search(text, end)
    return None if last is None else last.span()


def opens(text: str, start: int) -> bool:
    """Whether a value may start here: not in the midst of `077-1382873-2069292` or `INV-2022-4452`."""
    return start < 2 or text[start - 1] not in _JOINT or text[start - 2] not in ASCII_ALNUM


def closes(text: str, end: int) -> bool:
    """Whether a value may end here."""
    return end + 1 >= len(text) or text[end] not in _JOINT or text[end + 1] not in _DIGITS


def plus_before(text: str, start: int) -> int | None:
    """Where the `+` of an international number stands, None if there is none."""
    if text[start - 1 : start] == "+":
        at = start - 1
    elif text[max(0, start - 2) : start] == "+(":
        at = start - 2
    else:
        return None
    before = text[at - 1 : at]
    return None if before and before in ASCII_ALNUM else at


def first_behind(groups: Sequence[Group], i: int, end: int) -> int:
    """The number of the first group from `i` on that does not start before `end`."""
    while i < len(groups) and groups[i][0] < end:
        i += 1
    return i
