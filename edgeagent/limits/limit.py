"""What a limit is: how many calls, how many tokens in which time, and how many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from edgeagent.errors import ConfigurationError
from edgeagent.limits.keys import By, Facts, Part, by_of, matches, tags_of

__all__ = ["PRIORITIES", "Limit", "priority_of"]

_UNITS: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}

PRIORITIES: Final = {"high": 0, "normal": 1, "low": 2}
"""Classes of calls that wait: while one of a class waits, none of a later class is let in."""


def priority_of(value: Any) -> int | None:
    """What a priority's name means, or None."""
    return PRIORITIES.get(value) if isinstance(value, str) else None


@dataclass(frozen=True)
class Limit:
    """How much may be asked.

    Within any stretch of the time `per`, wherever it begins, no more calls are let in than `requests` and no more
    tokens than `tokens` (a sliding window, counted exactly). Tokens are estimated when a call is let in (its input, and
    the output that it may have or is expected to have) and corrected when its answer has come.

    Args:
        requests: calls in that time. Every attempt is one.
        tokens: input and output tokens in that time.
        per: `"second"`, `"minute"`, `"hour"`, `"day"`, or seconds.
        concurrent: calls under way at once; a stream is until its end.
        learn: whether to slow down as the vendor's own headers say (`x-ratelimit-*`, `anthropic-ratelimit-*`), for each
            target apart, before it refuses.
        target: only targets of this pattern (`"openai/*"`).
        by: what is counted together; see `Budget`. `by="target"` gives each target a count of its own.
        tags: only calls that have all of these tags.
        wait: whether a call waits for its turn, in the order of arrival within its priority: as long as its deadline
            allows (True), not at all (False), or so many seconds.
        name: what messages call it; default: made of the rest.

    Raises:
        ConfigurationError: it limits nothing, or a value is not what it can be.
    """

    requests: int | None = None
    tokens: int | None = None
    per: Literal["second", "minute", "hour", "day"] | float = "minute"
    concurrent: int | None = None
    learn: bool = False
    target: str = "*"
    by: By = ()
    tags: Sequence[str] = ()
    wait: bool | float = True
    name: str = ""

    seconds: float = field(init=False, repr=False, compare=False)
    parts: tuple[Part, ...] = field(init=False, repr=False, compare=False)
    longest_wait: float | None = field(init=False, repr=False, compare=False)
    """In seconds; None: no other end than the call's deadline."""

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        for name in ("requests", "tokens", "concurrent"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigurationError(f"Limit: {name}={value!r} is not a number of at least 1.")
        if self.requests is None and self.tokens is None and self.concurrent is None and not self.learn:
            raise ConfigurationError("Limit: limits nothing; give requests=…, tokens=…, concurrent=… or learn=True.")
        set_(self, "seconds", _UNITS[self.per] if self.per in _UNITS else _positive(self.per, "per"))
        set_(self, "parts", by_of(self.by, "Limit"))
        set_(self, "tags", tags_of(self.tags, "Limit"))
        if self.wait is True:
            set_(self, "longest_wait", None)
        else:
            set_(self, "longest_wait", 0.0 if not self.wait else _positive(self.wait, "wait"))
        set_(self, "name", self.name or self._described())

    def covers(self, facts: Facts) -> bool:
        """Whether it is a limit of this call."""
        return matches(self.target, tuple(self.tags), facts)

    @property
    def counts(self) -> bool:
        """Whether it has numbers of its own."""
        return self.requests is not None or self.tokens is not None or self.concurrent is not None

    def _described(self) -> str:
        per = self.per if isinstance(self.per, str) else f"{self.per:g} s"
        about = [f"{value} {name}/{per}" for name in ("requests", "tokens") if (value := getattr(self, name))]
        about += [f"{self.concurrent} at once"] if self.concurrent else []
        about += ["learned"] if self.learn else []
        by = ",".join(part if isinstance(part, str) else getattr(part, "__qualname__", "by") for part in self.parts)
        about += [f"by {by}"] if by else []
        about += [] if self.target == "*" else [self.target]
        return ", ".join([*about, *self.tags])


def _positive(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigurationError(f"Limit: {name}={value!r} is not a positive number of seconds.")
    return float(value)
