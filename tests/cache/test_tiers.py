"""What `EdgeClient(cache=…)` takes, and the tiers that come of it."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import edgeagent.cache
from edgeagent.cache import Cache, CacheTier, DiskCache, MemoryCache, RedisCache, SemanticCache
from edgeagent.cache.tiers import user_cache_directory
from edgeagent.errors import ConfigurationError
from edgeagent.types import CacheTierName


class Shelf:
    """A tier of the caller's own."""

    name: CacheTierName = "redis"
    blocking = True

    def __init__(self) -> None:
        self.items: dict[bytes, bytes] = {}

    def get(self, key: bytes, /) -> bytes | None:
        return self.items.get(key)

    def put(self, key: bytes, value: bytes, /, ttl: float | None = None) -> None:
        self.items[key] = value

    def delete(self, key: bytes, /) -> None:
        self.items.pop(key, None)

    def clear(self) -> None:
        self.items.clear()

    def close(self) -> None:
        pass


SHELF = Shelf()
MEMORY = MemoryCache(max_entries=3)


def names(value: object) -> str:
    """A test's name, without addresses: each worker would have others."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def shapes(tiers: list[CacheTier]) -> list[Any]:
    return [(type(tier).__name__, str(getattr(tier, "directory", ""))) for tier in tiers]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, [("MemoryCache", "")]),
        (False, []),
        (None, []),
        ("/somewhere", [("MemoryCache", ""), ("DiskCache", "/somewhere")]),
        (Path("/somewhere"), [("MemoryCache", ""), ("DiskCache", "/somewhere")]),
        (Cache(), [("MemoryCache", "")]),
        (Cache(memory=False), []),
        (Cache(memory=False, disk="/d"), [("DiskCache", "/d")]),
        (Cache(redis=SHELF), [("MemoryCache", ""), ("Shelf", "")]),
        (Cache(memory=SHELF, disk="/d", redis=SHELF), [("Shelf", ""), ("DiskCache", "/d"), ("Shelf", "")]),
    ],
    ids=names,
)
def test_what_a_client_takes(value: object, expected: list[Any]) -> None:
    """True, False, a directory, a description: from the nearest tier to the farthest."""
    assert shapes(Cache.of(value).tiers()) == expected


def test_tier_objects_are_used_as_they_are() -> None:
    """And the tiers made here are new each time."""
    assert Cache(memory=MEMORY, disk=SHELF).tiers() == [MEMORY, SHELF]
    assert Cache().tiers()[0] is not Cache().tiers()[0]
    description = Cache(ttl=5)
    assert Cache.of(description) is description


def test_the_time_to_live_is_that_of_the_tiers_made_here() -> None:
    """A tier object has its own."""
    made = Cache(disk="/d", redis=SHELF, ttl=5).tiers()
    memory, disk = made[:2]
    assert isinstance(memory, MemoryCache)
    assert isinstance(disk, DiskCache)
    assert (memory.ttl, disk.ttl) == (5, 5)
    (own,) = Cache(memory=MEMORY, ttl=5).tiers()
    assert own is MEMORY
    assert MEMORY.ttl is None


@pytest.mark.parametrize("value", [1, 0, 3.5, b"/bytes", ["memory"], {"memory": True}, object(), Cache, ""], ids=names)
def test_other_values_are_refused(value: object) -> None:
    """A configuration error that says what is taken."""
    with pytest.raises(ConfigurationError, match=r"cache=…|Cache\("):
        Cache.of(value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"memory": "/path"}, "memory"),
        ({"memory": 1}, "memory"),
        ({"memory": None}, "memory"),
        ({"disk": 1}, "disk"),
        ({"disk": ""}, "disk"),
        ({"disk": b"/bytes"}, "disk"),
        ({"disk": object()}, "disk"),
        ({"semantic": True}, "semantic"),
        ({"semantic": MEMORY}, "semantic"),
        ({"ttl": 0}, "ttl"),
        ({"ttl": -1}, "ttl"),
        ({"ttl": True}, "ttl"),
        ({"ttl": "60"}, "ttl"),
        ({"ttl": float("nan")}, "ttl"),
        ({"ttl": float("inf")}, "ttl"),
    ],
    ids=names,
)
def test_a_description_that_means_nothing_is_refused(wrong: dict[str, Any], says: str) -> None:
    """At once, not when the client is first used."""
    with pytest.raises(ConfigurationError, match=says):
        Cache(**wrong)


@pytest.mark.parametrize("redis", [1, None, b"redis://h", "", "secret.example:6379"])
def test_what_redis_is_not(redis: Any) -> None:
    """The message does not show what was given: a URL may hold a password."""
    with pytest.raises(ConfigurationError, match="redis=…") as failed:
        Cache(redis=redis)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(("redis", "url"), [(True, None), ("rediss://h:1/2", "rediss://h:1/2")])
def test_redis_by_its_url(redis: Any, url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """True means the server that the environment names; the description's lifetime is the tier's."""
    monkeypatch.setenv("REDIS_URL", "redis://h")
    _, tier = Cache(redis=redis, ttl=7).tiers()
    assert isinstance(tier, RedisCache)
    assert (tier.url, tier.ttl) == (url, 7)


def test_a_semantic_cache_is_not_pickled() -> None:
    """Its embedder is the caller's own; the error says what to do."""

    class Embedder:
        def embed(self, texts: Any, /) -> Any:
            return [[1.0] for _ in texts]

    with pytest.raises(ConfigurationError, match="in the worker"):
        pickle.dumps(Cache(semantic=SemanticCache(Embedder())))


def test_a_url_with_a_password_is_not_pickled() -> None:
    """The error says what to do instead; a URL without one is."""
    assert pickle.loads(pickle.dumps(Cache(redis="redis://h"))) == Cache(redis="redis://h")
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        pickle.dumps(Cache(redis="redis://:hunter2@h"))


def test_descriptions_are_values() -> None:
    """Equal, frozen, picklable."""
    assert Cache(disk="/d", ttl=5) == Cache(disk="/d", ttl=5)
    assert Cache(disk="/d") != Cache(disk="/e")
    with pytest.raises(AttributeError):
        Cache().memory = False  # type: ignore[misc]
    description = Cache(disk=Path("/d"), ttl=5)
    assert pickle.loads(pickle.dumps(description)) == description


def test_a_description_with_tier_objects_is_pickled_with_them() -> None:
    """If they can be."""
    copy = pickle.loads(pickle.dumps(Cache(memory=MEMORY, disk=DiskCache("/d"))))
    memory, disk = copy.tiers()
    assert memory.max_entries == 3
    assert str(disk.directory) == "/d"


def test_a_tier_that_cannot_be_pickled_says_so() -> None:
    """Which, and what to do."""
    shelf = Shelf()
    shelf.items = {b"k": lambda: None}  # type: ignore[dict-item]
    with pytest.raises(ConfigurationError, match=r"Cache\(redis=…\) holds a Shelf"):
        pickle.dumps(Cache(redis=shelf))


HOME = Path("/home/u")


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, "/home/u/.cache/edgeagent"),
        ("linux", {"XDG_CACHE_HOME": "/var/c"}, "/var/c/edgeagent"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "/home/u/.cache/edgeagent"),
        ("linux", {"XDG_CACHE_HOME": ""}, "/home/u/.cache/edgeagent"),
        ("freebsd14", {}, "/home/u/.cache/edgeagent"),
        ("darwin", {"XDG_CACHE_HOME": "/var/c"}, "/home/u/Library/Caches/edgeagent"),
        ("win32", {"LOCALAPPDATA": "/c/Local"}, "/c/Local/edgeagent"),
        ("win32", {}, "/home/u/AppData/Local/edgeagent"),
    ],
)
def test_the_user_s_cache_directory(platform: str, environ: dict[str, str], expected: str) -> None:
    """The platform's rule."""
    assert user_cache_directory(platform, environ, HOME) == Path(expected)


def test_disk_true_is_the_user_s_cache_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Looked up when the tier is made."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    disk = Cache(disk=True).tiers()[1]
    assert isinstance(disk, DiskCache)
    assert disk.directory == user_cache_directory()
    assert list(tmp_path.iterdir()) == []


LAZY = """
import sys
import edgeagent.cache
assert not {name for name in sys.modules if name.startswith("edgeagent.cache.")}, "imported at once"
from edgeagent.cache import Cache
Cache.of(True).tiers()
assert "diskcache" not in sys.modules
Cache.of("/tmp/nowhere-yet").tiers()
assert "diskcache" in sys.modules
"""


def test_nothing_is_imported_before_it_is_used() -> None:
    """diskcache comes with the first disk tier."""
    subprocess.run([sys.executable, "-c", LAZY], check=True)


def test_the_package_has_the_names_it_lists() -> None:
    """And no others."""
    for name in edgeagent.cache.__all__:
        assert getattr(edgeagent.cache, name).__name__ == name
    assert dir(edgeagent.cache) == sorted(edgeagent.cache.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        edgeagent.cache.Nothing  # noqa: B018
