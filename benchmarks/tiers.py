"""The tiers by themselves: `python -m benchmarks.tiers`; needs `redis-server` on the path and a minute.

- A hit in Redis through the whole client, beside a bare `GET` of the same bytes by the `redis` library, blocking and
  awaiting; rounds alternate, the best of each counts.
- What storing an answer costs the caller, whose writes are done in the background.
- Eight processes on one disk cache: operations a second, and wrong answers, of which there must be none.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.redis_server import redis_server
from benchmarks.workload import MODEL, TEXT, messages
from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.cache import Cache, DiskCache, MemoryCache, RedisCache
from edgeagent.testing import FakeProvider

__all__: list[str] = []

ROUNDS, CALLS = 12, 200
PROCESSES = 8


def best(*calls: Callable[[], Any]) -> list[float]:
    """Microseconds of each, the best of rounds that alternate."""
    least = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for place, call in enumerate(calls):
            began = time.perf_counter()
            for _ in range(CALLS):
                call()
            least[place] = min(least[place], (time.perf_counter() - began) / CALLS)
    return [seconds * 1e6 for seconds in least]


async def abest(*calls: Callable[[], Any]) -> list[float]:
    least = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for place, call in enumerate(calls):
            began = time.perf_counter()
            for _ in range(CALLS):
                await call()
            least[place] = min(least[place], (time.perf_counter() - began) / CALLS)
    return [seconds * 1e6 for seconds in least]


def options(url: str) -> dict[str, Any]:
    """No memory, so that every hit is one of Redis."""
    return {"providers": [FakeProvider(TEXT, name="fake")], "cache": Cache(memory=False, redis=url)}


def redis_hits(url: str) -> None:
    import redis
    import redis.asyncio

    prompt = messages(1, 0)
    with EdgeClient(**options(url)) as client:

        def hit() -> None:
            answer = client.chat.completions.create(model=f"fake/{MODEL}", messages=prompt)
            assert answer.edge.cached or not filled

        filled = False
        hit()
        client.flush()
        filled = True
        bare = redis.Redis.from_url(url)
        (name,) = bare.keys("edgeagent:*")
        ours, theirs = best(hit, lambda: bare.get(name))
        size = len(bare.get(name))
        bare.close()
    told("sync", ours, f"a bare GET of its {size} bytes", theirs)

    async def awaiting() -> list[float]:
        abare = redis.asyncio.Redis.from_url(url)
        async with AsyncEdgeClient(**options(url)) as aclient:

            async def ahit() -> None:
                answer = await aclient.chat.completions.create(model=f"fake/{MODEL}", messages=prompt)
                assert answer.edge.cached

            tier, key = RedisCache(url), bytes.fromhex(name.decode().rpartition(":")[2])
            beside = aclient._engine.runtime._in_thread
            measured = await abest(ahit, lambda: abare.get(name), lambda: beside(lambda: tier.get(key)))
            tier.close()
        await abare.aclose()
        return measured

    ours, theirs, hop = asyncio.run(awaiting())
    told("async", ours, "redis.asyncio's bare GET", theirs)
    print(f"the tier's GET in a thread beside the loop: {hop:.1f} µs; {hop / theirs:.2f} x redis.asyncio's")


def told(kind: str, ours: float, what: str, theirs: float) -> None:
    print(f"redis hit, 1 KB prompt, {kind}: {ours:.1f} µs; {what}: {theirs:.1f} µs; {ours / theirs:.2f} x")


def write_costs(url: str, folder: str) -> None:
    """The time of `store` on the caller's path, with the same answer as above."""
    data = b"x" * 1200
    tiers: dict[str, Any] = {
        "memory": [MemoryCache()],
        "disk": [DiskCache(folder)],
        "redis": [RedisCache(url)],
        "all three": [MemoryCache(), DiskCache(folder), RedisCache(url)],
    }
    for name, made in tiers.items():
        memory = next((tier for tier in made if not tier.blocking), False)
        disk = next((tier for tier in made if tier.name == "disk"), False)
        far = next((tier for tier in made if tier.name == "redis"), False)
        client = EdgeClient(
            providers=[FakeProvider(TEXT, name="fake")], cache=Cache(memory=memory, disk=disk, redis=far)
        )
        layers = client._engine.pipeline.layers
        keys = iter([random.randbytes(32) for _ in range(ROUNDS * CALLS)])

        def store(layers: Any = layers, keys: Iterator[bytes] = keys) -> None:
            key = next(keys)
            layers.store(key, key, data, None, shared=True)

        (cost,) = best(store)
        client.close()
        print(f"storing an answer, {name}: {cost:.1f} µs of the caller's time")


def hammer(folder: str, seed: int, seconds: float, results: Any) -> None:
    """Reads and writes at random; a value can be told right from wrong by its key."""
    tier = DiskCache(folder, size_limit=2**24)
    rng = random.Random(seed)
    counts = {"reads": 0, "hits": 0, "writes": 0, "wrong": 0, "failed": 0}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        key = sha256(b"%d" % rng.randrange(5_000)).digest()
        value = key * (16 + key[0])
        if rng.random() < 0.8:
            found = tier.get(key)
            counts["reads"] += 1
            counts["hits"] += found is not None
            counts["wrong"] += found is not None and found != value
        else:
            try:
                tier.put(key, value)
                counts["writes"] += 1
            except Exception:
                counts["failed"] += 1
    tier.close()
    results.put(counts)


def many_processes(folder: str, seconds: float = 5.0, processes: int = PROCESSES) -> dict[str, int]:
    """The sums over all of them."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=hammer, args=(folder, seed, seconds, results)) for seed in range(processes)]
    for worker in workers:
        worker.start()
    counts = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    return {name: sum(each[name] for each in counts) for name in counts[0]}


def main() -> None:
    with redis_server() as url, tempfile.TemporaryDirectory() as folder:
        redis_hits(url)
        write_costs(url, str(Path(folder, "one")))
        seconds = 5.0
        total = many_processes(str(Path(folder, "two")), seconds)
        reads, writes = total["reads"] / seconds, total["writes"] / seconds
        print(f"{PROCESSES} processes on one disk cache: {reads:,.0f} reads/s, {writes:,.0f} writes/s")
        print(f"  {total['hits']:,} hits, {total['failed']} writes given up, {total['wrong']} wrong answers")
    sys.exit(total["wrong"] > 0)


if __name__ == "__main__":
    main()
