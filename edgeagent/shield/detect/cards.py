"""What goes with payment cards: magnetic tracks, and the codes that are printed on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.checks import luhn

__all__ = ["codes", "tracks"]

_TRACK: Final = re.compile(r"(?<![A-Za-z0-9])B(\d{12,19})\^[^^\n]{2,26}\^\d{4}")
"""Track 1 (ISO/IEC 7813, format B): the number, the name, the year and month of its end."""
_ASCII_NAMES: Final = ("cvv", "cvc", "security code", "security_code", "cryptogramme")
_NAMES: Final = (
    *_ASCII_NAMES, "kod bezpiecz", "kartenprüfnummer", "código de segur", "codice di sicurezza", "güvenlik kodu",
    "säkerhetskod", "код безопасности", "セキュリティコード", "安全码", "安全碼", "보안코드", "보안 코드",
)  # fmt: skip
"""How the code is called; of some the beginning."""
_BEHIND: Final = re.compile(
    r"[^\W\d_]{0,12}2?(?:[ _-]?(?:code|number|visuel))?(?: (?:is|lautet|ist|est|es|è|é|to|jest|är|код)|は|는|은)?"
    r"[\s\"'`:=#(：]{0,6}(?P<code>(?!(?:19|20)\d\d)\d{3,4})(?![0-9a-z_%]|[.,/-]\d)"
)


def tracks(text: str) -> Iterator[Match]:
    """Numbers of cards in what a reader of magnetic stripes gives; the second track's are found without this."""
    for found in _TRACK.finditer(text):
        if luhn(found[1]):
            yield Match("CREDIT_CARD", *found.span(1), 1.0, "track")


def codes(lower: str) -> Iterator[Match]:
    """Card security codes behind a word for one; `lower` is the text in lower case."""
    for name in _ASCII_NAMES if lower.isascii() else _NAMES:
        at = lower.find(name)
        while at >= 0:
            behind = at + len(name)
            found = _BEHIND.match(lower, behind)
            if found is not None and not ("a" <= lower[at - 1 : at] <= "z"):
                yield Match("CARD_CODE", *found.span("code"), 0.8, "card code")
            at = lower.find(name, behind)
