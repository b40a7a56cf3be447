"""A JSON array that arrives in pieces: its items, as soon as each is complete.

Some APIs stream one long array (`[{…}\\n,\\n{…}]`). The splitter finds where the items end, which takes no more than
knowing strings and braces; the items themselves are for a JSON parser. The work is linear in the bytes fed, whatever
the cuts, and the memory held is bounded by one item.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MAX_ITEM_SIZE", "JSONArrayError", "JSONArraySplitter"]

MAX_ITEM_SIZE: Final = 32 * 1024 * 1024
"""The default limit on one item's size: images arrive as one item."""

_OUTSIDE: Final = re.compile(rb'["{}\[\]]')
_INSIDE: Final = re.compile(rb'["\\]')
_BETWEEN: Final = re.compile(rb"[\s,]*")


class JSONArrayError(ValueError):
    """The bytes are not an array of objects, or one of its items is larger than the limit."""


class JSONArraySplitter:
    """Bytes → the bytes of each item. One object per stream; `limit` bounds one item's size in bytes."""

    __slots__ = ("_depth", "_escaped", "_in_string", "_limit", "_opened", "_pending", "_size", "finished")

    def __init__(self, limit: int = MAX_ITEM_SIZE) -> None:
        self._limit = limit
        self._pending: list[bytes] = []  # pieces of the item that has no end yet
        self._size = 0
        self._depth = 0  # inside the array
        self._opened = False
        self._in_string = False
        self._escaped = False
        self.finished = False
        """Whether the array's own end was seen."""

    def feed(self, data: bytes) -> list[bytes]:
        """The items that have become complete. Raises `JSONArrayError`."""
        items: list[bytes] = []
        at = start = 0
        while at < len(data) and not self.finished:
            if self._depth == 0:
                at = start = self._between(data, at)
            else:
                at = self._through(data, at)
                if self._depth == 0:
                    items.append(b"".join((*self._pending, data[start:at])))
                    self._pending.clear()
                    self._size = 0
        if self._depth and start < len(data):
            self._pending.append(data[start:])
            self._size += len(data) - start
            if self._size > self._limit:
                raise JSONArrayError(f"An item of the array is larger than {self._limit} bytes.")
        return items

    def _between(self, data: bytes, at: int) -> int:
        """Over what stands between items, to behind an item's opening brace or the end."""
        if not self._opened:
            at += len(data[at:]) - len(data[at:].lstrip())
            if at == len(data):
                return at
            if data[at] != 0x5B:
                raise JSONArrayError("It is not an array.")
            self._opened = True
            at += 1
        match = _BETWEEN.match(data, at)
        at = at if match is None else match.end()
        if at == len(data):
            return at
        if data[at] == 0x5D:
            self.finished = True
            return at + 1
        if data[at] != 0x7B:
            raise JSONArrayError("An item of the array is not an object.")
        self._depth = 1
        self._pending.append(b"{")
        return at + 1

    def _through(self, data: bytes, at: int) -> int:
        """Through an item, to its end or that of the data."""
        while at < len(data):
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            found = (_INSIDE if self._in_string else _OUTSIDE).search(data, at)
            if found is None:
                return len(data)
            at = found.end()
            mark = data[at - 1]
            if mark == 0x22:
                self._in_string = not self._in_string
            elif mark == 0x5C:
                self._escaped = True
            elif mark in (0x7B, 0x5B):
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth == 0:
                    return at
        return at
