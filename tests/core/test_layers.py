"""The layering of the tiers, without a pipeline."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edgeagent.cache.entry import Entry, encode_entry
from edgeagent.cache.memory import MemoryCache
from edgeagent.core import layers as layers_module
from edgeagent.core.layers import CacheLayers
from edgeagent.telemetry import ObserverGroup

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
    layers.clear()
    assert said(layers) is None


def test_age_counts_for_what_is_remembered(layers: CacheLayers, clock: Clock) -> None:
    """`max_age` and `expires` are looked at on every hit."""
    layers.store(b"k", b"s", encode_entry(entry("one", created=0.0, expires=10.0)), None, shared=False)
    assert said(layers, max_age=1.0) == "one"
    clock.now = 5.0
    assert (said(layers, max_age=1.0), said(layers, max_age=6.0), said(layers)) == (None, "one", "one")
    clock.now = 10.0
    assert said(layers) is None


def test_damage_is_a_miss(layers: CacheLayers, memory: MemoryCache) -> None:
    """Also where the same key was remembered before."""
    data = encode_entry(entry("one"))
    memory.put(b"k", data)
    assert said(layers) == "one"
    memory.put(b"k", data[:-1] + b"?")
    assert said(layers) is None


def test_little_is_remembered(layers: CacheLayers, memory: MemoryCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many entries nor large ones; all of them are found all the same."""
    monkeypatch.setattr(layers_module, "REMEMBERED", 3)
    monkeypatch.setattr(layers_module, "REMEMBERED_BYTES", 200)
    for number in range(10):
        text = str(number) * (1 if number % 2 else 500)
        memory.put(bytes([number]), encode_entry(entry(text)))
        for _ in range(2):
            assert said(layers, bytes([number])) == text
        assert len(layers._decoded) <= 3
        assert all(len(data) <= 200 for data, _ in layers._decoded.values())
