"""Which entry makes room: the S3-FIFO rule (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023).

A new entry comes into a small queue, a tenth of the room. One that was asked for again there moves on into the main
queue; another leaves, and only its key is remembered for a while: if it comes back, it comes into the main queue at
once. In the main queue an entry that was asked for goes round once more for each time, up to three. So a scan of things
that nobody asks for twice passes through the tenth, and pushes out nothing that is in use; under LRU it empties the
cache. A hit only counts, it moves nothing. `python -m benchmarks.eviction` compares the rule with others.

Not thread-safe: the memory tier locks.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

__all__ = ["Entries"]

_SMALL_SHARE: Final = 0.1
_MOST: Final = 3
"""Hits that are counted."""


class _Node:
    """One entry."""

    __slots__ = ("expires", "hits", "small", "value")

    def __init__(self, value: bytes, expires: float | None, *, small: bool) -> None:
        self.value = value
        self.expires = expires
        self.hits = 0
        self.small = small


class Entries:
    """Values under keys, bounded by their number and by the sum of their lengths.

    Args:
        max_entries: the most values.
        max_bytes: the most bytes of them.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._nodes: dict[bytes, _Node] = {}
        self._small: OrderedDict[bytes, None] = OrderedDict()
        self._main: OrderedDict[bytes, None] = OrderedDict()
        self._gone: OrderedDict[bytes, None] = OrderedDict()
        self._small_bytes = 0
        self.bytes = 0
        self.evictions = 0

    def get(self, key: bytes) -> _Node | None:
        """The entry under `key` (its `value`, and `expires` as it was put), which counts as asked for; None."""
        node = self._nodes.get(key)
        if node is not None and node.hits < _MOST:
            node.hits += 1
        return node

    def put(self, key: bytes, value: bytes, expires: float | None) -> None:
        """Store `value`, which is no larger than `max_bytes`, in place of what is there."""
        node = self._nodes.get(key)
        if node is not None:
            self._resize(node, len(value) - len(node.value))
            node.value, node.expires = value, expires
            (self._small if node.small else self._main).move_to_end(key)
        else:
            known = key in self._gone
            if known:
                del self._gone[key]
            node = self._nodes[key] = _Node(value, expires, small=not known)
            (self._main if known else self._small)[key] = None
            self._resize(node, len(value))
        while self.bytes > self._max_bytes or len(self._nodes) > self._max_entries:
            self._evict(key)

    def pop(self, key: bytes) -> None:
        """Forget `key`; nothing happens if it is not there."""
        node = self._nodes.pop(key, None)
        if node is not None:
            del (self._small if node.small else self._main)[key]
            self._resize(node, -len(node.value))

    def clear(self) -> None:
        """Forget everything but the count."""
        for held in (self._nodes, self._small, self._main, self._gone):
            held.clear()
        self.bytes = self._small_bytes = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def _resize(self, node: _Node, change: int) -> None:
        self.bytes += change
        if node.small:
            self._small_bytes += change

    def _evict(self, newest: bytes) -> None:
        """Drop one entry, or move one on. The newest stays, however large it is; it is the last of its queue."""
        waiting = len(self._small) - (newest in self._small)
        settled = len(self._main) - (newest in self._main)
        too_many = len(self._small) > _SMALL_SHARE * self._max_entries
        if waiting and (not settled or too_many or self._small_bytes > _SMALL_SHARE * self._max_bytes):
            self._leave_small()
        else:
            self._go_round(newest)

    def _leave_small(self) -> None:
        key, _ = self._small.popitem(last=False)
        node = self._nodes[key]
        self._small_bytes -= len(node.value)
        if node.hits > 0:
            node.hits, node.small = 0, False
            self._main[key] = None
            return
        self._drop(key, node)
        self._gone[key] = None
        while len(self._gone) > len(self._main) + len(self._small):
            self._gone.popitem(last=False)

    def _go_round(self, newest: bytes) -> None:
        key = next(iter(self._main))
        node = self._nodes[key]
        if node.hits > 0 or key == newest:
            node.hits -= node.hits > 0
            self._main.move_to_end(key)
        else:
            del self._main[key]
            self._drop(key, node)

    def _drop(self, key: bytes, node: _Node) -> None:
        del self._nodes[key]
        self.bytes -= len(node.value)
        self.evictions += 1
