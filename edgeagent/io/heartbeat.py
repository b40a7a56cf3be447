"""Jobs that are repeated while something lasts: one daemon thread, started by the first, ended when there are none."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Heartbeat"]

logger = logging.getLogger("edgeagent")

IDLE_SECONDS: Final = 60.0
"""After so long without a job the thread ends; the next job starts another."""


class _Beat:
    """One job. `every` is in seconds, `due` the clock's time."""

    __slots__ = ("due", "every", "job")

    def __init__(self, job: Callable[[], bool], every: float, due: float) -> None:
        self.job = job
        self.every = every
        self.due = due


class Heartbeat:
    """Repeats jobs. Thread-safe.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.after_fork()

    def after_fork(self) -> None:
        """In the child: the jobs are the parent's."""
        self._changed = threading.Condition()  # on an RLock: the collector of garbage may come back in it
        self._beats: list[_Beat] = []
        self._running = False
        self._closed = False

    def repeat(self, job: Callable[[], bool], every: float) -> Callable[[], None]:
        """Call `job` every so many seconds until it returns False or what is returned is called. Never blocks."""
        beat = _Beat(job, every, self._clock() + every)
        with self._changed:
            self._beats.append(beat)
            if not self._running:
                self._begin()
            else:
                self._changed.notify()  # it may be due before what the thread waits for
        return lambda: self._stop(beat)

    def close(self) -> None:
        """End the thread and forget the jobs. Idempotent; the next job starts another."""
        with self._changed:
            self._beats.clear()
            self._closed = True
            self._changed.notify()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, name="edgeagent-heartbeat", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending and starts no thread: what lasts will not last long
            return
        self._running = True
        self._closed = False

    def _stop(self, beat: _Beat) -> None:
        with self._changed:
            if beat in self._beats:
                self._beats.remove(beat)

    def _run(self) -> None:
        while (beat := self._next()) is not None:
            try:
                goes_on = beat.job()
            except Exception:
                logger.exception("a repeated job failed")
                goes_on = False
            with self._changed:
                beat.due = self._clock() + beat.every
                if not goes_on:
                    self._stop(beat)
            del beat

    def _next(self) -> _Beat | None:
        """The beat that is due, once it is; None when the thread ends."""
        with self._changed:
            while True:
                if not self._beats:
                    if self._closed or not self._changed.wait_for(lambda: self._beats or self._closed, IDLE_SECONDS):
                        self._running = False
                        return None
                    continue
                first = min(self._beats, key=lambda beat: beat.due)
                left = first.due - self._clock()
                if left <= 0:
                    return first
                self._changed.wait(left)
