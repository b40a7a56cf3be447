"""What a detector is, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

__all__ = ["Detector", "Match"]


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of a text that holds personal data or a secret. It never holds the value itself.

    `type` is Presidio's name of the entity where it has one. `start` and `end` count code points, `end` is exclusive:
    `text[start:end]` is the value. `score` is how sure the detector is, above 0 and at most 1. `detector` names what
    found it.
    """

    type: str
    start: int
    end: int
    score: float = 1.0
    detector: str = ""


@runtime_checkable
class Detector(Protocol):
    """Finds things in a text. Called from several threads at once; no I/O unless that is what the caller gave.

    One with an attribute `repeatable` that is True always finds the same in the same text: a shield has it read a text
    once, and not again with each later turn of the conversation.
    """

    def find(self, text: str, /) -> Sequence[Match]:
        """What is in `text`, in any order; matches of different types may overlap. Offsets refer to `text` as given."""
        ...
