"""Placeholders: how they are written, and how they are recognised in what a model made of them.

A placeholder is `<LABEL_n>`. Models write `<email_1>`, `< EMAIL 1 >`, `<EMAIL\\_1>` in Markdown, `&lt;EMAIL_1&gt;` in
HTML, `\\u003cEMAIL_1\\u003e` in JSON, `%3CEMAIL_1%3E` in a URL, each of these in another (`%253CEMAIL_1%253E`),
`<EMAIL_1's>` where their language inflects. All of these are it; a name without any bracket is not, since it may be
anything (a constant of a program).

What looks like one is one only if its name is among those that the request holds. In a request, text that could be
taken for one of them is itself replaced by a placeholder (`<LITERAL_1>`), so that nothing but ours is ever restored:
escaping needs no random nonce, which would give each request other masked bytes, and with them other cache entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from edgeagent.shield.brackets import PAIRS, brackets, layered
from edgeagent.shield.literals import MORE, More

__all__ = ["LITERAL", "OURS", "STARTS", "Names", "Seen", "is_placeholder", "name_of", "placeholder"]

LITERAL: Final = "LITERAL"
"""The label of text that only looks like a placeholder."""

STARTS: Final = "<\\&%\uff1c\u2039\u3008"
"""The characters that an opening bracket begins with."""

_NOISE: Final = frozenset(" \t\r\n_-*`~\\\u200b\u200c\u200d\u2060\ufeff\u00a0\u00ad\u2010\u2011")
"""What may stand between the characters of a name: markup, spaces, breaks."""
_MOST_NOISE: Final = 12
_MOST_SUFFIX: Final = 4
_APOSTROPHES: Final = frozenset("'\u2019")
OURS: Final = re.compile(r"<[A-Z]+(?:_[A-Z]+)*_[0-9]+>")
"""A placeholder as we write it."""
_NOT_IN_NAME: Final = re.compile(r"[^A-Z0-9]")


class Seen(NamedTuple):
    """A placeholder in a text."""

    end: int
    name: str
    suffix: str
    """An ending that was put inside the brackets."""
    layers: tuple[str, ...]
    """How its bracket was escaped, from the inside out."""

    def written(self, value: str) -> str:
        """The value as the text has to have it in this place."""
        return layered(value + self.suffix, self.layers)


def placeholder(label: str, number: int) -> str:
    """`<LABEL_n>`."""
    return f"<{label}_{number}>"


def is_placeholder(text: str) -> bool:
    """Whether a text has the form of ours, which a stand-in for a value in brackets may begin like."""
    return OURS.fullmatch(text) is not None


def name_of(text: str) -> str:
    """The name in a placeholder that we wrote: letters and number without what is between them."""
    return _NOT_IN_NAME.sub("", text.upper())


class Names:
    """A set of names, to be recognised.

    Args:
        names: as `name_of` makes them; or, with `any_number`, letters alone, after which any number may stand.
    """

    __slots__ = ("_any_number", "_names", "_prefixes")

    def __init__(self, names: Iterable[str], *, any_number: bool = False) -> None:
        self._names = frozenset(names)
        self._prefixes = frozenset(name[:size] for name in self._names for size in range(len(name) + 1))
        self._any_number = any_number

    def __bool__(self) -> bool:
        return bool(self._names)

    def at(self, text: str, at: int, *, final: bool) -> Seen | More | None:
        """The placeholder at a place; None if there is none, `MORE` if that depends on what comes next."""
        opened = brackets()[0].at(text, at, final=final)
        if not isinstance(opened, str):
            return opened
        return self._after(text, at + len(opened), opened, final=final)

    def _after(self, text: str, at: int, opened: str, *, final: bool) -> Seen | More | None:
        """The rest of it behind the bracket."""
        name, noise, place, digits = "", 0, at, False
        while True:
            if place == len(text):
                return None if final else MORE
            character = text[place]
            if character in _NOISE and noise < _MOST_NOISE:
                noise += 1
            elif character.isascii() and character.isdigit() and (digits or name):
                digits = True
                name += character
            elif character.isascii() and character.isalpha() and not digits:
                name += character.upper()
            else:
                break
            if not self._may_become(name):
                return None
            place += 1
            if digits and place < len(text) and not (text[place].isascii() and text[place].isdigit()):
                break
        return self._ended(text, place, name, opened, final=final) if digits else None

    def _may_become(self, name: str) -> bool:
        if self._any_number:
            name = name.rstrip("0123456789")
            return len(name) < 64 and name in self._prefixes
        return name in self._prefixes

    def _ended(self, text: str, at: int, name: str, opened: str, *, final: bool) -> Seen | More | None:
        """What follows a whole name: an ending, noise, the closing bracket."""
        known = name.rstrip("0123456789") in self._names if self._any_number else name in self._names
        if not known:
            return None
        place = at
        if place < len(text) and text[place] in _APOSTROPHES:
            place += 1
        while place < len(text) and place - at < _MOST_SUFFIX and text[place].isalpha():
            place += 1
        suffix = text[at:place]
        for _ in range(_MOST_NOISE):
            if place == len(text):
                return None if final else MORE
            closed = brackets()[1].at(text, place, final=final)
            if isinstance(closed, str):
                if PAIRS.get(opened, closed) != closed:
                    return None
                return Seen(place + len(closed), name, suffix, brackets()[0].layers(opened))
            if closed is not None or text[place] not in _NOISE:
                return closed
            place += 1
        return None

    def find(self, text: str) -> list[tuple[int, int]]:
        """Where they stand in a whole text."""
        found = []
        place = _STARTS.search(text)
        while place is not None:
            at = place.start()
            seen = self.at(text, at, final=True)
            if isinstance(seen, Seen):
                found.append((at, seen.end))
                at = seen.end - 1
            place = _STARTS.search(text, at + 1)
        return found


_STARTS: Final = re.compile(f"[{re.escape(STARTS)}]")
