"""Something to wait for that happens once: whoever waits, in a thread or in an event loop, is called back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock

__all__ = ["Signal"]


class Signal:
    """A `Waitable` (see `edgeagent.effects`). Thread-safe; nobody is called back under its lock."""

    __slots__ = ("_callbacks", "_lock", "ended")

    def __init__(self) -> None:
        self._lock = Lock()
        self._callbacks: list[Callable[[], None]] = []
        self.ended = False
        """Whether it has happened."""

    def add_done_callback(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Have `callback` called when it has happened, at once if it has; what is returned takes that back."""
        with self._lock:
            if not self.ended:
                self._callbacks.append(callback)
                return partial(self._forget, callback)
        callback()
        return _nothing

    def end(self) -> None:
        """It happens. Idempotent."""
        with self._lock:
            self.ended = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)


def _nothing() -> None:
    """Nothing to take back."""
