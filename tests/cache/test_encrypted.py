"""Encryption at rest: what the store sees, what opens an entry, and what does not."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent import EdgeClient
from edgeagent.cache import Cache, CacheTier, DiskCache, EncryptedCache, Leases, MemoryCache, RedisCache
from edgeagent.cache.base import Put
from edgeagent.cache.encrypted import VARIABLE
from edgeagent.errors import ConfigurationError
from edgeagent.testing import FakeProvider
from tests.support.redis_server import RedisServer, needs_redis

__all__: list[str] = []

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
FIRST, SECOND = b"1" * 32, b"2" * 32


@pytest.fixture
def inner() -> MemoryCache:
    return MemoryCache()


@given(value=st.binary(max_size=2000), key=st.binary(min_size=1, max_size=64))
def test_what_goes_in_comes_out_and_nothing_of_it_is_stored(value: bytes, key: bytes) -> None:
    """The inner tier holds ciphertext alone, another one each time."""
    inner = MemoryCache()
    tier = EncryptedCache(inner, FIRST)
    assert tier.get(key) is None
    stored = set()
    for _ in range(2):
        tier.put(key, value)
        assert tier.get(key) == value
        data = inner.get(key)
        assert data is not None
        stored.add(data)
        assert len(value) < 8 or value not in data
    assert len(stored) == 2


@given(flipped=st.integers(min_value=0), cut=st.integers(min_value=0, max_value=200))
def test_a_damaged_entry_is_a_miss(flipped: int, cut: int) -> None:
    """Whichever bit was changed, wherever it was cut."""
    inner = MemoryCache()
    tier = EncryptedCache(inner, FIRST)
    tier.put(KEY, b"an answer" * 10)
    data = inner.get(KEY)
    assert data is not None
    position = flipped % (8 * len(data))
    changed = bytearray(data)
    changed[position // 8] ^= 1 << position % 8
    for damaged in (bytes(changed), data[: min(cut, len(data) - 1)], data + b"x", b"an answer" * 10):
        inner.put(KEY, damaged)
        assert tier.get(KEY) is None


def test_an_entry_that_was_moved_is_a_miss(inner: MemoryCache) -> None:
    """It is bound to its key: nobody gets the answer to another question."""
    tier = EncryptedCache(inner, FIRST)
    tier.put(KEY, b"one")
    moved = inner.get(KEY)
    assert moved is not None
    inner.put(OTHER, moved)
    assert tier.get(OTHER) is None
    assert tier.get(KEY) == b"one"


def test_keys_are_rotated(inner: MemoryCache) -> None:
    """The first encrypts, all decrypt, one that is not there any more opens nothing."""
    old, both, new = (EncryptedCache(inner, keys) for keys in ([FIRST], [SECOND, FIRST], [SECOND]))
    old.put(KEY, b"old")
    assert (both.get(KEY), new.get(KEY)) == (b"old", None)
    both.put(OTHER, b"new")
    assert (old.get(OTHER), both.get(OTHER), new.get(OTHER)) == (None, b"new", b"new")


def test_keys_with_one_id_are_all_tried(inner: MemoryCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four bytes may be the same by chance."""
    monkeypatch.setattr("edgeagent.cache.encrypted._id", lambda key: b"same")
    EncryptedCache(inner, FIRST).put(KEY, b"v")
    assert EncryptedCache(inner, [SECOND, FIRST]).get(KEY) == b"v"
    assert EncryptedCache(inner, [SECOND]).get(KEY) is None


@pytest.mark.parametrize(
    "keys",
    [
        FIRST,
        [FIRST],
        (FIRST, SECOND),
        base64.b64encode(FIRST).decode(),
        [base64.urlsafe_b64encode(bytes([251] * 32)).decode()],
        EncryptedCache.generate_key(),
    ],
    ids=["bytes", "list", "tuple", "base64", "url-safe", "generated"],
)
def test_forms_of_keys(inner: MemoryCache, keys: Any) -> None:
    """Bytes or base64, one or several."""
    tier = EncryptedCache(inner, keys)
    tier.put(KEY, b"v")
    assert EncryptedCache(inner, keys).get(KEY) == b"v"


@pytest.mark.parametrize(
    "keys",
    [b"short", "open-sesame", "ä" * 32, [], [FIRST, b""], [3], 3, {"k": FIRST}, base64.b64encode(b"x" * 31).decode()],
    ids=str,
)
def test_what_is_no_key(inner: MemoryCache, keys: Any) -> None:
    """Refused, and not shown."""
    for make in (lambda: EncryptedCache(inner, keys), lambda: Cache(encryption=keys)):
        with pytest.raises(ConfigurationError, match="ncryption") as failed:
            make()
        assert "sesame" not in str(failed.value)


def test_the_environment_holds_the_keys(inner: MemoryCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several, separated by commas; without any there is an error that names the variable."""
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(ConfigurationError, match=VARIABLE):
        EncryptedCache(inner)
    monkeypatch.setenv(VARIABLE, f"{EncryptedCache.generate_key()}, {base64.b64encode(FIRST).decode()},")
    EncryptedCache(inner, FIRST).put(KEY, b"v")
    assert EncryptedCache(inner).get(KEY) == b"v"


def test_no_key_is_pickled_or_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tier with keys of the environment is a description; one that was given them says what to do."""
    given = EncryptedCache(DiskCache(tmp_path), FIRST)
    description = Cache(disk=tmp_path, encryption=FIRST)
    for secret in (given, description):
        assert repr(FIRST)[2:-1] not in repr(secret)
        with pytest.raises(ConfigurationError, match=VARIABLE):
            pickle.dumps(secret)
    monkeypatch.setenv(VARIABLE, EncryptedCache.generate_key())
    with closing(EncryptedCache(DiskCache(tmp_path))) as tier:
        tier.put(KEY, b"v")
        with closing(pickle.loads(pickle.dumps(tier))) as copy:
            assert copy.get(KEY) == b"v"
    with_environment = Cache(disk=tmp_path, encryption=True)
    assert pickle.loads(pickle.dumps(with_environment)) == with_environment


def test_a_missing_library_says_what_to_install(inner: MemoryCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra."""
    monkeypatch.setattr("edgeagent.cache.encrypted.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'edgeagent\[encrypted\]'"):
        EncryptedCache(inner, FIRST)


def test_only_tiers_are_wrapped() -> None:
    """A directory is not one."""
    with pytest.raises(ConfigurationError, match="tier object"):
        EncryptedCache("/somewhere", FIRST)  # type: ignore[arg-type]


def test_the_rest_is_the_inner_tiers(inner: MemoryCache) -> None:
    """Name, blocking, delete, clear, close; memory has no leases."""
    tier = EncryptedCache(inner, FIRST)
    assert isinstance(tier, CacheTier)
    assert (tier.name, tier.blocking, tier.leases) == ("memory", False, False)
    tier.put(KEY, b"v")
    tier.put(OTHER, b"v")
    tier.delete(KEY)
    assert (inner.get(KEY), inner.get(OTHER) is None) == (None, False)
    tier.clear()
    assert inner.stats().entries == 0
    tier.close()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@needs_redis
def test_leases_go_through(redis: RedisServer) -> None:
    """A leader's answer is encrypted as any other is."""
    plain = RedisCache(redis.url, lease_seconds=5)
    with closing(EncryptedCache(plain, FIRST)) as tier:
        assert isinstance(tier, Leases)
        assert (tier.leases, tier.lease_seconds, tier.blocking) == (True, 5, True)
        first = tier.acquire(KEY)
        assert tier.acquire(KEY).state == "held"
        assert tier.renew(KEY, first.token)
        tier.release(KEY, first.token)
        second = tier.acquire(KEY)
        assert not tier.put_leased(KEY, b"stale", first.token)
        assert tier.put_leased(KEY, b"an answer", second.token)
        assert tier.get(KEY) == b"an answer"
        assert tier.batches
        assert tier.put_many([Put(OTHER, b"an answer"), Put(b"x", b"an answer", 100)]) == [None, None]
        assert tier.get_many([OTHER, b"y", b"x"]) == [b"an answer", None, b"an answer"]
        assert all(b"an answer" not in (plain.get(key) or b"") for key in (KEY, OTHER, b"x"))


def ask(client: EdgeClient) -> Any:
    return client.chat.completions.create(model="fake/m", messages=[{"role": "user", "content": "a secret question"}])


def test_a_client_with_an_encrypted_disk(tmp_path: Path) -> None:
    """Answers are found again by who has a key, and nothing of them is in the files."""
    fake = FakeProvider("a secret answer", name="fake")

    def tier_of(answer: Any) -> str | None:
        tier: str | None = answer.edge.cache_tier
        return tier

    seen = []
    for keys in (FIRST, FIRST, [SECOND, FIRST], SECOND, SECOND):
        with EdgeClient(providers=[fake], cache=Cache(memory=False, disk=tmp_path, encryption=keys)) as client:
            seen.append(tier_of(ask(client)))
    assert seen == [None, "disk", "disk", None, "disk"]
    assert fake.calls == 2
    assert all(b"secret" not in file.read_bytes() for file in tmp_path.iterdir())
    assert any(tmp_path.iterdir())


@needs_redis
def test_a_client_with_an_encrypted_redis(redis: RedisServer) -> None:
    """The same in a server that others can read."""
    fake = FakeProvider("a secret answer", name="fake")
    for tier in (None, "redis"):
        with EdgeClient(providers=[fake], cache=Cache(memory=False, redis=redis.url, encryption=FIRST)) as client:
            assert ask(client).edge.cache_tier == tier
    plain = RedisCache(redis.url)
    with closing(plain):
        names = redis.say("KEYS", "*").split("\r\n")
        name = next(name for name in names if name.startswith("edgeagent:"))
        data = plain.get(bytes.fromhex(name.rpartition(":")[2]))
        assert data is not None
        assert b"secret" not in data
