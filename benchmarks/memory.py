"""What a hit and an entry of the memory tier cost, up to a million entries: `python -m benchmarks.memory`."""

from __future__ import annotations

import random
import sys
import time
import tracemalloc

from edgeagent.cache import MemoryCache

__all__: list[str] = []

SIZES = (1_000, 10_000, 100_000, 1_000_000)
VALUE = 64
LOOKS = 20_000


def filled(entries: int) -> tuple[MemoryCache, list[bytes]]:
    """A full tier that has evicted, and the keys it was given last."""
    tier = MemoryCache(max_entries=entries, max_bytes=2**40)
    rng = random.Random(entries)
    keys = [rng.randbytes(32) for _ in range(entries)]
    for key in keys:
        tier.put(key, rng.randbytes(VALUE))
    return tier, keys


def hit(tier: MemoryCache, keys: list[bytes], rounds: int) -> float:
    """Nanoseconds of a hit, the best of some rounds; the same few keys each time, so that the processor's caches, which
    are no part of the rule, count as little as they can."""
    few = keys[-500:]
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter_ns()
        for _ in range(LOOKS // len(few)):
            for key in few:
                tier.get(key)
        best = min(best, (time.perf_counter_ns() - began) / LOOKS)
    return best


def overhead(entries: int) -> float:
    """Bytes that an entry takes besides its key and value."""
    keys = [number.to_bytes(32, "big") for number in range(entries)]
    values = [bytes(VALUE) + key for key in keys]
    tier = MemoryCache(max_entries=entries, max_bytes=2**40)
    tracemalloc.start()
    for key, value in zip(keys, values, strict=True):
        tier.put(key, value)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return taken / entries


def main(sizes: tuple[int, ...] = SIZES) -> None:
    print(f"{'entries':>10}{'hit':>12}{'put':>12}")
    tiers = {entries: filled(entries) for entries in sizes}
    costs = dict.fromkeys(sizes, float("inf"))
    for _ in range(10):  # in turns, so that what else the machine does hits all alike
        for entries, (tier, keys) in tiers.items():
            costs[entries] = min(costs[entries], hit(tier, keys, 1))
    for entries, (tier, _) in tiers.items():
        cost = costs[entries]
        rng = random.Random(1)
        fresh = [rng.randbytes(32) for _ in range(min(entries, LOOKS))]
        began = time.perf_counter_ns()
        for key in fresh:
            tier.put(key, key)
        put = (time.perf_counter_ns() - began) / len(fresh)
        print(f"{entries:10,}{cost:9.0f} ns{put:9.0f} ns")
    own = sys.getsizeof(bytes(32)) + sys.getsizeof(bytes(VALUE))
    print(f"an entry takes {overhead(100_000):.0f} bytes besides its key and value (here {own} bytes as objects)")


if __name__ == "__main__":
    main()
