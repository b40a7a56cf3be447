"""Registration plates of vehicles, where a word says that one follows: their forms alone are those of many codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from edgeagent.shield.base import Match

__all__ = ["plates"]

_WORDS: Final = (
    "plate", "plaka", "kennzeichen", "nummernschild", "dvla", "registration", "matrícula", "matricula", "targa",
    "immatriculation", "plaque", "rejestracyj", "registreringsn", "rto", "vehicle", "fahrzeug", "reg:",
)  # fmt: skip
_FORMS: Final = (
    ("TR_LICENSE_PLATE", r"(?:0[1-9]|[1-7]\d|8[01]) ?[A-Z]{1,3} ?\d{2,5}"),
    ("IN_VEHICLE_REGISTRATION", r"[A-Z]{2}[ -]?\d{1,2}[ -]?[A-Z]{1,3}[ -]?\d{4}|[A-Z]{2,3}\d{4}"),
    ("NG_VEHICLE_REGISTRATION", r"[A-Z]{3}[ -]?\d{3}[ -]?[A-Z]{2}"),
    ("UK_VEHICLE_REGISTRATION", r"[A-Z]{2}\d\d ?[A-Z]{3}|[A-Z]\d{1,3} ?[A-Z]{3}|[A-Z]{3} ?\d{1,3}[A-Z]"),
    ("DE_KFZ", r"[A-ZÄÖÜ]{1,3}[ -][A-Z]{1,2}[ -]?\d{1,4}[EH]?"),
    ("VEHICLE_REGISTRATION", r"[A-Z]{1,3}[ -]?\d{2,4}[ -]?[A-Z]{1,3}|\d{4}[ -]?[A-Z]{3}|[A-Z]{3}[ -]\d{3,4}"),
)
_PLATE: Final = re.compile(
    "(?<![0-9A-Za-z])(?:" + "|".join(f"(?P<{type_}>{form})" for type_, form in _FORMS) + ")(?![0-9A-Za-z])"
)
_REACH: Final = 36


def plates(text: str, lower: str) -> Iterator[Match]:
    """What has a plate's form just behind a word that announces one. `lower` is the text in lower case."""
    for word in _WORDS:
        at = lower.find(word)
        while at >= 0:
            end = at + len(word)
            found = _PLATE.search(text, end, end + _REACH)
            if found is not None and not lower[at - 1 : at].isalpha() and "\n" not in text[end : found.start()]:
                yield Match(found.lastgroup or "", found.start(), found.end(), 0.7, "plate")
            at = lower.find(word, end)
