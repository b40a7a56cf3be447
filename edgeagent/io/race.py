"""The rules of `FirstOf`: which flow is begun when, and which has won. Without I/O; both drivers keep to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgeagent.effects import FirstOf
from edgeagent.io.faults import deadline_fault

__all__ = ["Race"]


class Race:
    """One `FirstOf` under way. A driver tells it one thing at a time.

    Args:
        effect: what was asked for.
        clock: monotonic seconds, those of the deadline.
    """

    def __init__(self, effect: FirstOf, clock: Callable[[], float]) -> None:
        self._effect = effect
        self._clock = clock
        self._begun = 0
        self._next_at = clock()
        self._errors: dict[int, Exception] = {}
        self._broken: BaseException | None = None
        self._value: Any = None
        self._over = False
        self.winner: int | None = None

    @property
    def open(self) -> bool:
        """Whether it is not decided yet."""
        return not self._over

    def next(self) -> int | None:
        """The number of the flow to begin now, if there is one. At the deadline the race is over."""
        now = self._clock()
        if self._effect.deadline is not None and now >= self._effect.deadline:
            self._end(deadline_fault(sent=self._begun > 0))
        if self._over or self._begun == len(self._effect.flows) or now < self._next_at:
            return None
        self._begun += 1
        self._next_at = now + self._effect.stagger
        return self._begun - 1

    def patience(self) -> float | None:
        """Seconds until `next` is to be asked again though no flow has ended; None: there is nothing to wait for."""
        times = [] if self._begun == len(self._effect.flows) else [self._next_at]
        if self._effect.deadline is not None:
            times.append(self._effect.deadline)
        return max(0.0, min(times) - self._clock()) if times else None

    def returned(self, number: int, value: Any) -> bool:
        """A flow returned; whether it has won."""
        if self._over:
            return False
        self.winner, self._value, self._over = number, value, True
        return True

    def raised(self, number: int, error: BaseException) -> None:
        """A flow raised."""
        if self._over:
            return
        if not isinstance(error, Exception):
            self._end(error)
            return
        self._errors[number] = error
        self._next_at = self._clock()
        self._over = len(self._errors) == len(self._effect.flows)

    def stop(self) -> None:
        """Nothing can win any more."""
        self._over = True

    def outcome(self) -> Any:
        """What the winner returned, or else what is to be raised."""
        if self.winner is not None:
            return self._value
        error = self._broken or self._errors[0]
        try:
            raise error
        finally:
            self._errors.clear()  # no cycle through this frame
            self._broken = None
            del error

    def _end(self, error: BaseException) -> None:
        if not self._over:
            self._broken, self._over = error, True
