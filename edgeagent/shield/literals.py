"""Finding any of a set of texts, whole words only and whatever their case; also in a text of which more may come."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

__all__ = ["MORE", "Literals", "More", "is_joined"]


_LONGEST_START: Final = 8
"""Texts are looked up by so many characters: many of them begin alike."""


class More:
    """The answer "that depends on what comes next"."""

    __slots__ = ()


MORE: Final = More()

_FEW: Final = 64
"""So many beginnings are looked for one by one, each at the speed of memory; of more, the first characters are."""
_GROWS: Final = "\u0130"
"""The one character whose lower case is longer."""

_ESCAPED_SPACE: Final = frozenset({r"\n", r"\r", r"\t", r"\b", r"\f"})


class _Alike(NamedTuple):
    """Texts with one beginning: telephone numbers of a town are many, and of few lengths."""

    texts: dict[str, str]
    """In lower case → as it is."""
    sizes: dict[int, None]
    """The longest first."""


class Literals:
    """A set of texts.

    At each place the longest counts. Where a text begins or ends with an ASCII letter or digit, none may stand beside
    it, so that no number is found inside a longer one.
    """

    __slots__ = ("_by_start", "_ordered", "_size", "first")

    def __init__(self, texts: Iterable[str]) -> None:
        usable = {text: _lower(text) for text in texts if text}
        self._size = min((_LONGEST_START, *map(len, usable)))
        self._by_start: dict[str, _Alike] = {}
        for text, low in sorted(usable.items(), key=lambda pair: (-len(pair[0]), pair)):
            alike = self._by_start.setdefault(low[: self._size], _Alike({}, {}))
            alike.texts.setdefault(low, text)
            alike.sizes[len(low)] = None
        self._ordered: dict[str, list[str]] = {}
        firsts = {start[0] for start in self._by_start}
        self.first = "".join(sorted({form for c in firsts for form in (c, c.upper()) if len(form) == 1}))
        """The characters that any of them begins with, in both cases."""

    def at(self, text: str, at: int, before: str, *, final: bool) -> str | More | None:
        """Which of them stands at a place.

        Args:
            text: the text as far as it has come.
            at: the place.
            before: what stands before `text`, at least two characters if there are.
            final: whether no more will come.
        """
        start = _lower(text[at : at + self._size])
        if not _bounded(start[0], (before + text[max(0, at - 2) : at])[-2:]):
            return None
        known = self._by_start.get(start)
        if known is None:
            cut = at + self._size > len(text) and not final
            return MORE if cut and any(other.startswith(start) for other in self._by_start) else None
        left = len(text) - at
        for size in known.sizes:
            if size > left:
                if not final and self._may_become(start, _lower(text[at:])):
                    return MORE
                continue
            piece = _lower(text[at : at + size])
            original = known.texts.get(piece)
            if original is not None:
                end = at + size
                if not _is_sign(piece[-1]):
                    return original
                if end < len(text):
                    if not _is_sign(text[end]):
                        return original
                elif final:
                    return original
                else:
                    return MORE
        return None

    def _may_become(self, start: str, piece: str) -> bool:
        """Whether one of them begins with all of `piece`, which begins with `start`, and goes on."""
        ordered = self._ordered.get(start)
        if ordered is None:
            ordered = self._ordered[start] = sorted(self._by_start[start].texts)
        at = bisect_right(ordered, piece)
        return at < len(ordered) and ordered[at].startswith(piece)

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """All of them in a whole text: start, end, which."""
        found: list[tuple[int, int, str]] = []
        end = 0
        for at in self._starting(_lower(text)) if self._by_start else ():
            which = self.at(text, at, "", final=True) if at >= end else None
            if isinstance(which, str):
                end = at + len(which)
                found.append((at, end, which))
        return found

    def _starting(self, low: str) -> list[int]:
        """The places in a text in lower case where one of them may begin, in order."""
        if len(self._by_start) <= _FEW:
            return sorted(at for start in self._by_start for at in _places(start, low))
        starts, size = re.compile(f"[{re.escape(self.first)}]"), self._size
        return [at for one in starts.finditer(low) if low[(at := one.start()) : at + size] in self._by_start]


def _places(start: str, low: str) -> Iterator[int]:
    at = low.find(start)
    while at >= 0:
        yield at
        at = low.find(start, at + 1)


def _lower(text: str) -> str:
    """In lower case, as long as before (the small form of \u0130 is two characters), and the same in every context
    (\u03c2 is \u03c3 at the end of a word).
    """
    low = text.lower()
    if low.isascii():
        return low
    if len(low) != len(text):
        low = _GROWS.join(part.lower() for part in text.split(_GROWS))
    return low.replace("\u03c2", "\u03c3")


def _bounded(first: str, before: str) -> bool:
    """Whether a text that begins with `first` can stand behind `before`, the two characters before it."""
    if not before or not _is_sign(first) or not _is_sign(before[-1]):
        return True
    return before in _ESCAPED_SPACE  # in JSON text


def is_joined(text: str, start: int, end: int) -> bool:
    """Whether a stretch of a text begins or ends in the middle of a word, where `Literals` do not find it."""
    before = start > 0 and _is_sign(text[start - 1]) and _is_sign(text[start])
    return before or (end < len(text) and _is_sign(text[end - 1]) and _is_sign(text[end]))


def _is_sign(character: str) -> bool:
    return character.isascii() and character.isalnum()
