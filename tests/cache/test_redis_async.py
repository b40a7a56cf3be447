"""Look-ups in Redis that an event loop of asyncio awaits, against a real server."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

import pytest
import redis
import trio

from edgeagent import AsyncEdgeClient
from edgeagent.cache import Awaits, Cache, EncryptedCache, RedisCache
from edgeagent.cache.outage import Away
from edgeagent.errors import DeadlineExceededError
from edgeagent.io.aside import PLACES
from edgeagent.io.loops import Loop
from edgeagent.testing import FakeProvider
from tests.support.redis_server import RedisServer, needs_redis

__all__: list[str] = []

pytestmark = needs_redis

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
GONE = (redis.ConnectionError, redis.TimeoutError, OSError)
T = TypeVar("T")


@pytest.fixture
def tier(server: RedisServer) -> Iterator[RedisCache]:
    with closing(RedisCache(server.url, timeout=20)) as tier:  # on a busy machine
        yield tier


def run(call: Callable[[], Awaitable[T]]) -> T:
    """In a loop that ends, without a warning of anything that was left open."""

    async def called() -> T:
        return await call()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = asyncio.run(called())
        gc.collect()
    return found


async def get(tier: Any, key: bytes = KEY) -> bytes | None:
    found: bytes | None = await tier.aget(key, Loop())
    return found


async def eventually(condition: Callable[[], bool]) -> bool:
    limit = time.monotonic() + 20
    while not condition() and time.monotonic() < limit:
        await asyncio.sleep(0.005)
    return condition()


def idle(tier: RedisCache) -> list[Any]:
    """The connections of the one loop that wait for work."""
    (link,) = tier._async_links.values()
    return link._idle


@pytest.mark.parametrize("value", [b"", b"x", bytes(range(256)), b"\r\n$3\r\n", b"v" * 2**20], ids=len)
def test_bytes_come_back_as_they_were(tier: RedisCache, value: bytes) -> None:
    """Whatever they hold, one by one and many at once; what is not there is None."""
    assert isinstance(tier, Awaits)
    tier.put(KEY, value)

    async def look() -> None:
        assert await get(tier) == value
        assert await get(tier, OTHER) is None
        assert await tier.aget_many([OTHER, KEY, KEY], Loop()) == [None, value, value]
        assert await tier.aget_many([], Loop()) == []
        assert len(idle(tier)) == 1

    run(look)
    assert tier._async_links == {}


def test_what_is_encrypted(tier: RedisCache) -> None:
    """A wrapper awaits what its inner tier does, and opens it; a tier of files has no such way."""
    sealed = EncryptedCache(tier, EncryptedCache.generate_key())
    assert sealed.awaits
    sealed.put(KEY, b"value")

    async def look() -> None:
        assert await get(tier) not in (None, b"value")
        assert await get(sealed) == b"value"
        assert await sealed.aget_many([KEY, OTHER], Loop()) == [b"value", None]
        tier.put(KEY, b"damaged")
        assert await get(sealed) is None

    run(look)


def test_tasks_and_loops(tier: RedisCache) -> None:
    """Many tasks have as many connections as they need at once; each loop has its own, which end with it."""
    tier.put(KEY, b"value")

    async def many() -> int:
        assert set(await asyncio.gather(*(get(tier) for _ in range(50)))) == {b"value"}
        (link,) = [link for loop, link in tier._async_links.items() if loop is asyncio.get_running_loop()]
        return len(link._idle)

    assert 1 <= run(many) <= 50
    threads = [threading.Thread(target=asyncio.run, args=(many(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tier._async_links == {}


def test_a_task_that_is_cancelled(tier: RedisCache) -> None:
    """The reply that nobody reads any more is no answer to the next question."""
    tier.put(KEY, b"value")
    tier.put(OTHER, b"other")

    async def look() -> None:
        assert await get(tier) == b"value"
        for _ in range(20):
            task = asyncio.ensure_future(get(tier))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await get(tier, OTHER) == b"other"

    run(look)


def test_closed_and_used_again(tier: RedisCache) -> None:
    """Closing it closes the connections of every loop; the next use opens new ones."""
    tier.put(KEY, b"value")

    async def look() -> None:
        await get(tier)
        (connection,) = idle(tier)
        tier.close()
        assert await eventually(lambda: not connection.is_connected)
        assert await get(tier) == b"value"
        assert len(idle(tier)) == 1

    run(look)


def test_closed_at_the_very_end(server: RedisServer) -> None:
    """In the last step of a loop: no task is left behind, and nothing is said."""
    told: list[Any] = []

    async def look() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        tier = RedisCache(server.url, timeout=20)
        await asyncio.gather(*(get(tier) for _ in range(5)))
        tier.close()

    for _ in range(20):
        run(look)
    assert told == []


def test_closed_while_a_reply_is_awaited(tier: RedisCache) -> None:
    """The connection is closed when the reply has come."""
    tier.put(KEY, b"value")

    async def look() -> None:
        await get(tier)
        (connection,) = idle(tier)
        under_way = asyncio.ensure_future(get(tier))
        await asyncio.sleep(0)
        tier.close()
        assert await under_way == b"value"
        assert await eventually(lambda: not connection.is_connected)

    run(look)


def test_a_tier_that_is_forgotten(server: RedisServer) -> None:
    """Its connections are closed by the loop, without a word."""

    async def look() -> None:
        await get(RedisCache(server.url))
        gc.collect()
        await asyncio.sleep(0.01)

    run(look)


def test_a_loop_that_was_not_let_end(tier: RedisCache) -> None:
    """It is forgotten when another one comes."""

    async def look() -> None:
        await get(tier)
        await idle(tier).pop().disconnect()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(look())
    loop.close()
    assert len(tier._async_links) == 1
    run(partial(get, tier))
    assert tier._async_links == {}


# a server that goes away


def test_a_restarted_server_costs_nobody_a_call(mortal: RedisServer) -> None:
    """Connections that it closed are noticed, and the command is sent again on a new one."""
    with closing(RedisCache(mortal.url)) as tier:

        async def look() -> None:
            await asyncio.gather(*(get(tier) for _ in range(3)))
            await asyncio.to_thread(mortal.kill)
            await asyncio.to_thread(mortal.start)
            assert await get(tier) is None

        run(look)


def test_nobody_listens(mortal: RedisServer) -> None:
    """The first call finds out, the next ones fail at once, blocking ones too; when it is back it is used again."""
    with closing(RedisCache(mortal.url)) as tier:

        async def look() -> None:
            await get(tier)
            await asyncio.to_thread(mortal.kill)
            with pytest.raises(GONE):
                await get(tier)
            with pytest.raises(Away):
                await get(tier)
            with pytest.raises(Away):
                tier.get(KEY)
            await asyncio.to_thread(mortal.start)
            limit = time.monotonic() + 20
            while time.monotonic() < limit:
                try:
                    assert await get(tier) is None
                    return
                except Away:
                    await asyncio.sleep(0.01)
            raise AssertionError("it is not used again")

        run(look)


def test_a_server_that_hangs_is_waited_for_once(mortal: RedisServer) -> None:
    """For the time limit; a connection whose reply may still come is closed."""
    with closing(RedisCache(mortal.url, timeout=0.2)) as tier:

        async def look() -> None:
            await get(tier)
            mortal.hang()
            began = time.monotonic()
            with pytest.raises(GONE):
                await get(tier)
            assert 0.1 < time.monotonic() - began < 5
            with pytest.raises(Away):
                await get(tier)
            assert idle(tier) == []

        run(look)
        mortal.go_on()


@pytest.mark.parametrize("known", [True, False], ids=["idle connection", "new connection"])
def test_a_server_that_hangs_is_waited_for_no_longer_than_is_asked(mortal: RedisServer, known: bool) -> None:
    """Its connection is closed, and the reply that comes later is no answer to anything."""
    with closing(RedisCache(mortal.url, timeout=60)) as tier:
        tier.put(KEY, b"value")
        tier.put(OTHER, b"other")

        async def look() -> None:
            if known:
                await get(tier)
            mortal.hang()
            began = time.monotonic()
            with pytest.raises((redis.TimeoutError, TimeoutError)):
                await tier.aget(KEY, Loop(), 0.1)
            with pytest.raises((redis.TimeoutError, TimeoutError)):
                await tier.aget_many([KEY], Loop(), 0.0)
            assert 0.05 < time.monotonic() - began < 30
            assert idle(tier) == []
            mortal.go_on()
            assert await tier.aget(OTHER, Loop(), 60.0) == b"other"
            assert await tier.aget_many([OTHER, KEY], Loop(), 60.0) == [b"other", b"value"]

        run(look)


@pytest.mark.parametrize("known", [True, False], ids=["idle connection", "new connection"])
@pytest.mark.parametrize("bound", [0.0, 0.2, None], ids=["no time", "asked for less", "the tier's limit"])
def test_nobody_reads_what_is_sent(mortal: RedisServer, known: bool, bound: float | None) -> None:
    """More keys than all buffers on the way hold: sending them has a limit, too."""
    with closing(RedisCache(mortal.url, timeout=0.2 if bound is None else 60)) as tier:
        many = [KEY] * 200_000

        async def look() -> None:
            if known:
                await get(tier)
            mortal.hang()
            began = time.monotonic()
            with pytest.raises((redis.TimeoutError, TimeoutError)):
                await asyncio.wait_for(tier.aget_many(many, Loop(), bound), 30)
            assert time.monotonic() - began < 20
            assert idle(tier) == []
            mortal.go_on()

        run(look)


@pytest.mark.parametrize("gives_up", ["the bound", "the caller"])
def test_callers_without_patience_find_out_that_it_hangs(mortal: RedisServer, gives_up: str) -> None:
    """None of them waits for as long as the tier would, and still the later ones need not wait at all."""
    with closing(RedisCache(mortal.url, timeout=0.3)) as tier:

        async def ask() -> None:
            if gives_up == "the bound":
                await tier.aget(KEY, Loop(), 0.1)
            else:
                await asyncio.wait_for(get(tier), 0.1)

        async def look() -> None:
            await get(tier)
            mortal.hang()
            limit = time.monotonic() + 20
            while time.monotonic() < limit:
                try:
                    await ask()
                except Away:
                    return
                except (redis.TimeoutError, TimeoutError, asyncio.TimeoutError):
                    pass
            raise AssertionError("each of them waits")

        run(look)
        mortal.go_on()


def test_a_caller_that_goes_at_once_doubts_nobody(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is cancelled before an answer could have come has learned nothing of the server."""
    with closing(RedisCache(server.url, timeout=60)) as tier:
        doubts: list[None] = []
        monkeypatch.setattr(tier._link().outage, "doubts", lambda: doubts.append(None))

        async def look() -> None:
            await get(tier)
            task = asyncio.ensure_future(get(tier))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        run(look)
        assert doubts == []


def test_a_wrong_password() -> None:
    """It is refused, typed, and nothing of it is said."""
    with RedisServer(password="right") as server:
        wrong = RedisCache(server.url.replace("right", "wrong-one"))
        with closing(wrong), pytest.raises(redis.RedisError) as caught:
            run(partial(get, wrong))
        assert "wrong-one" not in str(caught.value)
        with closing(RedisCache(server.url)) as tier:
            assert run(partial(get, tier)) is None


def test_what_the_server_refuses_is_no_outage(server: RedisServer, tier: RedisCache) -> None:
    """A value of another type under our name: the connection is good for the next command."""
    server.say("LPUSH", tier._name(KEY).decode(), "x")

    async def look() -> None:
        with pytest.raises(redis.ResponseError):
            await get(tier)
        (connection,) = idle(tier)
        assert await get(tier, OTHER) is None
        assert idle(tier) == [connection]

    run(look)


# under a client


def hits(client: AsyncEdgeClient) -> Callable[[], Awaitable[list[str]]]:
    async def ask() -> list[str]:
        question: Any = [{"role": "user", "content": "Hi"}]
        tiers = []
        for _ in range(3):
            answer = await client.chat.completions.create(model="fake/m", messages=question)
            await client.flush()
            tiers.append(str(answer.edge.cache_tier))
        return tiers

    return ask


def test_under_a_client(server: RedisServer) -> None:
    """asyncio awaits the look-up, trio has it made in a thread: the same answers."""
    for runner in (lambda call: run(call), trio.run):
        server.say("FLUSHALL")
        fake = FakeProvider("Hello.", name="fake")
        client = AsyncEdgeClient(providers=[fake], cache=Cache(memory=False, redis=server.url))

        async def ask(client: AsyncEdgeClient = client) -> list[str]:
            async with client:
                return await hits(client)()

        assert runner(ask) == ["None", "redis", "redis"]
        assert fake.calls == 1


@pytest.mark.parametrize("runner", [lambda call: run(call), trio.run], ids=["asyncio", "trio"])
@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "encrypted"])
def test_a_server_that_hangs_does_not_outlast_a_deadline(
    mortal: RedisServer, runner: Callable[..., Any], sealed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """However long the tier itself would wait; that is no fault of the tier's, so nothing is logged."""
    tier = RedisCache(mortal.url, timeout=60)
    cache = Cache(memory=False, redis=EncryptedCache(tier, EncryptedCache.generate_key()) if sealed else tier)
    client = AsyncEdgeClient(providers=[FakeProvider("Hello.", name="fake")], cache=cache)
    question: Any = [{"role": "user", "content": "Hi"}]

    async def ask() -> None:
        async with client:
            await client.chat.completions.create(model="fake/m", messages=question)
            await client.flush()
            mortal.hang()
            began = time.monotonic()
            for _ in range(3):
                with pytest.raises(DeadlineExceededError):
                    await client.chat.completions.create(model="fake/m", messages=question, edge={"deadline": 0.1})
            assert time.monotonic() - began < 30
            mortal.go_on()
            answer = await client.chat.completions.create(model="fake/m", messages=question)
            assert answer.edge.cache_tier == "redis"

    runner(ask)
    assert not caplog.records


def test_many_tasks_have_so_many_connections(server: RedisServer) -> None:
    """As many as the places beside a loop; the others are looked up in threads, of which there are not many either."""

    async def ask() -> int:
        fake = FakeProvider("Hello.", name="fake")
        cache = Cache(memory=False, redis=RedisCache(server.url, timeout=20))  # on a busy machine
        async with AsyncEdgeClient(providers=[fake], cache=cache) as client:

            async def one(number: int) -> None:
                question: Any = [{"role": "user", "content": f"Question {number}"}]
                await client.chat.completions.create(model="fake/m", messages=question)

            await asyncio.gather(*map(one, range(400)))
            await client.flush()
            await asyncio.gather(*map(one, range(400)))
            assert fake.calls == 400
            return server.say("CLIENT LIST").count("id=")

    assert run(ask) < 2 * PLACES + 60
