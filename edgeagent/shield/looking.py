"""How a detector is asked: what goes wrong with one is told without a word of the text that it was reading."""

from __future__ import annotations

from collections.abc import Sequence

from edgeagent.errors import ConfigurationError
from edgeagent.shield.base import Detector, Match

__all__ = ["Looking", "looked"]


def looked(detector: Detector, text: str) -> Sequence[Match]:
    """What a detector finds in `text`.

    Raises:
        ConfigurationError: it failed, or gave what is no match in this text. Its own error is not told, not as a cause
            either: parsers and models quote what they read.
    """
    try:
        found = [*detector.find(text)]
        fits = all(_fits(match, len(text)) for match in found)
    except ConfigurationError:  # it says what is missing
        raise
    except Exception as error:  # noqa: BLE001  # anything may come of a caller's own code
        fault = type(error).__qualname__
    else:
        if fits:
            return found
        fault = "a match that is not in the text"
    raise ConfigurationError(
        f"shield: a detector failed, {type(detector).__qualname__}: {fault}. What it said is withheld, since it may "
        f"quote the text; its find(text) tells."
    )


def _fits(match: Match, size: int) -> bool:
    """Whether a match is of this text: one that is not comes of another way of counting, and so do all beside it."""
    reach = range(match.start, match.end)  # which takes no fractions
    return isinstance(match.type, str) and match.score >= 0 and (not reach or (reach[0] >= 0 and reach[-1] < size))


class Looking:
    """A detector that is asked so."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def find(self, text: str, /) -> Sequence[Match]:
        """What the other detector finds in `text`. Raises like `looked`."""
        return looked(self._detector, text)
