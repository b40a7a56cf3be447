"""Any provider, with planned faults: in process, for every kind of client.

provider = Faulty(FakeProvider("Paris."), [Status(429, retry_after=1), None])
provider = Faulty(OpenAI(), Mix([Hang(), Reset(), Status(503)], rate=0.3, seed=7))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from typing import Any, Final, TypeAlias

from edgeagent.core.ask import is_http
from edgeagent.providers.base import Provider
from edgeagent.testing.course import Course, abroken, broken, course_of
from edgeagent.testing.faults import Plan, Schedule
from edgeagent.testing.vendor import WholeVendor
from edgeagent.types import ChatRequest

__all__ = ["Faulty"]

_METHODS: Final = ("complete", "acomplete", "stream", "astream")

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
        if name not in _METHODS:
            return value
        blocks = not name.startswith("a")
        answer = self._complete if name.endswith("complete") else self._stream
        return partial(answer, value, blocks, self._sleep if blocks else None)

    def _complete(self, method: Method, blocks: bool, sleep: Sleep | None, request: ChatRequest) -> Any:
        fault = self._schedule.next()
        if fault is None:
            return method(request)
        course = course_of(fault)
        if sleep is None and course.first > 0:
            return _later(course, method, blocks, request)
        (sleep or _no_time)(course.first)
        return course.outcome() if course.spoils else method(request)

    def _stream(self, method: Method, blocks: bool, sleep: Sleep | None, request: ChatRequest) -> Any:  # noqa: ARG002
        fault = self._schedule.next()
        if fault is None:
            return method(request)
        course = course_of(fault)
        items = method(request) if course.pieces else ()
        if (sleep is None and course.waits) or isawaitable(items) or hasattr(items, "__aiter__"):
            return abroken(course, items)
        return broken(course, items, sleep or _no_time)

    def __repr__(self) -> str:
        return f"Faulty({self._provider!r})"


async def _later(course: Course, method: Method, blocks: bool, request: ChatRequest) -> Any:
    """The whole answer, or what comes instead; on the running loop, which a blocking method does not hold up."""
    from anyio import sleep, to_thread

    await sleep(course.first)
    if course.spoils:
        return course.outcome()
    answer = await to_thread.run_sync(method, request) if blocks else method(request)
    return await answer if isawaitable(answer) else answer


def _no_time(_: float) -> None:
    """Nothing waits."""
