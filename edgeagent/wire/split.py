"""Server-sent events as raw bytes, one by one: for who passes a stream on and looks into some of its events only."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["EventSplitter"]

_BLANK_LINE: Final = re.compile(rb"\r\n\r\n|\n\n|\n\r\n|\r\r")
_LONGEST: Final = 4


class EventSplitter:
    """Bytes → whole events, each with the blank line that ends it. Joined they are the bytes that were fed.

    The work is linear in the bytes fed, whatever the cuts.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The events that have become complete."""
        held = self._held
        searched = max(0, len(held) - _LONGEST + 1)
        held += data
        events: list[bytes] = []
        start = 0
        for match in _BLANK_LINE.finditer(held, searched):
            events.append(bytes(held[start : match.end()]))
            start = match.end()
        if start:
            del held[:start]
        return events

    def end(self) -> bytes:
        """What no blank line followed."""
        rest = bytes(self._held)
        self._held.clear()
        return rest
