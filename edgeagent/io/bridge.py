"""One event-loop thread for what is only async when the caller is sync.

Always the same loop, so that a provider's own connections live in one place. Started by the first use; a daemon, so
that it never keeps a program alive; stopped when the bridge is closed or freed.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from edgeagent.io.actor import Actor
from edgeagent.io.lanes import Lanes
from edgeagent.io.limits import gap_or_deadline
from edgeagent.io.loop_thread import LoopThread
from edgeagent.io.sources import IteratorSource
from edgeagent.io.unbegun import close_unbegun, is_unbegun
from edgeagent.wire.http import Headers

if TYPE_CHECKING:
    from edgeagent.io.async_iterators import AsyncIteratorSource

__all__ = ["Bridge", "BridgedSource"]

T = TypeVar("T")


class Bridge:
    """Runs what is awaitable for threads.

    Args:
        clock: monotonic seconds, those of the deadlines.
        lanes: of the threads that wait.
    """

    def __init__(self, clock: Callable[[], float], lanes: Lanes) -> None:
        self.clock = clock
        self.lanes = lanes
        self._lock = threading.RLock()  # the collector of garbage may come back in it
        self._running: LoopThread | None = None
        self._finalizer: weakref.finalize[[], Bridge] | None = None

    def run(self, awaitable: Awaitable[T], deadline: float | None) -> T:
        """Await it on the loop's thread, with the caller's context variables; block this one.

        Raises:
            DeadlineExceededError: `deadline` passed; the awaitable is cancelled.
        """
        actor = self._actor(awaitable)
        try:
            return actor.call(partial(_awaited, awaitable), deadline)
        finally:
            actor.stop()
            self._drop(awaitable)

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

        actor = self._actor(items)
        try:
            source = actor.call(opened, deadline)
        except BaseException:
            actor.stop()
            raise
        finally:
            self._drop(items)
        if isinstance(source, AsyncIteratorSource):
            return BridgedSource(actor, source, self.clock, gap)
        actor.stop()
        return IteratorSource(source, self.clock)

    def close(self) -> None:
        """Cancel what runs, stop the loop. Idempotent; usable again afterwards."""
        with self._lock:
            running, self._running = self._running, None
            if running is not None:
                running.stop()
        if running is not None:
            running.join()

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, running.

        Raises:
            APIConnectionError: the interpreter is ending, and starts no thread.
        """
        with self._lock:
            if self._running is None or self._running.loop.is_closed():  # an exit handler of ours has ended it
                self._running = LoopThread()
                if self._finalizer is not None:
                    self._finalizer.detach()
                self._finalizer = weakref.finalize(self, self._running.stop)
                self._finalizer.atexit = False  # the thread itself sees to the exit
            return self._running.loop

    def is_here(self) -> bool:
        """Whether this is the loop's thread."""
        running = self._running
        return running is not None and running.thread is threading.current_thread()

    def post(self, loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> bool:
        """Call it in `loop`, which is known to get to it; False if that loop is not ours any more."""
        with self._lock:  # so that nothing is posted behind the stop
            if self._running is None or self._running.loop is not loop:
                return False
            try:
                loop.call_soon_threadsafe(call)
            except RuntimeError:  # closed, by the interpreter's exit
                return False
            return True

    def _actor(self, awaitable: object) -> Actor:
        try:
            return Actor(self)
        except BaseException:
            close_unbegun(awaitable)
            raise

    def _drop(self, awaitable: object) -> None:
        """A coroutine that was not begun will not be any more; closed where it might be about to begin."""
        loop = self._running and self._running.loop
        if is_unbegun(awaitable) and not (loop and self.post(loop, partial(close_unbegun, awaitable))):
            close_unbegun(awaitable)


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
