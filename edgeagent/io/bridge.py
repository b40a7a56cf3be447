"""One event-loop thread for what is only async when the caller is sync.

Always the same loop, so that a provider's own connections live in one place. Started by the first use; a daemon, so
that it never keeps a program alive; stopped when the bridge is closed or freed.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import threading
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from edgeagent.io.actor import Actor
from edgeagent.io.limits import gap_or_deadline
from edgeagent.io.sources import IteratorSource
from edgeagent.wire.http import Headers

if TYPE_CHECKING:
    from edgeagent.io.async_iterators import AsyncIteratorSource

__all__ = ["Bridge", "BridgedSource"]

T = TypeVar("T")

STOP_SECONDS: Final = 5.0
"""How long `close` waits for what runs to be cancelled."""

EXIT_SECONDS: Final = 1.0
"""How long the interpreter's exit waits for the same, for a client that nobody closed."""


class Bridge:
    """Runs what is awaitable for threads.

    Args:
        clock: monotonic seconds, those of the deadlines.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._lock = threading.RLock()  # the collector of garbage may come back in it
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, awaitable: Awaitable[T], deadline: float | None) -> T:
        """Await it on the loop's thread, with the caller's context variables; block this one.

        Raises:
            DeadlineExceededError: `deadline` passed; the awaitable is cancelled.
        """
        actor = Actor(self)
        try:
            return actor.call(partial(_awaited, awaitable), deadline)
        finally:
            actor.stop()
            if inspect.iscoroutine(awaitable) and inspect.getcoroutinestate(awaitable) == inspect.CORO_CREATED:
                awaitable.close()  # it will not be awaited any more

    def iterate(self, items: Any, gap: float | None, deadline: float | None) -> BridgedSource | IteratorSource:
        """What a provider's function returned, an async iterator or an awaitable of an iterator, as a source.

        Args:
            items: what it returned.
            gap: the longest wait for one item, in seconds.
            deadline: for the opening.
        """
        from edgeagent.io.async_iterators import AsyncIteratorSource

        async def opened() -> Any:
            found = await items if inspect.isawaitable(items) else items
            if not hasattr(found, "__aiter__"):
                return found
            return AsyncIteratorSource(found, asyncio.to_thread, self.clock, None)

        actor = Actor(self)
        try:
            source = actor.call(opened, deadline)
        except BaseException:
            actor.stop()
            raise
        if isinstance(source, AsyncIteratorSource):
            return BridgedSource(actor, source, self.clock, gap)
        actor.stop()
        return IteratorSource(source, self.clock)

    def close(self) -> None:
        """Cancel what runs, stop the loop. Idempotent; usable again afterwards."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
            if loop is not None:
                loop.call_soon_threadsafe(loop.stop)
        if thread is not None and thread is not threading.current_thread():
            thread.join(STOP_SECONDS)

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, running."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run, args=(self._loop,), name="edgeagent-event-loop", daemon=True
                )
                self._thread.start()
                weakref.finalize(self, _stop, self._loop, self._thread, os.getpid())
            return self._loop

    def is_here(self) -> bool:
        """Whether this is the loop's thread."""
        return self._thread is threading.current_thread()

    def post(self, loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> bool:
        """Call it in `loop`, which is known to get to it; False if that loop is not ours any more."""
        with self._lock:  # so that nothing is posted behind the stop
            if self._loop is not loop:
                return False
            loop.call_soon_threadsafe(call)
            return True


class BridgedSource:
    """An async source, read by a thread.

    Its limits are kept by that thread: a cancel scope around a step of a generator would come between the scopes that
    the generator itself keeps open from one step to the next.

    Args:
        actor: in whose task it lives.
        source: the source.
        clock: monotonic seconds.
        gap: the longest wait for one item, in seconds.
    """

    status_code = 200
    headers = Headers()

    def __init__(
        self, actor: Actor, source: AsyncIteratorSource, clock: Callable[[], float], gap: float | None
    ) -> None:
        self._actor: Actor | None = actor
        self._source = source
        self._clock = clock
        self._gap = gap

    def read(self, deadline: float | None) -> Any:
        """The next item; None at the end."""
        if self._actor is None:
            return None
        try:
            limit, late = gap_or_deadline(self._gap, deadline, self._clock)
            item = self._actor.call(partial(self._source.read, None), limit, late)
        except BaseException:
            self.close()
            raise
        if item is None:
            self.close()
        return item

    def close(self) -> None:
        """Close the iterator where it lives. Idempotent."""
        actor, self._actor = self._actor, None
        if actor is not None:
            actor.finish(self._source.aclose)


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread, pid: int) -> None:
    if pid != os.getpid():
        return
    with contextlib.suppress(RuntimeError):  # closed already
        loop.call_soon_threadsafe(loop.stop)
    if (
        not threading.main_thread().is_alive()
    ):  # the interpreter is ending: what the loop's tasks hold must not outlive it
        thread.join(EXIT_SECONDS)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(_wind_up(loop))
    finally:
        loop.close()


async def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
