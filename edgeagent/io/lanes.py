"""Threads whose waiting can be ended by another thread.

A flow of a blocking `FirstOf` runs in a thread, its lane. What that thread waits for says how it is woken; once the
lane has ended, whatever it would wait for next raises `LaneEnded` instead. Other threads have no lane, and pay for one
look.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

__all__ = ["Lane", "LaneEnded", "Lanes"]


class LaneEnded(BaseException):
    """Another flow has won, or the call has ended. Not an `Exception`, so that no flow goes on after it."""


class Lane:
    """What one thread waits for."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # the collector of garbage may come back in it
        self._wakers: list[Callable[[], object]] = []
        self._stuck = 0
        self.ended = False

    @property
    def stuck(self) -> bool:
        """Whether it is in something that nobody can end."""
        with self._lock:
            return self._stuck > 0 and not self._wakers

    def end(self) -> None:
        """Wake it. Idempotent."""
        with self._lock:
            self.ended = True
            for wake in self._wakers:  # with the lock: none is called that is not waited for any more
                wake()

    @contextlib.contextmanager
    def waiting(self, wake: Callable[[], object]) -> Iterator[None]:
        """What is done in this context ends soon after `wake` was called, from whichever thread."""
        with self._lock:
            self._check()
            self._wakers.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers.pop()

    @contextlib.contextmanager
    def in_foreign_code(self) -> Iterator[None]:
        """What is done in this context cannot be ended."""
        with self._lock:
            self._check()
            self._stuck += 1
        try:
            yield
        finally:
            with self._lock:
                self._stuck -= 1

    def _check(self) -> None:
        if self.ended:
            raise LaneEnded


class Lanes(threading.local):
    """The lane of the running thread, if it has one."""

    current: Lane | None = None

    def waiting(self, wake: Callable[[], object]) -> AbstractContextManager[None]:
        """See `Lane.waiting`."""
        return contextlib.nullcontext() if self.current is None else self.current.waiting(wake)

    def in_foreign_code(self) -> AbstractContextManager[None]:
        """See `Lane.in_foreign_code`."""
        return contextlib.nullcontext() if self.current is None else self.current.in_foreign_code()
