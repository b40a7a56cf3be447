"""A streamed JSON array → its elements, as they become complete: what the vendor sends without `alt=sse`.

The work is linear in the bytes, whatever the cuts, and the memory held is bounded by one element.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MAX_ELEMENT", "ArrayError", "ArrayScanner"]

MAX_ELEMENT: Final = 64 * 1024 * 1024
"""In bytes: images and audio arrive as base64 inside one element."""

_OUTSIDE: Final = re.compile(rb'["\[\]{}]')
_INSIDE: Final = re.compile(rb'["\\]')
_SPACE: Final = b" \t\r\n"


class ArrayError(ValueError):
    """The bytes are no array of objects, or an element is too large."""


class ArrayScanner:
    """Bytes → the bytes of each object. A single object instead of an array is one element.

    The elements themselves are not checked; who parses them finds what is wrong inside.
    """

    __slots__ = ("_depth", "_escaped", "_fault", "_held", "_in_string", "_pieces", "_top", "closed")

    def __init__(self, limit: int = MAX_ELEMENT) -> None:
        self._depth = 0  # inside the current element
        self._in_string = False
        self._escaped = False
        self._fault: ArrayError | None = None
        self._pieces: list[bytes] = []
        self._held = limit
        self._top: bytes | None = None  # b"[" or b"{", once known
        self.closed = False
        """Whether the array (or the single object) has ended."""

    def feed(self, data: bytes) -> list[bytes]:
        """The elements that have become complete. What is wrong behind them is raised by the next call, or `check`."""
        self.check()
        found: list[bytes] = []
        place = 0
        try:
            while place < len(data):
                place = self._inside(data, place, found) if self._depth else self._between(data, place)
        except ArrayError as error:
            self._fault = error
            if not found:
                raise
        return found

    def check(self) -> None:
        """Raise the `ArrayError` that was found behind the last elements."""
        if self._fault is not None:
            raise self._fault

    def _between(self, data: bytes, place: int) -> int:
        """Skip to where the next element begins."""
        byte = data[place : place + 1]
        if byte in _SPACE or (byte == b"," and self._top == b"[" and not self.closed):
            return place + 1
        if self.closed:
            raise ArrayError("something follows its end")
        if self._top is None and byte in (b"[", b"{"):
            self._top = byte
            if byte == b"[":
                return place + 1
        elif byte == b"]":
            self.closed = True
            return place + 1
        if byte != b"{":
            raise ArrayError("it is no array of objects")
        self._depth = 1
        self._pieces.append(byte)
        return place + 1

    def _inside(self, data: bytes, place: int, found: list[bytes]) -> int:
        """Go to the end of the element, or of the data."""
        start = place
        while place < len(data):
            if self._escaped:
                self._escaped = False
                place += 1
                continue
            match = (_INSIDE if self._in_string else _OUTSIDE).search(data, place)
            if match is None:
                place = len(data)
                break
            byte, place = match[0], match.end()
            if byte == b'"':
                self._in_string = not self._in_string
            elif byte == b"\\":
                self._escaped = True
            else:
                self._depth += 1 if byte in b"[{" else -1
                if not self._depth:
                    break
        self._pieces.append(data[start:place])
        self._held -= place - start
        if self._held < 0:
            raise ArrayError("an element is too large")
        if not self._depth:
            element = b"".join(self._pieces)
            found.append(element)
            self._held += len(element) - 1
            self._pieces.clear()
            self.closed = self._top == b"{"
        return place
