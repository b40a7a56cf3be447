"""The memory tier: bounded by entries and by bytes; `edgeagent.cache.eviction` says which entry makes room.

Holds bytes, hands out the same immutable bytes. Every operation is short, takes one lock and never blocks on anything
else. After a fork the child goes on with what the parent had; if another thread was in the middle of an operation at
that moment, the child starts empty with a lock of its own.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from edgeagent.cache.eviction import Item, S3FIFOCache
from edgeagent.errors import ConfigurationError
from edgeagent.types.metadata import CacheTierName

__all__ = ["MemoryCache", "MemoryStats"]


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """What the tier holds and has seen since it was made. `evictions` counts entries dropped to keep the bounds."""

    entries: int
    bytes: int
    hits: int
    misses: int
    evictions: int


class _Store(S3FIFOCache):
    """The entries with their counters."""

    hits = misses = 0


@dataclass(frozen=True, slots=True)
class _State:
    """A store and its lock as one process sees them."""

    store: _Store
    lock: threading.Lock = field(default_factory=threading.Lock)
    pid: int = field(default_factory=os.getpid)


class MemoryCache:
    """Bytes in this process's memory. Implements `CacheTier`; thread-safe.

    Args:
        max_entries: the most entries held.
        max_bytes: the most bytes of values held; a larger value is not stored.
        ttl: seconds that an entry lives unless `put` says otherwise; None: as long as there is room.
        clock: seconds, monotonic.

    Raises:
        ConfigurationError: a bound is below 1, or `ttl` is not positive.
    """

    name: CacheTierName = "memory"
    blocking: bool = False

    def __init__(
        self,
        max_entries: int = 10_000,
        max_bytes: int = 256 * 2**20,
        ttl: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_entries < 1 or max_bytes < 1 or (ttl is not None and not ttl > 0):
            raise ConfigurationError("MemoryCache needs max_entries ≥ 1, max_bytes ≥ 1 and a positive ttl or None.")
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.ttl = ttl
        self._clock = clock
        self._state = _State(_Store(max_entries, max_bytes))

    def get(self, key: bytes, /) -> bytes | None:
        """The bytes under `key`, or None."""
        state = self._state
        if state.pid != os.getpid():
            state = self._after_fork(state)
        store = state.store
        with state.lock:
            item = store.find(key)
            if item is not None:
                expires = item.expires
                if expires is None or self._clock() < expires:
                    store.hits += 1
                    return item.value
                del store[key]
            store.misses += 1
            return None

    def put(self, key: bytes, value: bytes, /, ttl: float | None = None) -> bool:
        """Store `value` for `ttl` seconds (None: the tier's own); one larger than `max_bytes` only replaces → False."""
        lifetime = self.ttl if ttl is None else ttl
        expires = None if lifetime is None else self._clock() + lifetime
        state = self._current()
        store = state.store
        with state.lock:
            if len(value) > self.max_bytes or (lifetime is not None and lifetime <= 0):
                store.pop(key, None)
                return False
            store[key] = Item(value, expires)
            return True

    def delete(self, key: bytes, /) -> None:
        """Forget `key`."""
        state = self._current()
        with state.lock:
            state.store.pop(key, None)

    def clear(self) -> None:
        """Forget every entry; the counters stay."""
        state = self._current()
        with state.lock:
            state.store.clear()

    def close(self) -> None:
        """Nothing to give back; the entries stay for other clients that use this tier."""

    def peek(self, key: bytes, /) -> bytes | None:
        """The bytes under `key`, or None; nothing is counted, and nothing moves."""
        state = self._current()
        with state.lock:
            item = state.store.peek(key)
            return None if item is None or self._is_over(item.expires) else item.value

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Each key with its bytes, as they are now; nothing is counted, and nothing moves."""
        state = self._current()
        with state.lock:
            held = [(key, state.store.peek(key)) for key in state.store]
        return iter([(key, item.value) for key, item in held if item is not None and not self._is_over(item.expires)])

    def usage(self) -> tuple[int, int]:
        """How many entries it holds, and how many bytes of values."""
        stats = self.stats()
        return stats.entries, stats.bytes

    def stats(self) -> MemoryStats:
        """What it holds and has seen."""
        state = self._current()
        store = state.store
        with state.lock:
            return MemoryStats(len(store), int(store.currsize), store.hits, store.misses, store.evictions)

    def _is_over(self, expires: float | None) -> bool:
        return expires is not None and self._clock() >= expires

    def __reduce__(self) -> tuple[type[MemoryCache], tuple[Any, ...]]:
        return (MemoryCache, (self.max_entries, self.max_bytes, self.ttl, self._clock))

    def _current(self) -> _State:
        state = self._state
        return state if state.pid == os.getpid() else self._after_fork(state)

    def _after_fork(self, state: _State) -> _State:
        # A lock that is held belongs to a thread that no longer exists: what it was doing may be half done. One that a
        # thread had just been given does not say `locked()` yet, so it is tried.
        if state.lock.acquire(blocking=False):
            state.lock.release()
            self._state = _State(state.store, state.lock)
        else:
            self._state = _State(_Store(self.max_entries, self.max_bytes))
        return self._state
