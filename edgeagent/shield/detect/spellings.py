"""How else the words of the vocabulary are written: without accents, as in names of fields, and in one word."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

__all__ = ["variants"]

_PLAIN: Final = str.maketrans({"ø": "o", "ł": "l", "ı": "i", "ß": "ss", "æ": "ae", "đ": "d"})
_DOUBLE: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "ß": "ss"})
_LEAST: Final = 5
"""Shorter words, written otherwise, are other words: `sa id`, `née`."""


def variants(phrase: str) -> Iterator[str]:
    """The other spellings of a phrase in lower case: `numero de telephone`, `phonenumber`, `foedselsdato`."""
    written = {phrase, _unaccented(phrase), _unaccented(phrase.translate(_DOUBLE))}
    for spelling in sorted(written | {spelling.replace(" ", "") for spelling in written}):
        if spelling != phrase and len(spelling.replace(" ", "")) >= _LEAST:
            yield spelling


def _unaccented(phrase: str) -> str:
    letters = unicodedata.normalize("NFKD", phrase.translate(_PLAIN))
    return "".join([letter for letter in letters if not unicodedata.combining(letter)])
