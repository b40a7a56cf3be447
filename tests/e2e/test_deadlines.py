"""Time limits on real sockets: of one attempt, and of the whole call against servers that drip."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Event
from typing import Any

import httpx
import httpx2
import pytest

from edgeagent import APITimeoutError, DeadlineExceededError, InternalServerError, RetryPolicy, StreamInterruptedError
from edgeagent.effects import Timeout
from tests.e2e.harness import OPENAI, VENDORS, Gate, Script, Vendor, at_once, outcome, settled, streamed
from tests.support.loopback import Loopback, Request, chunk, head

DEADLINE = 0.5
SOON = 60.0
"""Seconds in which a call whose deadline is 0.5 s has ended on the busiest machine; what drips here lasts longer."""


def drip(first: bytes, rest: bytes) -> Callable[[Request], Iterator[bytes]]:
    """A byte at a time, each well within the limit of a read."""

    def answer(request: Request) -> Iterator[bytes]:
        yield first
        for i in range(len(rest)):
            Event().wait(0.02)
            yield rest[i : i + 1]

    return answer


DRIPS: dict[str, Callable[[Vendor], Any]] = {
    "head": lambda v: drip(b"", b"HTTP/1.1 200 OK\r\n" + b"x-long: value\r\n" * 1000),
    "body": lambda v: drip(*_split(v.reply("Paris " * 2000))),
    "error": lambda v: drip(*_split(v.fail(500))),
}
STREAM_DRIPS: dict[str, Callable[[Vendor], Any]] = {
    "head": DRIPS["head"],
    "role only": lambda v: drip(head() + chunk(v.opening()[0]), chunk(b": keep-alive\n\n") * 1000),
    "error": DRIPS["error"],
}


def _split(reply: bytes) -> tuple[bytes, bytes]:
    top, _, body = reply.partition(b"\r\n\r\n")
    return top + b"\r\n\r\n", body


def client_of(library: Any, kind: str) -> Any:
    """A client of the caller's own, None for our pool."""
    if library is None:
        return None
    return library.Client() if kind == "sync" else library.AsyncClient()


async def close(client: Any) -> None:
    if client is not None:
        await settled(client.close() if hasattr(client, "close") else client.aclose())


LIBRARIES = (None, httpx, httpx2)
ENGINES = [(vendor, library) for vendor in VENDORS.values() for library in LIBRARIES]


async def dripped(kind: str, vendor: Vendor, library: Any, where: str) -> None:
    client = client_of(library, kind)
    with Loopback(DRIPS[where](vendor)) as server:
        async with Gate(kind, [vendor.provider(server)], http_client=client) as gate:
            begun = time.monotonic()
            with pytest.raises(DeadlineExceededError):
                await gate.create(model=vendor.model, edge={"deadline": DEADLINE})
            assert DEADLINE * 0.9 < time.monotonic() - begun < SOON
        await close(client)
    assert len(server.requests) <= 1  # on a busy machine it may not even have come to that


def test_a_deadline_holds_against_a_dripping_server() -> None:
    """In the head, the body, an error's body; on our sockets and on those of a client of the caller's."""
    at_once(dripped, [(*engine, where) for engine in ENGINES for where in DRIPS])


async def dripped_before_content(kind: str, vendor: Vendor, library: Any, where: str) -> None:
    client = client_of(library, kind)
    with Loopback(STREAM_DRIPS[where](vendor)) as server:
        async with Gate(kind, [vendor.provider(server)], http_client=client) as gate:
            begun = time.monotonic()
            with pytest.raises(DeadlineExceededError):
                await gate.stream(model=vendor.model, edge={"deadline": DEADLINE})
            assert DEADLINE * 0.9 < time.monotonic() - begun < SOON
            if library is None:
                await gate.until(lambda: server.open == 0)
        await close(client)


def test_a_deadline_holds_before_the_first_content() -> None:
    """Comments and a role are no content: `create()` ends at the deadline."""
    at_once(dripped_before_content, [(*engine, where) for engine in ENGINES for where in STREAM_DRIPS])


async def dripped_within_stream(kind: str, vendor: Vendor, library: Any) -> None:
    def answer(request: Request) -> Iterator[bytes]:
        yield head()
        for event in [*vendor.opening(), vendor.text("one ")]:
            yield chunk(event)
        yield from drip(b"", chunk(vendor.text("two " * 10_000)))(request)

    client = client_of(library, kind)
    with Loopback(answer) as server:
        async with Gate(kind, [vendor.provider(server)], http_client=client) as gate:
            for seconds in (2 * DEADLINE, 10 * DEADLINE, 100 * DEADLINE):  # until the first content comes in time
                begun = time.monotonic()
                stream = await outcome(partial(gate.stream, model=vendor.model, edge={"deadline": seconds}))
                if not isinstance(stream, DeadlineExceededError):
                    break
            with pytest.raises(StreamInterruptedError) as caught:
                async for _ in stream:
                    pass
            assert time.monotonic() - begun < seconds + SOON
            await gate.until(lambda: server.open == 0)
        await close(client)
    assert isinstance(caught.value.__cause__, DeadlineExceededError)
    assert caught.value.partial.choices[0].message.content == "one "


def test_a_deadline_holds_within_a_stream() -> None:
    """Content that drips is cut at the deadline; the error carries what had come and says why."""
    at_once(dripped_within_stream, ENGINES)


async def limited(kind: str, vendor: Vendor, library: Any) -> None:
    release = Event()
    script = Script(lambda r: _silent(release), lambda r: _silent(release), lambda r: vendor.reply())
    client = client_of(library, kind)
    with Loopback(script) as server:
        async with Gate(kind, [vendor.provider(server)], http_client=client) as gate:
            answer = await gate.create(model=vendor.model, timeout=quiet_for(1.0))
            assert [a.outcome for a in answer.edge.attempts] == ["APITimeoutError", "APITimeoutError", "ok"]
            release.set()
        await close(client)


def test_an_attempt_has_its_own_limit() -> None:
    """A silent server costs one attempt, not the call: the third one answers."""
    at_once(limited, ENGINES)


def quiet_for(seconds: float) -> Timeout:
    """A limit for waiting on the server alone: connecting on a busy machine takes its time."""
    return Timeout(connect=5.0, read=seconds, write=5.0, pool=5.0)


def _silent(release: Event) -> Iterator[bytes]:
    release.wait(60)
    yield b""


async def silent(kind: str) -> None:
    release = Event()
    with Loopback(lambda request: _silent(release)) as server:
        async with Gate(kind, [OPENAI.provider(server)], timeout=quiet_for(0.2)) as gate:
            error = await outcome(lambda: gate.create(model=OPENAI.model))
            assert type(error) is APITimeoutError
            await gate.until(lambda: len(server.requests) == 3)
            release.set()


def test_a_silent_server_is_a_timeout() -> None:
    """Every attempt ran into its limit: the error is a timeout, and none of the call's deadline."""
    at_once(silent)


async def gap(kind: str) -> None:
    release = Event()
    with Loopback(
        lambda request: streamed([*OPENAI.opening(), OPENAI.text("one "), lambda: release.wait(60)])
    ) as server:
        async with Gate(kind, [OPENAI.provider(server)], timeout=quiet_for(1.0)) as gate:
            stream = await gate.stream(model=OPENAI.model)
            with pytest.raises(StreamInterruptedError) as caught:
                async for _ in stream:
                    pass
            release.set()
    assert type(caught.value.__cause__) is APITimeoutError
    assert caught.value.partial.choices[0].message.content == "one "
    assert len(server.requests) == 1


def test_a_gap_in_a_stream() -> None:
    """The limit of an attempt is also the longest gap between two chunks."""
    at_once(gap)


async def attempts(kind: str) -> None:
    eager = RetryPolicy(50, wait=lambda state: 0.0)
    release = Event()
    with Loopback(lambda request: _silent(release)) as server:
        async with Gate(kind, [OPENAI.provider(server)], timeout=quiet_for(0.2), retry=eager) as gate:
            begun = time.monotonic()
            error = await outcome(lambda: gate.create(model=OPENAI.model, edge={"deadline": 2 * DEADLINE}))
            assert time.monotonic() - begun < SOON
            release.set()
    assert isinstance(error, APITimeoutError)
    assert 2 <= len(error.attempts) <= 6


def test_one_deadline_over_several_attempts() -> None:
    """Some attempts of 0.2 s fit, the last is cut short: the call ends at its deadline, not at fifty limits."""
    at_once(attempts)


async def targets(kind: str) -> None:
    release = Event()
    with Loopback(Script(OPENAI.fail(401))) as one, Loopback(lambda request: _silent(release)) as two:
        providers = [OPENAI.provider(one), OPENAI.provider(two, name="two")]
        async with Gate(kind, providers, deadline=DEADLINE) as gate:
            begun = time.monotonic()
            error = await outcome(lambda: gate.create(model=OPENAI.model, edge={"fallbacks": ["two/gpt-4o"]}))
            assert time.monotonic() - begun < SOON
            release.set()
    assert [attempt.outcome for attempt in error.attempts] == ["AuthenticationError", "DeadlineExceededError"]


def test_one_deadline_over_several_targets() -> None:
    """The second target gets only what the first has left."""
    at_once(targets)


async def test_no_wait_that_does_not_fit(kind: str) -> None:
    """Waiting 5 s makes no sense 3 s before the deadline: the error is raised at once."""
    with Loopback(Script(OPENAI.fail(503, retry_after="5"))) as server:
        async with Gate(kind, [OPENAI.provider(server)], deadline=3.0) as gate:
            with pytest.raises(InternalServerError):
                await gate.create(model=OPENAI.model)
    assert len(server.requests) == 1
    assert gate.slept == []


async def following(kind: str) -> None:
    release = Event()
    with Loopback(lambda request: [release.wait(60) and b"", OPENAI.reply()]) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            deadlines = iter([None, 0.1])

            async def call() -> Any:
                deadline = next(deadlines)
                if deadline is not None:
                    await gate.until(lambda: server.requests)
                result = await outcome(lambda: gate.create(model=OPENAI.model, edge={"deadline": deadline}))
                if deadline is not None:
                    release.set()
                return result

            results = await gate.together(2, call)
    (error,) = [result for result in results if isinstance(result, Exception)]
    assert type(error) is DeadlineExceededError
    assert len(server.requests) == 1


def test_a_deadline_holds_while_following() -> None:
    """Who waits for another's call waits no longer than his own deadline."""
    at_once(following)
