"""Keeps forks out of code whose locks a child could never take: SQLite's.

SQLite guards its memory and its open files with locks of the whole process. A child that is forked while another thread
holds one inherits it locked, and waits for ever in its own first use of SQLite.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Final

__all__ = ["ForkGate"]

FORK_SECONDS: Final = 2.0
"""How long a fork waits for the threads inside; then it goes on, at the child's risk."""


class ForkGate:
    """`with gate:` around the code; a fork waits until nobody is inside, and nobody enters during one."""

    def __init__(self) -> None:
        self._reset()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # there is none on Windows, nor any fork
            gate = weakref.ref(self)
            os.register_at_fork(
                before=_calls(gate, ForkGate._hold),
                after_in_parent=_calls(gate, ForkGate._let_go),
                after_in_child=_calls(gate, ForkGate._reset),
            )

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._inside = 0
        self._forking = 0

    def __enter__(self) -> None:
        with self._lock:  # the lock itself, since this is on the path of each look-up
            while self._forking:
                self._changed.wait()
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._forking:
                self._changed.notify_all()

    def _hold(self) -> None:
        with self._changed:
            self._forking += 1
            self._changed.wait_for(lambda: not self._inside, FORK_SECONDS)

    def _let_go(self) -> None:
        with self._changed:
            self._forking -= 1
            self._changed.notify_all()


def _calls(gate: weakref.ref[ForkGate], method: Callable[[ForkGate], None]) -> Callable[[], None]:
    """A hook that holds no gate alive."""

    def hook() -> None:
        found = gate()
        if found is not None:
            method(found)

    return hook
