"""The running event loop, asyncio's or trio's, as seen from other threads and at its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager
from contextvars import Context
from types import AsyncGeneratorType
from typing import Any, cast

from edgeagent.io.unbegun import close_unbegun

__all__ = ["Loop", "at_end", "current_loop"]

AsyncJob = Callable[[], Awaitable[object]]


def current_loop() -> Any:
    """What stands for the running event loop: asyncio's loop, or trio's token. Can be held weakly."""
    trio = getattr(sys.modules.get("trio"), "lowlevel", None)  # another thread may be in the middle of importing it
    if trio is not None and trio.in_trio_task():
        return trio.current_trio_token()
    return asyncio.get_running_loop()


class Loop:
    """The running event loop. Its methods may be called from any thread, and from the garbage collector."""

    def __init__(self) -> None:
        self._loop = current_loop()
        self._pid = os.getpid()
        self._tasks: set[Any] = set()

    @property
    def loop(self) -> Any:
        """The loop itself, or trio's token."""
        return self._loop

    def within(self, seconds: float | None) -> AbstractContextManager[object]:
        """See `Place`. To be entered in the loop."""
        import anyio

        return anyio.fail_after(seconds)

    def at_end(self, job: AsyncJob) -> AsyncGeneratorType[None, None]:
        """See `at_end`. To be called in the loop."""
        return at_end(job)

    def soon(self, call: Callable[[], object]) -> None:
        """Call it in the loop; nothing happens if the loop has ended, or belongs to the parent of this process."""
        if self._pid != os.getpid():
            return
        with contextlib.suppress(RuntimeError):  # it has ended (trio's own error is one, too)
            if hasattr(self._loop, "call_soon_threadsafe"):
                # Not in this thread's context: if this is a task of trio, it says that the loop there is trio's.
                self._loop.call_soon_threadsafe(call, context=Context())
            else:
                self._loop.run_sync_soon(call)

    def spawn(self, job: AsyncJob) -> None:
        """Run it in a task of its own; its exceptions are nobody's. Given up in silence if the loop ends before it."""
        self.soon(lambda: self._start(job))

    def _start(self, job: AsyncJob) -> None:
        async def run() -> None:
            with contextlib.suppress(Exception):
                await job()

        if hasattr(self._loop, "create_task"):
            begun = run()
            task = self._loop.create_task(begun)
            with contextlib.suppress(AttributeError):  # a task factory's own kind of task
                task._log_destroy_pending = False  # asyncio's own way of saying that nobody minds
            weakref.finalize(task, close_unbegun, begun).atexit = False
            self._tasks.add(task)  # asyncio holds its tasks weakly
            task.add_done_callback(self._tasks.discard)
        else:
            with contextlib.suppress(RuntimeError):  # it is about to end
                sys.modules["trio"].lowlevel.spawn_system_task(run)


def at_end(job: AsyncJob) -> AsyncGeneratorType[None, None]:
    """Have it run when the running loop ends, or when `aclose` of what is returned is called; keep what is returned.

    Loops tell nobody of their end but the asynchronous generators that were begun in them.
    """
    guard = _guard(job)
    with contextlib.suppress(StopIteration):
        guard.__anext__().send(None)
    return cast("AsyncGeneratorType[None, None]", guard)


async def _guard(job: AsyncJob) -> AsyncGenerator[None, None]:
    import anyio

    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await job()
