"""What was forgotten lately, so that calls which were under way do not bring it back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import RLock
from typing import Final, Protocol

__all__ = ["Clearings", "Takes"]

REMEMBERED: Final = 1024
"""How many are told apart. A call that has outlived more of them keeps nothing."""


class Takes(Protocol):
    """Which entries were forgotten."""

    def takes(self, key: bytes, data: bytes, now: float) -> bool:
        """Whether the entry under `key` was one of them."""


class Clearings:
    """What one client's entries were cleared of. Thread-safe."""

    def __init__(self) -> None:
        self.count = 0
        """How often. A call notes it when it begins."""
        self.renewals = 0
        """How often a call that does not take what is stored has stored an answer. A call notes this, too."""
        self._last: deque[Takes] = deque(maxlen=REMEMBERED)
        self._lock = RLock()  # what is stored may be a tier's of the caller's own, and forget something itself

    def add(self, forgotten: Takes) -> None:
        """From here on, what was asked for before is not kept if it is one of these."""
        with self._lock:
            self._last.append(forgotten)
            self.count += 1

    def forgot(self, since: int, keys: tuple[bytes, ...], data: bytes, now: float) -> bool:
        """Whether an entry with one of these keys has been forgotten since `count` was `since`."""
        if self.count == since:
            return False
        with self._lock:
            later = self.count - since
            if later > len(self._last):
                return True
            recent = list(self._last)[-later:]
        return any(one.takes(key, data, now) for one in recent for key in keys)

    def keep(
        self,
        since: int,
        keys: tuple[bytes, ...],
        data: bytes,
        now: float,
        store: Callable[[], object],
        *,
        renews: bool = False,
    ) -> bool:
        """Store an entry unless it has been forgotten since → whether it was stored.

        Nothing is forgotten between the look and the end of `store`: what is forgotten after it finds the entry there.
        One that `renews` may have another answer before it.
        """
        with self._lock:
            stored = self.count == since or not self.forgot(since, keys, data, now)
            if stored:
                store()
                self.renewals += renews
        return stored

    def after_fork(self) -> None:
        """In the child: no lock is held by a thread that does not exist here."""
        self._lock = RLock()
