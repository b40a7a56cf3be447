"""One JSON document where a stream was asked for: an error, or an answer all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeGuard

from edgeagent.errors import ResponseValidationError
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import to_chunks
from edgeagent.wire.http import HTTPResponse

__all__ = ["DocumentDecoder", "is_json"]

MAX_BYTES: Final = 64 * 1024 * 1024
"""More than any vendor answers; what is longer is not the answer that was asked for."""


def is_json(head: HTTPResponse | None) -> TypeGuard[HTTPResponse]:
    """Whether the answer says that it is one JSON document."""
    if head is None:
        return False
    return head.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


class DocumentDecoder:
    """A whole answer as a stream decoder: nothing until the end, then everything.

    Args:
        head: status and header fields.
        decode: what turns the whole answer into a completion, or raises the error that it is.
    """

    def __init__(self, head: HTTPResponse, decode: Callable[[HTTPResponse], ChatCompletion]) -> None:
        self._head = head
        self._decode = decode
        self._pieces: list[bytes] = []
        self._size = 0
        self.finished = False

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """Keep it. Raises `ResponseValidationError` when it is too much."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > MAX_BYTES:
            raise ResponseValidationError(self._head, None, message=f"The answer is longer than {MAX_BYTES} bytes.")
        return []

    def end(self) -> list[ChatCompletionChunk]:
        """The whole answer as chunks. Raises what `decode` raises."""
        self._head.content = b"".join(self._pieces)
        self.finished = True
        return to_chunks(self._decode(self._head))
