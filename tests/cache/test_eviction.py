"""Which entry makes room: bounds always hold, a scan passes through, what is in use stays."""

from __future__ import annotations

import pytest
from cachetools import Cache
from hypothesis import example, given
from hypothesis import strategies as st

from edgeagent.cache.eviction import Item, S3FIFOCache

__all__: list[str] = []


def name(number: int) -> bytes:
    return number.to_bytes(4, "big")


def held(cache: S3FIFOCache, numbers: range) -> int:
    return sum(name(number) in cache for number in numbers)


def put(cache: S3FIFOCache, number: int, value: bytes = b"v") -> None:
    cache[name(number)] = Item(value)


@given(
    max_entries=st.integers(1, 12),
    max_bytes=st.integers(1, 60),
    steps=st.lists(st.tuples(st.sampled_from(["get", "put", "pop"]), st.integers(0, 20), st.integers(0, 60))),
)
@example(2, 1, [("put", 1, 0), ("put", 0, 1), ("put", 1, 1)])  # the one that is replaced makes room for itself
def test_the_bounds_hold_and_the_books_are_right(
    max_entries: int, max_bytes: int, steps: list[tuple[str, int, int]]
) -> None:
    """After every step, whatever the steps are: both bounds, the sums, one queue for each item, the last value put."""
    cache = S3FIFOCache(max_entries, max_bytes)
    model: dict[bytes, bytes] = {}
    for step, number, size in steps:
        key = name(number)
        if step == "put" and size <= max_bytes:
            model[key] = bytes([number]) * size
            put(cache, number, model[key])
            assert key in cache  # the newest always stays
        elif step == "pop":
            model.pop(key, None)
            cache.pop(key, None)
        item = cache.get(key)
        assert item is None or item.value == model[key]
        items = {key: Cache.__getitem__(cache, key) for key in cache}  # without counting a hit
        assert len(cache) == len(items) <= max_entries
        assert cache.currsize == sum(len(item.value) for item in items.values()) <= max_bytes
        assert cache._small_bytes == sum(len(item.value) for item in items.values() if item.small)
        assert set(cache._small) == {key for key, item in items.items() if item.small}
        assert set(cache._main) == {key for key, item in items.items() if not item.small}
        assert not set(cache._gone) & set(items)
        assert len(cache._gone) <= max_entries
    cache.clear()
    assert (len(cache), cache.currsize) == (0, 0)
    with pytest.raises(KeyError):
        cache.popitem()


def test_a_scan_pushes_out_nothing_that_is_in_use() -> None:
    """Ten times as many things as there is room for, each asked for once."""
    cache = S3FIFOCache(1000, 10**9)
    used = range(500)
    for number in used:
        put(cache, number)
        cache.get(name(number))
    for number in range(1000, 11_000):
        put(cache, number)
        cache.get(name(number % 500))
    assert held(cache, used) == 500


def test_what_was_popular_once_goes() -> None:
    """Hits are used up when nobody asks any more: the cache follows what is asked for now."""
    cache = S3FIFOCache(100, 10**9)
    for start in (0, 1000):
        for turn in range(20):
            for number in range(start, start + 60):
                if cache.get(name(number)) is None:
                    put(cache, number)
            for number in range(20):
                put(cache, 10**6 + start * 100 + turn * 20 + number)
    assert held(cache, range(1000, 1060)) == 60
    assert held(cache, range(60)) <= 40


def test_who_comes_back_soon_is_taken_for_good() -> None:
    """A key that was dropped is remembered for a while, and then comes into the main queue at once."""
    cache = S3FIFOCache(10, 10**9)
    for number in range(12):
        put(cache, number)
    assert held(cache, range(2)) == 0
    put(cache, 0)
    assert not cache[name(0)].small
    assert cache.evictions == 3


def test_a_large_value_finds_room() -> None:
    """Also one that is larger than the small queue's share, when the rest is in use."""
    cache = S3FIFOCache(100, 1000)
    for number in range(10):
        put(cache, number, b"v" * 100)
        cache.get(name(number))
    put(cache, 99, b"v" * 900)
    assert name(99) in cache
    assert cache.currsize <= 1000
