"""Any provider, with planned faults: in process, for every kind of client.

provider = Faulty(FakeProvider("Paris."), [Status(429, retry_after=1), None])
provider = Faulty(OpenAI(), Mix([Hang(), Reset(), Status(503)], rate=0.3, seed=7))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from inspect import isawaitable
from typing import Any, TypeAlias

from edgeagent.core.ask import CHAT_METHODS, is_http
from edgeagent.providers.base import Provider
from edgeagent.testing.course import GOOD, Course, abroken, broken, course_of, wait
from edgeagent.testing.faults import Plan, Schedule
from edgeagent.testing.vendor import WholeVendor
from edgeagent.types import ChatRequest

__all__ = ["Faulty"]

Method: TypeAlias = Callable[[ChatRequest], Any]
Sleep: TypeAlias = Callable[[float], object]


class Faulty:
    """A provider that answers chats as `provider` does, but for the faults of `plan`.

    A request that is to fail before its answer begins never reaches the provider: it costs nothing. Faults that take
    time take it on the client's event loop (a blocking client's is in a thread of its own), so that time limits and
    cancellations hold; on trio that is trio's clock, which may be a `MockClock`.

    Everything else the provider has is its own: its models, capabilities, embeddings.

    Args:
        provider: a `FakeProvider`, one of the caller's own, or a vendor's. A vendor answers chats alone, in the unified
            model, through an async client of its own, without retries and cache.
        plan: when what goes wrong (see `edgeagent.testing.faults`); each request is given its fault as it comes.
        sleep: how blocking calls wait instead, given seconds: a test's own clock, moved on.

    Raises:
        ConfigurationError: a call comes to a fault that only `FaultServer` can do.
    """

    def __init__(self, provider: Provider, plan: Plan, *, sleep: Sleep | None = None) -> None:
        self.name = provider.name
        self._provider: Any = WholeVendor(provider) if is_http(provider) else provider
        self._schedule = Schedule(plan)
        self._sleep = sleep

    @property
    def injected(self) -> Counter[str]:
        """How often each fault was done, by the name of its class."""
        return self._schedule.injected

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # not made yet (a copy), or nobody's business
            raise AttributeError(name)
        value = getattr(self._provider, name)
        return partial(getattr(self, f"_{name}"), value) if name in CHAT_METHODS else value

    def _complete(self, method: Method, request: ChatRequest) -> Any:
        course = self._course()
        if self._sleep is None and course.first > 0:
            return _later(course, method, request)
        (self._sleep or _no_time)(course.first)
        return course.outcome() if course.spoils else method(request)

    async def _acomplete(self, method: Method, request: ChatRequest) -> Any:
        course = self._course()
        await wait(course.first)
        return course.outcome() if course.spoils else await method(request)

    def _stream(self, method: Method, request: ChatRequest) -> Any:
        course = self._course()
        if self._sleep is None and course.waits:
            return abroken(course, partial(method, request))
        items = method(request) if course.pieces else ()
        if isawaitable(items) or hasattr(items, "__aiter__"):
            return abroken(course, lambda: items)
        return broken(course, items, self._sleep or _no_time)

    async def _astream(self, method: Method, request: ChatRequest) -> AsyncIterator[Any]:
        course = self._course()
        async with aclosing(abroken(course, partial(method, request))) as items:
            async for item in items:
                yield item

    def _course(self) -> Course:
        fault = self._schedule.next()
        return GOOD if fault is None else course_of(fault)

    def __repr__(self) -> str:
        return f"Faulty({self._provider!r})"


async def _later(course: Course, method: Method, request: ChatRequest) -> Any:
    """What a blocking method answers, or what comes instead, on the running loop, which it does not hold up."""
    from anyio import sleep, to_thread

    await sleep(course.first)
    if course.spoils:
        return course.outcome()
    # in a box: trio takes a coroutine that comes out of a thread for a mistake
    (answer,) = await to_thread.run_sync(lambda: (method(request),))
    return await answer if isawaitable(answer) else answer


def _no_time(_: float) -> None:
    """Nothing waits."""
