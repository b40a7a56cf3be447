"""Providers of the caller's own: sync or async, streaming or not, behind every kind of client; views of one client."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

import edgeagent
from edgeagent import EdgeClient, StreamInterruptedError
from edgeagent.testing import FakeProvider
from tests.e2e.harness import OPENAI, Gate, Vendor, outcome, run, settled, text_of
from tests.support.loopback import Loopback

who: ContextVar[str] = ContextVar("who", default="nobody")


class Base:
    name = "mine"

    def __init__(self) -> None:
        self.calls = 0
        self.closed = threading.Event()

    def said(self, request: Any) -> str:
        self.calls += 1
        return f"{request.messages[-1]['content']} {request.model} {who.get()}"


class Sync(Base):
    def complete(self, request: Any) -> str:
        return self.said(request)


class Async(Base):
    async def acomplete(self, request: Any) -> dict[str, Any]:
        await asyncio.sleep(0) if _on_asyncio() else await anyio.sleep(0)
        return {"content": self.said(request)}


class SyncStream(Base):
    def stream(self, request: Any) -> Iterator[str]:
        try:
            yield from self.said(request).partition(" ")
        finally:
            self.closed.set()


class AsyncStream(Base):
    async def astream(self, request: Any) -> AsyncIterator[str]:
        try:
            for piece in self.said(request).partition(" "):
                await anyio.sleep(0)
                yield piece
        finally:
            self.closed.set()


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


WHOLE = [Sync, Async]
STREAMS = [SyncStream, AsyncStream]


@pytest.mark.parametrize("maker", [*WHOLE, *STREAMS], ids=lambda maker: maker.__name__)
async def test_any_provider_behind_any_client(kind: str, maker: Any) -> None:
    """Whole and streamed, as far as it can; it sees the caller's context; what it said is cached for both forms."""
    mine = maker()
    token = who.set("me")
    try:
        async with Gate(kind, [mine]) as gate:
            pieces = await gate.chunks("hello", model="mine/m")
            assert text_of(pieces) == "hello m me"
            assert pieces[-1].choices[0].finish_reason == "stop"
            if maker in WHOLE:
                fresh = await gate.create("other", model="mine/m")
                assert fresh.choices[0].message.content == "other m me"
            hit = await gate.create("hello", model="mine/m")
            assert (hit.choices[0].message.content, hit.edge.cached, hit.edge.provider) == ("hello m me", True, "mine")
            assert text_of(await gate.chunks("hello", model="mine/m")) == "hello m me"
    finally:
        who.reset(token)
    assert mine.calls == (2 if maker in WHOLE else 1)


@pytest.mark.parametrize("maker", STREAMS, ids=lambda maker: maker.__name__)
async def test_a_callers_stream_is_closed_with_ours(kind: str, maker: Any) -> None:
    """Left early, its generator's `finally` runs."""
    mine = maker()
    async with Gate(kind, [mine]) as gate:
        stream = await gate.stream("hello", model="mine/m")
        await stream.next()
        assert not mine.closed.is_set()
        await stream.close()
        await gate.until(mine.closed.is_set)


class Breaks(Base):
    """Says something, then fails; each way of asking has its own method."""

    def stream(self, request: Any) -> Iterator[str]:
        yield "half"
        raise ZeroDivisionError

    async def astream(self, request: Any) -> AsyncIterator[str]:
        yield "half"
        raise ZeroDivisionError


async def test_a_callers_stream_that_breaks(kind: str) -> None:
    """The error has what had come and what was raised."""
    async with Gate(kind, [Breaks()]) as gate:
        error = await outcome(lambda: gate.chunks(model="mine/m"))
    assert isinstance(error, StreamInterruptedError)
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert error.partial.choices[0].message.content == "half"


ANSWERS: list[tuple[Any, Any]] = [
    ("text", "text"),
    ({"content": "dict"}, "dict"),
    ({"choices": [{"message": {"role": "assistant", "content": "whole"}}]}, "whole"),
    (7, edgeagent.ResponseValidationError),
    ({"choices": []}, edgeagent.ResponseValidationError),
    ({"choices": [{"message": 7}]}, edgeagent.ResponseValidationError),
    (None, edgeagent.ResponseValidationError),
]


@pytest.mark.parametrize(("answer", "said"), ANSWERS, ids=str)
async def test_what_a_provider_may_answer(kind: str, answer: Any, said: Any) -> None:
    """Text, a dict, a completion; anything else is an invalid answer, tried again, never an AttributeError."""

    class Mine(Base):
        def complete(self, request: Any) -> Any:
            self.calls += 1
            return answer

    mine = Mine()
    async with Gate(kind, [mine], retry=2) as gate:
        result = await outcome(lambda: gate.create(model="mine/m"))
    if isinstance(said, str):
        assert (result.choices[0].message.content, mine.calls) == (said, 1)
    else:
        assert (type(result), mine.calls) == (said, 3)


async def test_a_slow_provider_is_given_up(kind: str) -> None:
    """An async one at the attempt's limit; the call goes on to the next target."""

    class Slow(Base):
        async def acomplete(self, request: Any) -> str:
            self.calls += 1
            await anyio.sleep(30)
            return "late"

    slow = Slow()
    async with Gate(kind, [slow, FakeProvider("quick")], timeout=0.1, retry=0) as gate:
        answer = await gate.create(model="mine/m", edge={"fallbacks": ["fake/m"]})
    assert (answer.choices[0].message.content, slow.calls) == ("quick", 1)
    assert [attempt.outcome for attempt in answer.edge.attempts] == ["APITimeoutError", "ok"]


async def test_a_fake_in_a_test(kind: str) -> None:
    """A list of answers in order, errors among them; what was asked is there as typed requests."""
    fake = FakeProvider(["one", edgeagent.InternalServerError("boom"), "two"])
    async with Gate(kind, [fake], cache=False) as gate:
        said = [(await gate.create(prompt, model="m", temperature=0.5)).choices[0].message.content for prompt in "ab"]
    assert said == ["one", "two"]
    assert [request.messages[0]["content"] for request in fake.requests] == ["a", "b", "b"]
    assert fake.requests[0].temperature == 0.5


# views


async def test_views_share_everything_but_what_was_said(kind: str, vendor: Vendor) -> None:
    """Cache, connections, flights; `to_async` and `to_sync` share the cache with the other kind."""
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            view = Gate.__new__(Gate)
            view.kind = kind
            view.client = gate.client.with_options(timeout=5, tags=["a"], default_headers={"traceparent": "x"})
            await view.create(model=vendor.model)
            assert (await gate.create(model=vendor.model)).edge.cached
            await gate.create("other", model=vendor.model)
            assert server.connections == 1
            other = gate.client.to_async() if kind == "sync" else gate.client.to_sync()
            assert other.options == gate.client.options
            messages: Any = [{"role": "user", "content": "other"}]
            if kind == "sync":

                async def ask() -> Any:
                    return await other.chat.completions.create(model=vendor.model, messages=messages)

                assert asyncio.run(ask()).edge.cached
                back = other.to_sync()
            else:
                assert other.chat.completions.create(model=vendor.model, messages=messages).edge.cached
                back = other.to_async()
            assert type(back) is type(gate.client)
            made = await settled(back.chat.completions.create(model=vendor.model, messages=messages))
            assert made.edge.cached
    assert len(server.requests) == 2


def test_a_blocking_client_from_an_async_provider(vendor: Vendor) -> None:
    """A provider may use a client of its own kind inside another client's call."""
    with Loopback(vendor.serve) as server, EdgeClient(providers=[vendor.provider(server)]) as inner:

        class Wraps(Base):
            def complete(self, request: Any) -> Any:
                return inner.chat.completions.create(model=vendor.model, messages=request.messages)

        for kind in ("sync", "asyncio", "trio"):

            async def main(kind: str = kind) -> Any:
                async with Gate(kind, [Wraps()]) as gate:
                    return await gate.create(f"from {kind}", model="mine/m")

            answer = run(kind, main)
            assert (answer.choices[0].message.content, answer.edge.provider) == ("Paris", "mine")
    assert len(server.requests) == 3


def test_the_surface_is_the_same_for_both_kinds() -> None:
    """What one kind of client has, the other has, with the same parameters."""
    from edgeagent import AsyncEdgeClient

    for name, member in inspect.getmembers(EdgeClient, callable):
        if not name.startswith("_") and name != "to_async":
            twin = getattr(AsyncEdgeClient, name)
            assert inspect.signature(member).parameters.keys() == inspect.signature(twin).parameters.keys(), name
    assert OPENAI.name in repr(EdgeClient(providers=[OPENAI.provider("http://127.0.0.1:1")]))
