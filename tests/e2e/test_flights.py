"""Single flight on the wire: N identical calls are one request, whoever makes them and however it ends."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest

import edgeagent
from edgeagent import AsyncEdgeClient, DeadlineExceededError, EdgeClient
from tests.e2e.harness import OPENAI, Gate, Script, Vendor, outcome, run
from tests.support.loopback import Loopback, Request

MANY = 20


class Held:
    """A handler that answers when it is released; `asked` counts who waits for it."""

    def __init__(self, answer: Any) -> None:
        self.release = Event()
        self.asked = 0
        self._answer = answer

    def __call__(self, request: Request) -> Any:
        self.asked += 1
        self.release.wait(60)
        return self._answer(request) if callable(self._answer) else self._answer


def waiting(gate: Gate, count: int) -> bool:
    """Whether so many calls wait for the flight of another."""
    flights = gate.client._engine.pipeline.flights._flights
    return sum(len(flight._callbacks) for flight in list(flights.values())) >= count


async def released(gate: Gate, held: Held, count: int, call: Any) -> list[Any]:
    """Make so many calls, and let the server answer once all but one are waiting."""
    watcher = threading.Thread(target=_watch, args=(gate, held, count - 1))
    watcher.start()
    results = await gate.together(count, call)
    watcher.join()
    return results


def _watch(gate: Gate, held: Held, followers: int) -> None:
    limit = time.monotonic() + 60
    while not (held.asked and waiting(gate, followers)) and time.monotonic() < limit:
        Event().wait(0.002)
    held.release.set()


async def test_one_request(kind: str, vendor: Vendor) -> None:
    """Everyone has an object of his own; one of them paid."""
    held = Held(vendor.reply())
    with Loopback(held) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            answers = await released(gate, held, MANY, lambda: gate.create(model=vendor.model))
            assert len(gate.client._engine.pipeline.flights) == 0
    assert len(server.requests) == 1
    assert [answer.choices[0].message.content for answer in answers] == ["Paris"] * MANY
    assert len({id(answer) for answer in answers}) == len({id(a.choices[0].message) for a in answers}) == MANY
    (leader,) = [answer for answer in answers if not answer.edge.coalesced]
    assert leader.edge.cost_usd > 0
    assert len(leader.edge.attempts) == 1
    for answer in answers:
        assert answer.model_dump() == leader.model_dump()
        assert answer.edge.provider == vendor.name
        assert not answer.edge.cached
        if answer is not leader:
            assert (answer.edge.cost_usd, answer.edge.saved_usd) == (0, leader.edge.cost_usd)
            assert answer.edge.attempts == ()


def test_threads_and_tasks_of_both_loops_at_once() -> None:
    """One client in both kinds: threads, asyncio tasks and trio tasks share one request."""
    held = Held(OPENAI.reply())
    with Loopback(held) as server:
        client = EdgeClient(providers=[OPENAI.provider(server)])
        gates = {}
        for kind in ("sync", "asyncio", "trio"):
            gates[kind] = gate = Gate.__new__(Gate)
            gate.kind = kind
            gate.adopt(client if kind == "sync" else client.to_async())

        def crowd(kind: str) -> list[Any]:
            gate = gates[kind]
            return list(run(kind, lambda: gate.together(10, lambda: gate.create(model=OPENAI.model))))

        with ThreadPoolExecutor(3) as pool:
            crowds = [pool.submit(crowd, kind) for kind in gates]
            _watch(gates["sync"], held, 29)
            answers = [answer for made in crowds for answer in made.result(10)]
        client.close()
    assert len(server.requests) == 1
    assert [answer.choices[0].message.content for answer in answers] == ["Paris"] * 30


@pytest.mark.parametrize("followers", [99])
async def test_a_failing_provider_is_not_stampeded(kind: str, vendor: Vendor, followers: int) -> None:
    """A hundred callers share one ladder of retries: three requests in all, and each has his own error."""
    held = Held(vendor.fail(500, request_id="req_1", x_request_id="req_1"))
    with Loopback(held) as server:
        async with Gate(kind, [vendor.provider(server)], retry=2) as gate:
            errors = await released(gate, held, followers + 1, lambda: gate.create(model=vendor.model))
    assert len(server.requests) == 3
    assert {type(error) for error in errors} == {edgeagent.InternalServerError}
    assert len({id(error) for error in errors}) == followers + 1
    for error in errors:
        assert (error.status_code, error.request_id, error.message) == (500, "req_1", "No.")
        assert [attempt.outcome for attempt in error.attempts] == ["InternalServerError"] * 3


async def test_an_error_is_not_remembered(kind: str, vendor: Vendor) -> None:
    """Who comes after the flight has failed asks again."""
    with Loopback(Script(vendor.fail(400), vendor.reply())) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            first = await outcome(lambda: gate.create(model=vendor.model))
            second = await gate.create(model=vendor.model)
    assert isinstance(first, edgeagent.BadRequestError)
    assert (second.choices[0].message.content, len(server.requests)) == ("Paris", 2)


async def test_unstorable_answers_are_shared_all_the_same(kind: str) -> None:
    """What is not worth keeping answers those who were waiting for it."""
    held = Held(OPENAI.reply("Par", "length"))
    with Loopback(held) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            answers = await released(gate, held, 5, lambda: gate.create(model=OPENAI.model))
            assert len(server.requests) == 1
            assert {answer.choices[0].finish_reason for answer in answers} == {"length"}
            assert not (await gate.create(model=OPENAI.model)).edge.cached


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_leader_hands_over(backend: str, vendor: Vendor) -> None:
    """His connection is closed, a follower leads, everyone else is answered by it: two requests in all."""
    held = Held(vendor.reply())
    with Loopback(Script(held, vendor.reply())) as server:

        async def main() -> list[Any]:
            gate = Gate(backend, [vendor.provider(server)])
            answers: list[Any] = []

            async def follow() -> None:
                answers.append(await gate.create(model=vendor.model))

            async with gate, anyio.create_task_group() as group:
                with anyio.CancelScope() as scope:
                    async with anyio.create_task_group() as inner:

                        async def lead() -> None:
                            await gate.create(model=vendor.model)

                        inner.start_soon(lead)
                        await gate.until(lambda: held.asked)
                        for _ in range(5):
                            group.start_soon(follow)
                        await gate.until(lambda: waiting(gate, 5))
                        scope.cancel()
                held.release.set()
            return answers

        answers = anyio.run(main, backend=backend)
    assert len(server.requests) == 2
    assert [answer.choices[0].message.content for answer in answers] == ["Paris"] * 5


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_follower_disturbs_nobody(backend: str) -> None:
    """The others get their answer from the one request."""
    held = Held(OPENAI.reply())
    with Loopback(held) as server:

        async def main() -> list[Any]:
            gate = Gate(backend, [OPENAI.provider(server)])
            answers: list[Any] = []

            async def call() -> None:
                answers.append(await gate.create(model=OPENAI.model))

            async with gate, anyio.create_task_group() as group:
                group.start_soon(call)
                await gate.until(lambda: held.asked)
                group.start_soon(call)
                with anyio.move_on_after(0.05):
                    await call()
                held.release.set()
            return answers

        answers = anyio.run(main, backend=backend)
    assert (len(server.requests), len(answers)) == (1, 2)


@pytest.mark.parametrize("end", ["while asking", "before a retry"])
async def test_a_leaders_own_deadline_is_his_own(kind: str, end: str) -> None:
    """Who is in a hurry fails alone: the follower, who has time, asks again and is answered."""
    first = Held([b""] if end == "while asking" else OPENAI.fail(503, retry_after="5"))
    with Loopback(Script(first, OPENAI.reply())) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            deadlines = iter([0.2 if end == "while asking" else 3.0, None])

            async def call() -> Any:
                deadline = next(deadlines)
                if deadline is None:
                    await gate.until(lambda: first.asked)
                return await gate.create(model=OPENAI.model, edge={"deadline": deadline})

            if end == "while asking":
                results = await gate.together(2, call)
                first.release.set()
            else:
                results = await released(gate, first, 2, call)
    (error,) = [result for result in results if isinstance(result, Exception)]
    (answer,) = [result for result in results if not isinstance(result, Exception)]
    wanted = DeadlineExceededError if end == "while asking" else edgeagent.OverloadedError
    assert isinstance(error, wanted)
    assert answer.choices[0].message.content == "Paris"
    assert len(server.requests) == 2


async def test_a_leaders_own_patience_is_his_own(kind: str) -> None:
    """A leader with a short time limit, or without retries, fails alone."""
    for impatient in ({"timeout": 0.15}, {"max_retries": 0}):
        first = Held([b""] if "timeout" in impatient else OPENAI.fail(500))
        with Loopback(Script(first, OPENAI.reply())) as server:
            async with Gate(kind, [OPENAI.provider(server)], retry=0) as gate:
                patient = gate.client.with_options(max_retries=2)
                clients = iter([gate.client.with_options(**impatient), patient])

                async def call(gate: Gate = gate, clients: Any = clients, first: Held = first) -> Any:
                    view = Gate.__new__(Gate)
                    view.kind = gate.kind
                    view.client = next(clients)
                    if view.client.options.retry.attempts:
                        await gate.until(lambda: first.asked)
                    return await view.create(model=OPENAI.model)

                if "timeout" in impatient:
                    results = await gate.together(2, call)
                    first.release.set()
                else:
                    results = await released(gate, first, 2, call)
        assert len([result for result in results if isinstance(result, Exception)]) == 1
        assert len(server.requests) == 2


async def test_who_wants_a_fresh_answer_does_not_get_an_old_one(kind: str, tmp_path: Path) -> None:
    """A flight that landed on an old entry of the disk answers only those who take one of that age."""
    with Loopback(Script(OPENAI.reply("old"), OPENAI.reply("new"))) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=tmp_path) as gate:
            await gate.create(model=OPENAI.model)
        async with Gate(kind, [OPENAI.provider(server)], cache=tmp_path) as gate:
            far = gate.client._engine.pipeline.layers._far[0]
            held, looking = Event(), Event()
            get = far.get

            def slowly(key: bytes) -> Any:
                looking.set()
                held.wait(60)
                return get(key)

            far.get = slowly
            ages = iter([None, 0.0])

            async def call() -> Any:
                age = next(ages)
                if age is not None:
                    await gate.until(looking.is_set)
                edge = {"cache": {} if age is None else {"max_age": age}}
                return await gate.create(model=OPENAI.model, edge=edge)

            watcher = threading.Thread(target=lambda: (_until(lambda: waiting(gate, 1)), held.set()))
            watcher.start()
            results = await gate.together(2, call)
            watcher.join()
    assert sorted(answer.choices[0].message.content for answer in results) == ["new", "old"]
    assert len(server.requests) == 2


def _until(condition: Any) -> None:
    limit = time.monotonic() + 60
    while not condition() and time.monotonic() < limit:
        Event().wait(0.002)


@pytest.mark.parametrize("cache", ["off", "read", "refresh"])
async def test_calls_that_do_not_share(kind: str, cache: str) -> None:
    """Without the cache, or for another answer, everyone asks for himself."""
    held = Held(OPENAI.reply())
    held.release.set()
    with Loopback(held) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            await gate.together(4, lambda: gate.create(model=OPENAI.model, edge={"cache": cache}))
    assert len(server.requests) == 4


async def test_different_requests_fly_side_by_side(kind: str) -> None:
    """Nobody waits for somebody else's question."""
    held = Held(lambda request: OPENAI.reply(request.json()["messages"][0]["content"]))
    with Loopback(held) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            prompts = iter("abcdefgh")

            async def call() -> Any:
                prompt = next(prompts)
                return (await gate.create(prompt, model=OPENAI.model)).choices[0].message.content

            watcher = threading.Thread(target=lambda: (_until(lambda: held.asked == 8), held.release.set()))
            watcher.start()
            said = await gate.together(8, call)
            watcher.join()
    assert sorted(said) == list("abcdefgh")
    assert len(server.requests) == 8


def test_an_async_client_is_not_blocked_by_threads() -> None:
    """A thread leads, tasks follow: their loop goes on meanwhile."""
    held = Held(OPENAI.reply())
    with Loopback(held) as server, EdgeClient(providers=[OPENAI.provider(server)]) as client:
        aclient: AsyncEdgeClient = client.to_async()
        ticks = 0

        async def main() -> Any:
            nonlocal ticks

            async def tick() -> None:
                nonlocal ticks
                while not held.release.is_set():
                    ticks += 1
                    if ticks == 20:
                        held.release.set()
                    await anyio.sleep(0.001)

            async with anyio.create_task_group() as group:
                group.start_soon(tick)
                messages = [{"role": "user", "content": "What is the capital of France?"}]
                return await aclient.chat.completions.create(model=OPENAI.model, messages=messages)

        with ThreadPoolExecutor(1) as pool:
            gate = Gate.__new__(Gate)
            gate.kind, gate.client = "sync", client
            lead = pool.submit(run, "sync", lambda: gate.create(model=OPENAI.model))
            _until(lambda: held.asked)
            follower = anyio.run(main)
            leader = lead.result(5)
    assert follower.edge.coalesced
    assert not leader.edge.coalesced
    assert ticks == 20
    assert len(server.requests) == 1
