"""The clients: sync and async, threads and tasks, views, lifetime, pickling."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio

from edgeagent import (
    AsyncEdgeClient,
    ConfigurationError,
    EdgeClient,
    InternalServerError,
    RequestValidationError,
    RetryPolicy,
    StreamInterruptedError,
)
from edgeagent.telemetry import NullObserver
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


class SyncOnly:
    name = "mine"

    def complete(self, request: ChatRequest) -> str:
        return f"sync {request.model}"


class AsyncOnly:
    name = "mine"

    async def acomplete(self, request: ChatRequest) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"content": f"async {request.model}"}


class SyncStream:
    name = "mine"

    def stream(self, request: ChatRequest) -> Iterator[str]:
        yield from ("a", "b", "c")


class AsyncStreamOnly:
    name = "mine"

    async def astream(self, request: ChatRequest) -> AsyncIterator[str]:
        for piece in ("a", "b", "c"):
            yield piece


def text(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


async def collect(client: AsyncEdgeClient, **more: Any) -> list[Any]:
    return [chunk async for chunk in await client.chat.completions.create(**ASK, stream=True, **more)]


# any mix of providers and clients


@pytest.mark.parametrize(("provider", "answer"), [(SyncOnly(), "sync m"), (AsyncOnly(), "async m")])
def test_sync_client(provider: Any, answer: str) -> None:
    """Sync and async providers answer a sync client, whole and streamed."""
    with EdgeClient(providers=[provider], cache=False) as client:
        assert client.chat.completions.create(**ASK).choices[0].message.content == answer
        assert text(list(client.chat.completions.create(**ASK, stream=True))) == answer


@pytest.mark.parametrize("provider", [SyncStream(), AsyncStreamOnly()])
def test_sync_client_streams(provider: Any) -> None:
    """Sync and async iterators reach a sync client piece by piece."""
    with EdgeClient(providers=[provider], cache=False) as client:
        chunks = list(client.chat.completions.create(**ASK, stream=True))
    assert [c.choices[0].delta.content for c in chunks] == ["a", "b", "c", None]


async def test_async_client(anyio_backend: str) -> None:
    """The same from an async client, on asyncio and trio."""
    for provider, answer in ((SyncOnly(), "sync m"), (FakeProvider("fake"), "fake")):
        async with AsyncEdgeClient(providers=[provider], cache=False) as client:
            assert (await client.chat.completions.create(**ASK)).choices[0].message.content == answer
            assert text(await collect(client)) == answer
    for streaming in (SyncStream(), AsyncStreamOnly()):
        async with AsyncEdgeClient(providers=[streaming], cache=False) as client:
            assert text(await collect(client)) == "abc"


def test_sync_client_inside_a_running_loop() -> None:
    """As in a notebook's cell: nothing touches the loop that is already running."""

    async def cell() -> list[str | None]:
        answers = []
        for provider in (SyncOnly(), AsyncOnly()):
            with EdgeClient(providers=[provider]) as client:
                answers.append(client.chat.completions.create(**ASK).choices[0].message.content)
        return answers

    assert asyncio.run(cell()) == ["sync m", "async m"]


def test_several_event_loops_in_turn() -> None:
    """One async client lives through loops of both kinds."""
    fake = FakeProvider("fake")
    client = AsyncEdgeClient(providers=[fake], cache=False)

    async def ask() -> str | None:
        return (await client.chat.completions.create(**ASK)).choices[0].message.content

    assert [asyncio.run(ask()), trio.run(ask), asyncio.run(ask())] == ["fake"] * 3
    asyncio.run(client.close())


# single flight


def test_threads_share_one_call() -> None:
    """N identical calls of N threads are one provider call."""
    release = threading.Event()

    def answer(request: ChatRequest) -> str:
        release.wait(5)
        return "once"

    fake = FakeProvider(answer)
    with EdgeClient(providers=[fake]) as client, ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(client.chat.completions.create, **ASK) for _ in range(20)]
        while not fake.calls:
            pass
        release.set()
        completions = [call.result(10) for call in calls]
    assert fake.calls == 1
    assert {c.choices[0].message.content for c in completions} == {"once"}
    assert len({id(c) for c in completions}) == 20
    assert sum(1 for c in completions if c.edge.attempts) == 1


async def test_tasks_share_one_call(anyio_backend: str) -> None:
    """The same for tasks."""
    started, release = anyio.Event(), anyio.Event()

    class Slow:
        name = "slow"
        calls = 0

        async def acomplete(self, request: ChatRequest) -> str:
            self.calls += 1
            started.set()
            await release.wait()
            return "once"

    slow = Slow()
    answers: list[str | None] = []
    async with AsyncEdgeClient(providers=[slow]) as client:

        async def ask() -> None:
            answers.append((await client.chat.completions.create(**ASK)).choices[0].message.content)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(ask)
            await started.wait()
            release.set()
    assert answers == ["once"] * 20
    assert slow.calls == 1


def test_threads_and_tasks_share_one_call() -> None:
    """Both kinds of client over one engine."""
    release = threading.Event()
    fake = FakeProvider(lambda request: (release.wait(5), "once")[1])
    client = EdgeClient(providers=[fake])
    aclient = client.to_async()

    async def tasks() -> list[Any]:
        return await asyncio.gather(*(aclient.chat.completions.create(**ASK) for _ in range(5)))

    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(client.chat.completions.create, **ASK) for _ in range(5)]
        looped = pool.submit(asyncio.run, tasks())
        while not fake.calls:
            pass
        release.set()
        completions = [call.result(10) for call in calls] + looped.result(10)
    assert len(completions) == 10
    assert fake.calls == 1
    client.close()


async def test_a_cancelled_leader_hands_over(anyio_backend: str) -> None:
    """The follower leads the next flight and gets its answer."""
    first = anyio.Event()

    class Provider:
        name = "p"
        calls = 0

        async def acomplete(self, request: ChatRequest) -> str:
            self.calls += 1
            if self.calls == 1:
                first.set()
                await anyio.sleep_forever()
            return "second"

    provider = Provider()
    answers: list[str | None] = []
    async with AsyncEdgeClient(providers=[provider]) as client:

        async def ask() -> None:
            answers.append((await client.chat.completions.create(**ASK)).choices[0].message.content)

        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as leader:
                async with anyio.create_task_group() as inner:
                    inner.start_soon(ask)
                    await first.wait()
                    group.start_soon(ask)
                    await anyio.wait_all_tasks_blocked()
                    leader.cancel()
    assert answers == ["second"]
    assert provider.calls == 2


def test_a_call_inside_the_leaders_own_thread() -> None:
    """A provider that asks the same again through the same client does not wait for itself."""
    depth: list[int] = []

    def answer(request: ChatRequest) -> str:
        depth.append(len(depth))
        return "inner" if len(depth) > 1 else str(client.chat.completions.create(**ASK).choices[0].message.content)

    with EdgeClient(providers=[FakeProvider(answer)]) as client:
        assert client.chat.completions.create(**ASK).choices[0].message.content == "inner"


def test_a_blocking_call_inside_the_leaders_event_loop() -> None:
    """The task leads and waits for its turn on the loop that the blocking call holds: that one calls for itself."""

    class Both:
        name = "both"

        def __init__(self) -> None:
            self.begun, self.release = asyncio.Event(), asyncio.Event()

        def complete(self, request: ChatRequest) -> str:
            return "blocking"

        async def acomplete(self, request: ChatRequest) -> str:
            self.begun.set()
            await self.release.wait()
            return "awaiting"

    async def main() -> list[str | None]:
        both = Both()
        async with AsyncEdgeClient(providers=[both]) as aclient:
            leader = asyncio.ensure_future(aclient.chat.completions.create(**ASK))
            await both.begun.wait()
            mine = aclient.to_sync().chat.completions.create(**ASK)
            both.release.set()
            return [answer.choices[0].message.content for answer in (mine, await leader)]

    assert asyncio.run(main()) == ["blocking", "awaiting"]


# views


def test_with_options_is_a_view() -> None:
    """It shares the cache and differs in what was said."""
    fake = FakeProvider("x")
    with EdgeClient(providers=[fake]) as client:
        client.chat.completions.create(**ASK)
        uncached = client.with_options(cache=False, timeout=5, max_retries=0, tags=["a"])
        assert not uncached.chat.completions.create(**ASK).edge.cached
        assert client.chat.completions.create(**ASK).edge.cached
        assert (uncached.options.timeout.read, uncached.options.retry) == (5.0, RetryPolicy(0))
        assert client.copy(deadline=3).with_options(deadline=None).options.deadline is None
        other = client.with_options(namespace="other")
        assert not other.chat.completions.create(**ASK).edge.cached
        with pytest.raises(RequestValidationError, match=r"edge\.cache"):
            client.with_options(cache="sometimes")


def test_headers_of_a_view_reach_the_provider() -> None:
    """Defaults, a call's own values over them, and openai's omit takes one away."""
    from openai import omit

    fake = FakeProvider("x")
    with EdgeClient(providers=[fake], cache=False) as client:
        view = client.with_options(default_headers={"x-a": "1", "x-b": "2"}, default_query={"v": "1"})
        view.chat.completions.create(**ASK, extra_headers={"x-b": "3", "x-a": omit})
        view.chat.completions.create(**ASK)
    assert fake.requests[0].extra_headers == {"x-b": "3", "x-a": None}, "nor is a default of the provider's sent"
    assert fake.requests[1].extra_headers == {"x-a": "1", "x-b": "2"}
    assert fake.requests[0].extra_query == {"v": "1"}


def test_to_async_and_back_share_the_cache() -> None:
    """Everything but connections."""
    fake = FakeProvider("x")
    client = EdgeClient(providers=[fake])
    client.chat.completions.create(**ASK)
    aclient = client.to_async()

    async def ask() -> bool:
        return (await aclient.chat.completions.create(**ASK)).edge.cached

    assert asyncio.run(ask())
    assert aclient.to_sync().chat.completions.create(**ASK).edge.cached
    client.close()
    client.close()


def test_unknown_arguments_are_type_errors() -> None:
    """As in openai, with the way out named."""
    with EdgeClient(providers=[FakeProvider("x")]) as client, pytest.raises(TypeError, match="extra_body"):
        client.chat.completions.create(**ASK, top_k=3)


@pytest.mark.parametrize("wrong", [{"timeout": "soon"}, {"edge": {"cashe": 1}}, {"extra_headers": 3}])
def test_wrong_options_of_a_call(wrong: dict[str, Any]) -> None:
    """They are refused like any other wrong parameter."""
    with EdgeClient(providers=[FakeProvider("x")]) as client, pytest.raises(RequestValidationError):
        client.chat.completions.create(**ASK, **wrong)


# streams


def test_stream_as_context_manager() -> None:
    """Leaving it early closes it; edge and usage are there after a whole run."""
    with EdgeClient(providers=[FakeProvider("one two three")]) as client:
        with client.chat.completions.create(**ASK, stream=True) as stream:
            next(stream)
        assert list(stream) == []
        assert client.chat.completions.create(**ASK, stream=True).edge.cached is False
        stream = client.chat.completions.create(**ASK, stream=True)
        chunks = list(stream)
        assert stream.usage is not None
        assert stream.edge.provider == "fake"
        assert chunks[-1].edge is stream.edge


def test_a_stream_says_that_it_has_no_response() -> None:
    """openai's has one; ours tells what there is in its place, and who only looks for it is not misled."""
    with EdgeClient(providers=[FakeProvider("Paris.")]) as client:
        stream = client.chat.completions.create(**ASK, stream=True)
        assert not hasattr(stream, "response")
        with pytest.raises(AttributeError, match="with_raw_response"):
            _ = stream.response
        assert [piece.choices[0].delta.content for piece in stream] == ["Paris.", None]


def test_a_stream_that_breaks_off() -> None:
    """The error carries what had come; the stream is closed after it."""
    fake = FakeProvider([["one ", InternalServerError("x")]])
    with EdgeClient(providers=[fake]) as client:
        stream = client.chat.completions.create(**ASK, stream=True)
        with pytest.raises(StreamInterruptedError) as caught:
            list(stream)
        assert caught.value.partial.choices[0].message.content == "one "
        assert list(stream) == []


async def test_async_streams(anyio_backend: str) -> None:
    """The same loop, awaiting."""
    fake = FakeProvider("one two three", name="f")
    async with AsyncEdgeClient(providers=[fake], cache=False) as client:
        async with await client.chat.completions.create(**ASK, stream=True) as stream:
            await stream.__anext__()
        assert [chunk async for chunk in stream] == []
        stream = await client.chat.completions.create(**ASK, stream=True)
        chunks = [chunk async for chunk in stream]
        assert text(chunks) == "one two three"
        assert chunks[-1].edge is stream.edge
        await stream.aclose()


async def test_an_async_stream_that_breaks_off(anyio_backend: str) -> None:
    """The error carries what had come."""
    fake = FakeProvider([["one ", InternalServerError("x")]])
    async with AsyncEdgeClient(providers=[fake]) as client:
        with pytest.raises(StreamInterruptedError) as caught:
            await collect(client)
    assert caught.value.partial.choices[0].message.content == "one "


# lifetime


def test_disk_cache_over_two_clients(tmp_path: Path) -> None:
    """What one client wrote, the next reads; close() has flushed."""
    with EdgeClient(providers=[FakeProvider("Paris")], cache=tmp_path) as client:
        client.chat.completions.create(**ASK)
        assert client.flush()
    fake = FakeProvider("London")
    with EdgeClient(providers=[fake], cache=tmp_path) as client:
        completion = client.chat.completions.create(**ASK)
        assert (completion.choices[0].message.content, completion.edge.cache_tier) == ("Paris", "disk")
    assert fake.calls == 0


async def test_async_disk_cache(tmp_path: Path, anyio_backend: str) -> None:
    """The disk is read where it blocks nobody."""
    async with AsyncEdgeClient(providers=[FakeProvider("Paris")], cache=tmp_path) as client:
        await client.chat.completions.create(**ASK)
    async with AsyncEdgeClient(providers=[FakeProvider("London")], cache=tmp_path) as client:
        assert (await client.chat.completions.create(**ASK)).edge.cache_tier == "disk"


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_interpreter_exit_with_writes_pending(tmp_path: Path) -> None:
    """A program that just ends loses no write."""
    program = """
        import sys
        from edgeagent import EdgeClient
        from edgeagent.testing import FakeProvider
        fake = FakeProvider(lambda r: "answer to " + r.messages[0]["content"])
        client = EdgeClient(providers=[fake], cache=sys.argv[1])
        for i in range(50):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": str(i)}])
    """
    done = run(program, str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    fake = FakeProvider("x")
    with EdgeClient(providers=[fake], cache=tmp_path) as client:
        for i in range(50):
            fresh = client.chat.completions.create(model="m", messages=[{"role": "user", "content": str(i)}])
            assert (fresh.edge.cache_tier, fresh.choices[0].message.content) == ("disk", f"answer to {i}")
    assert fake.calls == 0


def test_fork(tmp_path: Path) -> None:
    """A client that was used before a fork works on both sides."""
    program = """
        import os, sys, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from edgeagent import EdgeClient
        from edgeagent.testing import FakeProvider
        ask = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
        client = EdgeClient(providers=[FakeProvider("x")], cache=sys.argv[1])
        client.chat.completions.create(**ask)
        pid = os.fork()
        other = {"model": "m", "messages": [{"role": "user", "content": "child" if pid == 0 else "parent"}]}
        assert client.chat.completions.create(**ask).edge.cached
        assert not client.chat.completions.create(**other).edge.cached
        client.close()
        if pid:
            _, status = os.waitpid(pid, 0)
            assert status == 0, status
    """
    done = run(program, str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_fork_with_connections() -> None:
    """The child opens its own and leaves the parent's open."""
    program = """
        import gc, os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from edgeagent import EdgeClient
        from edgeagent.providers import OpenAI
        from tests.support.loopback import Loopback, reply
        choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        ask = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
        with Loopback(lambda request: reply(200, answer)) as server:
            client = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)], cache=False)
            client.chat.completions.create(**ask)
            pid = os.fork()
            client.chat.completions.create(**ask)
            gc.collect()
            if pid == 0:
                client.close()
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            client.chat.completions.create(**ask)
            assert server.connections == 2, server.connections
            client.close()
    """
    done = run(program)
    assert (done.returncode, done.stderr) == (0, "")


def test_pickling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client with keys in the environment is rebuilt in the worker; what cannot be pickled says what to do."""
    from edgeagent.providers import OpenAI

    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    client = EdgeClient(providers=[OpenAI()], models={"fast": ["openai/gpt-4o-mini"]}).with_options(timeout=3)
    data = pickle.dumps(client)
    assert b"from-the-environment" not in data
    again = pickle.loads(data)
    assert again.options.timeout.read == 3.0
    assert repr(again) == repr(client)
    for wrong in (
        {"providers": [OpenAI(api_key="sk-explicit")]},
        {"providers": [], "http_client": object()},
        {"providers": [], "observers": [NullObserver()]},
    ):
        with pytest.raises(ConfigurationError, match="pickled"):
            pickle.dumps(EdgeClient(**wrong))
