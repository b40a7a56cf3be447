"""Event loops come and go: connections end with them, streams that nobody closed are closed by them."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
import types
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio
import pytest
import trio

from edgeagent import effects
from edgeagent.effects import Flow, Scope
from edgeagent.errors import APIConnectionError
from edgeagent.io.loops import Loop, current_loop
from edgeagent.io.runtime import Runtime
from tests.io import driving
from tests.io.driving import LONG, Driven, post, read_all
from tests.support.loopback import Loopback, reply

__all__: list[str] = []

BACKENDS = ("asyncio", "trio")


def eventually(condition: Callable[[], bool]) -> bool:
    limit = time.monotonic() + 5
    while not condition() and time.monotonic() < limit:
        threading.Event().wait(0.005)
    return condition()


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(lambda request: reply(200, b"x")) as server:
        yield server


@pytest.fixture
def endless() -> Iterator[Loopback]:
    """Answers with a stream that has begun and goes on for ever."""
    with Loopback(driving.endless) as server:
        yield server


def test_while_another_thread_imports_trio(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop of this thread is told, though trio's module is half there."""

    async def main() -> bool:
        return current_loop() is asyncio.get_running_loop()

    monkeypatch.setitem(sys.modules, "trio", types.ModuleType("trio"))
    assert asyncio.run(main())


def test_a_job_for_another_loop_does_not_take_the_context_along() -> None:
    """Posted by a task of trio (as the collector of garbage may) it runs as asyncio's: else nothing of anyio works."""
    done = threading.Event()

    async def job() -> None:
        with anyio.CancelScope():
            await anyio.sleep(0)
        done.set()

    async def post_from_trio(loop: Loop) -> None:
        loop.spawn(job)

    async def main() -> bool:
        await asyncio.to_thread(partial(anyio.run, post_from_trio, Loop(), backend="trio"))
        return await asyncio.to_thread(done.wait, 5)

    assert asyncio.run(main())


@pytest.mark.parametrize("backend", BACKENDS)
def test_loops_in_turn(server: Loopback, backend: str) -> None:
    """Each has connections of its own; when it ends they are closed, though nobody closed the client."""
    runtime = Runtime()

    async def main() -> None:
        for _ in range(2):
            response = await runtime.async_driver.run(effects.send(post(server.url), LONG, None), Scope())
            assert response.content == b"x"

    for number in range(1, 6):
        anyio.run(main, backend=backend)
        assert server.connections == number
        assert eventually(lambda: server.open == 0)
    assert not runtime._engines


def test_loops_at_once(server: Loopback) -> None:
    """Threads with loops of both kinds share a runtime."""
    runtime = Runtime()
    done: list[bytes] = []

    async def main() -> None:
        for _ in range(20):
            response = await runtime.async_driver.run(effects.send(post(server.url), LONG, None), Scope())
            done.append(response.content)

    threads = [threading.Thread(target=anyio.run, args=(main,), kwargs={"backend": BACKENDS[i % 2]}) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert done == [b"x"] * 160
    assert server.connections == 8
    assert eventually(lambda: server.open == 0)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_loop_that_is_closed_without_goodbye(server: Loopback) -> None:
    """A loop that was never shut down tells nobody; it is let go of when the next one comes."""
    runtime = Runtime()

    async def main() -> None:
        await runtime.async_driver.run(effects.send(post(server.url), LONG, None), Scope())

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    assert len(runtime._engines) == 1
    gone = weakref.ref(loop)
    del loop
    asyncio.run(main())
    gc.collect()
    assert gone() is None
    assert not runtime._engines
    assert eventually(lambda: server.open == 0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("read", [0, 1])
def test_a_stream_that_nobody_closed(endless: Loopback, backend: str, read: int) -> None:
    """When it is dropped its loop closes it; nothing is warned of."""
    runtime = Runtime()

    async def main() -> None:
        driver, scope = runtime.async_driver, Scope()
        source = await driver.step(effects.open_stream(post(endless.url), LONG, None), scope)
        for _ in range(read):
            assert await driver.step(effects.read(source, None), scope) == b"a"
        assert endless.open == 1
        del source, scope
        gc.collect()
        with anyio.fail_after(5):
            while endless.open:
                await anyio.sleep(0.005)
        await runtime.aclose()

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_stream_that_nobody_closed_before_the_loop_ended(endless: Loopback, backend: str) -> None:
    """It is closed with its pool; dropping it later harms nobody."""
    runtime = Runtime()
    kept: list[Any] = []

    async def main() -> None:
        source = await runtime.async_driver.step(effects.open_stream(post(endless.url), LONG, None), Scope())
        kept.append(source)

    anyio.run(main, backend=backend)
    assert eventually(lambda: endless.open == 0)
    kept.clear()
    gc.collect()


def test_a_blocking_stream_that_nobody_closed(endless: Loopback) -> None:
    """It is closed when it is dropped, read or not."""
    runtime = Runtime()
    driver = runtime.sync_driver
    for read in (0, 1):
        scope = Scope()
        source = driver.step(effects.open_stream(post(endless.url), LONG, None), scope)
        for _ in range(read):
            driver.step(effects.read(source, None), scope)
        assert endless.open == 1
        del source, scope
        gc.collect()
        assert eventually(lambda: endless.open == 0)


def test_a_stream_dropped_inside_the_pool(endless: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """The garbage collector may run while this thread holds httpcore's lock: the stream is closed after that."""
    import httpcore

    runtime = Runtime()
    driver = runtime.sync_driver
    streams = [driver.step(effects.open_stream(post(endless.url), LONG, None), Scope())]
    assign = httpcore.ConnectionPool._assign_requests_to_connections

    def drops(pool: httpcore.ConnectionPool) -> Any:
        streams.clear()
        return assign(pool)

    monkeypatch.setattr(httpcore.ConnectionPool, "_assign_requests_to_connections", drops)
    caller = threading.Thread(target=driver.run, args=(effects.open_stream(post(endless.url), LONG, None), Scope()))
    caller.start()
    caller.join(10)
    assert not caller.is_alive()
    assert eventually(lambda: endless.open == 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_runtime_closed_by_another_thread(server: Loopback, backend: str) -> None:
    """Its loops close their connections; the runtime is usable again."""
    runtime = Runtime()

    async def main() -> None:
        for number in (1, 2):
            await runtime.async_driver.run(effects.send(post(server.url), LONG, None), Scope())
            assert (server.connections, server.open) == (number, 1)
            await anyio.to_thread.run_sync(runtime.close)
            with anyio.fail_after(5):
                while server.open:
                    await anyio.sleep(0.005)

    anyio.run(main, backend=backend)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_forgotten_runtime_under_a_running_loop(server: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    """Its connections are closed; asyncio may warn of the sockets, but nothing fails."""

    async def main() -> None:
        runtime = Runtime()
        await runtime.async_driver.run(effects.send(post(server.url), LONG, None), Scope())
        del runtime
        gc.collect()
        with anyio.fail_after(5):
            while server.open:
                await anyio.sleep(0.005)

    asyncio.run(main())
    assert caplog.text == ""


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancelled_while_connected(endless: Loopback, backend: str) -> None:
    """Whatever a task waits for, cancelling it leaves no connection behind."""
    runtime = Runtime()

    async def cancelled(flow: Flow[Any], seconds: float) -> None:
        with anyio.move_on_after(seconds) as scope:
            await runtime.async_driver.run(flow, Scope())
        assert scope.cancelled_caught

    def reading() -> Flow[Any]:
        source = yield from effects.open_stream(post(endless.url), LONG, None)
        return (yield from read_all(source))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(cancelled, effects.send(post(endless.url), LONG, None), 0.01 * number)
                group.start_soon(cancelled, reading(), 0.01 * number)
        with anyio.fail_after(5):
            while endless.open:
                await anyio.sleep(0.005)
        await runtime.aclose()

    anyio.run(main, backend=backend)


# the loop as others see it


@pytest.mark.parametrize("backend", BACKENDS)
def test_posting_to_a_loop_that_has_ended(backend: str) -> None:
    """Nothing happens."""
    kept: list[Loop] = []

    async def main() -> None:
        kept.append(Loop())
        weakref.ref(current_loop())

    async def job() -> None:
        raise AssertionError("never run")

    anyio.run(main, backend=backend)
    kept[0].soon(lambda: pytest.fail("called"))
    kept[0].spawn(job)


@pytest.mark.parametrize("backend", BACKENDS)
def test_jobs_of_a_loop(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They run in it, whatever they raise; those of a parent's loop do not run in the child."""

    async def main() -> None:
        loop, event = Loop(), anyio.Event()

        async def fails() -> None:
            event.set()
            raise ZeroDivisionError

        with anyio.fail_after(5):
            await anyio.to_thread.run_sync(loop.spawn, fails)
            await event.wait()
        monkeypatch.setattr(loop, "_pid", -1)
        loop.soon(lambda: pytest.fail("called"))
        await anyio.sleep(0.01)

    anyio.run(main, backend=backend)


def test_trio_inside_asyncio() -> None:
    """In guest mode both loops run in one thread; a trio task's is trio's."""
    found: list[Any] = []

    async def guest() -> None:
        found.append(current_loop())

    async def main() -> None:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=lambda _: done.set()
        )
        await done.wait()
        found.append(current_loop())

    asyncio.run(main())
    assert isinstance(found[0], trio.lowlevel.TrioToken)
    assert isinstance(found[1], asyncio.AbstractEventLoop)


def test_interrupted_streams_say_so(driven: Driven, endless: Loopback) -> None:
    """A stream whose runtime is closed while it is read ends with an error, not with silence."""

    def flow() -> Flow[Any]:
        source = yield from effects.open_stream(post(endless.url), LONG, None)
        assert (yield from effects.read(source, None)) == b"a"
        yield from effects.offload(driven.runtime.close)
        return (yield from read_all(source))

    with pytest.raises(APIConnectionError):
        driven(flow)


def test_a_loop_that_ends_first() -> None:
    """What it had no time left for is given up; neither Python nor asyncio complains of it."""
    done: list[str] = []
    complaints: list[Any] = []

    async def here() -> Loop:
        return Loop()

    async def job() -> None:
        done.append("begun")
        await asyncio.sleep(30)

    for iterations in (1, 2):
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        seen = loop.run_until_complete(here())
        seen.spawn(job)
        for _ in range(iterations):
            loop.call_soon(loop.stop)
            loop.run_forever()
        loop.close()
        del seen
        gc.collect()
        assert done == ["begun"] * (iterations - 1)
    assert complaints == []
