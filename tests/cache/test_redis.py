"""The Redis tier, against a real server."""

from __future__ import annotations

import os
import pickle
import random
import string
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import redis

from edgeagent.cache import Cache, CacheTier, Leases, RedisCache
from edgeagent.cache.base import Batches, Grant, LeaseLost, Put
from edgeagent.cache.outage import FIRST_PAUSE, Away
from edgeagent.errors import ConfigurationError
from tests.support.children import forked, unmeasured_environment
from tests.support.redis_server import RedisServer, needs_redis

__all__: list[str] = []

pytestmark = needs_redis

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
GONE = (redis.ConnectionError, redis.TimeoutError, OSError)


def tier_of(server: RedisServer, **more: Any) -> closing[RedisCache]:
    return closing(RedisCache(server.url, **more))


@pytest.fixture
def tier(server: RedisServer) -> Iterator[RedisCache]:
    with tier_of(server) as tier:
        yield tier


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        threading.Event().wait(0.005)
    return True


def answers(tier: RedisCache) -> bool:
    try:
        tier.get(KEY)
    except GONE:
        return False
    return True


def took(call: Callable[[], object]) -> float:
    """Seconds until it raised."""
    began = time.monotonic()
    with pytest.raises(GONE):
        call()
    return time.monotonic() - began


# bytes in, bytes out


def test_it_is_a_tier_with_leases(tier: RedisCache) -> None:
    """It has what both protocols ask for."""
    assert isinstance(tier, CacheTier)
    assert isinstance(tier, Leases)
    assert isinstance(tier, Batches)
    assert (tier.name, tier.blocking) == ("redis", True)


@pytest.mark.parametrize("value", [b"", b"x", bytes(range(256)), b"\r\n$3\r\n", b"v" * 2**20], ids=len)
def test_bytes_come_back_as_they_were(tier: RedisCache, value: bytes) -> None:
    """Whatever they hold, the protocol's own marks among it."""
    assert tier.get(KEY) is None
    tier.put(KEY, value)
    assert tier.get(KEY) == value
    tier.delete(KEY)
    tier.delete(KEY)
    assert tier.get(KEY) is None


IMPORTS = """
import asyncio, sys
from contextlib import suppress
from edgeagent.cache import RedisCache

class Place:
    async def __aenter__(self): ...

async def awaited():
    place = Place()
    place.loop = asyncio.get_running_loop()
    await tier.aget(b"", place)

tier = RedisCache("redis://127.0.0.1:1/0", timeout=0.1)
before = set(sys.modules)
for ask in (lambda: tier.get(b""), lambda: tier.acquire(b""), lambda: asyncio.run(awaited())):
    with suppress(Exception):
        ask()
print(*sorted(name for name in set(sys.modules) - before if name.startswith(("redis", "edgeagent"))))
"""


def test_the_first_call_imports_nothing() -> None:
    """The library is loaded when the tier is made: within a call it took the time of the look-up, or of the loop."""
    program = [sys.executable, "-c", IMPORTS]
    output = subprocess.run(program, check=True, capture_output=True, text=True, env=unmeasured_environment()).stdout
    assert output.split() == []


def test_many_at_once(server: RedisServer, tier: RedisCache) -> None:
    """In one round trip: with and without a lease or a lifetime; what is refused is told, the rest is stored."""
    keys = [bytes([number]) * 32 for number in range(6)]
    lead, stale = tier.acquire(keys[2]), tier.acquire(keys[3])
    server.say("DEL", f"edgeagent:1:{keys[3].hex()}:lease")
    later = tier.acquire(keys[3])
    tier.put(keys[4], b"old")
    server.say("SCRIPT", "FLUSH")  # as after a restart
    puts = [
        Put(keys[0], b"plain"),
        Put(keys[1], b"timed", 100),
        Put(keys[2], b"leased", 100, lead.token),
        Put(keys[3], b"stale", None, stale.token),
        Put(keys[4], b"over", 0),
        Put(keys[5], b"\r\n" * 9),
    ]
    told = tier.put_many(puts)
    assert [type(one) for one in told] == [LeaseLost if place == 3 else type(None) for place in range(6)]
    assert (
        tier.get_many(keys)
        == [tier.get(key) for key in keys]
        == [b"plain", b"timed", b"leased", None, None, b"\r\n" * 9]
    )
    assert tier.get_many([]) == []
    assert tier.acquire(keys[2], anyway=True).state == "granted"
    again = tier.put_many([Put(keys[3], b"v", None, later.token)] * 2)
    assert [type(one) for one in again] == [type(None), LeaseLost]
    server.say("CONFIG", "SET", "maxmemory", "1")
    server.say("SCRIPT", "FLUSH")
    try:
        faults = tier.put_many([Put(keys[0], b"v"), Put(b"new", b"v", None, "t")])
        assert all(isinstance(fault, redis.ResponseError) for fault in faults)
    finally:
        server.say("CONFIG", "SET", "maxmemory", "0")


def test_names_that_are_no_keys_are_nobodys_entries(server: RedisServer, tier: RedisCache) -> None:
    """What somebody else keeps under the prefix is neither listed nor counted, and stops nobody from clearing."""
    tier.put(KEY, b"v")
    for name in ("abc", "a", "x", f"{KEY.hex()}0", f"{KEY.hex()}:other"):
        server.say("SET", f"edgeagent:1:{name}", "theirs")
    assert list(tier.items()) == [(KEY, b"v")]
    assert tier.usage() == (1, None)
    tier.clear()
    assert tier.get(KEY) is None
    assert server.say("DBSIZE") == ":5\r\n"


def test_the_server_counts_the_time(server: RedisServer, tier: RedisCache) -> None:
    """An entry's lifetime is kept by the server: the tier's own, or the one that `put` says; zero means gone."""
    name = f"edgeagent:1:{KEY.hex()}"
    tier.put(KEY, b"v")
    assert server.say("PTTL", name) == ":-1\r\n"
    tier.put(KEY, b"v", ttl=100)
    assert 90_000 < int(server.say("PTTL", name)[1:]) <= 100_000
    with tier_of(server, ttl=50) as short:
        short.put(KEY, b"v")
    assert 40_000 < int(server.say("PTTL", name)[1:]) <= 50_000
    tier.put(KEY, b"v", ttl=0.001)
    assert eventually(lambda: tier.get(KEY) is None)
    tier.put(KEY, b"v")
    tier.put(KEY, b"w", ttl=0)
    assert tier.get(KEY) is None


def test_prefixes_keep_apart(server: RedisServer) -> None:
    """`clear` forgets what is under its own prefix, also where one begins like another or has a pattern's marks."""
    server.say("SET", "somebody:else", "1")
    prefixes = ["a", "a:1", "a*", "a?[x-z]", "b\\"]
    tiers = [RedisCache(server.url, prefix=prefix) for prefix in prefixes]
    for tier in tiers:
        for number in range(1100):
            tier.put(number.to_bytes(32, "big"), tier.prefix.encode())
    key = (7).to_bytes(32, "big")
    for index, tier in enumerate(tiers):
        assert tier.get(key) == tier.prefix.encode()
        tier.clear()
        assert [other.get(key) for other in tiers] == [None] * (index + 1) + [p.encode() for p in prefixes[index + 1 :]]
    assert server.say("DBSIZE") == ":1\r\n"
    for tier in tiers:
        tier.close()


def test_threads_share_it(tier: RedisCache) -> None:
    """No reply ever goes to another's question."""
    keys = [bytes([number]) * 32 for number in range(16)]

    def work(seed: int) -> None:
        mine = random.Random(seed)
        for _ in range(200):
            key = mine.choice(keys)
            tier.put(key, key * mine.randrange(1, 200))
            assert set(tier.get(key) or b"") == {key[0]}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_closed_and_used_again(server: RedisServer, tier: RedisCache) -> None:
    """`close` gives back every connection; the next use opens one."""
    tier.put(KEY, b"v")
    tier.close()
    tier.close()
    assert eventually(lambda: server.say("CLIENT", "LIST").count("\nid=") == 1)  # the one who asks
    assert tier.get(KEY) == b"v"


def test_a_connection_given_back_after_the_end_is_closed(server: RedisServer, tier: RedisCache) -> None:
    """The one that was in use when the tier was closed."""
    tier.put(KEY, b"v")
    link = tier._link()
    link.close()
    assert link.call("GET", f"edgeagent:1:{KEY.hex()}") == b"v"
    assert not link._idle


def test_connections_that_the_server_closed_leave_the_one_list(server: RedisServer, tier: RedisCache) -> None:
    """Another thread that gives one back just then puts it where `close` will look."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: tier.put(KEY, b"v"), range(40)))
    link = tier._link()
    idle = link._idle
    server.say("CLIENT", "KILL", "TYPE", "normal")
    assert tier.get(KEY) == b"v"
    assert link._idle is idle
    assert len(idle) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_has_connections_of_its_own(tier: RedisCache) -> None:
    """Parent and child go on beside each other, and neither reads the other's replies."""
    tier.put(KEY, b"parent")

    def reads_its_own() -> bool:
        for number in range(200):
            tier.put(OTHER, b"%d" % number)
            if tier.get(OTHER) != b"%d" % number:
                return False
        return True

    child = forked(reads_its_own)
    for _ in range(200):
        assert tier.get(KEY) == b"parent"
    assert os.waitpid(child, 0)[1] == 0
    assert tier.get(OTHER) == b"199"


def test_many_processes(server: RedisServer, tier: RedisCache) -> None:
    """They see each other's entries."""
    program = (
        "import sys; from edgeagent.cache import RedisCache\n"
        "tier = RedisCache(sys.argv[1])\n"
        "[tier.put(bytes([int(sys.argv[2]), n]) * 16, bytes([n]) * 999) for n in range(100)]\n"
    )
    command = [sys.executable, "-c", program, server.url]
    children = [subprocess.Popen([*command, str(n)], env=unmeasured_environment()) for n in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert all(tier.get(bytes([c, n]) * 16) == bytes([n]) * 999 for c in range(4) for n in range(100))


# the server goes away


def test_a_restarted_server_costs_nobody_a_call(mortal: RedisServer) -> None:
    """Connections that it has closed meanwhile are noticed and replaced, all of them."""
    with tier_of(mortal) as tier:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: tier.put(KEY, b"v"), range(40)))
        mortal.kill()
        mortal.start()
        assert tier.get(KEY) is None
        tier.put(KEY, b"w")
        assert tier.get(KEY) == b"w"


def test_killed_and_started_under_load(mortal: RedisServer) -> None:
    """Answers are right or missing, calls never wait, and all is well again by itself."""
    with tier_of(mortal) as tier:
        stop = threading.Event()
        slowest, hits = [0.0], [0]
        wrong: list[bytes] = []

        def work(seed: int) -> None:
            mine = random.Random(seed)
            while not stop.is_set():
                key = bytes([mine.randrange(32)]) * 32
                began = time.monotonic()
                try:
                    value = tier.get(key)
                    if value is None:
                        tier.put(key, key * 50)
                    elif value != key * 50:
                        wrong.append(value)
                    else:
                        hits[0] += 1
                except GONE:
                    pass
                slowest[0] = max(slowest[0], time.monotonic() - began)
                stop.wait(0.0005)

        with ThreadPoolExecutor(6) as pool:
            jobs = [pool.submit(work, seed) for seed in range(6)]
            for _ in range(3):
                before = hits[0]
                assert eventually(lambda before=before: hits[0] > before + 100)
                mortal.kill()
                assert eventually(lambda: not answers(tier))
                mortal.start()
                assert eventually(lambda: answers(tier))
            stop.set()
            for job in jobs:
                job.result()
        assert not wrong
        assert slowest[0] < 2 * tier.timeout + 1  # a busy machine is not a fault


def test_a_server_that_hangs_is_waited_for_once(mortal: RedisServer) -> None:
    """The first call takes the timeout, the others none; when it goes on, so does the tier."""
    with tier_of(mortal, timeout=0.3) as tier:
        tier.put(KEY, b"v")
        mortal.hang()
        assert 0.29 < took(lambda: tier.get(KEY)) < 20
        with pytest.raises(Away):
            tier.get(KEY)
        assert sum(took(lambda: tier.get(KEY)) for _ in range(100)) < 100 * 0.3 / 5
        mortal.go_on()
        assert eventually(lambda: answers(tier))
        assert tier.get(KEY) == b"v"


def test_probes_of_a_hanging_server_hold_nobody_up(mortal: RedisServer) -> None:
    """Also while one is under way, calls fail at once."""
    with tier_of(mortal, timeout=2.0) as tier:
        mortal.hang()
        took(lambda: tier.get(KEY))
        limit = time.monotonic() + FIRST_PAUSE + 1.0
        slowest = 0.0
        while time.monotonic() < limit:
            slowest = max(slowest, took(lambda: tier.get(KEY)))
            threading.Event().wait(0.005)
        assert slowest < 1.5
        mortal.go_on()


def test_a_slow_server_is_a_server(server: RedisServer) -> None:
    """Replies that come late, but within the timeout, are replies."""
    with tier_of(server, timeout=5.0) as tier:
        tier.put(KEY, b"v")
        server.say("CLIENT", "PAUSE", "150", "ALL")
        began = time.monotonic()
        assert tier.get(KEY) == b"v"
        assert time.monotonic() - began > 0.05


def test_nobody_listens() -> None:
    """An address without a server fails at once."""
    with RedisServer() as server:
        url = server.url
    tier = RedisCache(url, timeout=60)
    assert took(lambda: tier.get(KEY)) < 20
    with pytest.raises(Away):
        tier.put(KEY, b"v")


def test_a_wrong_password_says_nothing_of_it() -> None:
    """It is as if the server were away; the right one works, by user name and database too."""
    with RedisServer(password="open-sesame") as server:
        wrong = RedisCache(server.url.replace("open-sesame", "hunter2-xyz"))
        with pytest.raises(redis.AuthenticationError) as failed:
            wrong.get(KEY)
        assert "hunter2" not in str(failed.value) + repr(wrong)
        with pytest.raises(Away):
            wrong.get(KEY)
        right = RedisCache(server.url.replace("redis://:", "valkey://default:").replace("/0", "/3"))
        right.put(KEY, b"v")
        assert right.get(KEY) == b"v"
        assert "keys=1" in server.say("INFO", "keyspace").partition("db3:")[2]
        right.close()


def test_over_tls() -> None:
    """By `rediss://` or `valkeys://`; the server's certificate must be one that the client trusts."""
    with RedisServer("open-sesame", tls=True) as server:
        if not server.alive:
            pytest.skip("this redis-server was built without TLS")
        for scheme in ("rediss", "valkeys"):
            url = f"{server.url.replace('rediss', scheme)}?ssl_ca_certs={server.authority}"
            with closing(RedisCache(url, timeout=5)) as tier:
                tier.put(KEY, b"v")
                assert tier.get(KEY) == b"v"
        with pytest.raises(redis.ConnectionError, match="certificate"):
            RedisCache(server.url, timeout=5).get(KEY)
        with pytest.raises(GONE):
            RedisCache(server.url.replace("rediss", "redis"), timeout=1).get(KEY)


def test_what_the_server_refuses_is_no_outage(server: RedisServer, tier: RedisCache) -> None:
    """A key of another type, a server out of memory: an error for this call alone."""
    server.say("LPUSH", f"edgeagent:1:{KEY.hex()}", "x")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        tier.get(KEY)
    assert tier.get(OTHER) is None
    server.say("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(redis.ResponseError, match="maxmemory"):
            tier.put(OTHER, b"v")
        assert tier.get(OTHER) is None
    finally:
        server.say("CONFIG", "SET", "maxmemory", "0")


# leases


def test_one_leads(tier: RedisCache) -> None:
    """The second finds the lease held, the third the answer stored; a new lease can be had all the same."""
    first = tier.acquire(KEY)
    assert first.state == "granted"
    assert tier.acquire(KEY).state == "held"
    assert tier.acquire(OTHER).state == "granted"
    assert tier.put_leased(KEY, b"v", first.token)
    assert tier.get(KEY) == b"v"
    assert tier.acquire(KEY).state == "stored"
    assert tier.acquire(KEY, anyway=True).state == "granted"
    assert tier.acquire(KEY, anyway=True).state == "held"


def test_who_gives_up_lets_another_lead(tier: RedisCache) -> None:
    """Only the holder's token ends a lease."""
    first = tier.acquire(KEY)
    tier.release(KEY, "somebody else")
    assert tier.acquire(KEY).state == "held"
    tier.release(KEY, first.token)
    assert tier.acquire(KEY).state == "granted"


def test_who_has_an_answer_that_is_not_kept_lets_all_go_on(server: RedisServer, tier: RedisCache) -> None:
    """For a moment, after which one leads again; only the holder's token does it, and late answers fill the gap."""
    first = tier.acquire(KEY)
    tier.abandon(KEY, "somebody else")
    assert tier.acquire(KEY).state == "held"
    tier.abandon(KEY, first.token)
    assert [tier.acquire(KEY) for _ in range(3)] == [Grant("open")] * 3
    assert not tier.renew(KEY, first.token)
    assert 0 < int(server.say("PTTL", f"edgeagent:1:{KEY.hex()}:lease")[1:]) <= 1000
    assert tier.put_leased(KEY, b"late", first.token)
    assert (tier.get(KEY), tier.acquire(KEY).state) == (b"late", "stored")
    server.say("DEL", f"edgeagent:1:{KEY.hex()}:lease")  # the moment is over
    assert tier.acquire(KEY, anyway=True).state == "granted"


def test_a_crashed_leaders_lease_ends(server: RedisServer) -> None:
    """By itself, unless it is renewed."""
    with tier_of(server, lease_seconds=0.2) as tier:
        first = tier.acquire(KEY)
        for _ in range(4):
            time.sleep(0.08)
            assert tier.renew(KEY, first.token)
        assert tier.acquire(KEY).state == "held"
        assert eventually(lambda: tier.acquire(KEY).state == "granted")
        assert not tier.renew(KEY, first.token)


def test_a_stale_leader_overwrites_nothing(server: RedisServer, tier: RedisCache) -> None:
    """Neither while a later one leads nor after it has stored; an empty place that nobody leads it may fill."""
    stale = tier.acquire(KEY)
    server.say("DEL", f"edgeagent:1:{KEY.hex()}:lease")  # its time is over
    later = tier.acquire(KEY)
    assert not tier.put_leased(KEY, b"stale", stale.token)
    assert tier.get(KEY) is None
    assert tier.put_leased(KEY, b"later", later.token)
    assert not tier.put_leased(KEY, b"stale", stale.token)
    assert tier.get(KEY) == b"later"
    tier.delete(KEY)
    assert tier.put_leased(KEY, b"stale", stale.token)
    assert tier.get(KEY) == b"stale"


def test_leased_entries_live_as_long_as_others(server: RedisServer, tier: RedisCache) -> None:
    """The lifetime is the one that is said; zero stores nothing and ends the lease."""
    assert tier.put_leased(KEY, b"v", tier.acquire(KEY).token, ttl=100)
    assert 90_000 < int(server.say("PTTL", f"edgeagent:1:{KEY.hex()}")[1:]) <= 100_000
    assert not tier.put_leased(OTHER, b"v", tier.acquire(OTHER).token, ttl=0)
    assert tier.acquire(OTHER).state == "granted"
    tier.clear()
    assert tier.acquire(OTHER).state == "granted"


# what it is made with


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "http://localhost"},
        {"url": "localhost:6379"},
        {"prefix": ""},
        {"ttl": 0},
        {"ttl": float("inf")},
        {"timeout": 0},
        {"lease_seconds": -1},
    ],
    ids=str,
)
def test_bad_arguments(arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused when it is made, without the URL in the message."""
    monkeypatch.setenv("REDIS_URL", "redis://h")
    with pytest.raises(ConfigurationError, match="RedisCache needs") as failed:
        RedisCache(**arguments)
    assert "localhost" not in str(failed.value)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra."""
    monkeypatch.setattr("edgeagent.cache.redis.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'edgeagent\[redis\]'"):
        RedisCache()


def test_the_environment_names_the_server(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a URL it is `REDIS_URL`; without both there is an error that says so, when the tier is made."""
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        RedisCache()
    monkeypatch.setenv("REDIS_URL", server.url)
    tier = RedisCache()
    tier.put(KEY, b"v")
    copy = pickle.loads(pickle.dumps(tier))
    assert copy.get(KEY) == b"v"
    for one in (tier, copy):
        one.close()


def test_pickled_as_a_description(tier: RedisCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that it was made with; a password never goes into a pickle."""
    monkeypatch.setenv("REDIS_URL", "redis://h")
    tier.put(KEY, b"v")
    original = RedisCache(tier.url, prefix="p", ttl=5, timeout=2, leases=False, lease_seconds=3)
    copy = pickle.loads(pickle.dumps(original))
    same = ("url", "prefix", "ttl", "timeout", "leases", "lease_seconds")
    assert [getattr(copy, name) for name in same] == [getattr(original, name) for name in same]
    for secret in (
        RedisCache("redis://:pw@h"),
        RedisCache("redis://h?password=pw"),
        RedisCache(options={"username": "u"}),
    ):
        with pytest.raises(ConfigurationError, match="REDIS_URL"):
            pickle.dumps(secret)


def test_no_password_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the tier nor by the description that holds its URL."""
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@h")
    url = "rediss://user:hunter2@cache.example:6380/1?password=hunter3"
    assert repr(RedisCache(url)) == "RedisCache('rediss://cache.example:6380/1')"
    assert repr(RedisCache()) == "RedisCache()"
    shown = repr(Cache(redis=url))
    assert not any(secret in shown for secret in ("hunter2", "hunter3"))


def test_names_are_readable(server: RedisServer, tier: RedisCache) -> None:
    """An operator sees prefix, version and the key in hexadecimal digits."""
    tier.put(KEY, b"v")
    said = server.say("KEYS", "*")
    assert f"edgeagent:1:{KEY.hex()}\r\n" in said
    assert set(said) <= set(string.printable)
