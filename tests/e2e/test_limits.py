"""Limits around real calls, of every kind of client: who goes, who waits, in which order, who is told to come again."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from edgeagent import EdgeClient
from edgeagent.errors import BudgetExceededError, DeadlineExceededError, LimitExceededError, RequestValidationError
from edgeagent.limits import Budget, Limit, RedisState
from edgeagent.providers import OpenAICompatible
from edgeagent.shield import Shield
from edgeagent.testing import FakeProvider
from tests.e2e.harness import Gate, together
from tests.e2e.test_budgets import completion
from tests.shield.finding import Forms
from tests.support.loopback import Loopback, reply
from tests.support.redis_server import RedisServer, needs_redis

SHORT = 0.3


def gate(kind: str, *answers: Any, **options: Any) -> Gate:
    options = {"cache": False, "retry": 0, **options}
    return Gate(kind, [FakeProvider(*(answers or (completion(),)), name="fake", models=["m", "n"])], **options)


async def ask(gate: Gate, model: str = "m", **params: Any) -> Any:
    return await gate.create(model=model, max_tokens=5, **params)


def refusals(outcomes: list[Any]) -> list[LimitExceededError]:
    assert all(not isinstance(one, Exception) or isinstance(one, LimitExceededError) for one in outcomes)
    return [one for one in outcomes if isinstance(one, LimitExceededError)]


async def test_200_callers_on_a_limit_that_fits_37(kind: str) -> None:
    """Those who may not wait are told when to come again; not one too many is sent."""
    fake = FakeProvider(completion(), name="fake", models=["m"])
    async with Gate(kind, [fake], cache=False, limits=[Limit(requests=37, wait=False)]) as client:
        refused = refusals(await together(kind, [lambda: ask(client)] * 200))
        assert (len(refused), fake.calls) == (163, 37)
        assert all(error.retry_after is not None and 50 < error.retry_after <= 60 for error in refused)
        assert refused[0].limit == "37 requests/minute"
        assert refused[0].status_code == 429


@needs_redis
async def test_a_server_that_hangs_does_not_outlast_a_deadline(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The store of the limits is waited for no longer than the call may take, and that is no fault of the store's."""
    with RedisServer() as server:
        state = RedisState(server.url, timeout=60)
        async with gate(kind, limits=[Limit(requests=37)], state=state) as client:
            await ask(client)
            server.hang()
            began = time.monotonic()
            with pytest.raises(DeadlineExceededError):
                await ask(client, edge={"deadline": 0.2})
            assert time.monotonic() - began < 30
            server.go_on()
            await ask(client)
            assert not caplog.records  # now: who was given up may come back when the server is gone


async def test_who_waits_goes_when_there_is_room(kind: str) -> None:
    """All of them are answered, and no stretch of time has more than its share."""
    times: list[float] = []

    def answer(request: Any) -> Any:
        times.append(time.monotonic())
        return completion()

    async with gate(kind, answer, limits=[Limit(requests=5, per=SHORT)]) as client:
        assert refusals(await together(kind, [lambda: ask(client)] * 17)) == []
    times.sort()
    assert len(times) == 17
    assert all(later - earlier > SHORT * 0.9 for earlier, later in zip(times, times[5:], strict=False))


async def test_a_place_among_those_under_way(kind: str) -> None:
    """Never more than two are under way, streams included, until their end."""
    state, most, lock = [0], [0], threading.Lock()

    def pieces(request: Any) -> Any:
        with lock:
            state[0] += 1
            most[0] = max(most[0], state[0])
        yield "Pa"
        time.sleep(0.01)
        with lock:
            state[0] -= 1
        yield "ris"

    async with gate(kind, pieces, limits=[Limit(concurrent=2)]) as client:
        outcomes = await together(kind, [lambda: client.chunks(model="m")] * 8)
        assert all(isinstance(one, list) for one in outcomes)
        assert most[0] <= 2
        first = await client.stream(model="m")
        second = await client.stream(model="m")
        with pytest.raises(LimitExceededError) as caught:
            await ask(client, edge={"deadline": 0.05})
        assert caught.value.retry_after is None
        await first.close()
        await ask(client)
        await second.close()
        await ask(client)


async def test_by_user_and_by_model(kind: str) -> None:
    """Each has a count of its own."""
    limits = [Limit(requests=1, by="user", wait=False, name="users"), Limit(requests=2, by="model", wait=False)]
    async with gate(kind, limits=limits) as client:
        await ask(client, user="ann")
        await ask(client, user="bob")
        with pytest.raises(LimitExceededError) as caught:
            await ask(client, user="ann")
        assert (caught.value.limit, caught.value.target) == ("users", None)
        with pytest.raises(LimitExceededError) as caught:
            await ask(client, user="cai")
        assert caught.value.target == "fake/m"
        await ask(client, "n", user="dan")


USERS = ["ann@x.com", "bob@x.com", "cai@x.com"]


@pytest.mark.parametrize("action", ["mask", "redact", "hash", "pseudonymise", "report"])
async def test_by_user_behind_a_shield(kind: str, action: Any) -> None:
    """Users whose names are masked, and so are sent as one, are counted each for himself; budgets know them, too."""
    shield = Shield([Forms()], default=action)
    limits = [Limit(requests=2, by="user", wait=False), Limit(requests=5, by=lambda facts: facts.request.user)]
    async with gate(kind, limits=limits, shield=shield) as client:
        for user in USERS * 2:
            await ask(client, user=user)
        for user in USERS:
            with pytest.raises(LimitExceededError, match="by user"):
                await ask(client, user=user)
    budgets = [Budget(tokens=155, per="day", by="user")]
    used = completion(total_tokens=150, completion_tokens=80)
    async with gate(kind, used, budgets=budgets, shield=shield) as client:
        for user in USERS:
            await ask(client, user=user)
        for user in USERS:
            with pytest.raises(BudgetExceededError):
                await ask(client, user=user)


async def test_a_full_target_gives_way_to_the_next(kind: str) -> None:
    """A limit of one target alone is no reason not to ask another one."""
    async with gate(kind, limits=[Limit(requests=1, target="fake/m", wait=False)]) as client:
        assert (await ask(client, edge={"fallbacks": ["n"]})).edge.model == "m"
        assert (await ask(client, edge={"fallbacks": ["n"]})).edge.model == "n"


async def test_tokens(kind: str) -> None:
    """What was estimated is let in, what was used counts afterwards."""
    async with gate(
        kind, completion(total_tokens=90, completion_tokens=80), limits=[Limit(tokens=100, wait=False)]
    ) as c:
        await ask(c)
        with pytest.raises(LimitExceededError):
            await ask(c)


async def test_a_wait_that_is_too_long_is_not_begun(kind: str) -> None:
    """It is refused at once, with the time to come again; a short one is waited for."""
    async with gate(kind, limits=[Limit(requests=1, per=30.0)]) as client:
        await ask(client)
        began = time.monotonic()
        with pytest.raises(LimitExceededError) as caught:
            await ask(client, edge={"deadline": 5.0})
        assert time.monotonic() - began < 4.5
        assert caught.value.retry_after == pytest.approx(30, abs=3)
    async with gate(kind, limits=[Limit(requests=1, per=30.0, wait=3.0)]) as client:
        await ask(client)
        with pytest.raises(LimitExceededError):
            await ask(client)


async def test_priorities(kind: str) -> None:
    """Those of a higher class go first, of one class in the order of arrival."""
    order: list[str] = []
    go = threading.Event()

    def answer(request: Any) -> Any:
        order.append(request.user)
        if request.user == "first":
            go.wait(10)
        return completion()

    async def later(request: Any) -> Any:
        order.append(request.user)
        if request.user == "first":
            while not go.is_set():
                await anyio.sleep(0.005)
        return completion()

    async with gate(kind, answer if kind == "sync" else later, limits=[Limit(concurrent=1)]) as client:
        queue = client.client._engine.admission().turns._queue("1 at once|")

        async def call(user: str, priority: str, before: int) -> Any:
            await client.until(lambda: len(order) == 1 and len(queue) == before if user != "first" else True)
            return await ask(client, user=user, edge={"priority": priority})

        waiting = [("a", "low"), ("b", "normal"), ("c", "high"), ("d", "normal"), ("e", "high")]

        async def open_gate() -> None:
            await client.until(lambda: len(queue) == len(waiting))
            go.set()

        started = [partial(call, user, priority, place) for place, (user, priority) in enumerate(waiting)]
        outcomes = await together(kind, [partial(call, "first", "low", 0), *started, open_gate])
        assert refusals(outcomes) == []
    assert order == ["first", "c", "e", "b", "d", "a"]


async def test_who_leaves_makes_room(kind: str) -> None:
    """One that gives up waiting is no hindrance to those behind it."""
    go = threading.Event()

    async def answer(request: Any) -> Any:
        while not go.is_set():
            await anyio.sleep(0.005)
        return completion()

    def blocking(request: Any) -> Any:
        go.wait(10)
        return completion()

    async with gate(kind, blocking if kind == "sync" else answer, limits=[Limit(concurrent=1)]) as client:
        queue = client.client._engine.admission().turns._queue("1 at once|")

        async def short() -> Any:
            await client.until(lambda: client.client._engine.pipeline.targets.providers()[0].calls)
            return await ask(client, edge={"deadline": 0.1})

        async def behind() -> Any:
            await client.until(lambda: len(queue) == 1)
            return await ask(client)

        async def opener() -> None:
            await client.until(lambda: len(queue) == 1)
            await client.pause(0.2)
            go.set()

        outcomes = await together(kind, [lambda: ask(client), short, behind, opener])
        assert [type(one).__name__ for one in outcomes] == [
            "ChatCompletion",
            "LimitExceededError",
            "ChatCompletion",
            "NoneType",
        ]
        assert len(queue) == 0


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
async def test_a_cancelled_one_holds_no_place(kind: str) -> None:
    """Neither in the queue nor under way."""
    slow = [True]

    async def answer(request: Any) -> Any:
        if slow[0]:
            await anyio.sleep(60)
        return completion()

    async with gate(kind, answer, limits=[Limit(concurrent=1)]) as client:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask, client)
            await client.pause(0.05)
            group.cancel_scope.cancel()
        slow[0] = False
        assert (await ask(client)).choices


def limited(limit: int, remaining: int, reset: str) -> bytes:
    headers = {
        "x_ratelimit_limit_requests": str(limit),
        "x_ratelimit_remaining_requests": str(remaining),
        "x_ratelimit_reset_requests": reset,
    }
    return reply(200, completion(), **headers)


async def test_the_vendors_own_headers(kind: str) -> None:
    """A vendor that says it is nearly out is asked at its pace, before it has to refuse; streams and answers alike."""
    with Loopback(lambda request: limited(60, 0, "12s")) as server:
        provider = OpenAICompatible(name="fake", base_url=server.url, api_key="x")
        async with Gate(kind, [provider], cache=False, limits=[Limit(learn=True)]) as client:
            await ask(client)
            with pytest.raises(LimitExceededError) as caught:
                await ask(client, edge={"deadline": 0.1})
            assert 0.1 < (caught.value.retry_after or 0) < 1
            began = time.monotonic()
            await ask(client)
            assert time.monotonic() - began > 0.1
            assert len(server.requests) == 2


async def test_a_refusal_holds_back_the_others(kind: str) -> None:
    """Retry-After is for everyone who wants that target."""
    answers = iter([reply(429, {"error": {"message": "slow"}}, retry_after="30"), reply(200, completion())])
    with Loopback(lambda request: next(answers)) as server:
        provider = OpenAICompatible(name="fake", base_url=server.url, api_key="x")
        async with Gate(kind, [provider], cache=False, retry=0, limits=[Limit(learn=True, wait=False)]) as client:
            with pytest.raises(Exception):  # noqa: B017, PT011  # the vendor's
                await ask(client)
            with pytest.raises(LimitExceededError) as caught:
                await ask(client)
            assert caught.value.retry_after == pytest.approx(30, abs=2)
            assert len(server.requests) == 1


async def test_what_a_priority_can_be(kind: str) -> None:
    """One of three names; views have one of their own."""
    async with gate(kind) as client:
        with pytest.raises(RequestValidationError) as caught:
            await ask(client, edge={"priority": "urgent"})
        assert caught.value.param == "edge.priority"
        assert client.client.with_options(priority="low").options.priority == 2


def test_a_file_describes_them(tmp_path: Path) -> None:
    """Limits and budgets as tables; what they cannot be is told with the file."""
    from edgeagent.config_file import load_file
    from edgeagent.errors import ConfigurationError

    path = tmp_path / "edge.toml"
    path.write_text(
        'state = "spent.db"\n[[limits]]\nrequests = 5\nby = "user"\n[[budgets]]\nusd = "0.5"\nper = "day"\n', "utf-8"
    )
    loaded = load_file(path)
    assert loaded["limits"][0].parts == ("user",)
    assert loaded["budgets"][0].per == "day"
    with EdgeClient(providers=[FakeProvider("a")], **loaded, cache=False):
        pass
    path.write_text("[[limits]]\nrequest = 5\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"limits: .*request"):
        load_file(path)
