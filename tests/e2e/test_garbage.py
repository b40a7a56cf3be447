"""What a call leaves behind: nothing that only the garbage collector finds. Requests may be large, and private."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import pytest

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.cache import Cache
from edgeagent.errors import APIError, InternalServerError, RateLimitError
from edgeagent.testing import FakeProvider
from edgeagent.wire.http import HTTPResponse

__all__: list[str] = []

numbers = count()


def question(text: object = None) -> Any:
    said = f"question {next(numbers)}" if text is None else text
    return {"model": "fake/m", "messages": [{"role": "user", "content": said}]}


def whole(client: EdgeClient) -> None:
    client.chat.completions.create(**question())


def hit(client: EdgeClient) -> None:
    client.chat.completions.create(**question("the same"))


def stream(client: EdgeClient) -> None:
    for _ in client.chat.completions.create(**question(), stream=True):
        pass


def stream_hit(client: EdgeClient) -> None:
    for _ in client.chat.completions.create(**question("the same stream"), stream=True):
        pass


def stream_closed_early(client: EdgeClient) -> None:
    with client.chat.completions.create(**question(), stream=True) as chunks:
        next(iter(chunks))


def alone(client: EdgeClient) -> None:
    client.chat.completions.create(**question(), edge={"cache": "off"})
    for _ in client.chat.completions.create(**question(), stream=True, edge={"cache": "off"}):
        pass


def asked_first(client: EdgeClient) -> None:
    client.explain(**question())
    client.cache.peek(**question())


def masked(client: EdgeClient) -> None:
    client.chat.completions.create(**question(f"write to a{next(numbers)}@example.com"), edge={"shield": True})


CALLS = [whole, hit, stream, stream_hit, stream_closed_early, alone, asked_first, masked]


@contextmanager
def nothing_for_the_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield
        gc.collect()
        left = sorted({type(one).__name__ for one in gc.garbage if type(one).__module__.startswith("edgeagent.")})
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_ends_well(call: Callable[[EdgeClient], None]) -> None:
    """Its request, its state and its answer are gone with their last user."""
    with EdgeClient(providers=[FakeProvider("yes", name="fake")], cache=Cache()) as client:
        for _ in range(3):
            call(client)
        client.flush()
        with nothing_for_the_collector():
            for _ in range(3):
                call(client)
            client.flush()


def failing(status: int, kind: type[APIError]) -> Callable[[Any], Any]:
    def fails(request: Any) -> Any:
        raise kind("no", response=HTTPResponse(status), body=None)  # type: ignore[call-arg]

    return fails


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(("status", "kind"), [(500, InternalServerError), (429, RateLimitError)])
def test_a_call_that_fails(status: int, kind: type[APIError], streams: bool) -> None:
    """With retries and a fallback, too."""
    fakes = [FakeProvider(failing(status, kind), name=name) for name in ("fake", "other")]
    with EdgeClient(providers=fakes, breaker=False, retry=0, cache=Cache()) as client:

        def call() -> None:
            with suppress(kind):
                client.chat.completions.create(**question(), stream=streams, edge={"fallbacks": ["other/m"]})

        for _ in range(3):
            call()
        with nothing_for_the_collector():
            for _ in range(3):
                call()


@pytest.mark.parametrize("streams", [False, True])
def test_under_asyncio(streams: bool) -> None:
    """The same for calls of an event loop, several at once on one question."""

    async def main() -> None:
        async with AsyncEdgeClient(providers=[FakeProvider("yes", name="fake")], cache=Cache()) as client:

            async def one(asked: Any) -> None:
                answer = await client.chat.completions.create(**asked, stream=streams)
                if streams:
                    async for _ in answer:
                        pass

            async def some() -> None:
                asked = question()
                await asyncio.gather(*(one(asked) for _ in range(3)))
                await client.flush()

            await some()
            with nothing_for_the_collector():
                await some()

    asyncio.run(main())
