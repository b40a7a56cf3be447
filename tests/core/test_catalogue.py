"""All entries at once: which are forgotten, what is counted, what a file holds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.cache.base import CacheTier
from edgeagent.cache.disk import DiskCache
from edgeagent.cache.encrypted import EncryptedCache
from edgeagent.cache.entry import Entry, decode_entry, encode_entry
from edgeagent.cache.memory import MemoryCache
from edgeagent.cache.redis import RedisCache
from edgeagent.cache.semantic import SemanticCache
from edgeagent.core.call import CallOptions
from edgeagent.core.catalogue import Catalogue, Imported, Selection, TierStats
from edgeagent.core.keys import Keys
from edgeagent.core.layers import CacheLayers
from edgeagent.errors import RequestValidationError
from edgeagent.telemetry import ObserverGroup
from edgeagent.testing import FakeProvider
from tests.core.test_pipeline import Far
from tests.support.redis_server import RedisServer, needs_redis

NOW = 1000.0


def entry(
    asked: str, namespace: str | None = None, tags: tuple[str, ...] = (), created: float = NOW, **more: Any
) -> Entry:
    return Entry(
        created, "fake", f"{asked}-1", None, None, None, b"{}", asked=asked, namespace=namespace, tags=tags, **more
    )


ENTRIES = {
    b"a": entry("gpt"),
    b"b": entry("gpt", "team", ("batch", "night")),
    b"c": entry("claude", "team", ("batch",)),
    b"d": entry("claude", "", (), NOW - 100),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture(params=["memory", "disk", "encrypted", pytest.param("redis", marks=needs_redis)])
def tier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CacheTier]:
    kind = request.param
    if kind == "memory":
        made: CacheTier = MemoryCache()
    elif kind == "redis":
        made = RedisCache(request.getfixturevalue("server").url)
    else:
        made = DiskCache(tmp_path / "cache")
        made = made if kind == "disk" else EncryptedCache(made, EncryptedCache.generate_key())
    yield made
    made.clear()
    made.close()


def layered(*tiers: Any, semantic: Any = None) -> tuple[CacheLayers, Catalogue]:
    layers = CacheLayers(list(tiers), lambda job: job(), lambda: NOW, ObserverGroup(()), semantic=semantic)
    return layers, Catalogue(layers, lambda: NOW)


def filled(*tiers: Any, semantic: Any = None) -> Catalogue:
    layers, catalogue = layered(*tiers, semantic=semantic)
    for key, value in ENTRIES.items():
        layers.store(key, key, encode_entry(value), None, shared=True)
    return catalogue


def left(tier: Any) -> set[bytes]:
    return {key for key in ENTRIES if tier.get(key) is not None}


SELECTIONS = [
    (Selection(), b"abcd"),
    (Selection(model="gpt"), b"ab"),
    (Selection(model="claude-1"), b"cd"),
    (Selection(model="fake/gpt-1"), b"ab"),
    (Selection(model="nobody"), b""),
    (Selection(namespace="team"), b"bc"),
    (Selection(namespace=""), b"d"),
    (Selection(tag="batch"), b"bc"),
    (Selection(tag="night"), b"b"),
    (Selection(older_than=99), b"d"),
    (Selection(older_than=100), b""),
    (Selection(keys=frozenset({b"a", b"x"})), b"a"),
    (Selection(keys=frozenset({b"a", b"b"}), tag="night"), b"b"),
    (Selection(model="claude", tag="batch"), b"c"),
    (Selection(keys=frozenset()), b""),
]


@pytest.mark.parametrize(("selection", "gone"), SELECTIONS)
def test_what_is_forgotten(tier: CacheTier, selection: Selection, gone: bytes) -> None:
    """Exactly what all that is given is true of, in every kind of tier."""
    wanted = {bytes([number]) for number in gone}  # the keys are letters
    assert filled(tier).clear(selection) == len(wanted)
    assert left(tier) == ENTRIES.keys() - wanted


def test_a_listing_ends_while_others_write(tier: CacheTier) -> None:
    """It has all that was there when it began; of what comes meanwhile it need not have any, or it never ends."""
    filled(tier)
    listed = []
    for number, (key, _) in enumerate(islice(tier.items(), 1000)):  # type: ignore[attr-defined]  # all of these list
        listed.append(key)
        tier.put(b"later %d" % number, encode_entry(ENTRIES[b"a"]), None)
    assert len(listed) < 1000
    assert ENTRIES.keys() <= set(listed)


def test_in_every_tier() -> None:
    """Each by itself; the count is over all of them."""
    near, far = MemoryCache(), MemoryCache()
    far.blocking = True
    assert filled(near, far).clear(Selection(model="gpt")) == 4
    assert left(near) == left(far) == {b"c", b"d"}


def test_what_cannot_be_read_is_forgotten_too() -> None:
    """Of a damaged entry nobody can say whose it is."""
    memory = MemoryCache()
    catalogue = filled(memory)
    memory.put(b"damaged", b"?")
    assert catalogue.clear(Selection(tag="nobody")) == 1
    assert len(left(memory)) == 4


@pytest.mark.parametrize("selection", [Selection(tag="nobody"), Selection(keys=frozenset(ENTRIES))])
def test_what_others_have_the_key_of_is_forgotten_too(selection: Selection) -> None:
    """While keys are rotated a client may lack the one of an entry, which others would still be given."""
    inner: Any = MemoryCache()
    filled(EncryptedCache(inner, old := EncryptedCache.generate_key()))
    new = EncryptedCache(inner, EncryptedCache.generate_key())
    assert list(layered(new)[1].export(Selection()))[1:] == []
    layered(new)[1].clear(selection)
    assert left(EncryptedCache(inner, old)) == set()


def test_looking_for_what_is_to_be_forgotten_is_no_hit() -> None:
    """The counts are those of calls."""
    catalogue = filled(MemoryCache())
    catalogue.clear(Selection(keys=frozenset({b"a", b"x"})))
    stats = catalogue.stats().tiers["memory"]
    assert (stats.hits, stats.misses) == (0, 0)


def test_a_tier_that_cannot_list_is_cleared_whole(tmp_path: Path) -> None:
    """Rather too much than too little; by key it is exact. So also within a wrapper."""
    for wrapped in (False, True):
        far = Far()
        tier: Any = EncryptedCache(far, EncryptedCache.generate_key()) if wrapped else far
        catalogue = filled(tier)
        assert catalogue.clear(Selection(keys=frozenset({b"a"}))) == 1
        assert left(tier) == {b"b", b"c", b"d"}
        assert list(catalogue.export(Selection()))[1:] == []
        assert catalogue.stats().tiers["disk"].entries is None
        assert catalogue.clear(Selection(model="gpt")) is None
        assert left(tier) == set()


def test_a_tier_that_fails_is_told_after_the_others() -> None:
    """Whoever forgets must know that not all is forgotten."""

    class Broken(Far):
        def clear(self) -> None:
            raise OSError("no")

    memory = MemoryCache()
    catalogue = filled(memory, Broken())
    with pytest.raises(OSError, match="no"):
        catalogue.clear(Selection())
    assert left(memory) == set()


def test_similar_answers_are_forgotten_too() -> None:
    """They are entries like the others, and have the keys under which the exact tiers hold them."""

    class Embedder:
        def embed(self, texts: Any) -> Any:
            return [[1.0] for _ in texts]

    semantic = SemanticCache(Embedder())
    for text, value in zip("abcd", ENTRIES.values(), strict=True):
        semantic.put(b"group", text, [1.0], encode_entry(value))
    semantic.put(b"group", "e", [1.0], encode_entry(ENTRIES[b"a"]), None, (b"raw", b"shared"))
    _, catalogue = layered(MemoryCache(), semantic=semantic)
    assert catalogue.clear(Selection(keys=frozenset({b"a"}))) == 0
    assert catalogue.clear(Selection(keys=frozenset({b"shared"}), tag="batch")) == 0
    assert catalogue.clear(Selection(keys=frozenset({b"shared"}))) == 1
    assert catalogue.clear(Selection(tag="batch")) == 2
    stats = catalogue.stats().tiers["semantic"]
    assert stats.entries == 2
    assert stats.bytes is not None
    assert catalogue.clear(Selection()) == 2
    assert len(semantic) == 0


def test_counts(tier: CacheTier) -> None:
    """What it holds, what it was asked, what was written, what it dropped and how often it failed."""
    layers, catalogue = layered(tier)
    for key, value in ENTRIES.items():
        layers.store(key, key, encode_entry(value), None, shared=True)

    call: Any = SimpleNamespace(
        clock=lambda: 0.0, at_most=lambda seconds: seconds, options=CallOptions(), spare=None, cleared=0
    )

    def ask(key: bytes) -> None:
        if tier.blocking:
            effects = layers.far(call, Keys(key, key, read=True, write=True, far=True, candidates=b""))
            try:
                effect: Any = effects.send(None)
                while True:
                    effect = effects.send(effect.call())
            except StopIteration:
                return
        layers.near(key, None)

    for key in (b"a", b"b", b"nothing"):
        ask(key)
    layers.fault(tier, OSError())
    stats = catalogue.stats().tiers[tier.name]
    assert (stats.entries, stats.hits, stats.misses, stats.writes, stats.faults) == (4, 2, 1, 4, 1)
    assert (stats.bytes is None) == (tier.name == "redis")
    assert stats.dropped_writes == 0
    assert (stats.evictions is None) == tier.blocking


def test_what_memory_has_and_cannot_give_is_a_miss() -> None:
    """Too old for the call, or damaged: as in the other tiers, for all that memory itself has handed it out."""
    layers, catalogue = layered(MemoryCache())
    layers.store(b"a", b"a", encode_entry(ENTRIES[b"a"]), None, shared=True)
    layers.store(b"bad", b"bad", b"damaged", None, shared=True)
    assert layers.near(b"a", None) is not None
    assert layers.near(b"a", -1.0) is None
    assert layers.near(b"bad", None) is None
    assert layers.near(b"nothing", None) is None
    stats = catalogue.stats().tiers["memory"]
    assert (stats.hits, stats.misses) == (1, 3)


def test_dropped_writes_are_counted() -> None:
    """Of those that were never tried; a write that was done is none of them."""
    jobs: list[Any] = []
    layers = CacheLayers([Far()], jobs.append, lambda: NOW, ObserverGroup(()))
    layers.store(b"a", b"a", b"1", None, shared=True)
    layers.store(b"b", b"b", b"2", None, shared=True)
    jobs.pop().dropped()
    jobs.pop()()
    stats = Catalogue(layers, lambda: NOW).stats().tiers["disk"]
    assert (stats.writes, stats.dropped_writes) == (1, 1)


def test_a_tier_that_is_away_says_nothing_of_what_it_holds() -> None:
    """Counting raises nothing."""

    class Away(Far):
        def usage(self) -> Any:
            raise ConnectionError

    _, catalogue = layered(Away())
    assert catalogue.stats().tiers["disk"] == TierStats(hits=0, misses=0)


def test_a_file_takes_entries_elsewhere(tier: CacheTier) -> None:
    """Every entry once, whole, whatever kind of tier they go from and to; a selection of them if asked for."""
    near = MemoryCache()
    lines = list(filled(near, tier).export(Selection()) if tier.blocking else filled(tier).export(Selection()))
    assert len(lines) == 1 + len(ENTRIES)
    other, far = MemoryCache(), Far()
    _, catalogue = layered(other, far)
    assert catalogue.import_(lines) == Imported(4)
    for key, value in ENTRIES.items():
        for held in (other.get(key), far.get(key)):
            assert held is not None
            assert decode_entry(held) == value
    assert len(list(filled(tier).export(Selection(namespace="team")))) == 3


def test_what_is_over_or_damaged_is_not_imported() -> None:
    """Each is counted; blank lines are nothing."""
    memory = MemoryCache()
    layers, catalogue = layered(memory)
    layers.store(b"over", b"over", encode_entry(entry("m", expires=NOW - 5, keep=5)), 60, shared=True)
    layers.store(b"kept", b"kept", encode_entry(entry("m", expires=NOW - 5, keep=6)), 60, shared=True)
    lines = [*catalogue.export(Selection()), "", "damaged\n", "{}"]
    memory.clear()
    assert catalogue.import_(lines) == Imported(1, 1, 2)
    assert memory.get(b"kept") is not None


def test_what_is_imported_lives_no_longer_than_a_tier_lets_it() -> None:
    """The time of a tier's own began when the answer was made, as for what is promoted; it does not begin anew."""
    time = [0.0]
    near, far = MemoryCache(ttl=100, clock=lambda: time[0]), Far()
    _, catalogue = layered(near, far)
    old, young = entry("m", created=NOW - 100), entry("m", created=NOW - 99)
    ahead, ending = entry("m", created=NOW + 10**6), entry("m", created=NOW - 500, expires=NOW + 500)
    source, export = layered(MemoryCache())
    for name, one in ((b"old", old), (b"young", young), (b"ahead", ahead), (b"ending", ending)):
        source.store(name, name, encode_entry(one), None, shared=True)
    assert catalogue.import_(export.export(Selection())) == Imported(4)
    assert near.peek(b"old") is None
    assert far.get(b"old") == encode_entry(old)
    assert near.peek(b"young") is not None
    time[0] = 100.0
    assert [near.peek(name) is None for name in (b"young", b"ahead", b"ending")] == [True, True, False]
    _, alone = layered(MemoryCache(ttl=100))
    assert alone.import_(export.export(Selection())) == Imported(3, 1)


@pytest.mark.parametrize("lines", [[], ["{}"], ["damaged"], ['{"format":"edgeagent cache","version":2}']])
def test_another_file_is_refused(lines: list[str]) -> None:
    """Before anything of it is stored."""
    with pytest.raises(RequestValidationError, match="no export of a cache") as caught:
        layered(MemoryCache())[1].import_(lines)
    assert caught.value.param == "file"


def test_only_masked_answers_go_into_a_file() -> None:
    """Where memory holds what was restored for its caller, it takes no part."""
    memory, far = MemoryCache(), MemoryCache()
    far.blocking = True
    layers, catalogue = layered(memory, far)
    layers.near_is_masked = False
    layers.store(b"raw", b"shared", encode_entry(ENTRIES[b"a"]), None, shared=True)
    lines = list(catalogue.export(Selection()))
    assert [line for line in lines if b"raw".hex() in line] == []
    assert len(lines) == 2
    memory.clear()
    far.clear()
    assert catalogue.import_(lines) == Imported(1)
    assert (memory.usage()[0], far.usage()[0]) == (0, 1)


@pytest.mark.parametrize(
    ("tiers", "masked"),
    [([], True), ([MemoryCache()], False), ([MemoryCache(max_bytes=64)], True)],
    ids=["no tier", "restored answers", "too large"],
)
def test_what_no_tier_takes_is_not_imported(tiers: list[Any], masked: bool) -> None:
    """It is not said to be stored, nor to be past its time."""
    layers, catalogue = layered(*tiers)
    layers.near_is_masked = masked
    lines = [*filled(MemoryCache()).export(Selection()), "?"]
    assert catalogue.import_(lines) == Imported(damaged=1)
    assert sum(tier.usage()[0] for tier in tiers) == 0


def test_what_was_asked_is_forgotten_too() -> None:
    """Nothing that memory keeps to be fast outlives the entries."""
    client = EdgeClient(providers=[FakeProvider("Paris")])
    for _ in range(2):
        client.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "Where is Paris?"}])
    layers = client._engine.pipeline.layers
    assert layers.known._requests
    assert layers._decoded._entries
    client.cache.clear()
    assert not layers.known._requests
    assert not layers._decoded._entries
