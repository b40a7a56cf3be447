"""A text as its reader sees it: without what hides a value from patterns, and with the way back to the original.

Zero-width and directional characters and soft hyphens go; HTML entities, `%40` (`%2540` in a URL in a URL), JSON's and
Python's escapes become the characters that they stand for; full-width letters and digits, other scripts' digits,
typographic dashes and spaces become ASCII. A text that has none of these is its own view, at the cost of one search.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from string import ascii_letters, digits
from typing import Final

from edgeagent.shield.base import Match

__all__ = ["View", "lowered", "plain"]

_INVISIBLE: Final = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u180e"
_WIDE: Final = (
    "\uff0b\uff0d\uff0e\uff10-\uff19\uff20-\uff3a\uff3f\uff41-\uff5a\u3000\u00a0\u2000-\u200a\u202f\u2010-\u2015\u2212"
    "\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59"
)
_NON_ASCII: Final = re.compile(f"[{_INVISIBLE}{_WIDE}]")
_ESCAPES: Final = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos|nbsp|commat|period|colon|lowbar|hyphen|dash|plus|shy|zwnj|zwj);"
    r"|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[nrt\"/]|%(?:25)?40|=\r?\n"
)
_ALL: Final = re.compile(f"{_ESCAPES.pattern}|[{_INVISIBLE}{_WIDE}]")
_HIDDEN: Final = re.compile(f"[{_INVISIBLE}]")


class View:
    """A text, and for each place in it the place in the original."""

    __slots__ = ("_here", "_there", "text")

    def __init__(self, text: str, here: list[int], there: list[int]) -> None:
        self.text = text
        self._here, self._there = here, there

    def back(self, matches: Iterable[Match]) -> Iterator[Match]:
        """The matches with the original's offsets."""
        if not self._here:
            yield from matches
            return
        for m in matches:
            yield Match(m.type, self._original(m.start), self._original(m.end - 1, behind=True), m.score, m.detector)

    def _original(self, place: int, *, behind: bool = False) -> int:
        """Where the character at `place` starts in the original, or where it ends."""
        i = bisect_right(self._here, place) - 1
        if not behind:
            return place if i < 0 else self._there[i] + place - self._here[i]
        if i < 0 and bisect_right(self._here, place + 1) - 1 < 0:
            return place + 1
        j = bisect_right(self._here, place + 1) - 1
        if j >= 0 and self._here[j] == place + 1 and j != i and i >= 0 and self._here[i] == place:
            return self._there[j]
        return (place if i < 0 else self._there[i] + place - self._here[i]) + 1


def plain(text: str) -> View:
    """The view of `text`."""
    escaped = (
        "\\" in text
        or "&" in text
        or ("%" in text and ("%40" in text or "%2540" in text))
        or ("=" in text and ("=\n" in text or "=\r\n" in text))
    )
    if text.isascii() or _NON_ASCII.search(text) is None:
        if not escaped or _ESCAPES.search(text) is None:
            return View(text, [], [])
        pattern = _ESCAPES
    else:
        pattern = _ALL if escaped else _NON_ASCII
    parts: list[str] = []
    here: list[int] = []
    there: list[int] = []
    size = last = 0
    for found in pattern.finditer(text):
        start, end = found.span()
        if text[start] == "=" and _pads(text, start):
            continue
        shown = _shown(found[0])
        parts += (text[last:start], shown)
        size += start - last
        if end - start != len(shown):
            if shown:
                here.append(size)
                there.append(start)
            here.append(size + len(shown))
            there.append(end)
        size += len(shown)
        last = end
    parts.append(text[last:])
    return View("".join(parts), here, there)


_BASE64: Final = ascii_letters + digits + "+/-_"
_LONG_LINE: Final = 72
"""Lines of quoted-printable text are broken at 76 characters (RFC 2045, 6.7)."""


def _pads(text: str, at: int) -> bool:
    """Whether the `=` at the end of a line fills up a Base64 text, rather than breaks a line of quoted-printable."""
    line = text[max(text.rfind("\n", 0, at) + 1, at - _LONG_LINE) : at]
    if line[-1:] == "=":
        return True
    size = len(line) - len(line.rstrip(_BASE64))
    return 7 <= size < len(line) < _LONG_LINE and size % 4 == 3


_CAPITALS: Final = re.compile(r"[A-Z]+")


def lowered(text: str) -> str:
    """In lower case, each character in its place: `İ` in lower case would be two."""
    lower = text.lower()
    return lower if len(lower) == len(text) else _CAPITALS.sub(lambda found: found[0].lower(), text)


def _shown(hidden: str) -> str:
    """What a reader sees for an escape or a character; a line break inside a JSON string is one."""
    first = hidden[0]
    if first == "&":
        return _one(html.unescape(hidden))
    if first == "\\":
        kind = hidden[1]
        if kind in "ux":
            return _one(chr(int("0x" + hidden[2:], base=0)))
        return {"n": "\n", "r": "\n", "t": "\t"}.get(kind, kind)
    if first == "%":
        return "@"
    if first == "=":
        return ""
    return _one(hidden)


def _one(char: str) -> str:
    """One character or none: ASCII where it only looks different."""
    code = ord(char) if len(char) == 1 else 0
    if _HIDDEN.match(char):
        return ""
    if 0xFF01 <= code <= 0xFF5E:
        return chr(code - 0xFEE0)
    if char.isdecimal():
        return str(int(char))
    if 0x2010 <= code <= 0x2015 or code == 0x2212:
        return "-"
    return " " if char.isspace() else char
