"""JSON as text: its strings and numbers with their places, so that some can be changed and all else stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, NamedTuple

__all__ = ["Token", "is_integer", "is_json", "legible", "quoted", "rewritten", "tokens"]

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[0-9.eE+-]*')
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INSIDE: Final = str.maketrans({'"': "'", "\\": "/"})
"""What is like the characters that a string cannot hold without an escape."""


class Token(NamedTuple):
    """A string or a number in JSON text."""

    start: int
    end: int
    value: str
    """What the string says; a number as it is written."""
    is_number: bool
    is_plain: bool
    """Whether the value stands in the text as it is, one character after the start."""


def is_json(text: str) -> bool:
    """Whether a text is a JSON object or list."""
    bare = text.lstrip()[:1]
    if not bare or bare not in "{[":
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_integer(text: str) -> bool:
    """Whether a text can stand as a number in JSON with every digit that it has."""
    return text.isascii() and text.isdigit() and not text.startswith("0")


def tokens(text: str) -> list[Token]:
    """The strings (keys too) and numbers of a JSON text, in their order."""
    found = []
    for place in _TOKEN.finditer(text):
        raw = place.group()
        is_number = not raw.startswith('"')
        plain = is_number or "\\" not in raw
        value = raw if is_number else raw[1:-1] if plain else str(json.loads(raw, strict=False))
        found.append(Token(place.start(), place.end(), value, is_number, plain))
    return found


def legible(text: str) -> tuple[str, list[Token]]:
    """The text without escapes, and its strings and numbers with their places in that.

    A string has as many characters there as it says, so what is found in one has its place in the string. Quotes and
    backslashes of what it says are replaced by what is like them: it still ends where it did.
    """
    pieces: list[str] = []
    found: list[Token] = []
    done = shift = 0
    for token in tokens(text):
        start = token.start + shift
        if not token.is_plain:
            pieces += (text[done : token.start + 1], token.value.translate(_INSIDE))
            done = token.end - 1
            shift += len(token.value) + 2 - (token.end - token.start)
        found.append(token._replace(start=start, end=token.end + shift) if shift else token)
    return "".join((*pieces, text[done:])), found


def rewritten(text: str, change: Callable[[Token], str | None]) -> str:
    """The text with some of its strings and numbers changed; `change` gives JSON text for those, None for others."""
    pieces: list[str] = []
    done = 0
    for token in tokens(text):
        new = change(token)
        if new is not None:
            pieces += (text[done : token.start], new)
            done = token.end
    return "".join((*pieces, text[done:]))


def quoted(value: str) -> str:
    """A string as JSON; half a surrogate pair can be written with an escape only."""
    text = json.dumps(value, ensure_ascii=False)
    return text if _SURROGATE.search(text) is None else json.dumps(value)
