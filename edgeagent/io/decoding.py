"""Content encodings of a response's body, undone as it arrives (RFC 9110 §8.4)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["ACCEPT_ENCODING", "Inflate", "inflater"]

ACCEPT_ENCODING: Final = "gzip, deflate"
"""What is asked for: what the standard library can undo."""

PIECE: Final = 1024 * 1024
"""The largest piece that one `feed` step makes: a small body that inflates to a huge one is given out bit by bit."""

_GZIP: Final = 0x1F
_ZLIB: Final = 0x8  # the method in the lower half of the first byte (RFC 1950 §2.2)


class Inflate:
    """gzip (of any number of members) or deflate, bounded pieces at a time.

    Raises `zlib.error` for bytes that are neither. A body that was cut off is not told from a whole one here: whoever
    reads what was in it knows better.

    Args:
        gzip: whether it was said to be gzip; "deflate" is zlib's format, or what some servers take it for, raw deflate.
    """

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._member: Any = None
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes inflate to."""
        full = False
        while data or full:
            if self._member is None:
                if self._ended and not (self._gzip and data[0] == _GZIP):  # padding after the last member
                    return
                self._member = zlib.decompressobj(self._window(data[0]))
            piece = self._member.decompress(data, PIECE)
            if piece:
                yield piece
            full = len(piece) == PIECE  # zlib may hold more than it was let say
            data = self._member.unconsumed_tail
            if self._member.eof:
                data, full = self._member.unused_data, False
                self._member, self._ended = None, True

    def _window(self, first: int) -> int:
        """zlib's word for the format that begins with this byte."""
        if self._gzip:
            return zlib.MAX_WBITS | 16
        return zlib.MAX_WBITS if first & 0x0F == _ZLIB and first >> 4 <= 7 else -zlib.MAX_WBITS


def inflater(content_encoding: str | None) -> Inflate | None:
    """The decoder for a Content-Encoding field, None where there is nothing to undo."""
    encoding = (content_encoding or "").strip().lower()
    return Inflate(gzip=encoding != "deflate") if encoding in {"gzip", "x-gzip", "deflate"} else None
