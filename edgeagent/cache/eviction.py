"""Which entry makes room: the S3-FIFO rule (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023).

A new entry comes into a small queue, a tenth of the room. One that was asked for again there moves on into the main
queue; another leaves, and only its key is remembered for a while: if it comes back, it comes into the main queue at
once. In the main queue an entry that was asked for goes round once more for each time, up to three. So a scan of things
that nobody asks for twice passes through the tenth, and pushes out nothing that is in use; under LRU it empties the
cache. A hit only counts, it moves nothing. `python -m benchmarks.eviction` compares the rule with others.

It is a `cachetools.Cache` with a policy of its own: the mapping, the sizes and the making of room are cachetools', and
which item makes room is said here. Each item is in one of the two queues, too, where it is found in one step. Not
thread-safe: the memory tier locks.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from cachetools import Cache

__all__ = ["Item", "S3FIFOCache"]

_SMALL_SHARE: Final = 0.1
_MOST: Final = 3
"""Hits that are counted."""


class Item:
    """A value, the clock's time at which it expires (None: never), and its place in the queues."""

    __slots__ = ("expires", "hits", "small", "value")

    def __init__(self, value: bytes, expires: float | None = None) -> None:
        self.value = value
        self.expires = expires
        self.hits = 0
        self.small = True


def _size(item: Item) -> int:
    return len(item.value)


class S3FIFOCache(Cache[bytes, Item]):
    """Items under keys, bounded by their number and by the sum of their values' lengths.

    Args:
        max_entries: the most items.
        max_bytes: the most bytes of their values; a larger value is refused with `ValueError`, as by cachetools.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        super().__init__(max_bytes, getsizeof=_size)
        self._max_entries = max_entries
        self._small: OrderedDict[bytes, Item] = OrderedDict()
        self._main: OrderedDict[bytes, Item] = OrderedDict()
        self._gone: OrderedDict[bytes, None] = OrderedDict()
        self._small_bytes = 0
        self.evictions = 0

    def __getitem__(self, key: bytes) -> Item:
        item = self.find(key)
        if item is None:
            raise KeyError(key)
        return item

    def find(self, key: bytes) -> Item | None:
        """What is under `key`, and is asked for: as `get`, with fewer calls."""
        item = self._main.get(key) or self._small.get(key)
        if item is not None and item.hits < _MOST:
            item.hits += 1
        return item

    def peek(self, key: bytes) -> Item | None:
        """What is under `key`; it does not count as asked for."""
        return self._main.get(key) or self._small.get(key)

    def __setitem__(self, key: bytes, item: Item) -> None:
        old = self._main.get(key) or self._small.get(key)
        if old is not None:  # it keeps its rank, but comes last in its queue
            item.hits, item.small = old.hits, old.small
            del self[key]
        elif key in self._gone:
            del self._gone[key]
            item.small = False
        while len(self._small) + len(self._main) >= self._max_entries:
            self.popitem()
        super().__setitem__(key, item)  # makes room for the bytes by `popitem`
        if item.small:
            self._small[key] = item
            self._small_bytes += len(item.value)
        else:
            self._main[key] = item

    def __delitem__(self, key: bytes) -> None:
        super().__delitem__(key)
        item = self._main.get(key) or self._small[key]
        if item.small:
            del self._small[key]
            self._small_bytes -= len(item.value)
        else:
            del self._main[key]

    def popitem(self) -> tuple[bytes, Item]:
        """Drop the item that makes room; raises `KeyError` if there is none."""
        while True:
            queue = self._queue()
            key = next(iter(queue))
            item = queue[key]
            if item.hits == 0:
                break
            self._stay(key, item)
        del self[key]
        self.evictions += 1
        if item.small:
            self._remember(key)
        return key, item

    def clear(self) -> None:
        """Forget every item and every key; the count of evictions stays."""
        for key in list(self):
            del self[key]
        self._gone.clear()

    def _queue(self) -> OrderedDict[bytes, Item]:
        """Which one the next item leaves: the small one while that has more than its share, or is all there is."""
        small = self._small
        too_large = len(small) > _SMALL_SHARE * self._max_entries or self._small_bytes > _SMALL_SHARE * float(
            self.maxsize
        )
        queue = small if small and (too_large or not self._main) else self._main
        if not queue:
            raise KeyError("the cache is empty")
        return queue

    def _stay(self, key: bytes, item: Item) -> None:
        """Let an item that was asked for go on: out of the small queue into the main one, there once more round."""
        if item.small:
            del self._small[key]
            self._small_bytes -= len(item.value)
            item.hits, item.small = 0, False
            self._main[key] = item
        else:
            item.hits -= 1
            self._main.move_to_end(key)

    def _remember(self, key: bytes) -> None:
        """Know the key for a while: as many as there are items."""
        self._gone[key] = None
        while len(self._gone) > len(self._small) + len(self._main):
            self._gone.popitem(last=False)
