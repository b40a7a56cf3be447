"""The detector: a text and where it came from → how much it looks like an attack, and why."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Final, Literal, Protocol, TypeAlias, get_args

from edgeagent._version import __version__
from edgeagent.errors import ConfigurationError
from edgeagent.shield.injection.model import shipped_model
from edgeagent.shield.injection.prepare import LIMIT, look

__all__ = ["CHANNELS", "Assessment", "Channel", "InjectionDetector", "InjectionScorer"]

Channel: TypeAlias = Literal["user", "document", "tool_output"]
"""Where a text came from: a user's turn, material to work on, the result of a tool."""

CHANNELS: Final[tuple[str, ...]] = get_args(Channel)

_STEEP: Final = 30.0


@dataclass(frozen=True, slots=True)
class Assessment:
    """How much a text looks like an attack, 0 to 1, and the names of the signs in it, weightiest first."""

    score: float
    reasons: tuple[str, ...] = ()


class InjectionScorer(Protocol):
    """What scores texts: `InjectionDetector`, or a classifier of your own, or a vendor's moderation behind a function.

    It may have `assess(text, channel)` too, which returns an `Assessment` with reasons. It is called by several threads
    at once. What it may change its mind by (a model's version) belongs in an attribute `fingerprint`, a text. One with
    an attribute `repeatable` that is True always gives the same text the same score: a guard asks it about a text once.
    """

    @property
    def threshold(self) -> float:
        """The score from which on a text counts as an attack."""
        ...

    def score(self, text: str, /, channel: str = "user") -> float:
        """0 to 1."""
        ...


class InjectionDetector:
    """Looks for prompt injection and jailbreaks: named signs and a small linear model, in-process, without I/O.

    The first text loads the model (some tens of milliseconds); what it costs afterwards is linear in the text, up to
    `limit`. Detectors hold no state of their own and may be shared by any number of threads.

    Args:
        limit: characters of a text that are looked at. Of a longer one: the first third of these, the last third, and
            six parts spread over what lies between.

    Raises:
        ConfigurationError: `limit` is not at least 1024.
    """

    repeatable: Final = True
    threshold: Final = 0.5
    """The operating point: from this score on a text counts as an attack."""

    def __init__(self, *, limit: int = LIMIT) -> None:
        if not isinstance(limit, int) or limit < 1024:
            raise ConfigurationError(
                f"InjectionDetector(limit=…) is a number of characters from 1024 on, not {limit!r}."
            )
        self._limit = limit

    @property
    def fingerprint(self) -> str:
        """Says which scores these are: the version of the package's model and the limit."""
        return f"edgeagent {__version__} limit={self._limit}"

    def __repr__(self) -> str:
        return f"InjectionDetector(limit={self._limit})"

    def score(self, text: str, /, channel: str = "user") -> float:
        """How much `text` looks like an attack, 0 to 1, when it comes from `channel`.

        The same words count more in a `"document"` or `"tool_output"` than from a `"user"`, who may ask for things.
        The score orders texts; it is no probability. A long text has the score of its worst part.

        Raises:
            ConfigurationError: there is no such channel.
        """
        outside = _outside(channel)
        model = shipped_model()
        return _squeezed(max(model.logit(seen, outside=outside) for seen in look(text, model.known, self._limit)))

    def assess(self, text: str, /, channel: str = "user") -> Assessment:
        """The score, and the names of the signs behind it; see `score`. No part of the text is in it."""
        outside = _outside(channel)
        model = shipped_model()
        windows = list(look(text, model.known, self._limit))
        logits = [model.logit(seen, outside=outside) for seen in windows]
        worst = windows[logits.index(max(logits))]
        return Assessment(_squeezed(max(logits)), model.reasons(worst, outside=outside))


def _outside(channel: str) -> bool:
    if channel not in CHANNELS:
        raise ConfigurationError(f"There is no channel {channel!r}; there are: {', '.join(CHANNELS)}.")
    return channel != "user"


def _squeezed(logit: float) -> float:
    return 1 / (1 + exp(-max(-_STEEP, min(_STEEP, logit))))
