"""Newline-delimited JSON: bytes in, lines out (https://github.com/ndjson/ndjson-spec).

A line ends with LF; white space around it (the CR of a CRLF) and empty lines mean nothing, one leading byte-order mark
is skipped. The last line counts without its LF too, since servers leave it out. What a line says is the reader's.

The work is linear in the bytes fed, whatever the cuts, and the memory held is bounded by one line.
"""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_LINE_SIZE", "NDJSONDecoder", "NDJSONError"]

MAX_LINE_SIZE: Final = 32 * 1024 * 1024
"""The default limit on one line's size, in bytes: images arrive as one line of base64."""

_MARK: Final = b"\xef\xbb\xbf"


class NDJSONError(ValueError):
    """The bytes are no usable lines: one is larger than the limit."""


class NDJSONDecoder:
    """Bytes → lines that are not empty. One object per stream; `limit` bounds one line's size, in bytes.

    Lines that came before one that is too large are delivered first; the `NDJSONError` is raised by the next call.
    """

    __slots__ = ("_held", "_limit", "_pending", "_start", "_too_large")

    def __init__(self, limit: int = MAX_LINE_SIZE) -> None:
        self._limit = limit
        self._pending: list[bytes] = []  # pieces of the line that has no end yet
        self._held = 0  # bytes in `_pending`
        self._start = True
        self._too_large = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that have become complete. Raises `NDJSONError`."""
        if self._too_large:
            raise self._error()
        end = data.rfind(b"\n") + 1
        if not end:
            return self._keep(data, [])
        whole = data[:end]
        if self._pending:
            whole = b"".join((*self._pending, whole))
            self._pending.clear()
            self._held = 0
        if self._start:
            self._start = False
            whole = whole.removeprefix(_MARK)
        return self._keep(data[end:], self._lines(whole))

    def end(self) -> list[bytes]:
        """The stream has ended: the last line, if no LF ended it. Raises `NDJSONError`."""
        return self.feed(b"\n")

    def _lines(self, whole: bytes) -> list[bytes]:
        lines: list[bytes] = []
        for line in whole.split(b"\n"):
            if len(line) > self._limit:
                self._too_large = True
                break
            if line := line.strip():
                lines.append(line)
        return lines

    def _keep(self, rest: bytes, lines: list[bytes]) -> list[bytes]:
        """Hold an unended line back, and raise if a line is too large and nothing came before it."""
        if rest:
            self._pending.append(rest)
            self._held += len(rest)
        if self._held > self._limit:
            self._too_large = True
        if self._too_large:
            self._pending.clear()
            if not lines:
                raise self._error()
        return lines

    def _error(self) -> NDJSONError:
        return NDJSONError(f"A line is larger than {self._limit} bytes.")
