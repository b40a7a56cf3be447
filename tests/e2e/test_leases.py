"""Many processes that share a Redis server and want the same answer: one of them asks the provider for it."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import anyio
import pytest

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.cache import Cache, RedisCache
from edgeagent.errors import DeadlineExceededError
from edgeagent.providers import OpenAICompatible
from edgeagent.telemetry.null import NullObserver
from edgeagent.testing import FakeProvider
from tests.cache.test_redis import eventually
from tests.support.loopback import Loopback, Request, reply
from tests.support.redis_server import RedisServer, needs_redis

__all__: list[str] = []

pytestmark = needs_redis

CHILD = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from edgeagent import EdgeClient
from edgeagent.cache import Cache, RedisCache
from edgeagent.providers import OpenAICompatible

provider, redis, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
cache = Cache(redis=RedisCache(redis, lease_seconds=1.0))
with EdgeClient(providers=[OpenAICompatible(name="p", base_url=provider, api_key="k")], cache=cache) as client:
    def ask(_):
        answer = client.chat.completions.create(model="p/m", messages=[{"role": "user", "content": "q"}])
        return answer.choices[0].message.content
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(calls) as pool:
        print(*set(pool.map(ask, range(calls))), flush=True)
"""


class Vendor:
    """A provider on loopback that counts; answers wait until `answers` is set."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.calls = 0
        self.finish = "stop"
        self.server = Loopback(self.answer)

    def answer(self, request: Request) -> bytes:
        self.calls += 1
        number = self.calls
        self.answers.wait(20)
        message = {"role": "assistant", "content": f"answer {number}"}
        choice = {"index": 0, "finish_reason": self.finish, "message": message}
        return reply(200, {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})

    @property
    def provider(self) -> OpenAICompatible:
        return OpenAICompatible(name="p", base_url=self.server.url, api_key="k")


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    with vendor.server:
        yield vendor
        vendor.answers.set()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


class Child:
    """Another process with a client of its own, that asks when told to."""

    def __init__(self, vendor: Vendor, redis: RedisServer, calls: int = 4) -> None:
        command = [sys.executable, "-c", CHILD, vendor.server.url, redis.url, str(calls)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def ask(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def said(self) -> str:
        return self.process.communicate(timeout=60)[0].strip()


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def test_eight_processes_make_one_call(vendor: Vendor, redis: RedisServer) -> None:
    """Each of them asks four times at once; all get the same answer."""
    children = [Child(vendor, redis) for _ in range(8)]
    for child in children:
        child.ready()
    for child in children:
        child.ask()
    assert eventually(lambda: vendor.calls == 1)
    pause(1.5)  # longer than the lease: it is renewed
    assert vendor.calls == 1
    vendor.answers.set()
    assert [child.said() for child in children] == ["answer 1"] * 8
    assert vendor.calls == 1


def test_a_killed_leader_is_replaced_by_one(vendor: Vendor, redis: RedisServer) -> None:
    """Its lease comes to its end, and exactly one of the others asks again."""
    leader = Child(vendor, redis, 1)
    leader.ready()
    leader.ask()
    assert eventually(lambda: vendor.calls == 1)
    others = [Child(vendor, redis) for _ in range(3)]
    for child in others:
        child.ready()
    for child in others:
        child.ask()
    leader.process.kill()
    leader.said()
    assert eventually(lambda: vendor.calls == 2)
    pause(0.5)
    vendor.answers.set()
    assert [child.said() for child in others] == ["answer 2"] * 3
    assert vendor.calls == 2


def asks(client: EdgeClient, **more: object) -> str | None:
    answer = client.chat.completions.create(  # type: ignore[call-overload]
        model="p/m", messages=[{"role": "user", "content": "q"}], **more
    )
    return answer.choices[0].message.content


def test_both_kinds_of_client_wait_for_each_other(vendor: Vendor, redis: RedisServer) -> None:
    """The leader blocks, the followers await, on either event loop; they are clients of their own."""
    leader = EdgeClient(providers=[vendor.provider], cache=Cache(redis=redis.url))
    thread = threading.Thread(target=asks, args=(leader,))
    thread.start()
    assert eventually(lambda: vendor.calls == 1)
    threading.Timer(0.2, vendor.answers.set).start()

    async def follow() -> None:
        async with AsyncEdgeClient(providers=[vendor.provider], cache=Cache(redis=redis.url)) as client:
            answer = await client.chat.completions.create(model="p/m", messages=[{"role": "user", "content": "q"}])
            assert answer.choices[0].message.content == "answer 1"
            assert answer.edge.cache_tier == "redis"

    for backend in ("asyncio", "trio"):
        anyio.run(follow, backend=backend)
    thread.join()
    leader.close()
    assert vendor.calls == 1


def test_a_followers_deadline_is_his_own(vendor: Vendor, redis: RedisServer) -> None:
    """He does not wait for the leader beyond it."""
    with (
        EdgeClient(providers=[vendor.provider], cache=Cache(redis=redis.url)) as leader,
        EdgeClient(providers=[vendor.provider], cache=Cache(redis=redis.url)) as follower,
    ):
        thread = threading.Thread(target=asks, args=(leader,))
        thread.start()
        assert eventually(lambda: vendor.calls == 1)
        with pytest.raises(DeadlineExceededError):
            asks(follower, edge={"deadline": 0.3})
        vendor.answers.set()
        thread.join()
    assert vendor.calls == 1


def test_when_redis_goes_everyone_calls(vendor: Vendor, redis: RedisServer) -> None:
    """A waiting follower notices it and makes his own call; without leases nobody waits in the first place."""
    off = RedisCache(redis.url, leases=False)
    with (
        EdgeClient(providers=[vendor.provider], cache=Cache(redis=redis.url)) as leader,
        EdgeClient(providers=[vendor.provider], cache=Cache(redis=redis.url)) as follower,
        EdgeClient(providers=[vendor.provider], cache=Cache(redis=off)) as loner,
    ):
        threads = [threading.Thread(target=asks, args=(client,)) for client in (leader, follower)]
        threads[0].start()
        assert eventually(lambda: vendor.calls == 1)
        threads[1].start()
        pause(0.2)
        assert vendor.calls == 1
        threads.append(threading.Thread(target=asks, args=(loner,)))
        threads[2].start()
        assert eventually(lambda: vendor.calls == 2)
        redis.kill()
        assert eventually(lambda: vendor.calls == 3)
        vendor.answers.set()
        for thread in threads:
            thread.join()


def test_an_outage_is_one_warning(redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """However many calls go by without the server; each is answered at once, and a fault for the observers."""
    fake = FakeProvider("yes", name="p")
    faults: list[str] = []

    class Watch(NullObserver):
        def cache_fault(self, tier: str, error: Exception) -> None:
            faults.append(tier)

    redis.kill()
    with EdgeClient(providers=[fake], cache=Cache(memory=False, redis=redis.url), observers=[Watch()]) as client:
        began = time.monotonic()
        assert [asks(client, seed=number) for number in range(30)] == ["yes"] * 30
        assert time.monotonic() - began < 5
        assert client.flush(10)
    assert len(faults) >= 30
    assert [record.getMessage() for record in caplog.records] == [
        "cache tier redis failed, going on without it: ConnectionError"
    ]


def test_killed_and_started_under_load(redis: RedisServer) -> None:
    """Callers in threads never see an error nor another's answer, and the shared cache is used again by itself."""
    fake = FakeProvider(lambda request: str(request.messages[-1]["content"]), name="p")
    stop, tiers, wrong = threading.Event(), Counter[str | None](), []

    def work(client: EdgeClient, seed: int) -> None:
        mine = random.Random(seed)
        while not stop.is_set():
            text = str(mine.randrange(40))
            answer = client.chat.completions.create(model="p/m", messages=[{"role": "user", "content": text}])
            tiers[answer.edge.cache_tier] += 1
            if answer.choices[0].message.content != text:
                wrong.append(text)

    with EdgeClient(providers=[fake], cache=Cache(memory=False, redis=redis.url)) as client:
        threads = [threading.Thread(target=work, args=(client, seed)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            before = tiers["redis"]
            assert eventually(lambda before=before: tiers["redis"] > before + 50)  # type: ignore[misc]
            redis.kill()
            before = tiers[None]
            assert eventually(lambda before=before: tiers[None] > before + 50)  # type: ignore[misc]
            redis.start()
        before = tiers["redis"]
        assert eventually(lambda: tiers["redis"] > before + 50, 30)
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong


def test_a_failed_leader_lets_the_next_one_ask(redis: RedisServer) -> None:
    """Its lease ends with its call, long before its time."""
    statuses = [400, 200]
    vendor = Vendor()
    vendor.answers.set()
    whole = vendor.answer
    vendor.server.handler = lambda request: (
        whole(request) if statuses.pop(0) == 200 else reply(400, {"error": {"message": "no"}})
    )
    cache = Cache(redis=RedisCache(redis.url, lease_seconds=60))
    with vendor.server, EdgeClient(providers=[vendor.provider], cache=cache) as client:
        with pytest.raises(Exception, match="no"):
            asks(client)
        assert client.flush(10)
        assert asks(client) == "answer 1"


def test_nobody_stands_in_line_for_answers_that_are_not_kept(vendor: Vendor, redis: RedisServer) -> None:
    """The leader's was cut, so nobody else has it, and theirs would be of no use to others: all ask at once."""
    vendor.finish = "length"
    clients = [EdgeClient(providers=[vendor.provider], cache=Cache(redis=redis.url)) for _ in range(5)]
    threads = [threading.Thread(target=asks, args=(client,)) for client in clients]
    threads[0].start()
    assert eventually(lambda: vendor.calls == 1)
    for thread in threads[1:]:
        thread.start()
    pause(0.3)
    assert vendor.calls == 1
    first, vendor.answers = vendor.answers, threading.Event()
    first.set()
    assert eventually(lambda: vendor.calls == 5)
    vendor.answers.set()
    for thread, client in zip(threads, clients, strict=True):
        thread.join()
        client.close()
    assert vendor.calls == 5
