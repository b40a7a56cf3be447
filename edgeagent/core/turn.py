"""Something that several wait for and that comes once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock

__all__ = ["Turn"]


class Turn:
    """Ends when something has come."""

    __slots__ = ("_callbacks", "_lock", "_over")

    def __init__(self) -> None:
        self._lock = Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._over = False

    def add_done_callback(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Have it called when something has come; at once if it has."""
        with self._lock:
            if not self._over:
                self._callbacks.append(callback)
                return partial(self._forget, callback)
        callback()
        return partial(self._forget, callback)

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    def end(self) -> None:
        """It has come."""
        with self._lock:
            self._over = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
