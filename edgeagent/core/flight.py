"""Single flight: identical requests under way share one provider call.

The first to arrive leads and makes the call; the others follow and wait. A flight ends in one of three ways: landed
(an entry that nobody changes, of which everyone makes an answer of his own), failed (everyone gets his own copy of the
error), or abandoned (the leader was cancelled or ended by its own deadline), upon which the followers try again and one
of them leads. The same happens to a follower that would have gone on where the leader gave up: with more time or more
attempts.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any

from edgeagent.signal import Signal

if TYPE_CHECKING:
    from edgeagent.core.call import CallOptions

__all__ = ["Flight", "Flights"]


class Flight(Signal):
    """One call under way. Its leader ends it exactly once; later endings do nothing."""

    __slots__ = ("_error", "_flights", "_key", "cleared", "entry", "found", "options", "renewals", "thread")

    def __init__(self, flights: Flights, key: Hashable) -> None:
        super().__init__()
        self._flights = flights
        self._key = key
        self._error: Exception | None = None
        self.thread = get_ident()
        self.entry: Any = None
        self.options: CallOptions | None = None
        """The leader's: how long and how often it tried."""
        self.cleared = 0
        """How often entries had been forgotten when the leader began: its answer is none for who came after more."""
        self.renewals = 0
        """How often answers had been stored in place of others: see `suits`."""
        self.found = False
        """Whether the leader found its answer somewhere, instead of asking for it."""

    def suits(self, cleared: int, renewals: int) -> bool:
        """Whether its answer is one for who began after so many clearings and renewals.

        What the leader found may have been replaced before. Who is told no finds what replaced it.
        """
        return cleared <= self.cleared and (not self.found or renewals <= self.renewals)

    def land(self, entry: object) -> None:
        """The call succeeded; `entry` is never None, and never changed."""
        self._end(entry, None)

    def fail(self, error: Exception) -> None:
        """The call failed for a reason that all share."""
        self._end(None, error)

    def abandon(self) -> None:
        """The leader is gone without a result."""
        self._end(None, None)

    def end(self) -> None:
        """See `Signal`: as `abandon`."""
        self.abandon()

    def error(self) -> Exception | None:
        """A fresh copy of the shared error: one exception object must not be raised by several callers at once."""
        if self._error is None:
            return None
        try:
            mine = copy.copy(self._error)
        except Exception:  # an exception class of the caller's that cannot be copied
            return self._error
        mine.__cause__ = self._error.__cause__
        return mine

    def _end(self, entry: object | None, error: Exception | None) -> None:
        with self._lock:
            if self.ended:
                return
            self.entry, self._error, self.ended = entry, error, True
            callbacks, self._callbacks = self._callbacks, []
        self._flights.remove(self._key, self)
        for callback in callbacks:
            callback()


class Flights:
    """All calls under way, by shared key."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flights: dict[Hashable, Flight] = {}

    def board(self, key: Hashable, *, blocking: bool = False) -> tuple[Flight | None, bool]:
        """The flight under `key`, and whether the caller leads it.

        None if the caller must fly alone: it would block the very thread that the leader needs to end the flight (a
        blocking call inside the leader's event loop, or inside its provider).
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return (None if blocking and flight.thread == get_ident() else flight), False
            flight = self._flights[key] = Flight(self, key)
            return flight, True

    def remove(self, key: Hashable, flight: Flight) -> None:
        """Forget an ended flight."""
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def has(self, key: Hashable, cleared: int) -> bool:
        """Whether somebody is flying under `key` whose answer is one for a call that began now."""
        flight = self._flights.get(key)
        return flight is not None and cleared <= flight.cleared

    def __len__(self) -> int:
        return len(self._flights)
