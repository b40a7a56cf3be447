"""The server that fails as planned, asked by every kind of client; what it saw."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from edgeagent import RetryPolicy
from edgeagent.errors import RateLimitError
from edgeagent.providers import OpenAI
from edgeagent.testing import FaultServer
from edgeagent.testing.faults import (
    Drip,
    Empty,
    Endless,
    ErrorEvent,
    Fault,
    Garbage,
    HalfStream,
    Hang,
    Html,
    Reset,
    Slow,
    Stale,
    Status,
    Truncated,
    WrongLength,
)
from edgeagent.testing.on_wire import Good, pieces
from tests.e2e.harness import KINDS, Gate, at_once, run, text_of
from tests.support.loopback import Loopback, Pause, reply

ANSWER = "Paris is it, my dear friend."
LIMITS: dict[Fault, dict[str, float]] = {Hang(): {"timeout": 2}, Drip(): {"timeout": 0.5}, Endless(): {"deadline": 3}}
"""For what would take for ever."""

OUTCOMES: dict[Fault, tuple[str, str]] = {
    Hang(): ("APITimeoutError", "APITimeoutError"),
    Reset(): ("APIConnectionError", "APIConnectionError"),
    Status(401): ("AuthenticationError", "AuthenticationError"),
    Status(429): ("RateLimitError", "RateLimitError"),
    Status(500): ("InternalServerError", "InternalServerError"),
    Status(529): ("OverloadedError", "OverloadedError"),
    Truncated(): ("ResponseValidationError", "ResponseValidationError"),
    Html(): ("ResponseValidationError", "ResponseValidationError"),
    Empty(): ("ResponseValidationError", "APIConnectionError"),
    HalfStream(): ("APIConnectionError", "StreamInterruptedError"),
    HalfStream(how="reset"): ("APIConnectionError", "StreamInterruptedError"),
    HalfStream(how="end"): ("ResponseValidationError", "StreamInterruptedError"),
    HalfStream(events=0): ("APIConnectionError", "APIConnectionError"),
    ErrorEvent(): ("InternalServerError", "StreamInterruptedError"),
    ErrorEvent(events=0): ("InternalServerError", "InternalServerError"),
    Slow(first=0.02, between=0.001): (ANSWER, ANSWER),
    WrongLength(10): ("APIConnectionError", ANSWER),  # a stream has ended when it says so, whatever the length
    WrongLength(-10): ("ResponseValidationError", ANSWER),
    Garbage(): ("ResponseValidationError", ANSWER),
    Garbage(b"data: {\n\n"): ("ResponseValidationError", "ResponseValidationError"),
    Drip(seconds=0.0001, size=50): (ANSWER, ANSWER),
    Drip(): ("APITimeoutError", "APITimeoutError"),
    Endless(): ("DeadlineExceededError", "StreamInterruptedError"),
    Stale(): (ANSWER, ANSWER),
}
"""What a client makes of each, of a whole answer and of a stream."""


async def came_of(gate: Gate, *, stream: bool, **params: Any) -> str:
    """The answer's text, or the name of the error."""
    try:
        if stream:
            return text_of(await gate.chunks(model="m", **params))
        return str((await gate.create(model="m", **params)).choices[0].message.content)
    except Exception as error:
        return type(error).__name__


async def one_fault(kind: str, fault: Fault, *, stream: bool) -> None:
    """One client, one call, one fault."""
    with FaultServer(ANSWER, faults=fault) as server:
        provider = OpenAI(api_key="any", base_url=server.base_url)
        async with Gate(kind, [provider], retry=0, cache=False, **LIMITS.get(fault, {})) as gate:
            assert await came_of(gate, stream=stream) == OUTCOMES[fault][stream]
        await gate.until(lambda: server.injected and server.open == 0)  # it may notice late that it was asked at all
        assert server.injected == {type(fault).__name__: 1}
        assert (len(server.requests), server.peak, server.busy) == (1, 1, 0)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_every_fault(stream: bool) -> None:
    """Each is a typed error, or does not matter, for every kind of client alike; and no connection is left."""

    async def case(kind: str, fault: Fault) -> None:
        await one_fault(kind, fault, stream=stream)

    for start in range(0, len(OUTCOMES), 8):
        at_once(case, [(fault,) for fault in list(OUTCOMES)[start : start + 8]])


@pytest.mark.parametrize("kind", KINDS)
def test_attempts_on_the_wire(kind: str) -> None:
    """A plan in order: retries are requests that the server saw, on connections that it counted."""

    async def scenario() -> None:
        with FaultServer(ANSWER, faults=[Status(429, retry_after=7), Reset(), None, Stale(), None]) as server:
            retry = RetryPolicy(attempts=2, wait=lambda _: 1)
            async with Gate(kind, [OpenAI(api_key="any", base_url=server.base_url)], retry=retry, cache=False) as gate:
                assert await came_of(gate, stream=False) == ANSWER
                assert gate.slept == [7, 1]
                assert await came_of(gate, stream=False) == ANSWER
                await gate.until(lambda: server.open == 0)  # else the next request may be on its way before the reset
                assert await came_of(gate, stream=False) == ANSWER
            assert [request.connection for request in server.requests] == [1, 1, 2, 2, 3]
            assert server.provider.calls == 5

    run(kind, scenario)


def post(server: FaultServer, path: str = "/chat/completions", **params: Any) -> httpx.Response:
    return httpx.post(server.base_url + path, **params)


def test_what_it_cannot_answer() -> None:
    """Other paths, other bodies, answers that are errors: a status and an error in OpenAI's form."""
    asked = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
    with FaultServer(RateLimitError("Slow down."), "Paris") as server:
        seen = [
            post(server, "/embeddings", json={}),
            post(server, content=b"no JSON"),
            post(server, json=asked),
            post(server, json=asked),
            post(server, json=asked),
        ]
    assert [(answer.status_code, *answer.json()) for answer in seen[:3]] == [(s, "error") for s in (404, 400, 429)]
    assert seen[3].json()["choices"][0]["message"]["content"] == "Paris"
    assert (seen[4].status_code, seen[4].json()["error"]["message"][:40]) == (
        500,
        "FakeProvider 'server' was given 2 answer",
    )


def test_an_answer_of_its_own() -> None:
    """Nothing has to be said; the request is there as an object."""
    with FaultServer() as server:
        said = post(server, json={"model": "m", "messages": [{"role": "user", "content": "?"}]}).json()
    assert said["choices"][0]["message"]["content"] == "Hello."
    assert server.provider.requests[0].model == "m"


def test_only_faults_have_pieces() -> None:
    """Something else is a mistake of the program's."""
    unknown: Any = object()
    with pytest.raises(TypeError, match="no fault of"):
        list(pieces(unknown, Good([b"{}"], streamed=False)))


def ends_soon(condition: Callable[[], bool]) -> bool:
    limit = time.monotonic() + 10
    while not condition() and time.monotonic() < limit:
        threading.Event().wait(0.005)
    return condition()


def test_a_pause_notices_that_the_client_is_gone() -> None:
    """However long it is; data that comes meanwhile does not end it."""
    paused = threading.Event()

    def answer(_: Any) -> Any:
        paused.set()
        yield Pause(3600)
        yield reply(200)

    with Loopback(answer) as server:
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert paused.wait(10)
        assert (server.open, server.busy) == (1, 1)
        client.close()
        assert ends_soon(lambda: (server.open, server.busy) == (0, 0))


def test_a_pause_ends_with_the_server() -> None:
    """Also when more of the client's bytes are waiting."""
    with Loopback(lambda _: [Pause(3600)]) as server:
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        assert ends_soon(lambda: server.busy == 1)
    assert ends_soon(lambda: server.open == 0)
    client.close()
