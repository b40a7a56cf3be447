"""Something taken from a store for one attempt, given back exactly once, however the attempt ends.

A store that blocks is asked in another thread. Its caller may be cancelled meanwhile, and then the answer comes after
the end: what was taken so late is given back at once.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, Literal, NamedTuple, TypeVar

__all__ = ["UNKNOWN_END", "UNSENT", "Claim", "Outcome"]

T = TypeVar("T")


class Outcome(NamedTuple):
    """How an attempt ended, for whoever counts it.

    `unsent`: nothing left this machine. `known`: `usd` (picodollars) and `tokens` are what it used, each None if that
    part is not known. `unknown`: it was sent, and nobody knows what it used: the estimate stands.
    """

    kind: Literal["unsent", "known", "unknown"]
    usd: int | None = None
    tokens: int | None = None


UNSENT = Outcome("unsent")
UNKNOWN_END = Outcome("unknown")


class Claim(Generic[T]):
    """One thing that may be taken.

    Args:
        take: asks the store.
        took: whether what it said means that something was taken.
        give: gives it back; never blocks.
    """

    __slots__ = ("_give", "_held", "_lock", "_over", "_take", "_took")

    def __init__(self, take: Callable[[], T], took: Callable[[T], bool], give: Callable[[Outcome], None]) -> None:
        self._take = take
        self._took = took
        self._give = give
        self._lock = Lock()
        self._held = False
        self._over = False

    def acquire(self) -> T:
        """Ask the store → what it says. May be called again after it took nothing."""
        said = self._take()
        if self._took(said):
            with self._lock:
                late = self._over
                self._held = not late
            if late:
                self._give(UNSENT)
        return said

    def end(self, outcome: Outcome) -> None:
        """Give it back, if it was taken. Idempotent; thread-safe."""
        with self._lock:
            held, self._held, self._over = self._held, False, True
        if held:
            self._give(outcome)
