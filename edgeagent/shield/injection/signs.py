"""Signs of an attack that can be named: phrases in many languages, and structure that plain text does not have.

A sign is a hint, not a verdict: its weight is learnt, by channel. Patterns see folded text (lower case, no accents).
What makes them cheap: a *phrase* is searched for only where its head word is among the text's words, and by that word
as it stands; a *structure* only where one of its anchors occurs. Every repetition is bounded: the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from edgeagent.shield.injection.features import tokens
from edgeagent.shield.injection.languages import FOREIGN, UNSPACED
from edgeagent.shield.injection.phrases import PHRASES, Phrase
from edgeagent.shield.injection.structures import STRUCTURES, Structure

__all__ = ["NAMES", "signs"]


_COMMON: Final = frozenset("abcdefghijklmnopqrstuvwxyz\t")


def _by_head(phrases: Iterable[Phrase]) -> dict[bytes, list[tuple[str, re.Pattern[str]]]]:
    found: dict[bytes, list[tuple[str, re.Pattern[str]]]] = {}
    for name, heads, tail in phrases:
        for head in heads.split():
            pattern = re.compile(rf"{head}(?<![^\W\d_]{head})(?![^\W\d_])(?:{tail})")
            found.setdefault(tokens(head)[0], []).append((name, pattern))
    return found


_Anchored: TypeAlias = tuple[tuple[str, tuple[tuple[str, tuple[str, re.Pattern[str]]], ...]], ...]
"""A character, and the anchors with it: looking for one character is much cheaper."""


def _anchored(structures: Iterable[Structure]) -> _Anchored:
    found: dict[str, list[tuple[str, tuple[str, re.Pattern[str]]]]] = {}
    for name, anchors, pattern in structures:
        searched = name, re.compile(pattern, re.MULTILINE)
        for anchor in anchors.replace("~", "\t").split(" "):
            rare = next((c for c in anchor if c not in _COMMON), anchor[0])
            found.setdefault(rare, []).append((anchor.replace("\t", " "), searched))
    return tuple((rare, tuple(anchors)) for rare, anchors in found.items())


_HEADS: Final = _by_head((*PHRASES, *FOREIGN))
_WORDS: Final = frozenset(_HEADS)
_ASCII: Final = _anchored(STRUCTURES)
_ALL: Final = _anchored((*STRUCTURES, *UNSPACED))

NAMES: Final = tuple(dict.fromkeys(entry[0] for entry in (*PHRASES, *FOREIGN, *UNSPACED, *STRUCTURES)))
"""All signs."""


def signs(text: str, words: Sequence[bytes]) -> list[str]:
    """The names of the signs in folded `text`, each once; `words` are its `tokens`."""
    found: set[str] = set()
    for head in _WORDS.intersection(words):
        for name, pattern in _HEADS[head]:
            if name not in found and pattern.search(text):
                found.add(name)
    anchored = [
        searched
        for rare, anchors in (_ASCII if text.isascii() else _ALL)
        if rare in text
        for anchor, searched in anchors
        if anchor in text
    ]
    for name, pattern in dict.fromkeys(anchored):
        if name not in found and pattern.search(text):
            found.add(name)
    return sorted(found)
