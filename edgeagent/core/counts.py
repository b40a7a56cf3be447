"""What a client counts of one of its tiers."""

from __future__ import annotations

from threading import Lock

__all__ = ["Counts"]


class Counts:
    """Counts of one tier. Thread-safe; `None` where nobody counts."""

    __slots__ = ("_lock", "dropped", "faults", "hits", "misses", "vain", "writes")

    def __init__(self, *, looks: bool) -> None:
        self._lock = Lock()
        self.hits: int | None = 0 if looks else None
        self.misses: int | None = 0 if looks else None
        self.writes = self.dropped = self.faults = 0
        self.vain = 0
        """What a tier that counts for itself gave and was no answer: a hit to the tier, a miss to the call."""

    def after_fork(self) -> None:
        """In the child: the lock may be held by a thread that is not here."""
        self._lock = Lock()

    def looked(self, *, hit: bool) -> None:
        """It was asked."""
        with self._lock:
            self.hits = (self.hits or 0) + hit
            self.misses = (self.misses or 0) + (not hit)

    def in_vain(self) -> None:
        """What the tier gave was too old for the call, or damaged."""
        with self._lock:
            self.vain += 1

    def wrote(self) -> None:
        """It has stored something."""
        with self._lock:
            self.writes += 1

    def dropped_write(self) -> None:
        """A write was thrown away before it was tried."""
        with self._lock:
            self.dropped += 1

    def failed(self) -> None:
        """It raised something."""
        with self._lock:
            self.faults += 1
