"""Registration plates of vehicles, where a word says that one follows: their forms alone are those of many codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from edgeagent.shield.base import Match

__all__ = ["plates"]

_WORDS: Final = (
    "plate", "plaka", "kennzeichen", "nummernschild", "dvla", "registration", "matrícula", "matricula", "targa",
    "immatricul", "plaque", "rejestracyj", "rejestracja", "registreringsn", "rto", "vehicle", "fahrzeug", "reg:",
    "car reg", "regnr", "regnummer", "kenteken", "rekisteri", "vrm", "skilt", "nummerplad", "nummerplåt",
)  # fmt: skip
_STEMS: Final = ("reg", "matr", "rejestrac", "nummer")
"""What several of the words have in common is looked for once."""


def _by_stem() -> dict[str, list[tuple[str, int]]]:
    """The words, and where in them it stands, by what is looked for."""
    places: dict[str, list[tuple[str, int]]] = {}
    for word in _WORDS:
        stem = next((stem for stem in _STEMS if stem in word), word)
        places.setdefault(stem, []).append((word, word.index(stem)))
    return places


_PLACES: Final = _by_stem()
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
_SURE: Final = frozenset(
    {
        "plate",
        "plaka",
        "kennzeichen",
        "nummernschild",
        "targa",
        "immatricul",
        "rejestracyj",
        "rejestracja",
        "registreringsn",
    }
    | {"kenteken", "nummerplad", "nummerplåt", "rekisteri", "regnr", "regnummer", "car reg", "skilt"}
)
"""Words that say nothing else."""
_GROUP: Final = r"(?:\d{1,5}|[0-9A-Z]{1,3}|\d[0-9A-Z]{3,4})"
_ANY: Final = re.compile(
    r"[^0-9A-Z\n]{1,12}(?=(?:[ -]?[0-9A-Z]){5,8}(?![0-9A-Za-z]))(?=[A-Z -]{0,4}\d)(?=[0-9 -]{0,4}[A-Z])"
    rf"(?P<plate>{_GROUP}(?:[ -]{_GROUP}){{1,2}})(?![0-9A-Za-z])"
)
"""Groups of capitals and digits, as most countries write them: right behind such a word, since they may be anything."""


def plates(text: str, lower: str) -> Iterator[Match]:
    """What has a plate's form just behind a word that announces one. `lower` is the text in lower case."""
    for stem, words in _PLACES.items():
        at = lower.find(stem)
        while at >= 0:
            for word, ahead in words:
                start = at - ahead
                if start >= 0 and lower.startswith(word, start) and not lower[start - 1 : start].isalpha():
                    found = _behind(text, word, start + len(word))
                    if found is not None:
                        yield found
            at = lower.find(stem, at + len(stem))


def _behind(text: str, word: str, end: int) -> Match | None:
    found = _PLATE.search(text, end, end + _REACH)
    if found is not None and "\n" not in text[end : found.start()]:
        return Match(found.lastgroup or "", found.start(), found.end(), 0.7, "plate")
    found = _ANY.match(text, end) if word in _SURE else None
    if found is not None:
        return Match("VEHICLE_REGISTRATION", found.start("plate"), found.end(), 0.6, "plate")
    return None
