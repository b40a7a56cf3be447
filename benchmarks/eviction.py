"""Hit rates of eviction rules on made-up traces, the same for all: `python -m benchmarks.eviction` (seeded, a minute).

The traces are keys; every value has one byte, so that room is counted in entries. `zipf` asks for a popular few, as
users do; `scan` is the same with long runs of keys that are asked for once (a batch job, an evaluation) in between;
`drift` lets what is popular change; `loop` goes round through a little more than there is room for, the worst of LRU.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any, Protocol

import cachetools

from edgeagent.cache.eviction import Item, S3FIFOCache

__all__: list[str] = []

SEED = 7
REQUESTS = 200_000
KEYS = 20_000


class Rule(Protocol):
    """Says whether a key was there, and takes it in if not."""

    def ask(self, key: int) -> bool: ...


class Tools:
    """A class of cachetools."""

    def __init__(self, kind: Callable[[int], Any], room: int) -> None:
        self.cache = kind(room)

    def ask(self, key: int) -> bool:
        if self.cache.get(key) is not None:
            return True
        self.cache[key] = True
        return False


class Ours:
    """The memory tier's rule (S3-FIFO)."""

    def __init__(self, room: int) -> None:
        self.cache = S3FIFOCache(room, room)

    def ask(self, key: int) -> bool:
        name = key.to_bytes(8, "big", signed=True)
        if self.cache.get(name) is not None:
            return True
        self.cache[name] = Item(b"x")
        return False


class Sieve:
    """Zhang et al., NSDI 2024: one queue, a hand that spares what was asked for since it last came by."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.asked: dict[int, bool] = {}
        self.after: dict[int, int | None] = {}
        self.before: dict[int, int | None] = {}
        self.head: int | None = None
        self.tail: int | None = None
        self.hand: int | None = None

    def ask(self, key: int) -> bool:
        if key in self.asked:
            self.asked[key] = True
            return True
        if len(self.asked) >= self.room:
            self.evict()
        self.asked[key] = False
        self.after[key], self.before[key] = self.head, None
        if self.head is not None:
            self.before[self.head] = key
        self.head = key
        if self.tail is None:
            self.tail = key
        return False

    def evict(self) -> None:
        at = self.hand if self.hand is not None else self.tail
        while at is not None and self.asked[at]:
            self.asked[at] = False
            at = self.before[at] if self.before[at] is not None else self.tail
        assert at is not None
        self.hand = self.before[at]
        before, after = self.before.pop(at), self.after.pop(at)
        if before is not None:
            self.after[before] = after
        else:
            self.head = after
        if after is not None:
            self.before[after] = before
        else:
            self.tail = before
        del self.asked[at]


class TinyLFU:
    """W-TinyLFU (Einziger et al.): a window, then by frequency into a segmented LRU; exact counts, halved."""

    def __init__(self, room: int) -> None:
        self.window: OrderedDict[int, None] = OrderedDict()
        self.probation: OrderedDict[int, None] = OrderedDict()
        self.protected: OrderedDict[int, None] = OrderedDict()
        self.window_room = max(1, room // 100)
        self.main_room = room - self.window_room
        self.counts: Counter[int] = Counter()
        self.asked = 0

    def ask(self, key: int) -> bool:
        self.count(key)
        for queue in (self.window, self.protected):
            if key in queue:
                queue.move_to_end(key)
                return True
        if key in self.probation:
            del self.probation[key]
            self.protected[key] = None
            if len(self.protected) > 0.8 * self.main_room:
                self.probation[self.protected.popitem(last=False)[0]] = None
            return True
        self.window[key] = None
        if len(self.window) > self.window_room:
            self.admit(self.window.popitem(last=False)[0])
        return False

    def admit(self, key: int) -> None:
        if len(self.probation) + len(self.protected) < self.main_room:
            self.probation[key] = None
            return
        victim = next(iter(self.probation))
        if self.counts[key] > self.counts[victim]:
            del self.probation[victim]
            self.probation[key] = None

    def count(self, key: int) -> None:
        self.counts[key] = min(15, self.counts[key] + 1)
        self.asked += 1
        if self.asked >= 10 * self.main_room:
            self.asked = 0
            self.counts = Counter({name: count // 2 for name, count in self.counts.items() if count > 1})


RULES: dict[str, Callable[[int], Rule]] = {
    "LRU (cachetools)": lambda room: Tools(cachetools.LRUCache, room),
    "LFU (cachetools)": lambda room: Tools(cachetools.LFUCache, room),
    "SIEVE": Sieve,
    "W-TinyLFU": TinyLFU,
    "S3-FIFO (edgeagent)": Ours,
}


def zipf(rng: random.Random, skew: float = 0.9) -> Iterator[int]:
    totals = list(accumulate((rank + 1) ** -skew for rank in range(KEYS)))
    while True:
        yield bisect_left(totals, rng.random() * totals[-1])


def scanned(rng: random.Random) -> Iterator[int]:
    users, fresh = zipf(rng), -1
    while True:
        for _ in range(6000):
            yield next(users)
        for _ in range(4000):
            yield fresh
            fresh -= 1


def drifting(rng: random.Random) -> Iterator[int]:
    for number, key in enumerate(zipf(rng)):
        yield (key + number // 20_000 * 97) % KEYS


def loop(rng: random.Random) -> Iterator[int]:
    while True:
        yield from range(2_500)


TRACES = {"zipf": zipf, "scan": scanned, "drift": drifting, "loop": loop}


def hit_rate(rule: Rule, trace: Iterator[int], requests: int) -> float:
    """The share of hits after a tenth of the requests."""
    warm = requests // 10
    hits = [rule.ask(next(trace)) for _ in range(requests)]
    return sum(hits[warm:]) / (requests - warm)


def table(requests: int = REQUESTS) -> Iterator[tuple[str, int, dict[str, float]]]:
    for name, make in TRACES.items():
        for room in (200, 2_000):
            yield (
                name,
                room,
                {rule: hit_rate(of(room), make(random.Random(SEED)), requests) for rule, of in RULES.items()},
            )


def main() -> None:
    print(f"{'trace':8}{'room':>6}" + "".join(f"{rule:>22}" for rule in RULES))
    for name, room, rates in table():
        print(f"{name:8}{room:6}" + "".join(f"{rate:22.1%}" for rate in rates.values()))


if __name__ == "__main__":
    main()
