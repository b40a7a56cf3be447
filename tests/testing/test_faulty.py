"""Any provider with faults, asked by every kind of client."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import anyio
import pytest
import trio
import trio.testing

import edgeagent
from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.core.ask import CHAT_METHODS
from edgeagent.errors import APIConnectionError, APITimeoutError, ConfigurationError, RateLimitError
from edgeagent.providers import OpenAI
from edgeagent.testing import FakeProvider, FaultServer, Faulty
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
    Mix,
    Reset,
    Slow,
    Stale,
    Status,
    Truncated,
    WrongLength,
)
from edgeagent.types import ChatRequest
from tests.e2e.harness import KINDS, Gate, at_once, run
from tests.testing.test_fault_server import came_of

ANSWER = "Paris is it, my dear friend."
REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "?"}])

OUTCOMES: dict[Fault, tuple[str, str]] = {
    Hang(): ("APITimeoutError", "APITimeoutError"),
    Reset(): ("APIConnectionError", "APIConnectionError"),
    Status(401): ("AuthenticationError", "AuthenticationError"),
    Status(429): ("RateLimitError", "RateLimitError"),
    Status(500): ("InternalServerError", "InternalServerError"),
    Status(529): ("OverloadedError", "OverloadedError"),
    Truncated(): ("ResponseValidationError", "ResponseValidationError"),
    Html(): ("ResponseValidationError", "ResponseValidationError"),
    Empty(): ("ResponseValidationError", "ResponseValidationError"),
    HalfStream(): ("APIConnectionError", "StreamInterruptedError"),
    HalfStream(events=0): ("APIConnectionError", "APIConnectionError"),
    HalfStream(events=1000): ("APIConnectionError", "StreamInterruptedError"),
    ErrorEvent(): ("OverloadedError", "StreamInterruptedError"),
    ErrorEvent(events=0): ("OverloadedError", "OverloadedError"),
    Slow(first=0.02, between=0.001): (ANSWER, ANSWER),
    Slow(first=0): (ANSWER, ANSWER),
}
"""What a client makes of each, of a whole answer and of a stream."""


class OnlySync:
    """A provider that blocks, and gives what it likes."""

    name = "mine"

    def complete(self, request: ChatRequest) -> str:
        return ANSWER

    def stream(self, request: ChatRequest) -> Iterator[str]:
        yield ANSWER[:6]
        yield ANSWER[6:]


class OnlyAsync:
    """A provider that awaits; its stream is behind an awaitable."""

    name = "mine"

    async def acomplete(self, request: ChatRequest) -> str:
        return ANSWER

    async def astream(self, request: ChatRequest) -> AsyncIterator[str]:
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[str]:
        for piece in OnlySync().stream(REQUEST):
            yield piece


PROVIDERS = {"fake": partial(FakeProvider, ANSWER, name="mine"), "sync": OnlySync, "async": OnlyAsync}


@pytest.mark.parametrize("make", PROVIDERS.values(), ids=PROVIDERS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_every_fault(make: Any, stream: bool) -> None:
    """Of every provider, for every kind of client alike: a typed error, or a good answer that is late."""

    async def case(kind: str, fault: Fault) -> None:
        provider = Faulty(make(), fault)
        limits = {"timeout": 0.3} if fault == Hang() else {}
        async with Gate(kind, [provider], retry=0, cache=False, **limits) as gate:
            assert await came_of(gate, stream=stream) == OUTCOMES[fault][stream]
        assert provider.injected == {type(fault).__name__: 1}

    at_once(case, [(fault,) for fault in OUTCOMES])


@pytest.mark.parametrize("fault", [WrongLength(), Garbage(), Drip(), Endless(), Stale()])
def test_faults_of_bytes(fault: Fault) -> None:
    """They need a server, and the error says so."""
    assert fault.on_wire_only
    with (
        EdgeClient(providers=[Faulty(FakeProvider("A"), fault)]) as client,
        pytest.raises(ConfigurationError, match=f"{type(fault).__name__} is a fault of bytes.*use FaultServer"),
    ):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])


@pytest.mark.parametrize("kind", KINDS)
def test_a_vendor(kind: str) -> None:
    """Its good answers are its own, from the wire; what fails before the answer never reaches it."""

    async def scenario() -> None:
        with FaultServer(ANSWER) as server:
            provider = Faulty(OpenAI(api_key="any", base_url=server.base_url), [Status(503), None] * 2 + [HalfStream()])
            assert provider.vendor == "openai"
            assert provider.family("gpt-4o")
            async with Gate(kind, [provider], retry=1, cache=False) as gate:
                assert await came_of(gate, stream=False, temperature=0.5, extra_body={"own": 1}) == ANSWER
                assert await came_of(gate, stream=True) == ANSWER
                assert await came_of(gate, stream=True) == "StreamInterruptedError"
            bodies = [request.json() for request in server.requests]
            assert [body["model"] for body in bodies] == ["m"] * 3
            assert (bodies[0]["temperature"], bodies[0]["own"]) == (0.5, 1)
            assert [bool(body.get("stream")) for body in bodies] == [False, True, True]
            assert "OpenAI" in repr(provider)

    run(kind, scenario)


def test_a_vendors_connection_is_given_back() -> None:
    """When the client gives up in the middle of a stream, or of waiting."""
    with FaultServer(ANSWER, faults=[Endless(), Hang()]) as server:
        provider = Faulty(OpenAI(api_key="any", base_url=server.base_url), ())

        async def main() -> None:
            async with AsyncEdgeClient(providers=[provider], retry=0, timeout=0.5, cache=False) as client:
                create: Any = client.chat.completions.create
                arguments = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
                async with await create(**arguments, stream=True) as stream:
                    await anext(stream)
                with pytest.raises(APITimeoutError):
                    await create(**arguments)
                while server.busy:
                    await anyio.sleep(0.005)

        anyio.run(main)


def test_an_error_is_made_for_each_call() -> None:
    """A plan's fault is one value; what is raised belongs to one call, with what the server would have said."""
    faulty = Faulty(FakeProvider("A"), Status(429, retry_after=2.5, code="slow_down"))
    errors = []
    for _ in range(2):
        with pytest.raises(RateLimitError) as caught:
            faulty.complete(REQUEST)
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert (errors[0].retry_after, errors[0].code, errors[0].response.headers["retry-after"]) == (
        2.5,
        "slow_down",
        "2.5",
    )


@pytest.mark.parametrize("sent", [False, True])
def test_whether_it_was_sent(sent: bool) -> None:
    """A reset tells whether anything can have been billed."""
    with pytest.raises(APIConnectionError) as caught:
        Faulty(FakeProvider("A"), Reset(sent=sent)).complete(REQUEST)
    assert caught.value.sent is sent


def test_a_clock_of_the_tests_own() -> None:
    """Blocking calls wait as they are told: no time passes."""
    slept: list[float] = []
    fake = FakeProvider("one two three")
    faulty = Faulty(fake, [Slow(5, between=2), Hang(60), Slow(5), Hang(60)], sleep=slept.append)
    assert len(list(faulty.stream(REQUEST))) == 5
    assert slept == [5, *[2] * 5]
    slept.clear()
    with pytest.raises(APITimeoutError):
        list(faulty.stream(REQUEST))
    assert faulty.complete(REQUEST).choices[0].message.content == "one two three"
    with pytest.raises(APITimeoutError):
        faulty.complete(REQUEST)
    assert slept == [60, 5, 60]
    assert fake.calls == 2


def test_trios_clock() -> None:
    """On trio a minute passes at once, if the clock is told so."""
    faulty = Faulty(FakeProvider("A"), [Hang(60), Slow(60)])

    async def main() -> float:
        begun = trio.current_time()
        with pytest.raises(APITimeoutError):
            await faulty.acomplete(REQUEST)
        await faulty.acomplete(REQUEST)
        return trio.current_time() - begun

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == pytest.approx(120)


def test_what_is_the_providers_own() -> None:
    """Whatever else it has is there, and nothing that it has not."""
    fake = FakeProvider("A", name="x", models=["m"], vendor="openai")
    faulty = Faulty(fake, ())
    assert (faulty.name, faulty.models, faulty.vendor, faulty.requests) == ("x", ("m",), "openai", [])
    assert [hasattr(Faulty(OnlySync(), ()), name) for name in CHAT_METHODS] == [True, False, True, False]
    assert not hasattr(faulty, "_secret")
    assert repr(faulty) == f"Faulty({fake!r})"
    with EdgeClient(providers=[faulty]) as client:
        assert len(client.embeddings.create(model="m", input="text").data) == 1


def test_a_source_that_is_broken_off_is_closed() -> None:
    """A generator's `finally` runs at once, not when it is collected."""
    closed: list[bool] = []

    def pieces(request: ChatRequest) -> Iterator[str]:
        try:
            yield "one "
            yield "two "
        finally:
            closed.append(True)

    class Own:
        name = "own"
        stream = staticmethod(pieces)

    with pytest.raises(APIConnectionError):
        list(Faulty(Own(), HalfStream(events=1)).stream(REQUEST))
    assert closed == [True]


def test_copies() -> None:
    """A copy is made without asking the provider for what a copy needs."""
    assert copy.copy(Faulty(FakeProvider("A", name="x"), ())).name == "x"
    assert isinstance(pickle.loads(pickle.dumps(Reset())), Reset)


def test_a_random_plan_under_a_client() -> None:
    """Half of the calls fail, each in one of the ways of the plan."""
    faulty = Faulty(FakeProvider("A"), Mix([Reset(), Status(404), Truncated()], 0.5, seed=3))
    ends: Counter[str] = Counter()
    with EdgeClient(providers=[faulty], cache=False, retry=0, breaker=False) as client:
        for _ in range(200):
            try:
                client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])
            except edgeagent.APIError as error:
                ends[type(error).__name__] += 1
    assert ends.total() == faulty.injected.total() == pytest.approx(100, abs=25)
    assert set(ends) == {"APIConnectionError", "NotFoundError", "ResponseValidationError"}
