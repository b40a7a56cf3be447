"""Work off the caller's path: one daemon thread, started by the first job, flushed at the interpreter's exit.

The queue is bounded: when it is full the oldest job is dropped and counted, since a caller is never made to wait and
the newest answer is the likeliest to be asked for again. A job that has a `dropped` method is told.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Writer"]

logger = logging.getLogger("edgeagent")

Job = Callable[[], None]

EXIT_SECONDS: Final = 5.0
"""How long the interpreter's exit waits for what is pending."""

REST_SECONDS: Final = 1.0
"""How long `close` waits for the thread, once there is nothing to do."""

IDLE_SECONDS = 60.0
"""After so long without a job the thread ends; the next job starts another."""


class _Queue:
    """What the thread and the writer share. The thread holds this, not the writer, so that the writer can be freed.

    Jobs are numbered as they come; `first` is the number of the oldest one that waits. While the thread lives, the
    interpreter's exit waits for it.
    """

    def __init__(self, size: int) -> None:
        self.jobs: deque[Job] = deque()
        self.size = size
        self.changed = threading.Condition()  # on an RLock: the collector of garbage may come back in it
        self.first = 0
        self.current: int | None = None
        self.thread: threading.Thread | None = None
        self.orphaned = False
        self.dropped = 0
        self.pid = os.getpid()
        self.exit_hook: Any = None

    def put(self, job: Job) -> None:
        oldest = None
        with self.changed:
            if len(self.jobs) >= self.size:
                oldest = self.jobs.popleft()
                self.first += 1
                self.dropped += 1
            self.jobs.append(job)
            if self.thread is None:
                self._start()
            self.changed.notify_all()
        told = getattr(oldest, "dropped", None)
        if told is not None:
            told()
        if not threading.main_thread().is_alive():  # the interpreter is ending, and may have waited already
            self.flush(EXIT_SECONDS)

    def _start(self) -> None:
        thread = threading.Thread(target=self.run, name="edgeagent-writer", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending and starts no thread
            while self.jobs:
                _run(self._take())
            return
        self.thread = thread
        atexit.register(self.at_exit)
        util = sys.modules.get("multiprocessing.util")  # whose children end without atexit
        self.exit_hook = util.Finalize(None, self.at_exit, exitpriority=0) if util is not None else None

    def _take(self) -> Job:
        self.first += 1
        return self.jobs.popleft()

    def run(self) -> None:
        while (job := self._next()) is not None:
            _run(job)
            del job

    def _next(self) -> Job | None:
        with self.changed:
            self.current = None
            self.changed.notify_all()
            if not self.jobs and not self.orphaned:
                self.changed.wait_for(lambda: self.jobs or self.orphaned, IDLE_SECONDS)
            if not self.jobs:
                self._end()
                return None
            self.current = self.first
            return self._take()

    def _end(self) -> None:
        self.thread = None
        atexit.unregister(self.at_exit)
        if self.exit_hook is not None:
            self.exit_hook.cancel()

    def orphan(self) -> None:
        """The writer is gone: the thread ends once it has done what is pending."""
        with self.changed:
            self.orphaned = True
            self.changed.notify_all()

    def rest(self, timeout: float) -> None:
        """End the thread once it has done what is pending; the next job starts another."""
        thread = self.thread
        self.orphan()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        with self.changed:
            self.orphaned = False

    def at_exit(self) -> None:
        """Wait for what is pending. The parent's jobs are the parent's."""
        if self.pid == os.getpid() and not self.flush(EXIT_SECONDS):
            logger.warning("background writes were lost at exit")

    def flush(self, timeout: float | None) -> bool:
        """Wait until everything submitted so far is done."""
        if threading.current_thread() is self.thread:  # a job cannot wait for itself
            return not self.jobs
        limit = None if timeout is None else time.monotonic() + timeout
        with self.changed:
            last = self.first + len(self.jobs)
            while (self.first if self.current is None else self.current) < last:
                left = None if limit is None else limit - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self.changed.wait(left)
        return True


def _run(job: Job) -> None:
    try:
        job()
    except BaseException:  # there is nobody else to tell; the thread must go on
        logger.exception("a background write failed")


class Writer:
    """Runs jobs in the background.

    Args:
        size: how many may be pending.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._begin()

    def _begin(self) -> None:
        self._queue = _Queue(self._size)
        self._finalizer = weakref.finalize(self, self._queue.orphan)
        self._finalizer.atexit = False  # the queue itself sees to the exit

    def submit(self, job: Job) -> None:
        """Have it run soon. Never blocks, never raises."""
        self._queue.put(job)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything submitted so far is done; False if `timeout` seconds were not enough."""
        return self._queue.flush(timeout)

    def close(self, timeout: float) -> bool:
        """Flush, and end the thread; the next job starts another. False if `timeout` seconds were not enough."""
        done = self._queue.flush(timeout)
        self._queue.rest(REST_SECONDS)
        return done

    @property
    def dropped(self) -> int:
        """How many jobs were thrown away because the queue was full."""
        return self._queue.dropped

    def after_fork(self) -> None:
        """In the child: a new queue. What is pending belongs to the parent."""
        self._finalizer.detach()
        self._begin()
