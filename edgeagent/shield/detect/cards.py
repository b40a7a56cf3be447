"""What goes with payment cards: magnetic tracks, and the codes that are printed on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.checks import luhn

__all__ = ["codes", "tracks"]

_TRACK: Final = re.compile(r"(?<![A-Za-z0-9])B(\d{12,19})\^[^^\n]{2,26}\^\d{4}")
"""Track 1 (ISO/IEC 7813, format B): the number, the name, the year and month of its end."""
_CODE: Final = re.compile(
    r"(?:(?<![a-z])cv[vc]|(?<![a-z])cryptogramme|security[ _]code|kod bezpiecz|kartenprüfnummer|código de segur|"
    r"codice di sicurezza|güvenlik kodu|säkerhetskod|код безопасности|セキュリティコード|安全码|安全碼|보안 ?코드)"
    r"[^\W\d_]{0,12}2?(?:[ _-]?(?:code|number|visuel))?(?: (?:is|lautet|ist|est|es|è|é|to|jest|är|код)|は|는|은)?"
    r"[\s\"'`:=#(：]{0,6}(?P<code>(?!(?:19|20)\d\d)\d{3,4})(?![0-9a-z_%]|[.,/-]\d)"
)
_ASCII_HINTS: Final = ("cv", "code", "crypto", "kod")
_HINTS: Final = (*_ASCII_HINTS, "prüf", "código", "codice", "код", "コード", "安全", "코드")
"""Parts of the words, one of each."""
_BEFORE: Final = 48


def tracks(text: str) -> Iterator[Match]:
    """Numbers of cards in what a reader of magnetic stripes gives; the second track's are found without this."""
    for found in _TRACK.finditer(text):
        if luhn(found[1]):
            yield Match("CREDIT_CARD", *found.span(1), 1.0, "track")


def codes(lower: str, chains: Iterable[tuple[int, int]]) -> Iterator[Match]:
    """Card security codes behind a word for one: of the `chains` of digits of a text in lower case."""
    hints = _ASCII_HINTS if lower.isascii() else _HINTS
    for start, end in chains:
        if end - start in (5, 6) and lower[start : start + 2] == "2 ":  # `CVV2 737`
            start += 2
        if end - start not in (3, 4):
            continue
        first = max(0, start - _BEFORE)
        before = lower[first:start]
        for hint in hints:
            if hint in before:
                break
        else:
            continue
        for found in _CODE.finditer(lower, first, end + 2):
            if found.start("code") == start:
                yield Match("CARD_CODE", start, found.end("code"), 0.8, "card code")
