"""The layering of the tiers, without a pipeline."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edgeagent.cache.encrypted import EncryptedCache
from edgeagent.cache.entry import Entry, decode_entry, encode_entry
from edgeagent.cache.memory import MemoryCache
from edgeagent.core.call import CallOptions
from edgeagent.core.catalogue import Catalogue, Selection
from edgeagent.core.keys import Keys
from edgeagent.core.layers import CacheLayers
from edgeagent.telemetry import ObserverGroup
from edgeagent.types.metadata import CacheTierName

__all__: list[str] = []


def entry(text: str = "{}", created: float = 0.0, expires: float | None = None) -> Entry:
    return Entry(created, "fake", "m", None, None, None, text.encode(), expires=expires)


@pytest.fixture
def memory() -> MemoryCache:
    return MemoryCache()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def layers(memory: MemoryCache, clock: Clock) -> CacheLayers:
    return CacheLayers([memory], Callable.__call__, clock, ObserverGroup(()))  # type: ignore[arg-type]


def said(layers: CacheLayers, key: bytes = b"k", max_age: float | None = None) -> str | None:
    found = layers.near(key, max_age)
    return None if found is None else found[0].completion.decode()


def test_what_was_stored_is_found_again_and_again(layers: CacheLayers) -> None:
    """The second look-up gives what the first gave."""
    layers.store(b"k", b"s", encode_entry(entry("one")), None, shared=False)
    assert [said(layers), said(layers), said(layers, b"other")] == ["one", "one", None]


def test_what_is_remembered_is_never_older_than_the_tier(layers: CacheLayers, memory: MemoryCache) -> None:
    """A new value, a deleted one and a cleared tier are seen at once, whoever made the change."""
    memory.put(b"k", encode_entry(entry("one")))
    assert said(layers) == "one"
    memory.put(b"k", encode_entry(entry("two")))
    assert said(layers) == "two"
    memory.delete(b"k")
    assert said(layers) is None
    memory.put(b"k", encode_entry(entry("three")))
    assert said(layers) == "three"
    Catalogue(layers, float).clear(Selection())
    assert said(layers) is None


def test_age_counts_for_what_is_remembered(layers: CacheLayers, clock: Clock) -> None:
    """`max_age` and `expires` are looked at on every hit."""
    layers.store(b"k", b"s", encode_entry(entry("one", created=0.0, expires=10.0)), None, shared=False)
    assert said(layers, max_age=1.0) == "one"
    clock.now = 5.0
    assert (said(layers, max_age=1.0), said(layers, max_age=6.0), said(layers)) == (None, "one", "one")
    clock.now = 10.0
    assert said(layers) is None


def test_an_entry_of_a_wrong_clock_has_no_age(layers: CacheLayers, clock: Clock) -> None:
    """Clocks differ a little; what was made much later than now is no answer where its age, or its end, matters."""
    clock.now = 1000.0
    for ahead, expires, max_age, given in (
        (299.0, 2000.0, None, True),
        (299.0, None, 10.0, True),
        (301.0, 2000.0, None, False),
        (301.0, None, 10.0, False),
        (301.0, None, None, True),
    ):
        layers.store(b"k", b"s", encode_entry(entry("one", 1000 + ahead, expires)), None, shared=False)
        assert (said(layers, max_age=max_age) == "one") is given


def test_damage_is_a_miss(layers: CacheLayers, memory: MemoryCache) -> None:
    """Also where the same key was remembered before."""
    data = encode_entry(entry("one"))
    memory.put(b"k", data)
    assert said(layers) == "one"
    memory.put(b"k", data[:-1] + b"?")
    assert said(layers) is None


def far(layers: CacheLayers, key: bytes = b"k", since: int = 0) -> CacheTierName | None:
    """The tier that blocks and has the entry."""
    call: Any = SimpleNamespace(
        clock=lambda: 0.0, at_most=lambda seconds: seconds, options=CallOptions(), spare=None, cleared=since
    )
    flow = layers.far(call, Keys(key, key, read=True, write=True, far=True, candidates=b""))
    try:
        effect: Any = next(flow)
        while True:
            effect = flow.send(effect.call())
    except StopIteration as end:
        return None if end.value is None else cast("CacheTierName", end.value[1])


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("near_ttl", "far_ttl", "expires", "until"),
    [
        (None, 10.0, None, 10.0),
        (100.0, 10.0, None, 10.0),
        (2.0, 10.0, None, 8.0),
        (2.0, None, None, 8.0),
        (None, None, None, math.inf),
        (2.0, 10.0, 9.0, 9.0),
        (None, None, 9.0, 9.0),
    ],
)
def test_what_is_promoted_lives_no_longer_than_where_it_was(
    clock: Clock, near_ttl: float | None, far_ttl: float | None, expires: float | None, until: float, wrapped: bool
) -> None:
    """Its time began when it was made, not anew in each tier; a tier's own shorter time holds, if no call set one."""
    near, between, last = (MemoryCache(ttl=ttl, clock=clock) for ttl in (near_ttl, near_ttl, far_ttl))
    between.blocking = last.blocking = True
    between.name, last.name = "disk", "redis"
    tier: Any = EncryptedCache(last, EncryptedCache.generate_key()) if wrapped else last
    layers = CacheLayers([near, between, tier], lambda job: job(), clock, ObserverGroup(()))
    tier.put(b"k", encode_entry(entry("one", expires=expires)), expires)
    clock.now = 6.0
    assert (near.peek(b"k"), between.peek(b"k"), far(layers)) == (None, None, "redis")
    for tier in (near, between):
        clock.now = min(until, 1e9) - 0.1
        assert tier.peek(b"k") is not None
        clock.now = until
        assert (tier.peek(b"k") is None) == (until < math.inf)


@pytest.mark.parametrize("announced", [False, True], ids=["before", "between"])
def test_what_is_forgotten_while_it_is_read_is_not_promoted(clock: Clock, announced: bool) -> None:
    """Its reader, who began before it or in the midst of it, gets it; memory, which is cleared by then, does not."""
    near, last = MemoryCache(clock=clock), MemoryCache(clock=clock)
    selection = Selection(model="fake/m")

    class Slow:
        name, blocking = "disk", True

        def get(self, key: bytes, /) -> bytes | None:
            data = last.get(key)
            Catalogue(layers, clock).clear(selection)
            return data

    slow: Any = Slow()
    for name in ("put", "delete", "clear", "items", "usage"):
        setattr(slow, name, getattr(last, name))
    layers = CacheLayers([near, slow], lambda job: job(), clock, ObserverGroup(()))
    last.put(b"k", encode_entry(entry("one")))
    if announced:
        Catalogue(layers, clock).bar(selection)
    assert far(layers, since=layers.clearings.count) == "disk"
    assert (near.get(b"k"), last.get(b"k")) == (None, None)


@pytest.mark.parametrize(("ttl", "kept"), [(None, "new"), (5.0, "new"), (0.5, "old")])
def test_what_is_stored_while_an_older_answer_is_read_stays(clock: Clock, ttl: float | None, kept: str) -> None:
    """An answer that was asked for anew is not replaced by what a slow tier is just giving, while it is good."""
    clock.now = 10.0
    near, between, last = (MemoryCache(clock=clock) for _ in range(3))
    between.blocking, between.name = True, "disk"

    class Slow:
        name, blocking, put, delete, clear, close = "redis", True, last.put, last.delete, last.clear, last.close

        def get(self, key: bytes, /) -> bytes | None:
            data = last.get(key)
            new = entry("new", created=10.0, expires=None if ttl is None else 10.0 + ttl)
            layers.store(key, key, encode_entry(new), None, shared=True)
            clock.now = 11.0
            return data

    slow: Any = Slow()
    layers = CacheLayers([near, between, slow], lambda job: job(), clock, ObserverGroup(()))
    last.put(b"k", encode_entry(entry("old", created=1.0)))
    assert far(layers) == "redis"
    for tier in (near, between):
        held = decode_entry(tier.get(b"k") or b"")
        assert held is not None
        assert held.completion.decode() == kept


@pytest.mark.parametrize(("ttl", "kept"), [(None, "new"), (5.0, "new"), (0.5, "old")])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "by another process"])
def test_a_tier_that_has_a_later_answer_keeps_it(clock: Clock, ttl: float | None, kept: str, elsewhere: bool) -> None:
    """Also where memory does not know of it: there is none, it made room, or another process asked anew."""
    clock.now = 10.0
    between, last = MemoryCache(clock=clock), MemoryCache(clock=clock)
    between.blocking, between.name = True, "disk"
    new = encode_entry(entry("new", created=10.0, expires=None if ttl is None else 10.0 + ttl))

    class Slow:
        name, blocking, put, delete, clear, close = "redis", True, last.put, last.delete, last.clear, last.close

        def get(self, key: bytes, /) -> bytes | None:
            data = last.get(key)
            if elsewhere:
                between.put(key, new)
            else:
                layers.store(key, key, new, None, shared=True)
            clock.now = 11.0
            return data

    slow: Any = Slow()
    jobs: list[Callable[[], None]] = []
    layers = CacheLayers([between, slow], jobs.append, clock, ObserverGroup(()))
    last.put(b"k", encode_entry(entry("old", created=1.0)))
    assert far(layers) == "redis"
    while jobs:
        jobs.pop(0)()
        assert layers.writes.under_way(b"k") in (None, new)
    held = decode_entry(between.get(b"k") or b"")
    assert held is not None
    assert held.completion.decode() == kept


def test_a_child_knows_nothing_of_reads_under_way(layers: CacheLayers) -> None:
    """Those of its parent never come to an end here."""
    reads = layers._reads
    layers.after_fork()
    assert layers._reads is not reads
