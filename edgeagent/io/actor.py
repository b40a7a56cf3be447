"""One task on the bridge's loop, called by threads."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sys
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from edgeagent.errors import APIConnectionError, ConfigurationError
from edgeagent.io.limits import Late, too_late

if TYPE_CHECKING:
    from edgeagent.io.bridge import Bridge

__all__ = ["Actor"]

T = TypeVar("T")

FINISH_SECONDS: Final = 5.0
"""How long a last call is waited for."""


class Actor:
    """One task on the bridge's loop. All that is called through it runs in that task, one after the other.

    So an async generator is begun, advanced and closed in one task and one context, as cancel scopes and context
    variables demand.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._loop = bridge.loop()
        self._context = _context()
        self._inbox: asyncio.Queue[_Job[Any] | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    def call(self, function: Callable[[], Awaitable[T]], deadline: float | None, late: Late = too_late) -> T:
        """Call and await it there, wait for it here.

        Raises:
            DeadlineExceededError: `deadline` passed (or what `late` makes); the call is cancelled and the actor has
                ended, or it was not begun.
            APIConnectionError: the bridge was closed, or the call was cancelled by its own doing.
        """
        if self._bridge.is_here():
            raise ConfigurationError(
                "An async provider called the blocking client that is waiting for it; use an AsyncEdgeClient there."
            )
        left = None if deadline is None else deadline - self._bridge.clock()
        if left is not None and left <= 0:  # not begun: it might be quicker than this thread is at looking
            raise late(True)
        job = self._posted(function)
        try:
            with self._bridge.lanes.waiting(job.cancelled):
                return job.result(left)
        except queue.Empty:
            self.cancel()
            raise late(True) from None
        except BaseException:
            self.cancel()
            raise

    def finish(self, function: Callable[[], Awaitable[object]]) -> None:
        """Call and await it, then end the task. Idempotent; what it raises is raised.

        It is waited for unless this is the loop's own thread: there the collector of garbage may have got hold of us.
        """
        try:
            if self._bridge.is_here():
                self._posted(function)
            else:
                with contextlib.suppress(APIConnectionError):  # it has ended, or ends too slowly
                    self.call(function, self._bridge.clock() + FINISH_SECONDS)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the task when it has done what was asked for."""
        self._bridge.post(self._loop, partial(self._inbox.put_nowait, None))

    def cancel(self) -> None:
        """End the task at once."""
        self._bridge.post(self._loop, self._cancel)

    def _posted(self, function: Callable[[], Awaitable[T]]) -> _Job[T]:
        job = _Job(function)
        if not self._bridge.post(self._loop, partial(self._accept, job)):
            job.cancelled()
        return job

    def _accept(self, job: _Job[Any]) -> None:
        if self._ended:
            job.cancelled()
            return
        self._inbox.put_nowait(job)
        if self._task is None:
            self._task = self._context.run(self._loop.create_task, self._serve())

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> None:
        try:
            while (job := await self._inbox.get()) is not None:
                await job.run()
        finally:
            self._ended = True
            while not self._inbox.empty():
                left = self._inbox.get_nowait()
                if left is not None:
                    left.cancelled()


def _context() -> Context:
    """The caller's, but for what says which event loop is running: the caller's may be trio's, here it is asyncio's."""
    context = copy_context()
    known = getattr(sys.modules.get("sniffio"), "current_async_library_cvar", None)
    if known is not None:
        context.run(known.set, None)
    return context


class _Job(Generic[T]):
    def __init__(self, function: Callable[[], Awaitable[T]]) -> None:
        self._function = function
        self._answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    async def run(self) -> None:
        try:
            self._answers.put((await self._function(), None))
        except asyncio.CancelledError:
            self.cancelled()
            raise
        except BaseException as error:  # raised again where it is waited for
            self._answers.put((None, error))

    def cancelled(self) -> None:
        self._answers.put((None, APIConnectionError(message="The provider's coroutine was cancelled.")))

    def result(self, seconds: float | None) -> T:
        value, error = self._answers.get(timeout=seconds)
        if error is not None:
            try:
                raise error
            finally:
                del error  # no cycle through this frame
        return value  # type: ignore[no-any-return]  # what the function returned
