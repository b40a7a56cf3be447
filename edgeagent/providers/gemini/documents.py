"""The bytes of a streamed answer of Google's → its JSON documents, whatever the form.

Server-sent events (`alt=sse`), one JSON array, or a single object all the same: the first byte tells which, since
labels are not always right. One thing is no form of a stream: an error that Google writes behind the events as bare
JSON, over several lines. No line of an event begins with a brace, so it is known by that.

The work is linear in the bytes, whatever the cuts, and the memory held is bounded by one document.
"""

from __future__ import annotations

from typing import Final

from edgeagent.providers.gemini.array import ArrayError, ArrayScanner
from edgeagent.wire.sse import SSEDecoder, SSEError

__all__ = ["BLANK", "OPEN", "ArrayError", "Documents", "SSEError"]

HEAD: Final = 64
"""How much of the beginning is kept."""
_ENOUGH: Final = 8
BLANK: Final = b"\xef\xbb\xbf \t\r\n"
"""What says nothing where a stream begins."""
OPEN: Final = (b"{", b"[")
"""What bare JSON begins with."""


class Documents:
    """Bytes → documents: text of an event's data, bytes of an array's element. Both calls raise `ValueError`s.

    What came before a fault is given out first; the fault is raised by the next call.
    """

    __slots__ = ("_sse", "_starts_line", "array", "head")

    def __init__(self) -> None:
        self.head = b""
        """The first bytes that say anything."""
        self.array: ArrayScanner | None = None
        """What reads bare JSON, if there is any."""
        self._sse: SSEDecoder | None = None
        self._starts_line = True  # whether the next byte begins a line of events

    def feed(self, data: bytes) -> list[str | bytes]:
        """The documents that have become complete."""
        if len(self.head) < _ENOUGH:
            self.head = (self.head + data[:HEAD]).lstrip(BLANK)[:HEAD]
        if self.array is not None:
            return list(self.array.feed(data))
        if self._sse is None:
            if not self.head:
                return []
            if self.head.startswith(OPEN):
                self.array = ArrayScanner()
                return list(self.array.feed(data[data.index(self.head[:1]) :]))
            self._sse = SSEDecoder()
        place = self._bare(data)
        if place < 0:
            return [event.data for event in self._sse.feed(data)]
        found: list[str | bytes] = [event.data for event in self._sse.feed(data[:place]) + self._sse.end()]
        self.array = ArrayScanner()
        try:
            return found + self.array.feed(data[place:])
        except ArrayError:
            if not found:
                raise
            return found

    def end(self) -> list[str | bytes]:
        """The connection has ended: the last event, if the stream did not end it itself."""
        if self.array is not None:
            self.array.check()
            return []
        return [] if self._sse is None else [event.data for event in self._sse.end()]

    def _bare(self, data: bytes) -> int:
        """Where bare JSON begins among the events; -1 if it does not."""
        if self._starts_line and data.startswith(OPEN):
            return 0
        if data:
            self._starts_line = data.endswith(b"\n")
        places = [place for place in (data.find(b"\n{"), data.find(b"\n[")) if place >= 0]
        return min(places) + 1 if places else -1
