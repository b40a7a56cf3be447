"""Personal data by form and evidence: the detector that knows every type of this room but secrets.

One pass collects what has digits; each such candidate is a shape, the shape says which schemes may be meant, and a
check digit, a way of writing or a word near it decides. What must hold a certain character (`@`, `:`) is found from
that character. Nothing is searched for that the text has no sign of: a prompt without personal data costs little.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect import cards, network, plates
from edgeagent.shield.detect.candidate import Candidates
from edgeagent.shield.detect.checks import ASCII_ALNUM
from edgeagent.shield.detect.overlaps import Taken, resolve
from edgeagent.shield.detect.views import lowered, plain

__all__ = ["PersonalData", "personal"]

_REPEATED: Final = "*+" if sys.version_info >= (3, 11, 5) else "*"
"""Nothing comes behind the repetition, so there is no way back to keep: that took 220 times a long chain's size. Before
CPython 3.11.5 the possessive form ends in the midst of a repetition (https://github.com/python/cpython/issues/106052):
matches were empty, and their search never ended."""
CHAIN: Final = re.compile(
    r"\d[0-9A-Za-z]*(?:(?:[ .\-/_()]{1,2}|(?<=\d{4}) ?\n(?=\d{4}[ -]))(?:[A-Z]{1,2}[ -])?[A-Za-z]{0,5}\d[0-9A-Za-z]*)"
    + _REPEATED
)
_ASCII_CHAIN: Final = re.compile(CHAIN.pattern, re.ASCII)
"""The same for a text of ASCII alone: its digits are found faster."""


class PersonalData:
    """Finds e-mail addresses, telephone numbers, cards, accounts, identifiers of states, addresses, dates of birth.

    Stateless and safe for any number of threads.
    """

    name: Final = "personal"
    repeatable: Final = True

    def find(self, text: str, /) -> list[Match]:
        """The matches in order, none overlapping another."""
        view = plain(text)
        return resolve(view.back(personal(view.text, lowered(view.text))))


def personal(text: str, lower: str) -> Iterator[Match]:
    """What is in a text whose escapes are undone; matches may overlap. `lower` is the text in lower case."""
    chains = [found.span() for found in (_ASCII_CHAIN if text.isascii() else CHAIN).finditer(text)]
    taken = Taken()
    candidates = Candidates(text)
    for found in chain(_anchored(text, lower), _beside(text, lower, chains)):
        taken.add(found.start, found.end)
        yield found
    for start, end in chains:
        if (end - start < 4 and text[start - 1 : start] not in ASCII_ALNUM) or taken.covers(start):
            continue
        yield from candidates.matches(start, end)


def _beside(text: str, lower: str, chains: list[tuple[int, int]]) -> Iterator[Match]:
    """What is found by its form or a word beside it where there are digits at all."""
    if chains:
        yield from plates.plates(text, lower)
        yield from cards.codes(lower, chains)


def _anchored(text: str, lower: str) -> Iterator[Match]:
    """What is found from a character that it must hold."""
    if "@" in text:
        yield from network.emails(text)
    if ("]" in text and "[at]" in lower) or (")" in text and "(at)" in lower):
        yield from network.obscured(text)
    if ":" in text:
        yield from network.addresses(text)
        if "://" in text:
            yield from network.urls(text)
    yield from network.hardware(text)
    if "^" in text:
        yield from cards.tracks(text)
