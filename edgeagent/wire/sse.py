"""Server-sent events: bytes in, events out, by the rules of WHATWG HTML §9.2.6.

Lines end with LF, CR or CRLF, one leading byte-order mark is skipped, comments and the fields `id` and `retry` are
ignored, several `data` fields of an event are joined with LF. One rule is looser than the standard's: the end of the
stream also ends an event, since real servers leave the last blank line out.

The work is linear in the bytes fed, whatever the cuts, and the memory held is bounded by one event.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["MAX_EVENT_SIZE", "SSEDecoder", "SSEError", "SSEEvent"]

MAX_EVENT_SIZE: Final = 32 * 1024 * 1024
"""The default limit on one event's size: spoken audio and images arrive as one line of base64."""


class SSEError(ValueError):
    """The bytes are not a usable event stream: one event is larger than the limit."""


class SSEEvent(NamedTuple):
    """One event: its type ("message" unless the stream says otherwise) and its data."""

    event: str
    data: str


class SSEDecoder:
    """Bytes → events. One object per stream; `limit` bounds one event's size, in bytes as far as they are undecoded.

    Events that came before one that is too large are delivered first; the `SSEError` is raised by the next call.
    """

    __slots__ = (
        "_after_cr",
        "_between",
        "_data",
        "_event",
        "_held",
        "_limit",
        "_pending",
        "_size",
        "_start",
        "_too_large",
    )

    def __init__(self, limit: int = MAX_EVENT_SIZE) -> None:
        self._limit = limit
        self._pending: list[bytes] = []  # pieces of the line that has no end yet
        self._data: list[str] = []  # the event's data lines so far
        self._event = ""
        self._held = 0  # bytes in `_pending`
        self._size = 0  # characters in `_data`
        self._after_cr = False
        self._start = True
        self._between = False  # whether all that was fed has been given out
        self._too_large = False

    def feed(self, data: bytes) -> list[SSEEvent]:
        """The events that have become complete. Raises `SSEError`."""
        if self._between and self._is_plain(data):
            return [SSEEvent("message", data[6:-2].decode("utf-8", "replace"))]
        self._between = False
        events = self._feed(data)
        self._between = not (
            self._start or self._after_cr or self._pending or self._data or self._event or self._too_large
        )
        return events

    def _feed(self, data: bytes) -> list[SSEEvent]:
        if self._too_large:
            raise self._error()
        if self._after_cr and data:
            self._after_cr = False
            if data[0] == 0x0A:  # the second half of a CRLF
                data = data[1:]
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if not end:
            return self._keep(data, [])
        if self._pending:
            lines = b"".join((*self._pending, data[:end]))
            self._pending.clear()
            self._held = 0
        else:
            lines = data[:end]
        self._after_cr = data[-1] == 0x0D
        events = self._decode(lines)
        return self._keep(data[end:], events) if end < len(data) or self._too_large else events

    def end(self) -> list[SSEEvent]:
        """The stream has ended: the last event, if the stream did not end it itself. Raises `SSEError`."""
        return self.feed(b"\n\n")

    def _is_plain(self, data: bytes) -> bool:
        """Whether this is one whole event of one line, as most pieces of a stream are: read in half the time."""
        return (
            data.startswith(b"data: ")
            and data.find(b"\n") == len(data) - 2
            and data.endswith(b"\n")
            and data.find(b"\r") < 0
            and len(data) <= self._limit
        )

    def _decode(self, lines: bytes) -> list[SSEEvent]:
        text = lines.decode("utf-8", "replace")  # cutting at line ends never cuts a character
        if self._start:
            self._start = False
            text = text.removeprefix("\ufeff")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        events: list[SSEEvent] = []
        parts = self._data
        rows = text.split("\n")
        rows.pop()  # what follows the last line end
        for line in rows:
            if line.startswith("data:"):
                self._add(line[6:] if line.startswith(" ", 5) else line[5:])
            elif not line:
                if parts:
                    value = parts[0] if len(parts) == 1 else "\n".join(parts)
                    events.append(SSEEvent(self._event or "message", value))
                    parts.clear()
                    self._size = 0
                self._event = ""
            else:
                self._field(line)
            if self._too_large:
                break
        return events

    def _field(self, line: str) -> None:
        """The lines that are rare in the streams of LLM vendors."""
        if line == "data":
            self._add("")
        elif line.startswith("event:"):
            self._event = line[7:] if line.startswith(" ", 6) else line[6:]
        elif line == "event":
            self._event = ""

    def _add(self, value: str) -> None:
        self._data.append(value)
        self._size += len(value) + 1
        if self._size > self._limit:
            self._too_large = True

    def _keep(self, rest: bytes, events: list[SSEEvent]) -> list[SSEEvent]:
        """Hold an unended line back, and raise if the event has become too large and nothing came before it."""
        if rest:
            self._pending.append(rest)
            self._held += len(rest)
        if self._held + self._size > self._limit:
            self._too_large = True
            self._pending.clear()
            self._data.clear()
        if self._too_large and not events:
            raise self._error()
        return events

    def _error(self) -> SSEError:
        return SSEError(f"A server-sent event is larger than {self._limit} bytes.")
