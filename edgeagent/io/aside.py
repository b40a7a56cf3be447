"""Short calls beside an event loop of asyncio: the look-up of a cache tier, awaited where the tier can do that.

For those that block, anyio's threads serve any code, which may come back into the loop from there, and take the loop
three turns: more time than the look-up. Here a thread of ours runs the call and wakes the loop once.
"""

from __future__ import annotations

import contextlib
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from edgeagent.effects import Place
from edgeagent.io.loops import Loop, current_loop
from edgeagent.io.threads import Threads

__all__ = ["Aside"]

PLACES: Final = 64
"""How many may run at once; the others are left to anyio, which makes them wait."""


class _Outcome(NamedTuple):
    value: Any
    error: BaseException | None


class Aside:
    """Runs blocking calls.

    Args:
        threads: where.
        otherwise: runs a call in a worker thread: on trio, and when there is no place left.
    """

    def __init__(
        self, threads: Callable[[], Threads], otherwise: Callable[[Callable[[], Any]], Awaitable[Any]]
    ) -> None:
        self._threads = threads
        self._otherwise = otherwise
        self._places = deque([None] * PLACES)

    async def run(
        self,
        call: Callable[[], Any],
        bound: float | None,
        awaited: Callable[[Place, float | None], Awaitable[Any]] | None = None,
    ) -> Any:
        """What it returns; raises what it raises. A call is left to itself when the caller is cancelled.

        `awaited` is the same for a loop of asyncio, and takes a place, too: what it does may need a connection each. It
        is told the bound, and keeps to it itself.

        Raises:
            TimeoutError: it took longer than `bound` seconds.
        """
        loop = current_loop()
        if isinstance(loop, AbstractEventLoop):
            try:
                self._places.pop()
            except IndexError:
                pass
            else:
                return await (self._run(loop, call, bound) if awaited is None else self._await(awaited, bound))
        import anyio

        with anyio.fail_after(bound):
            return await self._otherwise(call)

    async def _await(self, awaited: Callable[[Place, float | None], Awaitable[Any]], bound: float | None) -> Any:
        try:
            return await awaited(Loop(), bound)
        finally:
            self._places.append(None)

    async def _run(self, loop: AbstractEventLoop, call: Callable[[], Any], bound: float | None) -> Any:
        future: Future[_Outcome] = loop.create_future()

        def work() -> None:
            try:
                outcome = _Outcome(call(), None)
            except BaseException as error:  # raised again where it is waited for
                outcome = _Outcome(None, error)
            self._places.append(None)
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_settle, future, outcome)

        try:
            self._threads().start(work)
        except RuntimeError:  # the interpreter is ending and starts no thread: better here than not at all
            work()
        late = None if bound is None else loop.call_later(bound, _settle, future, _Outcome(None, TimeoutError()))
        try:
            value, error = await future
        finally:
            if late is not None:
                late.cancel()
        if error is None:
            return value
        try:
            raise error
        finally:
            del error  # no cycle through this frame


def _settle(future: Future[_Outcome], outcome: _Outcome) -> None:
    if not future.done():  # else it was given up
        future.set_result(outcome)
