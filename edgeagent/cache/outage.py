"""What a tier knows of a server that is away, so that nobody waits for it twice.

    there ──a call fails──▶ away ──pause──▶ one probe, in a thread of its own ──it answers──▶ there
                             ▲                        │
                             └──twice the pause───────┘

While the server is away every call fails at once. No call is ever the probe: finding out costs the callers nothing.

A call that is given up before the server has answered says nothing for certain: it may have had little patience. So a
probe is made; else callers who never wait for as long as the tier would, would wait for a hanging server one by one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Away", "Outage"]

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 15.0
"""Seconds between two probes, doubled after each that fails."""


class Away(ConnectionError):  # noqa: N818  # a state, not a fault of its own
    """The server did not answer a moment ago, and is not asked again yet."""


class Outage:
    """Whether one server is away, as one process sees it. Thread-safe.

    Args:
        probe: asks the server for a sign of life and raises if there is none.
        clock: seconds, monotonic.
        start: runs the probe beside the caller.
    """

    def __init__(
        self,
        probe: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._probe = probe
        self._clock = clock
        self._start = start or _in_thread
        self._lock = threading.Lock()
        self._pause = FIRST_PAUSE
        self._next: float | None = None
        self._trusted_until = -math.inf
        self.away = False

    def check(self) -> None:
        """Raise `Away` while the server is away; when a probe is due, have it made."""
        if not self.away:
            return
        with self._lock:
            due = self._next is not None and self._clock() >= self._next
            if due:
                self._next = None  # under way
        if due:
            try:
                self._start(self._find_out)
            except RuntimeError:  # the interpreter is ending, and starts no thread
                self._later()
        raise Away("The server is away.")

    def begins(self) -> None:
        """A call failed for want of the server."""
        with self._lock:
            if not self.away:
                self._pause, self._next, self.away = FIRST_PAUSE, self._clock() + FIRST_PAUSE, True

    def doubts(self) -> None:
        """A call was given up before the server had answered: unless it was looked at just now, have that done."""
        with self._lock:
            if self.away or self._clock() < self._trusted_until:
                return
            self._trusted_until = math.inf  # until the probe that is made now has ended
        try:
            self._start(self._look)
        except RuntimeError:  # the interpreter is ending, and starts no thread
            self._trusted_until = -math.inf

    def _look(self) -> None:
        try:
            self._probe()
        except Exception:  # noqa: BLE001  # whatever it was, the server does not serve
            self.begins()
        finally:
            self._trusted_until = self._clock() + FIRST_PAUSE

    def _find_out(self) -> None:
        try:
            self._probe()
        except Exception:  # noqa: BLE001  # whatever it was, the server does not serve
            self._later()
        else:
            with self._lock:
                self.away, self._next = False, None

    def _later(self) -> None:
        with self._lock:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._next = self._clock() + self._pause


def _in_thread(job: Callable[[], None]) -> None:
    threading.Thread(target=job, name="edgeagent-probe", daemon=True).start()
