"""The first of several flows, a stagger apart: who is begun when, who wins, and that nothing of the others is left."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from edgeagent import effects
from edgeagent.effects import FirstOf, Flow, Scope
from edgeagent.errors import APIConnectionError, DeadlineExceededError
from edgeagent.io.race import Race
from edgeagent.io.runtime import Runtime
from tests.io.driving import LONG, Driven, client_of, endless, post, read_all, soon
from tests.support.loopback import Loopback, Request, chunk, head, reply

__all__: list[str] = []

HOUR = 3600.0
STAGGER = 0.02


def eventually(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "it has not happened"
        threading.Event().wait(0.002)


def fetch(url: str) -> Callable[[Scope], Flow[bytes]]:
    def flow(scope: Scope) -> Flow[bytes]:
        return (yield from effects.send(post(url), LONG, None)).content

    return flow


def stream(url: str) -> Callable[[Scope], Flow[Any]]:
    """Up to the first piece."""

    def flow(scope: Scope) -> Flow[Any]:
        source = yield from effects.open_stream(post(url), LONG, None)
        return source, (yield from effects.read(source, None))

    return flow


def fails(error: BaseException) -> Callable[[Scope], Flow[Any]]:
    def flow(scope: Scope) -> Flow[Any]:
        yield from effects.sleep(0.0)
        raise error

    return flow


class Paths:
    """A server: each path answers as the method says that is named like it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.release = threading.Event()

    def __call__(self, request: Request) -> Any:
        self.asked.set()
        return getattr(self, request.path[1:])(request)

    def quick(self, request: Request) -> bytes:
        return reply(200, b"quick")

    def silent(self, request: Request) -> Iterator[bytes]:
        self.release.wait(300)
        yield b""

    def late(self, request: Request) -> bytes:
        self.release.wait(300)
        return reply(200, b"late")

    def stuck(self, request: Request) -> Iterator[bytes]:
        yield head() + chunk(b"a")
        self.release.wait(300)

    def endless(self, request: Request) -> Iterator[bytes]:
        return endless(request)

    def stream(self, request: Request) -> Iterator[bytes]:
        yield head()
        for piece in (b"a", b"b", b"c"):
            yield chunk(piece)
        yield chunk(b"")


@pytest.fixture
def paths() -> Iterator[Paths]:
    paths = Paths()
    yield paths
    paths.release.set()


@pytest.fixture
def server(paths: Paths) -> Iterator[Loopback]:
    with Loopback(paths) as server:
        yield server


# the rules, without I/O


class Script:
    """A race at a clock that only we move."""

    def __init__(self, flows: int, stagger: float, deadline: float | None = None) -> None:
        self.now = 100.0
        self.race = Race(FirstOf((fails(ValueError()),) * flows, stagger, deadline), lambda: self.now)

    def begun(self) -> list[int]:
        numbers = []
        while (number := self.race.next()) is not None:
            numbers.append(number)
        return numbers


def test_one_after_the_other() -> None:
    """The next is begun a stagger after the last one; a driver is told how long to wait."""
    script = Script(3, 2.0)
    assert (script.begun(), script.race.patience()) == ([0], 2.0)
    script.now += 1.5
    assert (script.begun(), script.race.patience()) == ([], 0.5)
    script.now += 0.5
    assert script.begun() == [1]
    script.now += 10
    assert (script.begun(), script.race.patience()) == ([2], None)
    assert script.race.returned(1, "one")
    assert not script.race.returned(0, "zero")
    assert (script.race.open, script.race.winner, script.race.outcome()) == (False, 1, "one")


def test_a_failure_begins_the_next_at_once() -> None:
    """Whichever failed; and the stagger counts from there."""
    script = Script(4, 2.0)
    script.begun()
    script.now += 0.5
    script.race.raised(0, ValueError("zero"))
    assert (script.begun(), script.race.patience()) == ([1], 2.0)
    script.now += 2.0
    assert script.begun() == [2]
    script.race.raised(1, ValueError("one"))
    assert script.begun() == [3]
    script.race.raised(3, ValueError("three"))
    assert script.race.open
    script.race.raised(2, ValueError("two"))
    assert not script.race.open
    with pytest.raises(ValueError, match="zero"):
        script.race.outcome()


def test_without_a_stagger_all_begin() -> None:
    """Nothing to wait for between one and the next."""
    assert Script(3, 0.0).begun() == [0, 1, 2]


def test_the_deadline_ends_it() -> None:
    """None is begun after it; `sent` says whether one was before."""
    for wait, begun, sent in ((0.0, [0], True), (5.0, [], False)):
        script = Script(2, 2.0, 101.0)
        script.now += wait
        assert script.begun() == begun
        assert script.race.patience() == (1.0 if begun else 0.0)
        script.now += 1
        assert script.begun() == []
        assert not script.race.open
        with pytest.raises(DeadlineExceededError) as caught:
            script.race.outcome()
        assert caught.value.sent is sent


def test_what_is_no_exception_ends_it() -> None:
    """What is raised to end a call ends all its flows, and is what comes out."""
    script = Script(2, 2.0)
    script.begun()
    script.race.raised(0, GeneratorExit())
    script.race.raised(1, ValueError())
    assert not script.race.open
    with pytest.raises(GeneratorExit):
        script.race.outcome()


# both drivers


def test_the_first_wins(driven: Driven, server: Loopback) -> None:
    """Before its stagger has passed, nothing else is begun."""
    flows = [fetch(server.url + "/quick"), fetch(server.url + "/silent")]
    assert driven(lambda: effects.first_of(flows, HOUR, None)) == b"quick"
    assert [request.path for request in server.requests] == ["/quick"]


@pytest.mark.parametrize("loser", [fetch, stream])
@pytest.mark.parametrize("path", ["/silent", "/stuck", "/endless"])
def test_the_second_wins(driven: Driven, server: Loopback, paths: Paths, path: str, loser: Any) -> None:
    """The first one's connection is closed before that, whatever it waited for; the server sees it."""

    def slow(scope: Scope) -> Flow[Any]:
        try:
            result = yield from loser(server.url + path)(scope)
            while True:
                assert (yield from effects.read(result[0], None)) is not None
        finally:
            ended.append("flow")

    def flow() -> Flow[Any]:
        ended.clear()
        result = yield from effects.first_of([slow, fetch(server.url + "/quick")], STAGGER, None)
        return result, list(ended), list(driven.scope.sources)

    ended: list[str] = []
    assert driven(flow) == (b"quick", ["flow"], [])
    paths.release.set()
    if driven.kind == "sync":
        driven.runtime.close()
    eventually(lambda: server.open == 0)


def test_an_error_before_the_stagger(driven: Driven, server: Loopback) -> None:
    """The next begins at once, and how it failed is not told."""
    flows = [fails(ValueError("first")), fails(ValueError("second")), fetch(server.url + "/quick")]
    assert driven(lambda: effects.first_of(flows, HOUR, None)) == b"quick"


def test_all_fail(driven: Driven) -> None:
    """The first one's error is raised, alone."""
    first = ValueError("first")
    with pytest.raises(ValueError, match="first") as caught:
        driven(lambda: effects.first_of([fails(first), fails(KeyError("second"))], HOUR, None))
    assert caught.value is first
    assert (first.__cause__, first.__context__) == (None, None)


def test_a_flow_that_cannot_be_made(driven: Driven) -> None:
    """Is one that failed."""

    def broken(scope: Scope) -> Flow[int]:
        raise ValueError("not made")

    def fine(scope: Scope) -> Flow[int]:
        yield from effects.sleep(0.0)
        return 1

    assert driven(lambda: effects.first_of([broken, fine], HOUR, None)) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_is_no_exception(driven: Driven, server: Loopback, error: Any) -> None:
    """Ends all, and is raised."""
    if driven.kind == "trio" and error is asyncio.CancelledError:
        error = GeneratorExit
    flows = [fetch(server.url + "/silent"), fails(error())]
    with pytest.raises(error):
        driven(lambda: effects.first_of(flows, STAGGER, None))


def test_a_stream_that_wins(driven: Driven, server: Loopback) -> None:
    """Goes on in the call: its source is in the call's scope."""

    def flow() -> Flow[Any]:
        source, first = yield from effects.first_of(
            [stream(server.url + "/silent"), stream(server.url + "/stream")], STAGGER, None
        )
        assert driven.scope.sources == [source]
        return [first, *(yield from read_all(source))]

    assert b"".join(driven(flow)) == b"abc"


def test_a_stream_that_wins_and_is_left(driven: Driven, server: Loopback) -> None:
    """Is closed with the call."""

    def flow() -> Flow[Any]:
        return (yield from effects.first_of([stream(server.url + "/endless")], HOUR, None))[1]

    assert driven(flow)[:1] == b"a"
    eventually(lambda: server.open == 0)


def test_releases(driven: Driven, server: Loopback) -> None:
    """The winner's go over to the call, without those it drops later; a loser's are done before."""
    done: list[str] = []
    kept: list[Any] = []

    def loses(scope: Scope) -> Flow[Any]:
        scope.add(lambda: done.append("loser"))
        yield from fetch(server.url + "/silent")(scope)

    def wins(scope: Scope) -> Flow[Any]:
        scope.add(lambda: done.append("winner"))
        kept[:] = [scope, scope.add(lambda: done.append("dropped"))]
        yield from effects.sleep(0.0)

    def flow() -> Flow[None]:
        yield from effects.first_of([loses, wins], STAGGER, None)
        assert done == ["loser"]
        kept[0].drop(kept[1])

    driven(flow)
    assert done == ["loser", "winner"]


def test_the_deadline(driven: Driven, server: Loopback) -> None:
    """Ends all, whether or not the flows know of it."""
    flows = [fetch(server.url + "/silent"), stream(server.url + "/silent")]
    with pytest.raises(DeadlineExceededError):
        driven(lambda: effects.first_of(flows, STAGGER, soon(0.1)))


def test_a_race_in_a_race(driven: Driven, server: Loopback) -> None:
    """Who loses outside takes with it what runs inside."""
    ended: list[str] = []

    def inner(scope: Scope) -> Flow[Any]:
        def hangs(scope: Scope) -> Flow[Any]:
            try:
                yield from fetch(server.url + "/silent")(scope)
            finally:
                ended.append("inner")

        return (yield from effects.first_of([hangs, hangs], 0.0, None))

    flows = [inner, fetch(server.url + "/quick")]
    assert driven(lambda: effects.first_of(flows, STAGGER, None)) == b"quick"
    eventually(lambda: ended == ["inner", "inner"])


def test_flows_never_run_at_once(driven: Driven) -> None:
    """Neither two of them, nor one and the call that asked."""
    running: list[int] = []
    overlaps: list[Any] = []

    def work(number: int) -> None:
        running.append(number)
        threading.Event().wait(0.001)
        if running != [number]:
            overlaps.append(list(running))
        running.remove(number)

    def flow_of(number: int) -> Callable[[Scope], Flow[int]]:
        def flow(scope: Scope) -> Flow[int]:
            try:
                for _ in range(10 + number):
                    work(number)
                    yield from effects.sleep(0.0005)
                return number
            finally:
                work(number)

        return flow

    def flow() -> Flow[int]:
        won = yield from effects.first_of([flow_of(number) for number in range(6)], 0.0, None)
        work(99)
        return won

    assert driven(flow) in range(6)
    assert overlaps == []


def test_what_a_loser_waits_for(driven: Driven) -> None:
    """Another call, a long sleep, an async function: all are left at once."""
    begun = threading.Event()

    class Never:
        def add_done_callback(self, callback: Callable[[], None]) -> Callable[[], None]:
            return lambda: None

    async def asynchronous() -> None:
        begun.set()
        await (asyncio.sleep(HOUR) if driven.kind != "trio" else anyio.sleep(HOUR))

    async def items() -> Any:
        await asynchronous()
        yield 1

    def iterates(scope: Scope) -> Flow[Any]:
        source = yield from effects.open_iterator(items, LONG, None)
        return (yield from effects.read(source, None))

    def wins(scope: Scope) -> Flow[str]:
        yield from effects.offload(lambda: begun.wait(60))
        return "won"

    flows = [
        lambda scope: effects.join(Never(), None),
        lambda scope: effects.sleep(HOUR),
        lambda scope: effects.invoke(asynchronous, None),
        iterates,
        wins,
    ]
    assert driven(lambda: effects.first_of(flows, 0.0, None)) == "won"


def test_a_loser_that_nobody_can_end(driven: Driven) -> None:
    """A blocking function of somebody else's is not waited for; what it held is given back when it returns."""
    release, done = threading.Event(), threading.Event()

    def blocks(scope: Scope) -> Flow[Any]:
        scope.add(done.set)
        return (yield from effects.invoke(lambda: release.wait(300), None))

    def wins(scope: Scope) -> Flow[str]:
        yield from effects.sleep(0.0)
        return "won"

    try:
        assert driven(lambda: effects.first_of([blocks, wins], STAGGER, None)) == "won"
        if driven.kind == "sync":
            assert not done.is_set()
    finally:
        release.set()
    assert done.wait(60)


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_a_client_of_the_callers(kind: str, name: str, server: Loopback, paths: Paths) -> None:
    """A loser's request is given up, and its connection closed when its answer comes."""
    module = pytest.importorskip(name)
    client = client_of(module, kind)

    def with_client(path: str) -> Callable[[Scope], Flow[Any]]:
        def flow(scope: Scope) -> Flow[Any]:
            return (yield from effects.send(post(server.url + path), LONG, None, client)).content

        return flow

    async def main(driven: Driven) -> Any:
        async with client:
            return await driven.runtime.async_driver.run(race(), driven.scope)

    def race() -> Flow[Any]:
        return effects.first_of([with_client("/late"), with_client("/quick")], STAGGER, None)

    driven = Driven(kind)
    if kind == "sync":
        with client:
            assert driven(race) == b"quick"
            paths.release.set()
            eventually(lambda: server.open <= 1)
    else:
        assert anyio.run(main, driven, backend=kind) == b"quick"
    driven.runtime.close()


def test_context(driven: Driven) -> None:
    """A flow's functions see the caller's context variables, and what is current while the effect is performed."""
    from contextlib import contextmanager
    from contextvars import ContextVar

    span: ContextVar[str] = ContextVar("span", default="none")

    @contextmanager
    def activate() -> Iterator[None]:
        token = span.set("span")
        try:
            yield
        finally:
            span.reset(token)

    driven.scope.activate = activate
    assert driven(lambda: effects.first_of([lambda scope: effects.invoke(span.get, None)], HOUR, None)) == "span"


# being cancelled


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_task(backend: str, server: Loopback, paths: Paths) -> None:
    """Ends all flows; the server sees their connections close."""
    runtime = Runtime()
    scope = Scope()
    ended: list[str] = []

    def hangs(scope: Scope) -> Flow[Any]:
        scope.add(lambda: ended.append("scope"))
        return (yield from fetch(server.url + "/silent")(scope))

    async def main() -> None:
        with anyio.move_on_after(60) as limit:
            async with anyio.create_task_group() as group:
                group.start_soon(runtime.async_driver.run, effects.first_of([hangs, hangs], 0.0, None), scope)
                while len(server.requests) < 2:
                    await anyio.sleep(0.002)
                group.cancel_scope.cancel()
        assert not limit.cancelled_caught
        assert ended == ["scope", "scope"]
        await runtime.aclose()

    anyio.run(main, backend=backend)
    paths.release.set()
    eventually(lambda: server.open == 0)


def test_a_cancelled_asyncio_task(server: Loopback) -> None:
    """By asyncio's own means; it ends as cancelled."""
    runtime = Runtime()

    async def main() -> None:
        flow = effects.first_of([fetch(server.url + "/silent")] * 2, 0.0, None)
        task = asyncio.ensure_future(runtime.async_driver.run(flow, Scope()))
        while len(server.requests) < 2:
            await asyncio.sleep(0.002)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await runtime.aclose()

    asyncio.run(main())


def test_an_interrupt(server: Loopback, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the thread that asked ends all flows."""
    runtime = Runtime()
    ended: list[str] = []

    def hangs(scope: Scope) -> Flow[Any]:
        scope.add(lambda: ended.append("scope"))
        return (yield from fetch(server.url + "/silent")(scope))

    def interrupted(self: Race) -> float:
        if paths.asked.is_set():
            raise KeyboardInterrupt
        return 0.001

    monkeypatch.setattr(Race, "patience", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runtime.sync_driver.run(effects.first_of([hangs], HOUR, None), Scope())
    assert ended == ["scope"]
    runtime.close()


# many


@pytest.mark.bulk
@pytest.mark.parametrize("stagger", [0.0, 0.0005])
def test_many_races(kind: str, server: Loopback, stagger: float) -> None:
    """Nothing is left of any: no source, no connection in use, no thread that works."""
    driven = Driven(kind)
    paths = ["/quick", "/stream", "/quick"]

    def flow() -> Flow[list[bytes]]:
        answers = []
        for _ in range(100):
            answers.append((yield from effects.first_of([fetch(server.url + path) for path in paths], stagger, None)))
            assert driven.scope.sources == []
        return answers

    assert set(driven(flow)) <= {b"quick", b"abc"}
    if kind == "sync":
        engine: Any = driven.runtime._engine
        assert engine._open_exchanges == set()
        (pool,) = engine._pools.values()
        # one that was still connecting ends by itself
        eventually(lambda: all(connection.is_idle() for connection in pool.connections))
    driven.runtime.close()
    eventually(lambda: server.open == 0)


def test_many_callers(server: Loopback) -> None:
    """Threads that race at the same time do not disturb each other."""
    runtime = Runtime()
    answers: list[bytes] = []

    def calls() -> None:
        for _ in range(10):
            flows = [fetch(server.url + "/silent"), fetch(server.url + "/quick")]
            answers.append(runtime.sync_driver.run(effects.first_of(flows, 0.001, None), Scope()))

    callers = [threading.Thread(target=calls) for _ in range(16)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [b"quick"] * 160
    runtime.close()


def test_a_lost_connection_is_an_error_of_its_flow(driven: Driven, server: Loopback) -> None:
    """It does not look like a race that was lost."""
    with Loopback(lambda request: []) as other:
        pass
    with pytest.raises(APIConnectionError):
        driven(lambda: effects.first_of([fetch(other.url), fetch(other.url)], HOUR, None))
