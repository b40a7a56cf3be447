"""Signs of an attack that can be named: phrases in many languages, and structure that plain text does not have.

A sign is a hint, not a verdict: its weight is learnt, by channel. Patterns see folded text (lower case, no accents).
What makes them cheap: a *phrase* is searched for only where its head word is among the text's words, and by that word
as it stands; a *structure* only where one of its anchors occurs. Every repetition is bounded: the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from edgeagent.shield.injection.features import tokens
from edgeagent.shield.injection.languages import FOREIGN, UNSPACED
from edgeagent.shield.injection.phrases import PHRASES, Phrase
from edgeagent.shield.injection.structures import STRUCTURES, Structure

__all__ = ["NAMES", "signs"]


def _by_head(phrases: Iterable[Phrase]) -> dict[bytes, list[tuple[str, re.Pattern[str]]]]:
    found: dict[bytes, list[tuple[str, re.Pattern[str]]]] = {}
    for name, heads, tail in phrases:
        for head in heads.split():
            pattern = re.compile(rf"{head}(?<![^\W\d_]{head})(?![^\W\d_])(?:{tail})")
            found.setdefault(tokens(head)[0], []).append((name, pattern))
    return found


def _anchored(structure: Structure) -> tuple[str, tuple[str, ...], re.Pattern[str]]:
    anchors = tuple(anchor.replace("~", " ") for anchor in structure.anchors.split())
    return structure.sign, anchors, re.compile(structure.pattern, re.MULTILINE)


_HEADS: Final = _by_head((*PHRASES, *FOREIGN))
_WORDS: Final = frozenset(_HEADS)
_STRUCTURES: Final = tuple(map(_anchored, STRUCTURES))
_UNSPACED: Final = tuple(map(_anchored, UNSPACED))

NAMES: Final = tuple(dict.fromkeys(entry[0] for entry in (*PHRASES, *FOREIGN, *UNSPACED, *STRUCTURES)))
"""All signs."""


def signs(text: str, words: Sequence[bytes]) -> list[str]:
    """The names of the signs in folded `text`, each once; `words` are its `tokens`."""
    found: set[str] = set()
    for head in _WORDS.intersection(words):
        for name, pattern in _HEADS[head]:
            if name not in found and pattern.search(text):
                found.add(name)
    contains = text.__contains__
    for name, anchors, pattern in _STRUCTURES if text.isascii() else (*_STRUCTURES, *_UNSPACED):
        if True in map(contains, anchors) and name not in found and pattern.search(text):
            found.add(name)
    return sorted(found)
