"""Calls that block and may have to be given up: run in daemon threads, waited for no longer than allowed.

What blocks inside somebody else's code (a name lookup, a client of the caller's own) cannot be interrupted. So that a
deadline holds all the same, the call runs in a thread of ours; at its limit the caller goes on without it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, Generic, TypeVar

from edgeagent.io.lanes import Lanes

__all__ = ["Threads"]

T = TypeVar("T")

IDLE_SECONDS = 10.0
"""How long a thread without work is kept."""


class Threads:
    """Threads that are started when needed and used again.

    Args:
        lanes: of the threads that call: one that ends gives up its call.
    """

    def __init__(self, lanes: Lanes | None = None) -> None:
        self.lanes = lanes or Lanes()
        self._idle: deque[queue.SimpleQueue[Callable[[], object] | None]] = deque()
        self._closed = False

    def close(self) -> None:
        """End the threads: those without work at once, the others after it. Idempotent."""
        self._closed = True
        while self._idle:
            with contextlib.suppress(IndexError):  # taken by a call
                self._idle.pop().put(None)

    def call(self, call: Callable[[], T], seconds: float | None, late: Callable[[T], object] | None = None) -> T:
        """Call it with the caller's context variables, wait at most so long.

        Args:
            call: what to run.
            seconds: the longest wait; None: no limit.
            late: told the result that came after it was given up.

        Raises:
            TimeoutError: it was given up.
        """
        job = _Job(call, late)
        try:
            self._post(job.run)
        except RuntimeError:  # the interpreter is ending and starts no thread: better here than not at all
            return call()
        return job.result(seconds, self.lanes)

    def start(self, call: Callable[[], object]) -> None:
        """Call it with the caller's context variables, do not wait; what it raises is nobody's.

        Raises:
            RuntimeError: the interpreter is ending, and starts no thread.
        """
        self._post(partial(copy_context().run, call))

    def _post(self, job: Callable[[], object]) -> None:
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = queue.SimpleQueue()
            threading.Thread(target=self._work, args=(inbox,), name="edgeagent-call", daemon=True).start()
        inbox.put(job)

    def _work(self, inbox: queue.SimpleQueue[Callable[[], object] | None]) -> None:
        while True:
            try:
                job = inbox.get(timeout=0 if self._closed else IDLE_SECONDS)
            except queue.Empty:
                try:
                    self._idle.remove(inbox)
                except ValueError:  # just taken: a job is on its way
                    continue
                return
            if job is None:
                return
            with contextlib.suppress(BaseException):  # of a call that nobody waits for
                job()
            del job
            self._idle.append(inbox)


class _Job(Generic[T]):
    def __init__(self, call: Callable[[], T], late: Callable[[T], object] | None) -> None:
        self._call: Callable[[], T] | None = call
        self._late = late
        self._context = copy_context()
        self._lock = threading.Lock()
        self._ended = False
        self._changed = threading.Event()
        self._given_up = False
        self._value: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        assert self._call is not None
        try:
            self._value = self._context.run(self._call)
        except BaseException as error:  # raised again where it is waited for
            self._error = error
        self._call = None
        with self._lock:
            self._ended = True
            late = self._late if self._given_up and self._error is None else None
        self._changed.set()
        if late is not None:
            self._context.run(late, self._value)

    def result(self, seconds: float | None, lanes: Lanes) -> T:
        try:
            with lanes.waiting(self._changed.set):
                self._changed.wait(seconds)
        except BaseException:  # nobody will take it
            if self._give_up() and self._error is None and self._late is not None:
                self._late(self._value)
            raise
        self._give_up()
        if self._given_up:
            raise TimeoutError
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # no cycle through this frame
        value: T = self._value
        return value

    def _give_up(self) -> bool:
        """Unless it has ended; whether it has."""
        with self._lock:
            self._given_up = not self._ended
            return self._ended
