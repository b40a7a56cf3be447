"""Providers' own iterators in odd shapes, under every driver."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

import anyio
import pytest

from edgeagent import effects
from edgeagent.effects import Flow, Scope
from edgeagent.errors import DeadlineExceededError
from edgeagent.io.runtime import Runtime
from tests.io.driving import LONG, Driven, read_all, soon

__all__: list[str] = []

who: ContextVar[str] = ContextVar("who", default="nobody")


def items_of(call: Callable[[], Any]) -> Flow[list[Any]]:
    source = yield from effects.open_iterator(call, LONG, soon(10))
    return (yield from read_all(source, soon(10)))


def with_holes() -> Iterator[int | None]:
    yield from (None, 1, None, None, 2, None)


async def async_with_holes() -> AsyncIterator[int | None]:
    for item in with_holes():
        yield item


def remembers() -> Iterator[int]:
    token = who.set("provider")
    yield 1
    assert who.get() == "provider"
    yield 2
    who.reset(token)


class Callable_:
    async def __call__(self) -> AsyncIterator[int]:
        yield 1
        yield 2


class Method:
    async def stream(self, count: int) -> AsyncIterator[int]:
        for item in range(1, count + 1):
            yield item


@pytest.mark.parametrize(
    "call",
    [with_holes, async_with_holes, remembers, Callable_(), partial(Method().stream, 2), partial(partial(iter), (1, 2))],
)
def test_items(driven: Driven, call: Any) -> None:
    """None is no item; what a generator sets in one step it finds in the next; any callable will do."""
    assert driven(lambda: items_of(call)) == [1, 2]


def test_an_async_function_runs_in_the_callers_task(kind: str) -> None:
    """However it is wrapped: nothing that is only async goes through a thread."""
    if kind == "sync":
        pytest.skip("there is no task")
    threads: list[int] = []

    class Provider:
        async def __call__(self, *args: int) -> int:
            threads.append(threading.get_ident())
            return len(args)

    async def main() -> None:
        runtime = Runtime()
        for call in (Provider(), partial(Provider(), 1), partial(Provider().__call__, 1, 2)):
            await runtime.async_driver.run(effects.invoke(call, None), Scope())

    anyio.run(main, backend=kind)
    assert threads == [threading.get_ident()] * 3


def test_what_is_no_iterator(driven: Driven) -> None:
    """The provider's error is a TypeError, and nothing is left open."""
    with pytest.raises(TypeError, match="iter"):
        driven(lambda: items_of(lambda: 3))
    assert driven.scope.sources == []


class Reluctant:
    """Cannot be closed."""

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return 1

    def close(self) -> None:
        raise ZeroDivisionError


class AsyncReluctant:
    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        return 1

    async def aclose(self) -> None:
        raise ZeroDivisionError


@pytest.mark.parametrize("make", [Reluctant, AsyncReluctant])
def test_a_close_that_fails(driven: Driven, make: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; the call has its result, and the releases run."""
    told: list[str] = []

    def flow() -> Flow[str]:
        driven.scope.add(lambda: told.append("released"))
        source = yield from effects.open_iterator(make, LONG, None)
        yield from effects.read(source, None)
        return "done"

    with caplog.at_level(logging.ERROR, "edgeagent"):
        assert driven(flow) == "done"
    assert told == ["released"]
    assert "closing a stream failed" in caplog.text


def test_a_step_that_blocks(kind: str) -> None:
    """A blocking generator is left behind at the deadline; it is closed once it can be, by the thread it is in."""
    if kind == "sync":
        pytest.skip("a blocking generator blocks a blocking caller")
    release, closed = threading.Event(), threading.Event()

    def stuck() -> Iterator[int]:
        try:
            yield 1
            release.wait(10)
            yield 2
        finally:
            closed.set()

    def flow() -> Flow[None]:
        source = yield from effects.open_iterator(stuck, LONG, None)
        yield from effects.read(source, None)
        yield from effects.read(source, soon(0.1))

    driven = Driven(kind)
    begun = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        driven(flow)
    assert time.monotonic() - begun < 8
    assert not closed.is_set()
    release.set()
    assert closed.wait(5)


def test_errors_are_not_told_as_consequences_of_others(driven: Driven) -> None:
    """What a flow raises after it has dealt with one fault has nothing to do with that fault."""

    def flow() -> Flow[None]:
        with contextlib.suppress(ZeroDivisionError):
            yield from effects.invoke(lambda: 1 / 0, None)
        raise KeyError

    with pytest.raises(KeyError) as caught:
        driven(flow)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_a_generator_that_is_dropped(kind: str) -> None:
    """Nobody closes its stream: its own loop does, at once, and trio has nothing to warn of."""
    closed = threading.Event()

    async def items() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await anyio.sleep(0)
            closed.set()

    async def main() -> None:
        runtime, scope = Runtime(), Scope()
        source = await runtime.async_driver.step(effects.open_iterator(items, LONG, None), scope)
        assert await runtime.async_driver.step(effects.read(source, None), scope) == 1
        scope.sources.clear()
        del source
        with anyio.fail_after(5):
            while not closed.is_set():
                await anyio.sleep(0.005)
        await runtime.aclose()

    anyio.run(main, backend=kind)
