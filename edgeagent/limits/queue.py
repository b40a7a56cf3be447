"""Who waits before a limit: by priority, then in the order of arrival. Only the first one asks."""

from __future__ import annotations

from bisect import insort
from threading import Lock

from edgeagent.signal import Signal

__all__ = ["Queue", "Waiter"]


class Waiter:
    """One who waits. `signal` ends when it should look again; whoever looks makes a new one before."""

    __slots__ = ("place", "signal")

    def __init__(self, place: tuple[int, int]) -> None:
        self.place = place
        self.signal = Signal()

    def __lt__(self, other: Waiter) -> bool:
        return self.place < other.place


class Queue:
    """The waiting room of one limit. Thread-safe."""

    __slots__ = ("_lock", "_number", "_waiters", "ready")

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiters: list[Waiter] = []
        self._number = 0
        self.ready = 0.0
        """When the first one expects its turn, by the clock; 0 if that is not known."""

    def __len__(self) -> int:
        return len(self._waiters)

    def enter(self, priority: int) -> Waiter:
        """Take a place behind those of the same and of earlier classes."""
        with self._lock:
            self._number += 1
            waiter = Waiter((priority, self._number))
            insort(self._waiters, waiter)
            return waiter

    def leads(self, waiter: Waiter) -> bool:
        """Whether it is the first one."""
        with self._lock:
            return bool(self._waiters) and self._waiters[0] is waiter

    def leave(self, waiter: Waiter) -> None:
        """Go away, with or without having had its turn; the next one looks. Idempotent."""
        with self._lock:
            if waiter not in self._waiters:
                return
            first = self._waiters[0] is waiter
            self._waiters.remove(waiter)
        if first:
            self.nudge()

    def nudge(self) -> None:
        """Something has become free: the first one looks again."""
        with self._lock:
            signal = self._waiters[0].signal if self._waiters else None
        if signal is not None:
            signal.end()
