"""The driver that awaits: performs what a flow asks for in the caller's own task, on asyncio or trio."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from edgeagent.effects import (
    Close,
    Effect,
    FirstOf,
    Flow,
    Here,
    Invoke,
    Join,
    Offload,
    Open,
    OpenIterator,
    Read,
    Scope,
    Send,
    Sleep,
    Spawn,
)
from edgeagent.io.limits import forget, until
from edgeagent.io.loops import Loop, current_loop
from edgeagent.io.unbegun import Errand

if TYPE_CHECKING:
    from edgeagent.io.aside import Aside
    from edgeagent.io.async_engine import AsyncEngine

__all__ = ["AsyncDriver"]

T = TypeVar("T")

logger = logging.getLogger("edgeagent")


class AsyncDriver:
    """Runs flows on any number of event loops; decides nothing.

    An async function of a provider runs in the caller's task; a sync one in a worker thread, with the caller's context
    variables, and is left to itself when the caller is cancelled.

    Args:
        engine: the running loop's HTTP engine for a provider's client (None: the default one).
        in_thread: runs a blocking call in a worker thread.
        aside: runs the short ones.
        clock: monotonic seconds.
        sleep: how to wait.
    """

    def __init__(
        self,
        engine: Callable[[Any], AsyncEngine],
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
        aside: Callable[[], Aside],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] | None = None,
    ) -> None:
        self._engine = engine
        self._in_thread = in_thread
        self._aside = aside
        self._clock = clock
        self._sleep = sleep

    async def run(self, flow: Flow[T], scope: Scope) -> T:
        """Run a whole call; its scope is closed however it ends."""
        try:
            return await self.step(flow, scope)
        finally:
            await self.aclose(scope)

    async def step(self, flow: Flow[T], scope: Scope) -> T:
        """Run a flow to its end and leave the scope open: a stream goes on."""
        try:
            effect = flow.send(None)
            while True:
                try:
                    if scope.activate is None:
                        outcome = await self._perform(effect, scope)
                    else:
                        with scope.activate():
                            outcome = await self._perform(effect, scope)
                except BaseException as raised:  # thrown into the flow
                    error = raised
                else:
                    effect = flow.send(outcome)
                    continue
                try:  # outside of the clause above, so that what the flow raises later is not told as its consequence
                    effect = flow.throw(error)
                finally:
                    del error
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what the flow returned

    async def aclose(self, scope: Scope) -> None:
        """Close the sources that are left, then run the releases. Idempotent. A close that fails is logged."""
        try:
            while scope.sources:
                try:
                    await scope.sources.pop().aclose()
                except Exception:
                    logger.exception("closing a stream failed")
        finally:
            scope.release()

    async def _perform(self, effect: Effect, scope: Scope) -> Any:
        match effect:
            case Read():
                return await self._read(effect, scope)
            case Send():
                return await self._engine(effect.client).send(effect)
            case Open():
                return self._opened(await self._engine(effect.client).open(effect), scope)
            case Sleep():
                return await self._sleep_for(effect.seconds)
            case Offload():
                return await self._aside().run(effect.call, effect.bound, effect.awaited)
            case Invoke():
                return await until(effect.deadline, self._clock, partial(self._invoke, effect.call))
            case OpenIterator():
                return self._opened(await self._open_iterator(effect), scope)
            case Join():
                return await self._join(effect)
            case Close():
                return await self._close(effect, scope)
            case FirstOf():
                from edgeagent.io.async_race import first_of

                return await first_of(effect, scope, self.step, self.aclose, self._clock)
            case Here():
                return current_loop()
            case Spawn():
                return self._spawn(effect)

    def _opened(self, source: Any, scope: Scope) -> Any:
        scope.sources.append(source)
        return source

    async def _read(self, effect: Read, scope: Scope) -> Any:
        piece = None
        try:
            piece = await effect.source.read(effect.deadline)  # type: ignore[attr-defined]  # one of ours
        finally:
            if piece is None:  # it has ended, or broken, and is closed
                forget(effect.source, scope)
        return piece

    async def _close(self, effect: Close, scope: Scope) -> None:
        forget(effect.source, scope)
        await effect.source.aclose()  # type: ignore[attr-defined]  # one of ours

    async def _sleep_for(self, seconds: float) -> None:
        if self._sleep is not None:
            await self._sleep(seconds)
            return
        import anyio

        await anyio.sleep(seconds)

    async def _invoke(self, call: Callable[[], Any]) -> Any:
        result = call() if _is_async(call) else await self._sent_out(call)
        return await result if inspect.isawaitable(result) else result

    async def _sent_out(self, call: Callable[[], Any]) -> Any:
        errand = Errand(call)
        try:
            return await self._in_thread(errand)
        except BaseException:
            errand.give_up()
            raise

    async def _open_iterator(self, effect: OpenIterator) -> Any:
        from edgeagent.io.async_iterators import AsyncIteratorSource

        items = await until(effect.deadline, self._clock, partial(self._invoke, effect.call))
        return AsyncIteratorSource(items, self._in_thread, self._clock, effect.timeout.read)

    def _spawn(self, effect: Spawn) -> Callable[[], None]:
        import anyio

        loop, cancelled = Loop(), anyio.CancelScope()

        async def run() -> None:
            scope = Scope()
            with cancelled:
                await self.run(effect.flow(scope), scope)

        loop.spawn(run)
        return lambda: loop.soon(cancelled.cancel)

    async def _join(self, effect: Join) -> bool:
        import anyio

        event = anyio.Event()
        loop = Loop()
        ended = False

        def end() -> None:
            nonlocal ended
            ended = True
            loop.soon(event.set)

        take_back = effect.waitable.add_done_callback(end)
        try:
            left = None if effect.deadline is None else max(0.0, effect.deadline - self._clock())
            with anyio.move_on_after(left):
                await event.wait()
        finally:
            take_back()
        return ended


def _is_async(call: Any) -> bool:
    """Whether calling it only makes a coroutine or an async generator: a function, a part of one, or such an object."""
    while isinstance(call, partial):
        call = call.func
    functions = (call, getattr(call, "__call__", None))  # noqa: B004  # its type does not matter, its function does
    return any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in functions)
