"""Clients of the caller's own, where they do more than send."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest

from edgeagent import effects
from edgeagent.effects import Flow
from edgeagent.errors import APIConnectionError, APITimeoutError, ConfigurationError, DeadlineExceededError
from tests.io.driving import LONG, Driven, Lent, client_of, endless, post, read_all, soon
from tests.support.loopback import Loopback, reply

__all__: list[str] = []

MODULES = pytest.mark.parametrize("module", [httpx, httpx2])


def hooks(kind: str, hook: Any) -> dict[str, Any]:
    async def asynchronous(response: Any) -> None:
        hook(response)

    return {"response": [hook if kind == "sync" else asynchronous]}


@MODULES
def test_a_hook_that_raises_for_the_status(kind: str, module: Any) -> None:
    """The status is an answer all the same; the URL that the exception quotes is told to nobody."""
    lent = Lent(kind, module, event_hooks=hooks(kind, lambda response: response.raise_for_status()))
    with Loopback(lambda request: reply(429, b"slow down", retry_after="1")) as server:
        response = lent(lambda: effects.send(post(f"{server.url}/?key=secret"), LONG, None))
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")


def test_a_hook_that_has_read_the_answer(kind: str) -> None:
    """Then the body is there, too."""

    def reads(response: Any) -> None:
        response._content = b"slow down"  # as `read` and `aread` leave it
        response.raise_for_status()

    lent = Lent(kind, httpx, event_hooks=hooks(kind, reads))
    with Loopback(lambda request: reply(429, b"slow down")) as server:

        def flow() -> Flow[Any]:
            source = yield from effects.open_stream(post(server.url), LONG, None)
            return source.status_code, (yield from read_all(source))

        assert lent(flow) == (429, [b"slow down"])


@MODULES
def test_a_hook_that_raises_something_else(kind: str, module: Any) -> None:
    """It is the caller's own error."""

    def breaks(response: Any) -> None:
        raise ZeroDivisionError

    lent = Lent(kind, module, event_hooks=hooks(kind, breaks))
    with Loopback(lambda request: reply(200)) as server, pytest.raises(ZeroDivisionError):
        lent(lambda: effects.send(post(server.url), LONG, None))


@MODULES
def test_a_client_that_is_closed(module: Any) -> None:
    """The error says so; nothing is tried."""
    client = module.Client()
    client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        Driven("sync", http_client=client)(lambda: effects.send(post("http://127.0.0.1:9"), LONG, None))


@pytest.mark.parametrize("client", ["http://proxy", object(), httpx.AsyncClient()])
def test_what_is_no_client(client: Any) -> None:
    """As somebody lends another library's, or an address: the error says what is wanted, and quotes nothing."""
    told = rf"needs an httpx\.Client as http_client; .* {type(client).__name__}\."
    with pytest.raises(ConfigurationError, match=told) as caught:
        Driven("sync", http_client=client)(lambda: effects.send(post("http://127.0.0.1:9"), LONG, None))
    assert "proxy" not in str(caught.value)


def test_a_client_that_is_no_network() -> None:
    """A transport of the caller's need not have sockets."""
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"path": request.url.path}))
    with httpx.Client(transport=transport) as client:
        driven = Driven("sync", http_client=client)
        for deadline in (None, soon(10)):
            response = driven(lambda deadline=deadline: effects.send(post("http://a/b"), LONG, deadline))  # type: ignore[misc]
            assert response.json() == {"path": "/b"}


@MODULES
def test_what_a_client_raises_is_told_with_its_reason(kind: str, module: Any) -> None:
    """A protocol the client does not speak, and a request that it refuses to put into words."""
    lent = Lent(kind, module, headers={"x-bad": "secret\n"})
    with (
        Loopback(lambda request: reply(200)) as server,
        pytest.raises(APIConnectionError, match="not valid HTTP") as caught,
    ):
        lent(lambda: effects.send(post(server.url), LONG, None))
    assert caught.value.sent is False
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@MODULES
@pytest.mark.parametrize("seconds", [None, 10.0])
def test_a_stream_closed_early(kind: str, module: Any, seconds: float | None) -> None:
    """Its connection is closed."""
    lent = Lent(kind, module)

    def flow() -> Flow[None]:
        deadline = None if seconds is None else soon(seconds)
        source = yield from effects.open_stream(post(server.url), LONG, deadline)
        assert (yield from effects.read(source, deadline)) == b"a"

    with Loopback(endless) as server:
        lent(flow)
        assert server.closed.wait(5)


@MODULES
@pytest.mark.parametrize("where", ["head", "body"])
def test_steps_that_are_given_up(kind: str, module: Any, where: str) -> None:
    """At the deadline the caller goes on; what comes late is closed, and no thread is left behind it."""
    release = threading.Event()

    def answer(request: Any) -> Iterator[bytes]:
        if where == "body":
            yield b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na"
        while not release.wait(0.02):
            yield b"" if where == "body" else b"HTTP/1.1 100 Continue\r\n\r\n"
        yield reply(200) if where == "head" else b"bc"

    lent = Lent(kind, module)

    def given_up() -> Flow[None]:
        source = yield from effects.open_stream(post(server.url), LONG, soon(0.2))
        yield from read_all(source, soon(0.2))

    def flow() -> Flow[None]:
        begun = time.monotonic()
        with pytest.raises(DeadlineExceededError) as caught:
            yield from given_up()
        assert caught.value.sent is True
        assert time.monotonic() - begun < 10
        release.set()
        assert server.closed.wait(5)

    with Loopback(answer) as server:
        lent(flow)


def test_a_client_of_this_call_only(kind: str) -> None:
    """The provider's own client is used for its requests alone."""
    client = client_of(httpx, kind, headers={"x-mine": "yes"})
    driven = Driven(kind)

    def flow() -> Flow[None]:
        yield from effects.send(post(server.url), LONG, None, client)
        yield from effects.send(post(server.url), LONG, None)

    with Loopback(lambda request: reply(200)) as server:
        if kind == "sync":
            with client:
                driven(flow)
        else:
            import anyio

            async def main() -> None:
                async with client:
                    await driven._run(flow)

            anyio.run(main, backend=kind)
        assert ["x-mine" in request.headers for request in server.requests] == [True, False]
    driven.runtime.close()


@MODULES
def test_timeouts_of_a_client(kind: str, module: Any) -> None:
    """The call's limits hold, not the client's own."""
    lent = Lent(kind, module, timeout=30.0)
    limits = effects.Timeout(connect=5.0, read=0.1, write=5.0, pool=5.0)
    release = threading.Event()

    def answer(request: Any) -> Iterator[bytes]:
        release.wait(10)
        yield reply(200)

    with Loopback(answer) as server:
        with pytest.raises(APITimeoutError) as caught:
            lent(lambda: effects.send(post(server.url), limits, None))
        release.set()
    assert type(caught.value) is APITimeoutError
