"""A sliding window: what was let in during the last so many seconds, exactly, wherever that stretch begins.

Every entry is remembered for as long as it counts, so its amount can be corrected, and no stretch of that length ever
holds more than the limit. (A counter for each fixed minute lets in twice the limit around its end, and a bucket that
begins full as much within its first minute.)
"""

from __future__ import annotations

from collections import deque

__all__ = ["Entry", "Window"]


class Entry:
    """Something that was let in at `at` (the clock's seconds)."""

    __slots__ = ("amount", "at")

    def __init__(self, at: float, amount: int) -> None:
        self.at = at
        self.amount = amount


class Window:
    """At most `limit` within any `seconds`. Not thread-safe; entries must come in the order of time."""

    __slots__ = ("_entries", "limit", "seconds", "total")

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self.total = 0
        self._entries: deque[Entry] = deque()

    def wait(self, amount: int, now: float) -> float:
        """Seconds until `amount` fits, 0 if it does now. More than the limit fits when nothing else is there."""
        self._forget(now)
        excess = self.total + min(amount, self.limit) - self.limit
        if excess <= 0:
            return 0.0
        for entry in self._entries:
            excess -= entry.amount
            if excess <= 0:
                return entry.at + self.seconds - now
        return 0.0  # pragma: no cover  # the entries add up to the total

    def add(self, amount: int, now: float) -> Entry:
        """Let it in."""
        entry = Entry(now, amount)
        self._entries.append(entry)
        self.total += amount
        return entry

    def correct(self, entry: Entry, amount: int, now: float) -> None:
        """What was let in turned out to be so much. One that is forgotten by now stays so."""
        self._forget(now)
        if self._entries and entry.at >= self._entries[0].at:
            self.total += amount - entry.amount
            entry.amount = amount

    def idle(self, now: float) -> bool:
        """Whether nothing counts any more."""
        self._forget(now)
        return not self._entries

    def _forget(self, now: float) -> None:
        entries = self._entries
        while entries and entries[0].at + self.seconds <= now:
            self.total -= entries.popleft().amount
