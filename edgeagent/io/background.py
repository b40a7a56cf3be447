"""Flows that nobody waits for: a few at a time, in threads of the client's, given up when it closes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from edgeagent.effects import Flow, Scope
from edgeagent.io.lanes import Lane, LaneEnded, Lanes

if TYPE_CHECKING:
    from edgeagent.io.sync_driver import SyncDriver
    from edgeagent.io.threads import Threads

__all__ = ["Background"]

AT_ONCE: Final = 8
"""How many run at the same time."""

WAITING: Final = 256
"""How many may wait for their turn; more are refused."""

END_SECONDS: Final = 1.0
"""How long `close` waits for those that run, once they were woken."""


class _Job(NamedTuple):
    flow: Callable[[Scope], Flow[Any]]
    ended: Callable[[BaseException | None], None]
    context: Context


class Background:
    """Runs flows by the driver that blocks.

    Args:
        driver: runs them.
        threads: where.
        lanes: of those threads.
    """

    def __init__(self, driver: SyncDriver, threads: Callable[[], Threads], lanes: Lanes) -> None:
        self._driver = driver
        self._threads = threads
        self._lanes = lanes
        self.after_fork()

    def after_fork(self) -> None:
        """In the child: the flows are the parent's."""
        self._changed = threading.Condition()  # on an RLock: the collector of garbage may come back in it
        self._waiting: deque[_Job] = deque()
        self._running: set[Lane] = set()

    def start(self, flow: Callable[[Scope], Flow[Any]], ended: Callable[[BaseException | None], None]) -> bool:
        """Run it soon, with the caller's context variables; False if there are too many. Never blocks, never raises.

        Args:
            flow: made where it runs.
            ended: told what it raised, None if nothing; once, from any thread.
        """
        lane, job = Lane(), _Job(flow, ended, copy_context())
        with self._changed:
            if len(self._running) >= AT_ONCE:
                if len(self._waiting) >= WAITING:
                    return False
                self._waiting.append(job)
                return True
            self._running.add(lane)
        try:
            self._threads().start(lambda: self._work(job, lane))
        except RuntimeError:  # the interpreter is ending, and starts no thread
            self._leave(lane)
            return False
        return True

    def close(self) -> None:
        """Drop what waits and end what runs. Idempotent; usable again afterwards."""
        with self._changed:
            waiting, running = list(self._waiting), list(self._running)
            self._waiting.clear()
        for job in waiting:
            job.ended(LaneEnded())
        for lane in running:
            lane.end()
        with self._changed:
            self._changed.wait_for(lambda: self._running.isdisjoint(running), END_SECONDS)

    def _work(self, job: _Job, lane: Lane) -> None:
        self._lanes.current = lane
        try:
            following: _Job | None = job
            while following is not None:
                self._run(following)
                following = self._next(lane)
        finally:
            self._lanes.current = None
            self._leave(lane)

    def _next(self, lane: Lane) -> _Job | None:
        with self._changed:
            if self._waiting and not lane.ended:
                return self._waiting.popleft()
            self._leave(lane)  # with the lock: a job that comes now sees that this thread takes no more
            return None

    def _run(self, job: _Job) -> None:
        scope = Scope()
        error: BaseException | None = None
        try:
            job.context.run(self._driver.run, job.flow(scope), scope)
        except BaseException as raised:  # told, and nobody else's
            error = raised
        job.ended(error)

    def _leave(self, lane: Lane) -> None:
        with self._changed:
            self._running.discard(lane)
            self._changed.notify_all()
