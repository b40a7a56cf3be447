"""Both drivers, every effect: the same flow gives the same result, blocking, on asyncio and on trio."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import inspect
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextvars import ContextVar
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from edgeagent import effects
from edgeagent.core.flight import Flights
from edgeagent.effects import Flow, Scope, Timeout
from edgeagent.errors import APIConnectionError, APITimeoutError, ConfigurationError, DeadlineExceededError
from edgeagent.io.runtime import Runtime
from edgeagent.io.unbegun import Errand
from tests.io.driving import DRIPS, LONG, SHORT, Driven, Lent, client_of, post, read_all, refused, silence, soon
from tests.support.loopback import HANG_UP, Loopback, chunk, events, head, reply

who: ContextVar[str] = ContextVar("who", default="nobody")


# sending


def test_send(driven: Driven) -> None:
    """Any status is an answer; the head and the body of the request leave in one packet where we own the socket."""
    with Loopback(lambda request: reply(418, {"got": request.json()}, x_request_id="r1")) as server:
        response = driven(lambda: effects.send(post(f"{server.url}/v1/x?y=1", b'{"a":1}', x_a="b"), LONG, None))
        assert (response.status_code, response.json()) == (418, {"got": {"a": 1}})
        assert response.headers["x-request-id"] == "r1"
        (request,) = server.requests
        assert (request.method, request.path, request.headers["x_a"]) == ("POST", "/v1/x?y=1", "b")
        assert request.headers["host"] == f"127.0.0.1:{server.port}"
        assert request.packets == 1


def test_connections_are_used_again(driven: Driven) -> None:
    """Several requests of one loop, one connection."""

    def flow() -> Flow[None]:
        for _ in range(3):
            yield from effects.send(post(server.url), LONG, None)

    with Loopback(lambda request: reply(200)) as server:
        driven(flow)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),  # some servers leave the envelope out
        ("identity", bytes),
    ],
)
def test_content_encodings(driven: Driven, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """They are asked for and undone."""
    text = b"hello " * 100_000
    with Loopback(lambda request: reply(200, pack(text), content_encoding=encoding)) as server:
        assert driven(lambda: effects.send(post(server.url), LONG, None)).content == text
        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("status", [307, 308])
def test_redirects_on_the_same_origin(driven: Driven, status: int) -> None:
    """Method and body are kept."""

    def answer(request: Any) -> bytes:
        return reply(200, request.json()) if request.path == "/there" else reply(status, location="/there")

    with Loopback(answer) as server:
        assert driven(lambda: effects.send(post(f"{server.url}/here", b"[1]"), LONG, None)).json() == [1]


@pytest.mark.parametrize(("status", "location"), [(307, "http://127.0.0.1:1/"), (302, "/there"), (307, "")])
def test_other_redirects_are_answers(driven: Driven, status: int, location: str) -> None:
    """A credential is not sent to another origin; a POST is not turned into a GET."""
    with Loopback(lambda request: reply(status, location=location)) as server:
        response = driven(lambda: effects.send(post(server.url), LONG, None))
        assert response.status_code == status
        assert len(server.requests) == 1


def test_redirects_without_end(driven: Driven) -> None:
    """The last one is the answer."""
    with Loopback(lambda request: reply(307, location="/again")) as server:
        assert driven(lambda: effects.send(post(server.url), LONG, None)).status_code == 307
        assert len(server.requests) == 6


# faults


def test_nobody_listens(driven: Driven) -> None:
    """The request certainly never left, and the error names the host and no secret."""
    request = post(refused() + "/v1?key=secret", authorization="Bearer secret")
    with pytest.raises(APIConnectionError, match=r"127\.0\.0\.1") as caught:
        driven(lambda: effects.send(request, LONG, None))
    assert caught.value.sent is False
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(caught.value.request.__reduce__())


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: [HANG_UP],
        lambda request: [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", HANG_UP],
        lambda request: [reply(200, b"abc", length=10)[:-1], HANG_UP],
        lambda request: [b"this is not HTTP\r\n\r\n"],
        lambda request: [head(), chunk(b"abc"), HANG_UP],
        lambda request: [head(), b"zz\r\n"],
    ],
)
def test_broken_answers(driven: Driven, answer: Any) -> None:
    """A connection that breaks, or does not speak HTTP, is a connection error; the request may have been seen."""
    with Loopback(answer) as server:
        with pytest.raises(APIConnectionError) as caught:
            driven(lambda: effects.send(post(server.url), LONG, None))
        assert caught.value.sent is True
        assert not isinstance(caught.value, APITimeoutError)


def test_read_timeout(driven: Driven) -> None:
    """An attempt's own limit is a timeout, not a deadline."""
    with Loopback(silence) as server, pytest.raises(APITimeoutError) as caught:
        driven(lambda: effects.send(post(server.url), SHORT, None))
    assert type(caught.value) is APITimeoutError
    assert caught.value.sent is True


@pytest.mark.parametrize("answer", DRIPS, ids=["head", "body", "chunks"])
def test_a_deadline_holds_against_a_dripping_server(driven: Driven, answer: Any) -> None:
    """Each byte comes in time for a read's own limit; the call ends at its deadline all the same."""
    with Loopback(answer) as server:
        begun = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            driven(lambda: effects.send(post(server.url), LONG, soon(0.3)))
        assert time.monotonic() - begun < 10


def test_a_deadline_that_has_passed(driven: Driven) -> None:
    """Nothing is sent."""
    with Loopback(lambda request: reply(200)) as server:
        with pytest.raises(DeadlineExceededError):
            driven(lambda: effects.send(post(server.url), LONG, soon(-1)))
        assert server.requests == []


# streams


def test_stream(driven: Driven) -> None:
    """The head first, then pieces as they come, then None; the connection is used again."""

    def flow() -> Flow[Any]:
        source = yield from effects.open_stream(post(server.url), LONG, None)
        pieces = yield from read_all(source)
        again = yield from effects.read(source, None)
        other = yield from effects.open_stream(post(server.url), LONG, None)
        yield from read_all(other)
        return source.status_code, source.headers["content-type"], b"".join(pieces), again

    with Loopback(lambda request: events(["a", "b"])) as server:
        assert driven(flow) == (200, "text/event-stream", b"data: a\n\ndata: b\n\n", None)
        assert server.connections == 1
        assert driven.scope.sources == []


@pytest.mark.parametrize("way", ["close", "scope", "error"])
def test_an_unfinished_stream_gives_its_connection_back(driven: Driven, way: str) -> None:
    """Closed by the flow, by the end of the call, or by an error in the flow."""

    def flow() -> Flow[None]:
        source = yield from effects.open_stream(post(server.url), LONG, None)
        yield from effects.read(source, None)
        if way == "close":
            yield from effects.close(source)
            yield from effects.close(source)
        if way == "error":
            raise ZeroDivisionError

    def endless(request: Any) -> Iterator[bytes]:
        yield head()
        while True:
            yield chunk(b"data: x\n\n")
            threading.Event().wait(0.01)

    with Loopback(endless) as server:
        with contextlib.suppress(ZeroDivisionError):
            driven(flow)
        assert server.closed.wait(5)
        assert driven.scope.sources == []


def test_a_stream_that_breaks(driven: Driven) -> None:
    """The pieces before the break have been given out."""
    seen: list[bytes] = []

    def flow() -> Flow[None]:
        source = yield from effects.open_stream(post(server.url), LONG, None)
        while (piece := (yield from effects.read(source, None))) is not None:
            seen.append(piece)

    with Loopback(lambda request: [head(), chunk(b"abc"), HANG_UP]) as server, pytest.raises(APIConnectionError):
        driven(flow)
    assert b"".join(seen) == b"abc"


@pytest.mark.parametrize(
    ("timeout", "seconds", "error"), [(SHORT, None, APITimeoutError), (LONG, 0.3, DeadlineExceededError)]
)
def test_a_stream_that_falls_silent(driven: Driven, timeout: Timeout, seconds: float | None, error: Any) -> None:
    """The idle gap ends an attempt, the deadline the call."""

    def flow() -> Flow[Any]:
        deadline = None if seconds is None else soon(seconds)
        source = yield from effects.open_stream(post(server.url), timeout, deadline)
        return (yield from read_all(source, deadline))

    with Loopback(lambda request: [head(), chunk(b"a"), *silence(request)]) as server, pytest.raises(error) as caught:
        driven(flow)
    assert type(caught.value) is error


# clients of the caller's own


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_a_client_of_the_callers(kind: str, module: Any) -> None:
    """httpx's and httpx2's, whole and streamed, for all requests or for one; it is never closed by us."""
    driven = Lent(kind, module, headers={"x-mine": "yes"})

    def flow() -> Flow[Any]:
        whole = yield from effects.send(post(server.url), LONG, None)
        source = yield from effects.open_stream(post(server.url), LONG, None)
        pieces = yield from read_all(source)
        own = yield from effects.send(post(server.url), LONG, None, driven.client)
        return whole.content, b"".join(pieces), own.status_code

    def answer(request: Any) -> Any:
        return reply(200, b"whole") if len(server.requests) != 2 else events(["a"])

    with Loopback(answer) as server:
        assert driven(flow) == (b"whole", b"data: a\n\n", 200)
        assert all(request.headers["x-mine"] == "yes" for request in server.requests)


@pytest.mark.parametrize("module", [httpx, httpx2])
@pytest.mark.parametrize("answer", DRIPS, ids=["head", "body", "chunks"])
def test_deadlines_with_a_client_of_the_callers(kind: str, module: Any, answer: Any) -> None:
    """They hold there too."""
    driven = Lent(kind, module)
    with Loopback(answer) as server:
        begun = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            driven(lambda: effects.send(post(server.url), LONG, soon(0.3)))
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_faults_of_a_client_of_the_callers(kind: str, module: Any) -> None:
    """Its exceptions become ours."""
    with pytest.raises(APIConnectionError) as caught:
        Lent(kind, module)(lambda: effects.send(post(refused()), LONG, None))
    assert caught.value.sent is False
    with Loopback(silence) as server, pytest.raises(APITimeoutError):
        Lent(kind, module)(lambda: effects.send(post(server.url), SHORT, None))


def test_a_client_of_the_wrong_kind(kind: str) -> None:
    """The error says which kind is needed."""
    wrong = client_of(httpx, "asyncio" if kind == "sync" else "sync")
    with pytest.raises(ConfigurationError, match="http_client"):
        Driven(kind, http_client=wrong)(lambda: effects.send(post("http://127.0.0.1:9"), LONG, None))


def test_a_proxy_from_the_environment(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """httpx knows its rules, so httpx makes the connection."""
    with Loopback(lambda request: reply(200, b"proxied")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        response = driven(lambda: effects.send(post("http://vendor.test/v1"), LONG, None))
        assert response.content == b"proxied"
        assert proxy.requests[0].path == "http://vendor.test/v1"


# functions of the caller's own


def sync_function() -> str:
    return who.get()


async def async_function() -> str:
    await anyio.lowlevel.checkpoint()
    return who.get()


def returns_awaitable() -> Any:
    return asyncio_only()


async def asyncio_only() -> str:
    return who.get()


@pytest.mark.parametrize("call", [sync_function, async_function, returns_awaitable])
def test_invoke(driven: Driven, call: Any) -> None:
    """Sync and async functions, with the caller's context variables."""
    token = who.set("me")
    try:
        assert driven(lambda: effects.invoke(call, soon(5))) == "me"
    finally:
        who.reset(token)


def test_invoke_raises_what_is_raised(driven: Driven) -> None:
    """Nothing is wrapped here."""

    async def fails() -> None:
        raise TimeoutError("its own")

    for call in (fails, lambda: 1 / 0):
        with pytest.raises((TimeoutError, ZeroDivisionError)):
            driven(lambda call=call: effects.invoke(call, soon(5)))  # type: ignore[misc]


def test_invoke_ends_at_its_deadline(driven: Driven) -> None:
    """An async function is cancelled; a sync one in a thread is left to itself."""
    cancelled = threading.Event()

    async def long() -> None:
        try:
            await anyio.sleep(30)
        finally:
            cancelled.set()

    with pytest.raises(DeadlineExceededError):
        driven(lambda: effects.invoke(long, soon(0.1)))
    assert cancelled.wait(5)
    release = threading.Event()
    if driven.kind != "sync":
        with pytest.raises(DeadlineExceededError):
            driven(lambda: effects.invoke(lambda: release.wait(5), soon(0.1)))
        release.set()


def test_invoke_that_came_too_late(driven: Driven) -> None:
    """A sync function cannot be interrupted; its late result does not count."""
    with pytest.raises(DeadlineExceededError):
        driven(lambda: effects.invoke(lambda: threading.Event().wait(0.15), soon(0.1)))


def test_a_coroutine_that_came_too_late(driven: Driven) -> None:
    """A sync function that returns one after its caller has gone: it is closed, and Python does not warn of it."""
    release, made = threading.Event(), [async_function() for _ in range(2)]

    def late() -> Any:
        release.wait(0.2 if driven.kind == "sync" else 30)
        return made[0]

    with pytest.raises(DeadlineExceededError):
        driven(lambda: effects.invoke(late, soon(0.1)))
    release.set()
    ends = time.monotonic() + 10
    while inspect.getcoroutinestate(made[0]) != inspect.CORO_CLOSED and time.monotonic() < ends:
        threading.Event().wait(0.005)
    assert inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED
    errand = Errand(lambda: made[1])  # it was back, but nobody was told in time
    errand()
    errand.give_up()
    assert inspect.getcoroutinestate(made[1]) == inspect.CORO_CLOSED


def sync_items() -> Iterator[int]:
    yield from (1, 2, 3)


async def async_items() -> AsyncIterator[int]:
    for item in (1, 2, 3):
        await anyio.lowlevel.checkpoint()
        yield item


async def awaited_items() -> AsyncIterator[int]:
    return async_items()


@pytest.mark.parametrize("call", [sync_items, async_items, awaited_items, lambda: [1, 2, 3], lambda: async_items()])
def test_iterators(driven: Driven, call: Any) -> None:
    """Every kind of them."""

    def flow() -> Flow[Any]:
        source = yield from effects.open_iterator(call, LONG, soon(5))
        items = yield from read_all(source, soon(5))
        return items, (yield from effects.read(source, None)), source.status_code

    assert driven(flow) == ([1, 2, 3], None, 200)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_iterator_is_closed(driven: Driven, asynchronous: bool) -> None:
    """When the call ends before it."""
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    async def async_endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    def flow() -> Flow[None]:
        source = yield from effects.open_iterator(async_endless if asynchronous else endless, LONG, None)
        yield from effects.read(source, None)

    driven(flow)
    assert closed.is_set()


def test_an_iterator_that_raises(driven: Driven) -> None:
    """Its error reaches the flow, and it is closed."""

    async def breaks() -> AsyncIterator[int]:
        yield 1
        raise ZeroDivisionError

    def flow() -> Flow[Any]:
        source = yield from effects.open_iterator(breaks, LONG, None)
        return (yield from read_all(source))

    with pytest.raises(ZeroDivisionError):
        driven(flow)


def test_an_iterator_that_falls_silent(driven: Driven) -> None:
    """The idle gap ends it."""

    async def slow() -> AsyncIterator[int]:
        yield 1
        await anyio.sleep(30)

    def flow() -> Flow[Any]:
        source = yield from effects.open_iterator(slow, SHORT, None)
        return (yield from read_all(source, soon(20)))

    with pytest.raises(APITimeoutError) as caught:
        driven(flow)
    assert type(caught.value) is APITimeoutError  # the call's own deadline has not passed


# waiting


def test_offload(driven: Driven) -> None:
    """A blocking call blocks nobody else; its errors are its own."""
    assert driven(lambda: effects.offload(lambda: 3)) == 3
    assert driven(lambda: effects.offload(lambda: 3, 5.0)) == 3
    with pytest.raises(ZeroDivisionError):
        driven(lambda: effects.offload(lambda: 1 / 0))
    release = threading.Event()
    with pytest.raises(TimeoutError):
        driven(lambda: effects.offload(lambda: release.wait(5), 0.05, prompt=False))
    release.set()


def test_a_prompt_call_stays_in_the_thread_of_a_client_that_blocks() -> None:
    """Another thread would take more time than the call."""
    driven = Driven("sync")
    assert driven(lambda: effects.offload(threading.get_ident, 5.0)) == threading.get_ident()
    assert driven(lambda: effects.offload(threading.get_ident, 5.0, prompt=False)) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        driven(lambda: effects.offload(lambda: 1 / 0, 5.0, prompt=False))


def test_join(driven: Driven) -> None:
    """Told from another thread, or not in time."""
    flights = Flights()
    flight, _ = flights.board(b"k")
    assert flight is not None
    threading.Timer(0.05, flight.land, (b"entry",)).start()
    assert driven(lambda: effects.join(flight, None)) is True
    assert driven(lambda: effects.join(flight, soon(5))) is True
    other, _ = flights.board(b"other")
    assert other is not None
    assert driven(lambda: effects.join(other, soon(0.05))) is False
    other.abandon()


def test_sleep(kind: str) -> None:
    """How to wait can be given."""
    slept: list[float] = []

    async def asleep(seconds: float) -> None:
        slept.append(seconds)

    driven = Driven(kind)
    driven.runtime.sync_driver._sleep = slept.append
    driven.runtime.async_driver._sleep = asleep
    driven(lambda: effects.sleep(30.0))
    assert slept == [30.0]
    Driven(kind)(lambda: effects.sleep(0.001))


# scopes


def test_a_scope_is_released_however_the_call_ends(driven: Driven) -> None:
    """In reverse order, once; what was dropped is not."""
    told: list[str] = []

    def flow(end: BaseException | None) -> Flow[str]:
        driven.scope.add(lambda: told.append("first"))
        token = driven.scope.add(lambda: told.append("dropped"))
        driven.scope.add(lambda: told.append("last"))
        driven.scope.drop(token)
        yield from effects.offload(lambda: None)
        if end is not None:
            raise end
        return "done"

    assert driven(lambda: flow(None)) == "done"
    assert told == ["last", "first"]
    for error in (ZeroDivisionError(), KeyboardInterrupt()):
        told.clear()
        with pytest.raises(type(error)):
            driven(lambda error=error: flow(error))  # type: ignore[misc]
        assert told == ["last", "first"]


def test_the_span_is_current_only_while_an_effect_is_performed(driven: Driven) -> None:
    """Not across a yield."""
    inside: list[bool] = []
    current = [False]

    @contextlib.contextmanager
    def activate() -> Generator[None]:
        current[0] = True
        yield
        current[0] = False

    driven.scope.activate = activate

    def flow() -> Flow[None]:
        inside.append(current[0])
        yield from effects.offload(lambda: inside.append(current[0]))
        inside.append(current[0])

    driven(flow)
    assert inside == [False, True, False]


def test_cancelled_tasks_release(kind: str) -> None:
    """A cancelled call closes its connection and runs its releases."""
    if kind == "sync":
        pytest.skip("only tasks are cancelled")
    told: list[str] = []
    runtime = Runtime()

    async def main() -> None:
        scope = Scope()
        scope.add(lambda: told.append("released"))

        def flow() -> Flow[Any]:
            source = yield from effects.open_stream(post(server.url), LONG, None)
            return (yield from read_all(source))

        with anyio.move_on_after(0.2):
            await runtime.async_driver.run(flow(), scope)
        assert scope.sources == []
        await runtime.aclose()

    with Loopback(lambda request: [head(), chunk(b"a"), *silence(request)]) as server:
        anyio.run(main, backend=kind)
    assert told == ["released"]


def test_an_interrupt_reaches_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    """KeyboardInterrupt unwinds the flow like any error, but is not caught by it."""
    driven = Driven("sync")
    unwound: list[str] = []

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    driven.runtime.sync_driver._sleep = interrupt

    def flow() -> Flow[None]:
        try:
            yield from effects.sleep(1)
        except Exception:
            unwound.append("caught")
        finally:
            unwound.append("unwound")

    with pytest.raises(KeyboardInterrupt):
        driven(flow)
    assert unwound == ["unwound"]


def test_sync_calls_inside_a_running_loop() -> None:
    """The bridge has a loop of its own."""
    driven = Driven("sync")

    async def cell() -> Any:
        return driven(lambda: effects.invoke(asyncio_only, None))

    assert asyncio.run(cell()) == "nobody"
    driven.runtime.close()
    assert driven(lambda: effects.invoke(asyncio_only, None)) == "nobody"  # usable again
    driven.runtime.close()
