"""How many attempts of the last seconds succeeded and failed."""

from __future__ import annotations

from typing import Final

__all__ = ["Window"]

SLOTS: Final = 10


class Window:
    """A sliding window of `seconds`, in ten slots: counts are forgotten a slot at a time. Not thread-safe."""

    __slots__ = ("_failed", "_slot", "_succeeded", "_width")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / SLOTS
        self._slot = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._succeeded = [0] * SLOTS
        self._failed = [0] * SLOTS

    def add(self, *, ok: bool, now: float) -> None:
        """Count one attempt."""
        if int(now / self._width) != self._slot:
            self._advance(now)
        counts = self._succeeded if ok else self._failed
        counts[self._slot % SLOTS] += 1

    def counts(self, now: float) -> tuple[int, int]:
        """How many there were, and how many of them failed."""
        self._advance(now)
        failed = sum(self._failed)
        return failed + sum(self._succeeded), failed

    def _advance(self, now: float) -> None:
        slot = int(now / self._width)
        for passed in range(max(self._slot + 1, slot - SLOTS + 1), slot + 1):
            self._succeeded[passed % SLOTS] = self._failed[passed % SLOTS] = 0
        self._slot = max(self._slot, slot)
