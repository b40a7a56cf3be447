"""Which entry makes room: bounds always hold, a scan passes through, what is in use stays."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from edgeagent.cache.eviction import Entries

__all__: list[str] = []


def name(number: int) -> bytes:
    return number.to_bytes(4, "big")


def held(entries: Entries, numbers: range) -> int:
    return sum(name(number) in entries._nodes for number in numbers)


@given(
    max_entries=st.integers(1, 12),
    max_bytes=st.integers(1, 60),
    steps=st.lists(st.tuples(st.sampled_from(["get", "put", "pop"]), st.integers(0, 20), st.integers(0, 60))),
)
@example(2, 1, [("put", 1, 0), ("put", 0, 1), ("put", 1, 1)])  # the one that was replaced made room for itself
def test_the_bounds_hold_and_the_books_are_right(
    max_entries: int, max_bytes: int, steps: list[tuple[str, int, int]]
) -> None:
    """After every step, whatever the steps are: both bounds, the sums, one queue for each entry, the last value put."""
    entries = Entries(max_entries, max_bytes)
    model: dict[bytes, bytes] = {}
    for step, number, size in steps:
        key = name(number)
        if step == "put" and size <= max_bytes:
            model[key] = bytes([number]) * size
            entries.put(key, model[key], None)
            assert entries.get(key) is not None  # the newest always stays
        elif step == "pop":
            model.pop(key, None)
            entries.pop(key)
        node = entries.get(key)
        assert node is None or node.value == model[key]
        nodes = entries._nodes
        assert len(entries) == len(nodes) <= max_entries
        assert entries.bytes == sum(len(node.value) for node in nodes.values()) <= max_bytes
        assert entries._small_bytes == sum(len(node.value) for node in nodes.values() if node.small)
        assert set(entries._small) == {key for key, node in nodes.items() if node.small}
        assert set(entries._main) == {key for key, node in nodes.items() if not node.small}
        assert not set(entries._gone) & set(nodes)
        assert len(entries._gone) <= max_entries
    entries.clear()
    assert (len(entries), entries.bytes) == (0, 0)


def test_a_scan_pushes_out_nothing_that_is_in_use() -> None:
    """Ten times as many things as there is room for, each asked for once."""
    entries = Entries(1000, 10**9)
    used = range(500)
    for number in used:
        entries.put(name(number), b"v", None)
        entries.get(name(number))
    for number in range(1000, 11_000):
        entries.put(name(number), b"v", None)
        entries.get(name(number % 500))
    assert held(entries, used) == 500


def test_what_was_popular_once_goes() -> None:
    """Hits are used up when nobody asks any more: the cache follows what is asked for now."""
    entries = Entries(100, 10**9)
    for start in (0, 1000):
        for turn in range(20):
            for number in range(start, start + 60):
                if entries.get(name(number)) is None:
                    entries.put(name(number), b"v", None)
            for number in range(20):
                entries.put(name(10**6 + start * 100 + turn * 20 + number), b"v", None)
    assert held(entries, range(1000, 1060)) == 60
    assert held(entries, range(60)) <= 40


def test_who_comes_back_soon_is_taken_for_good() -> None:
    """A key that was dropped is remembered for a while, and then comes into the main queue at once."""
    entries = Entries(10, 10**9)
    for number in range(12):
        entries.put(name(number), b"v", None)
    assert held(entries, range(2)) == 0
    entries.put(name(0), b"v", None)
    assert not entries._nodes[name(0)].small
    assert entries.evictions == 3


def test_a_large_value_finds_room() -> None:
    """Also one that is larger than the small queue's share, when the rest is in use."""
    entries = Entries(100, 1000)
    for number in range(10):
        entries.put(name(number), b"v" * 100, None)
        entries.get(name(number))
    entries.put(name(99), b"v" * 900, None)
    assert name(99) in entries._nodes
    assert entries.bytes <= 1000
