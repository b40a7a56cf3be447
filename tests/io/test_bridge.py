"""Async providers under a blocking client: one task for each stream, limits, ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

from edgeagent import effects
from edgeagent.effects import Flow, Scope
from edgeagent.errors import APIConnectionError, APITimeoutError, ConfigurationError, DeadlineExceededError
from edgeagent.io.bridge import Bridge
from edgeagent.io.lanes import Lanes
from edgeagent.io.runtime import Runtime
from tests.io.driving import LONG, SHORT, Driven, read_all, soon

__all__: list[str] = []

who: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture
def driven() -> Any:
    driven = Driven("sync")
    yield driven
    driven.runtime.close()


OTHERS: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@pytest.fixture(autouse=True)
def others() -> None:
    """Threads of clients that other tests of this process made, and may have forgotten only just now."""
    OTHERS.clear()
    OTHERS.update(threading.enumerate())


def loop_threads() -> list[threading.Thread]:
    names = [thread for thread in threading.enumerate() if thread not in OTHERS]
    return [thread for thread in names if thread.name == "edgeagent-event-loop"]


def items_of(call: Callable[[], Any]) -> Flow[list[Any]]:
    source = yield from effects.open_iterator(call, LONG, soon(10))
    return (yield from read_all(source, soon(10)))


async def in_a_task_group() -> AsyncIterator[int]:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0)
        yield 1
        yield 2


async def under_a_limit() -> AsyncIterator[int]:
    with anyio.fail_after(10):
        yield 1
        yield 2


async def under_a_variable() -> AsyncIterator[int]:
    token = who.set("provider")
    yield 1
    assert who.get() == "provider"
    yield 2
    who.reset(token)


async def awaited() -> AsyncIterator[int]:
    return in_a_task_group()


class LikeASdk:
    """As openai's `AsyncStream`: `__aiter__` gives a generator, `close` is a coroutine function of the object."""

    def __init__(self) -> None:
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[int]:
        async for item in under_a_limit():
            yield item

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    "call", [in_a_task_group, under_a_limit, under_a_variable, awaited, lambda: awaited(), LikeASdk]
)
def test_a_stream_lives_in_one_task(driven: Driven, call: Any) -> None:
    """What a generator opens around a yield, it closes in the same task and context."""
    assert driven(lambda: items_of(call)) == [1, 2]
    assert who.get() == "nobody"


def test_what_is_awaited_may_be_a_plain_iterator(driven: Driven) -> None:
    """An async function that returns a list."""

    async def listed() -> list[int]:
        return [1, 2]

    assert driven(lambda: items_of(listed)) == [1, 2]


def test_closing_early(driven: Driven) -> None:
    """The generator is unwound in its task, and what it came from is closed."""
    sdk = LikeASdk()

    def flow() -> Flow[Any]:
        source = yield from effects.open_iterator(lambda: sdk, LONG, None)
        first = yield from effects.read(source, None)
        yield from effects.close(source)
        return first, (yield from effects.read(source, None))

    assert driven(flow) == (1, None)
    assert sdk.closed


@pytest.mark.parametrize(
    ("timeout", "seconds", "error"), [(SHORT, None, APITimeoutError), (LONG, 0.2, DeadlineExceededError)]
)
def test_limits_of_a_stream(driven: Driven, timeout: Any, seconds: float | None, error: Any) -> None:
    """The gap and the deadline both end it, and cancel what it waits for."""
    cancelled = threading.Event()

    async def stuck() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(30)
        finally:
            cancelled.set()

    def flow() -> Flow[None]:
        source = yield from effects.open_iterator(stuck, timeout, None)
        yield from effects.read(source, None)
        yield from effects.read(source, None if seconds is None else soon(seconds))

    with pytest.raises(error) as caught:
        driven(flow)
    assert type(caught.value) is error
    assert cancelled.wait(5)


def test_opening_is_limited(driven: Driven) -> None:
    """An async function that makes the stream may take no longer than the call."""

    async def slow() -> AsyncIterator[int]:
        await asyncio.sleep(30)
        return in_a_task_group()

    with pytest.raises(DeadlineExceededError):
        driven(lambda: effects.open_iterator(slow, LONG, soon(0.1)))


def test_what_is_late_is_not_begun() -> None:
    """However quick it would be, and however slow this thread is at looking; a stream is closed all the same."""
    done, closed = threading.Event(), threading.Event()

    class Slow(Lanes):
        @contextlib.contextmanager
        def waiting(self, wake: Callable[[], object]) -> Iterator[None]:
            done.wait(0.2)
            yield

    async def quick() -> None:
        done.set()

    async def items() -> AsyncIterator[int]:
        try:
            yield 1
            await quick()
            yield 2
        finally:
            closed.set()

    bridge = Bridge(time.monotonic, Slow())
    with pytest.raises(DeadlineExceededError):
        bridge.run(quick(), soon(0))
    source = bridge.iterate(items(), None, None)
    assert source.read(None) == 1
    with pytest.raises(DeadlineExceededError):
        source.read(soon(0))
    assert closed.is_set()
    assert not done.is_set()
    bridge.close()


def test_a_coroutine_that_cancels_itself(driven: Driven) -> None:
    """It is an error of the provider; nothing of the caller was cancelled."""

    async def cancels() -> None:
        raise asyncio.CancelledError

    with pytest.raises(APIConnectionError, match="cancelled"):
        driven(lambda: effects.invoke(cancels, None))


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, ZeroDivisionError])
def test_whatever_is_raised_is_raised_here(driven: Driven, error: Any) -> None:
    """And the loop goes on."""

    async def fails() -> None:
        raise error

    async def fine() -> int:
        return 1

    with pytest.raises(error):
        driven(lambda: effects.invoke(fails, None))
    assert driven(lambda: effects.invoke(fine, None)) == 1
    assert len(loop_threads()) == 1


def test_an_interrupt_cancels(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """KeyboardInterrupt in the waiting thread ends the coroutine, too."""
    from edgeagent.io import actor

    begun, cancelled = threading.Event(), threading.Event()

    async def long() -> None:
        begun.set()
        try:
            await asyncio.sleep(30)
        finally:
            cancelled.set()

    def interrupted(self: Any, seconds: float | None) -> None:
        assert begun.wait(5)
        raise KeyboardInterrupt

    monkeypatch.setattr(actor._Job, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        driven(lambda: effects.invoke(long, None))
    assert cancelled.wait(5)


def test_closing_ends_what_runs(driven: Driven) -> None:
    """Threads that wait are told; the loop's thread ends; the next use starts another."""
    begun = threading.Event()
    told: list[BaseException] = []

    async def forever() -> None:
        begun.set()
        await asyncio.sleep(1000)

    def call() -> None:
        try:
            driven.runtime.sync_driver.run(effects.invoke(forever, None), Scope())
        except APIConnectionError as error:
            told.append(error)

    waiting = threading.Thread(target=call)
    waiting.start()
    assert begun.wait(5)
    driven.runtime.close()
    waiting.join(5)
    assert not waiting.is_alive()
    assert len(told) == 1
    assert not loop_threads()
    assert driven(lambda: items_of(in_a_task_group)) == [1, 2]


def test_a_stream_outlives_its_bridge(driven: Driven) -> None:
    """Read after the runtime was closed, it says so."""
    scope = Scope()
    driver = driven.runtime.sync_driver
    source = driver.step(effects.open_iterator(in_a_task_group, LONG, None), scope)
    assert driver.step(effects.read(source, None), scope) == 1
    driven.runtime.close()
    with pytest.raises(APIConnectionError):
        driver.step(effects.read(source, None), scope)
    assert scope.sources == []


def test_a_forgotten_bridge_ends() -> None:
    """Its thread does not outlive the runtime."""
    before = set(loop_threads())
    runtime = Runtime()
    assert runtime.sync_driver.run(items_of(in_a_task_group), Scope()) == [1, 2]
    (thread,) = set(loop_threads()) - before
    gone = weakref.ref(runtime)
    del runtime
    gc.collect()
    assert gone() is None
    thread.join(5)
    assert not thread.is_alive()


def test_a_stream_dropped_in_the_loops_own_thread_blocks_nobody(driven: Driven) -> None:
    """The garbage collector may run there; closing must not wait for the thread that it runs in."""
    closed = threading.Event()

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    scope = Scope()
    driver = driven.runtime.sync_driver
    source = driver.step(effects.open_iterator(endless, LONG, None), scope)
    driver.step(effects.read(source, None), scope)

    async def drops() -> float:
        begun = time.monotonic()
        driver.close(scope)
        return time.monotonic() - begun

    assert driven(lambda: effects.invoke(drops, None)) < 1
    assert closed.wait(5)


def test_a_provider_that_calls_its_own_client(driven: Driven) -> None:
    """The blocking client cannot wait for the loop in the loop: an error says what to do, nothing hangs."""

    async def inner() -> int:
        return 1

    async def outer() -> Any:
        return driven.runtime.sync_driver.run(effects.invoke(inner, None), Scope())

    with pytest.raises(ConfigurationError, match="AsyncEdgeClient"):
        driven(lambda: effects.invoke(outer, None))


def test_many_threads_share_one_loop(driven: Driven) -> None:
    """Each gets its own answer, with its own context."""
    answers: list[bool] = []

    async def name() -> str:
        await asyncio.sleep(0)
        return who.get()

    def call(number: int) -> None:
        who.set(f"thread {number}")
        answer = driven.runtime.sync_driver.run(effects.invoke(name, soon(20)), Scope())
        answers.append(answer == f"thread {number}")

    threads = [threading.Thread(target=call, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [True] * 50
    assert len(loop_threads()) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_callers_own_event_loop_is_not_the_providers(backend: str) -> None:
    """What a provider does by anyio it does on the bridge's loop, whichever loop the blocking call stands in."""

    async def call() -> str:
        await anyio.sleep(0)
        return "called"

    async def items() -> AsyncIterator[int]:
        await anyio.sleep(0)
        yield 1

    def both() -> Flow[Any]:
        source = yield from effects.open_iterator(items, LONG, None)
        return (yield from effects.invoke(call, None)), (yield from read_all(source, None))

    async def main() -> Any:
        runtime = Runtime()
        try:
            return runtime.sync_driver.run(both(), Scope())
        finally:
            runtime.close()

    assert anyio.run(main, backend=backend) == ("called", [1])
