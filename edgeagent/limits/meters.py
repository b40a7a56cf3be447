"""Where limits count. A meter is asked for a place; it gives one, or says when to ask again."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final, Protocol, runtime_checkable

from edgeagent.limits.limit import Limit
from edgeagent.limits.window import Entry, Window

__all__ = ["UNKNOWN", "MemoryMeters", "Meters"]

UNKNOWN: Final = float("inf")
"""A wait that only the end of a call ends."""

KEPT: Final = 4096
"""Beyond so many meters those that count nothing are forgotten: keys come from callers."""


@runtime_checkable
class Meters(Protocol):
    """A store of meters. Thread-safe. `blocking` says whether its methods do I/O."""

    blocking: bool

    def take(self, meter: str, limit: Limit, place: str, tokens: int, /) -> float:
        """Take a place in the named meter → 0, or take nothing → seconds until one may be free (`UNKNOWN`: not known).

        `place` is a name that is used once.
        """
        ...

    def give(self, meter: str, limit: Limit, place: str, tokens: int | None, /, *, undo: bool = False) -> None:
        """The call is over and used so many tokens (None: as many as estimated); `undo`: it was never made."""
        ...

    def close(self) -> None:
        """Give back connections; the next use opens them again."""
        ...


class _Meter:
    """One limit of one key."""

    __slots__ = ("places", "requests", "tokens", "under_way")

    def __init__(self, limit: Limit) -> None:
        self.requests = None if limit.requests is None else Window(limit.requests, limit.seconds)
        self.tokens = None if limit.tokens is None else Window(limit.tokens, limit.seconds)
        self.under_way = 0
        self.places: dict[str, tuple[Entry | None, Entry | None]] = {}

    def take(self, limit: Limit, place: str, tokens: int, now: float) -> float:
        if limit.concurrent is not None and self.under_way >= limit.concurrent:
            return UNKNOWN
        waits = [window.wait(amount, now) for window, amount in ((self.requests, 1), (self.tokens, tokens)) if window]
        wait = max(waits, default=0.0)
        if wait:
            return wait
        self.under_way += 1
        self.places[place] = (
            None if self.requests is None else self.requests.add(1, now),
            None if self.tokens is None else self.tokens.add(tokens, now),
        )
        return 0.0

    def give(self, place: str, tokens: int | None, now: float, *, undo: bool) -> None:
        entries = self.places.pop(place, None)
        if entries is None:
            return
        self.under_way -= 1
        requests, used = entries
        if undo and requests is not None and self.requests is not None:
            self.requests.correct(requests, 0, now)
        if used is not None and self.tokens is not None and (undo or tokens is not None):
            self.tokens.correct(used, 0 if undo else tokens or 0, now)

    def idle(self, now: float) -> bool:
        return not self.under_way and all(window.idle(now) for window in (self.requests, self.tokens) if window)


class MemoryMeters:
    """Meters of this process. Implements `Meters`.

    Args:
        clock: monotonic seconds.
    """

    blocking = False

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.after_fork()

    def take(self, meter: str, limit: Limit, place: str, tokens: int, /) -> float:
        """See `Meters`."""
        with self._lock:
            found = self._meters.get(meter)
            if found is None:
                if len(self._meters) >= KEPT:
                    self._sweep()
                found = self._meters[meter] = _Meter(limit)
            return found.take(limit, place, tokens, self._clock())

    def give(self, meter: str, limit: Limit, place: str, tokens: int | None, /, *, undo: bool = False) -> None:
        """See `Meters`."""
        with self._lock:
            found = self._meters.get(meter)
            if found is not None:
                found.give(place, tokens, self._clock(), undo=undo)

    def close(self) -> None:
        """Nothing to give back."""

    def after_fork(self) -> None:
        """In the child: the calls under way are the parent's, and it counts by itself."""
        self._lock = Lock()
        self._meters: dict[str, _Meter] = {}

    def _sweep(self) -> None:
        now = self._clock()
        for name in [name for name, meter in self._meters.items() if meter.idle(now)]:
            del self._meters[name]
