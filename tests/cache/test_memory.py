"""The memory tier: bounds, expiry, counters, threads and forks."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.cache import CacheTier, MemoryCache
from edgeagent.errors import ConfigurationError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_is_a_tier_that_never_blocks() -> None:
    """It fits the protocol."""
    tier: CacheTier = MemoryCache()
    assert isinstance(tier, CacheTier)
    assert tier.name == "memory"
    assert tier.blocking is False


def test_the_oldest_unused_entry_goes_first() -> None:
    """A read makes an entry young again."""
    tier = MemoryCache(max_entries=2)
    tier.put(b"a", b"1")
    tier.put(b"b", b"2")
    tier.get(b"a")
    tier.put(b"c", b"3")
    assert [tier.get(key) for key in (b"a", b"b", b"c")] == [b"1", None, b"3"]
    assert tier.stats().evictions == 1


def test_bytes_are_bounded_too() -> None:
    """Entries go until the new one fits; replacing one counts only the difference."""
    tier = MemoryCache(max_bytes=100)
    for n in range(4):
        tier.put(b"%d" % n, b"x" * 25)
    tier.put(b"0", b"y" * 25)
    assert tier.stats().entries == 4
    assert tier.get(b"0") is not None
    tier.put(b"big", b"z" * 60)
    assert tier.stats().bytes == 85
    assert tier.get(b"big") is not None
    assert tier.get(b"0") is not None


def test_a_value_beyond_the_bound_is_not_stored() -> None:
    """It evicts nobody, but the older value under its key is gone: it would be wrong."""
    tier = MemoryCache(max_bytes=10)
    tier.put(b"a", b"1")
    tier.put(b"b", b"2")
    tier.put(b"a", b"x" * 11)
    assert tier.get(b"a") is None
    assert tier.get(b"b") == b"2"
    tier.put(b"a", b"x" * 10)
    assert tier.get(b"a") == b"x" * 10


@pytest.mark.parametrize(
    ("own", "given_", "lives"), [(None, 5.0, 5.0), (5.0, None, 5.0), (5.0, 9.0, 9.0), (9.0, 5.0, 5.0)]
)
def test_entries_expire(own: float | None, given_: float | None, lives: float) -> None:
    """At the very second; the time given with the entry comes before the tier's."""
    clock = Clock()
    tier = MemoryCache(ttl=own, clock=clock)
    tier.put(b"a", b"1", given_)
    clock.now += lives - 0.001
    assert tier.get(b"a") == b"1"
    clock.now += 0.001
    assert tier.get(b"a") is None
    assert tier.stats().entries == 0


def test_without_a_ttl_entries_stay() -> None:
    """As long as there is room."""
    clock = Clock()
    tier = MemoryCache(clock=clock)
    tier.put(b"a", b"1")
    clock.now += 1e9
    assert tier.get(b"a") == b"1"


@pytest.mark.parametrize("ttl", [0.0, -1.0])
def test_an_entry_without_life_is_not_stored(ttl: float) -> None:
    """Its key holds nothing afterwards."""
    tier = MemoryCache()
    tier.put(b"a", b"1")
    tier.put(b"a", b"2", ttl)
    assert tier.get(b"a") is None


def test_counters() -> None:
    """Hits, misses, evictions, entries, bytes; clearing empties and keeps the counts."""
    tier = MemoryCache(max_entries=2)
    for key in (b"a", b"b", b"c"):
        tier.put(key, b"xx")
    tier.get(b"c")
    tier.get(b"a")
    tier.delete(b"b")
    tier.delete(b"never there")
    stats = tier.stats()
    assert (stats.entries, stats.bytes, stats.hits, stats.misses, stats.evictions) == (1, 2, 1, 1, 1)
    tier.clear()
    tier.close()
    stats = tier.stats()
    assert (stats.entries, stats.bytes, stats.hits, stats.misses, stats.evictions) == (0, 0, 1, 1, 1)


def test_closing_keeps_the_entries() -> None:
    """Another client may share the tier."""
    tier = MemoryCache()
    tier.put(b"a", b"1")
    tier.close()
    tier.close()
    assert tier.get(b"a") == b"1"


@pytest.mark.parametrize(
    "wrong", [{"max_entries": 0}, {"max_bytes": 0}, {"ttl": 0}, {"ttl": -1}, {"ttl": float("nan")}]
)
def test_senseless_bounds_are_refused(wrong: dict[str, Any]) -> None:
    """A configuration error, at once."""
    with pytest.raises(ConfigurationError):
        MemoryCache(**wrong)


KEYS = st.sampled_from([b"a", b"b", b"c", b"d", b"e"])
STEPS = st.lists(
    st.tuples(st.just("put"), KEYS, st.binary(max_size=12), st.none() | st.integers(1, 5))
    | st.tuples(st.just("get"), KEYS)
    | st.tuples(st.just("delete"), KEYS)
    | st.tuples(st.just("wait"), st.integers(1, 4)),
    max_size=60,
)


@given(STEPS)
def test_it_behaves_like_a_simple_model(steps: list[Any]) -> None:
    """Any operations against a dict: the last value or nothing, nothing only if it is over or something was evicted."""
    clock = Clock()
    tier = MemoryCache(max_entries=3, max_bytes=20, clock=clock)
    model: dict[bytes, tuple[bytes, float]] = {}
    for step in steps:
        if step[0] == "put":
            _, key, value, ttl = step
            tier.put(key, value, ttl)
            model[key] = (value, float("inf") if ttl is None else clock.now + ttl)
            assert tier.get(key) == value
        elif step[0] == "get":
            value, expires = model.get(step[1], (None, 0.0))
            found = tier.get(step[1])
            if expires <= clock.now:
                assert found is None
            else:
                assert found == value or (found is None and tier.stats().evictions)
        elif step[0] == "delete":
            tier.delete(step[1])
            model.pop(step[1], None)
        else:
            clock.now += step[1]
        stats = tier.stats()
        assert stats.entries <= 3
        assert stats.bytes <= 20


def test_threads() -> None:
    """Many threads at once: never a wrong value, never out of bounds, every look-up counted."""
    tier = MemoryCache(max_entries=20, max_bytes=2_000)
    wrong: list[object] = []
    rounds = 3_000

    def work(seed: int) -> None:
        try:
            for n in range(rounds):
                key = b"%d" % ((n * seed) % 50)
                found = tier.get(key)
                if found not in (None, key * 30):
                    wrong.append(found)
                tier.put(key, key * 30)
                if n % 7 == 0:
                    tier.delete(key)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 3, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = tier.stats()
    assert wrong == []
    assert stats.entries <= 20
    assert stats.bytes <= 2_000
    assert stats.hits + stats.misses == 4 * rounds


FORK = """
import os
from edgeagent.cache import MemoryCache
tier = MemoryCache()
tier.put(b"a", b"1")
if {held}:
    tier._state.lock.acquire()  # as a thread in the middle of an operation would
pid = os.fork()
if not pid:
    kept = tier.get(b"a")
    tier.put(b"b", b"2")
    os._exit(0 if kept == {kept} and tier.get(b"b") == b"2" else 1)
if {held}:
    tier._state.lock.release()
assert os.waitpid(pid, 0)[1] == 0
assert tier.get(b"a") == b"1" and tier.get(b"b") is None
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("held", "kept"), [(False, b"1"), (True, None)])
def test_a_child_goes_on_after_a_fork(held: bool, kept: bytes | None) -> None:
    """With what the parent had; empty, and not locked for ever, if a thread was at work in that moment."""
    subprocess.run([sys.executable, "-c", FORK.format(held=held, kept=kept)], check=True, timeout=60)


class Given:
    """A lock that a thread of the parent has been given, which had not said so yet when the child was forked."""

    def locked(self) -> bool:
        return False

    def acquire(self, blocking: bool = True) -> bool:
        assert not blocking, "nobody releases it"
        return False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        pass


def test_a_lock_that_was_just_given_to_nobody_here_is_not_waited_for() -> None:
    """A thread that waited for it has it, and says so only when it runs on: `locked()` is no help."""
    tier = MemoryCache()
    tier.put(b"a", b"1")
    given: Any = Given()
    tier._state = replace(tier._state, lock=given, pid=-1)
    assert tier.get(b"a") is None
    tier.put(b"b", b"2")
    assert tier.get(b"b") == b"2"


def test_a_pickle_is_an_empty_tier_with_the_same_bounds() -> None:
    """The description travels, the entries do not."""
    tier = MemoryCache(max_entries=5, max_bytes=50, ttl=7)
    tier.put(b"a", b"1")
    copy = pickle.loads(pickle.dumps(tier))
    assert (copy.max_entries, copy.max_bytes, copy.ttl) == (5, 50, 7)
    assert copy.get(b"a") is None
