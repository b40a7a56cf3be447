"""Open streams over a provider's own iterator, for the driver that awaits.

An async iterator is advanced by whoever reads, in the reader's task. A sync one is advanced in worker threads, one step
at a time, all in one context, so that what a generator sets in one step it finds in the next.
"""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, Final

from edgeagent.io.limits import gap_or_deadline, until
from edgeagent.io.loops import Loop
from edgeagent.io.sources import END, closers
from edgeagent.wire.http import Headers

__all__ = ["AsyncIteratorSource", "InThread"]

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]

CLOSE_SECONDS: Final = 5.0
"""How long closing a provider's iterator is waited for, since nobody can cancel it."""


class AsyncIteratorSource:
    """A provider's own iterator, async or sync. An async one that is dropped unclosed is closed by its loop.

    Args:
        items: what the provider's function returned.
        in_thread: runs a blocking call in a worker thread.
        clock: monotonic seconds.
        gap: the longest wait for one item, in seconds.
    """

    status_code = 200
    headers = Headers()

    def __init__(self, items: Any, in_thread: InThread, clock: Callable[[], float], gap: float | None) -> None:
        self._clock = clock
        self._gap = gap
        self._steps: _AsyncSteps | _ThreadSteps | None = (
            _AsyncSteps(items) if hasattr(items, "__aiter__") else _ThreadSteps(items, in_thread)
        )
        self._loop = Loop()

    async def read(self, deadline: float | None) -> Any:
        """The next item; None at the end.

        Raises:
            APITimeoutError: nothing came for `gap` seconds.
            DeadlineExceededError: `deadline` passed.
        """
        item = None
        while item is None:
            if self._steps is None:
                return None
            limit, late = gap_or_deadline(self._gap, deadline, self._clock)
            try:
                item = await until(limit, self._clock, self._steps.step, late)
            except BaseException:
                await self.aclose()
                raise
        if item is END:
            await self.aclose()
            return None
        return item

    async def aclose(self) -> None:
        """Close the iterator, if it is one that can be closed. Idempotent."""
        import anyio

        steps, self._steps = self._steps, None
        if steps is not None:
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                await steps.aclose()

    def __del__(self) -> None:
        steps = getattr(self, "_steps", None)
        if isinstance(steps, _AsyncSteps):  # trio warns of a generator that is left to the collector of garbage
            with contextlib.suppress(Exception):  # at the interpreter's exit what is needed may be gone
                self._loop.spawn(steps.aclose)


class _AsyncSteps:
    def __init__(self, items: Any) -> None:
        self._items = items
        self._iterator = aiter(items)

    async def step(self) -> Any:
        return await anext(self._iterator, END)

    async def aclose(self) -> None:
        for close in closers(self._iterator, self._items, "aclose", "close"):
            closing = close()
            if inspect.isawaitable(closing):
                await closing


class _ThreadSteps:
    """A step that was given up goes on in its thread; closing then is left to that thread."""

    def __init__(self, items: Any, in_thread: InThread) -> None:
        self._items = items
        self._iterator = iter(items)
        self._in_thread = in_thread
        self._context = copy_context()
        self._busy = threading.Lock()
        self._ended = False
        self._closed = False

    async def step(self) -> Any:
        return await self._in_thread(self._step)

    def _step(self) -> Any:
        with self._busy:
            item = END if self._ended else self._context.run(next, self._iterator, END)
        if self._ended:
            self._close()
        return item

    async def aclose(self) -> None:
        self._ended = True
        await self._in_thread(self._close)

    def _close(self) -> None:
        if not self._busy.acquire(blocking=False):
            return
        try:
            closed, self._closed = self._closed, True
            for close in () if closed else closers(self._iterator, self._items, "close"):
                self._context.run(close)
        finally:
            self._busy.release()
