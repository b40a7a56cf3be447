"""What the attempt that answered exchanged over HTTP, kept for a caller who asked to see it.

A record travels in the call's options and is None on every call but those of `with_raw_response` and
`with_streaming_response`. A cache hit, a coalesced answer and a provider without HTTP leave it empty, and so does an
answer that is put together from several responses.
"""

from __future__ import annotations

from collections import deque

from edgeagent.providers.base import StreamDecoder
from edgeagent.types import ChatCompletionChunk, ResponseMetadata
from edgeagent.wire.http import HTTPResponse

__all__ = ["WireRecord"]


class WireRecord:
    """The response of the last attempt.

    Args:
        body: whether the bytes of a stream are kept as well, for whoever takes them out of `pieces`.
    """

    __slots__ = ("_several", "edge", "pieces", "response")

    def __init__(self, *, body: bool) -> None:
        self.response: HTTPResponse | None = None
        """Of a stream only status and header fields."""
        self.edge: ResponseMetadata | None = None
        """What the gateway did, for an answer that is nothing to which it could be attached."""
        self.pieces: deque[bytes] | None = deque() if body else None
        self._several = False

    def begin(self) -> None:
        """An attempt begins: what the one before it was answered is not the answer."""
        self.response = None
        self._several = False
        if self.pieces is not None:
            self.pieces.clear()

    def add(self, response: HTTPResponse) -> None:
        """An answer has come, or a part of one: of several parts none is the whole."""
        self._several = self._several or self.response is not None
        self.response = None if self._several else response

    def opened(self, head: HTTPResponse, decoder: StreamDecoder) -> StreamDecoder:
        """A stream has begun: keep its head, and what its decoder is fed from here on."""
        self.response = head
        return decoder if self.pieces is None else _Tapped(decoder, self)

    def forget_body(self) -> None:
        """Nobody will look at the bytes: keep no more of them."""
        self.pieces = None


class _Tapped:
    """A decoder whose input is kept."""

    def __init__(self, decoder: StreamDecoder, record: WireRecord) -> None:
        self._decoder = decoder
        self._record = record

    @property
    def finished(self) -> bool:
        return self._decoder.finished

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        if self._record.pieces is not None:
            self._record.pieces.append(data)
        return self._decoder.feed(data)

    def end(self) -> list[ChatCompletionChunk]:
        return self._decoder.end()
