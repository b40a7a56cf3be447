"""Streams of identical requests on the wire: one connection for all of one domain, whoever comes, goes or dawdles."""

from __future__ import annotations

import threading
from threading import Event
from typing import Any

import anyio
import pytest

import edgeagent
from edgeagent import EdgeClient
from edgeagent.limits import Budget
from tests.e2e.harness import OPENAI, PROMPT, Gate, Vendor, outcome, settled, streamed, text_of
from tests.support.loopback import HANG_UP, Loopback, Request


class Steps:
    """A stream whose texts come one by one, each when it is let go."""

    def __init__(self, vendor: Vendor, *texts: str, end: Any = None) -> None:
        self.vendor = vendor
        self.texts = texts
        self.gates = [Event() for _ in texts]
        self.end = end

    def __call__(self, request: Request) -> Any:
        pieces: list[Any] = [*self.vendor.opening()]
        for gate, text in zip(self.gates, self.texts, strict=True):
            pieces += [lambda gate=gate: gate.wait(60) and None, self.vendor.text(text)]
        pieces += [self.end] if self.end is not None else self.vendor.closing()
        return streamed(pieces)

    def go(self, count: int = 99) -> None:
        for gate in self.gates[:count]:
            gate.set()


def dumped(chunks: list[Any]) -> list[Any]:
    return [chunk.model_dump(exclude_unset=True) for chunk in chunks]


def streams(gate: Gate) -> Any:
    return gate.client._engine.pipeline.streams


def members(gate: Gate) -> int:
    """How many read the stream that is under way."""
    return sum(len(stream._members) for stream in list(streams(gate)._streams.values()))


async def nothing_left(gate: Gate, server: Loopback, *, closed: bool = False) -> None:
    await gate.until(lambda: len(streams(gate)) == 0, 20)
    assert len(streams(gate).openings) == 0
    if closed:
        await gate.until(lambda: server.open == 0, 20)


async def test_one_connection(kind: str, vendor: Vendor) -> None:
    """Ten at once: one request, the same chunks for everyone, in objects of his own; one pays; then it is a hit."""
    steps = Steps(vendor, "Pa", "ri", "s")
    with Loopback(steps) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:

            async def read() -> tuple[list[Any], Any]:
                stream = await gate.stream(model=vendor.model)
                return [chunk async for chunk in stream], stream.edge

            steps.go(1)
            threading.Timer(0.2, steps.go).start()
            read_by = await gate.together(10, read)
            hit = await gate.chunks(model=vendor.model)
            await nothing_left(gate, server)
    assert len(server.requests) == 1
    first = dumped(read_by[0][0])
    assert text_of(read_by[0][0]) == "Paris"
    assert all(dumped(chunks) == first for chunks, _ in read_by)
    assert dumped(hit) == first
    assert len({id(chunk) for chunks, _ in read_by for chunk in chunks}) == 10 * len(first)
    (payer,) = [edge for _, edge in read_by if not edge.coalesced]
    assert payer.cost_usd > 0
    for chunks, edge in read_by:
        assert chunks[-1].edge is edge
        assert (edge.provider, edge.model) == (vendor.name, vendor.model)
        if edge is not payer:
            assert (edge.cost_usd, edge.saved_usd, edge.attempts) == (0, payer.cost_usd, ())


async def test_a_late_joiner_first_gets_what_has_come(kind: str, vendor: Vendor) -> None:
    """At once, though the first one reads no more; and goes on when that one has gone."""
    steps = Steps(vendor, "Pa", "ri", "s")
    with Loopback(steps) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            steps.go(2)
            one = await gate.stream(model=vendor.model)
            first = [await one.next(), await one.next()]
            two = await gate.stream(model=vendor.model)
            assert dumped([await two.next(), await two.next()]) == dumped(first)
            await one.close()
            steps.go()
            rest = [chunk async for chunk in two]
            assert text_of([*first, *rest]) == "Paris"
            assert not two.edge.coalesced
            assert two.edge.cost_usd > 0
            assert (await gate.create(model=vendor.model)).edge.cached
            await nothing_left(gate, server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("ends", ["whole", "broken", "left"])
async def test_the_first_one_is_charged_for_no_more_than_was_used(kind: str, vendor: Vendor, ends: str) -> None:
    """Who goes on with the stream goes on with what was held for it: a budget has the cost, not the worst case."""
    steps = Steps(vendor, "Pa", "ri", "s", end=HANG_UP if ends == "broken" else None)
    with Loopback(steps) as server:
        budgets = [Budget(name="all", usd=100)]
        async with Gate(kind, [vendor.provider(server)], budgets=budgets, retry=0) as gate:
            steps.go(1)
            one = await gate.stream(model=vendor.model)
            await one.next()
            two = await gate.stream(model=vendor.model)
            await two.next()
            await one.close()
            before = await settled(gate.client.spending("all"))
            held = 100 - before.remaining
            assert (before.spent, held > 0) == (0, True)
            if ends == "left":
                await two.close()
            steps.go()
            if ends == "broken":
                with pytest.raises(edgeagent.APIError):
                    [chunk async for chunk in two]
            elif ends == "whole":
                [chunk async for chunk in two]
            await nothing_left(gate, server)
            after = await settled(gate.client.spending("all"))
            assert after.spent == (two.edge.cost_usd if ends == "whole" else held)
            assert after.remaining == 100 - after.spent


async def test_who_comes_after_a_clearing_joins_nothing_of_before(kind: str, vendor: Vendor) -> None:
    """He has a stream of his own, which others join, and which is kept."""
    steps = Steps(vendor, "Pa", "ri", "s")
    with Loopback(steps) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            steps.go(1)
            one = await gate.stream(model=vendor.model)
            await settled(gate.client.cache.clear())
            two, three = await gate.stream(model=vendor.model), await gate.stream(model=vendor.model)
            steps.go()
            key = {"model": vendor.model, "messages": [{"role": "user", "content": PROMPT}]}
            for stream in (one, two, three):
                assert text_of([chunk async for chunk in stream]) == "Paris"
            assert (await settled(gate.client.cache.peek(**key))).outcome == "hit"
            assert [one.edge.coalesced, two.edge.coalesced, three.edge.coalesced] == [False, False, True]
            await nothing_left(gate, server)
    assert len(server.requests) == 2


async def test_the_connection_closes_with_the_last_one(kind: str, vendor: Vendor) -> None:
    """Not before; nothing is stored."""
    steps = Steps(vendor, "Pa", "ri", "s")
    with Loopback(steps) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            steps.go(1)
            one, two = await gate.stream(model=vendor.model), await gate.stream(model=vendor.model)
            await one.close()
            assert len(streams(gate)) == 1
            await two.close()
            assert len(streams(gate)) == 0
            steps.go()
            await nothing_left(gate, server, closed=True)
            key = {"model": vendor.model, "messages": [{"role": "user", "content": PROMPT}]}
            assert (await settled(gate.client.cache.peek(**key))).outcome == "ask"


async def test_a_break_is_everyones(kind: str, vendor: Vendor) -> None:
    """Each has an error of his own with what had come; a new stream is a new request."""
    steps = Steps(vendor, "Pa", "ri", end=HANG_UP)
    with Loopback(steps) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            steps.go(1)
            both = [await gate.stream(model=vendor.model), await gate.stream(model=vendor.model)]
            steps.go()

            async def rest(stream: Any) -> Any:
                return await outcome(lambda: read_all(stream))

            errors = [await rest(stream) for stream in both]
            assert {type(error) for error in errors} == {edgeagent.StreamInterruptedError}
            assert errors[0] is not errors[1]
            assert {error.partial.choices[0].message.content for error in errors} == {"Pari"}
            await nothing_left(gate, server)
            await gate.stream(model=vendor.model)
    assert len(server.requests) == 2


async def read_all(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]


async def test_a_provider_that_fails_is_asked_by_one(kind: str, vendor: Vendor) -> None:
    """One ladder of attempts for all who open at the same moment."""
    held = Event()

    def fail(request: Request) -> Any:
        held.wait(60)
        return vendor.fail(500)

    with Loopback(fail) as server:
        async with Gate(kind, [vendor.provider(server)], retry=1) as gate:
            threading.Timer(0.3, held.set).start()
            errors = await gate.together(10, lambda: gate.stream(model=vendor.model))
            await nothing_left(gate, server)
    assert {type(error) for error in errors} == {edgeagent.InternalServerError}
    assert len(server.requests) == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_first_one_disturbs_nobody(backend: str) -> None:
    """Cancelled in the middle of a read, before and after the pump has taken over."""
    steps = Steps(OPENAI, "Pa", "ri", "s")
    with Loopback(steps) as server:

        async def main() -> None:
            async with Gate(backend, [OPENAI.provider(server)]) as gate:
                said: list[str] = []
                cancelled = anyio.CancelScope()

                async def first() -> None:
                    with cancelled:
                        await gate.chunks(model=OPENAI.model)

                async def other() -> None:
                    said.append(text_of(await gate.chunks(model=OPENAI.model)))

                steps.go(1)
                async with anyio.create_task_group() as group:
                    group.start_soon(first)
                    await gate.until(lambda: members(gate) == 1)
                    await gate.pause(0.05)  # it reads
                    group.start_soon(other)
                    group.start_soon(other)
                    await gate.until(lambda: members(gate) == 3)
                    cancelled.cancel()
                    await gate.pause(0.05)
                    steps.go()
                assert said == ["Paris", "Paris"]
                await nothing_left(gate, server)

        anyio.run(main, backend=backend)
    assert len(server.requests) <= 2


def test_other_domains_call_for_themselves() -> None:
    """A thread and a loop do not read one connection; each domain has its own."""
    steps = Steps(OPENAI, "Pa", "ri", "s")
    with Loopback(steps) as server:
        client = EdgeClient(providers=[OPENAI.provider(server)])
        steps.go(1)
        asked: dict[str, Any] = {"model": OPENAI.model, "messages": [{"role": "user", "content": "x"}], "stream": True}
        here = client.chat.completions.create(**asked)

        async def there() -> str:
            stream = await client.to_async().chat.completions.create(**asked)
            steps.go()
            return text_of([chunk async for chunk in stream])

        assert anyio.run(there) == "Paris"
        assert text_of(here) == "Paris"
        client.close()
    assert len(server.requests) == 2


@pytest.mark.parametrize("mode", ["off", "read", "write", "refresh"])
async def test_other_modes_share_nothing(kind: str, mode: str) -> None:
    """As with whole answers."""
    steps = Steps(OPENAI, "Paris")
    with Loopback(steps) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            steps.go()
            one = await gate.stream(model=OPENAI.model, edge={"cache": mode})
            two = await gate.stream(model=OPENAI.model, edge={"cache": mode})
            await read_all(one)
            await read_all(two)
    assert len(server.requests) == 2


async def test_each_has_his_own_deadline_and_usage(kind: str) -> None:
    """Who is in a hurry ends alone; who asked for usage gets it, the others do not."""
    steps = Steps(OPENAI, "Pa", "ris")
    with Loopback(steps) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            steps.go(1)
            one = await gate.stream(model=OPENAI.model)
            hasty = await gate.stream(model=OPENAI.model, edge={"deadline": 0.2})
            usage = await gate.stream(model=OPENAI.model, stream_options={"include_usage": True})
            error = await outcome(lambda: read_all(hasty))
            assert isinstance(error, edgeagent.StreamInterruptedError)
            assert isinstance(error.__cause__, edgeagent.DeadlineExceededError)
            steps.go()
            plain, told = await read_all(one), await read_all(usage)
            assert [chunk for chunk in plain if chunk.usage] == []
            assert told[-1].usage.total_tokens == sum(OPENAI.usage)
            await nothing_left(gate, server)
    assert len(server.requests) == 1
