"""Gemini's streams, both directions: server-sent events, or one JSON array without `alt=sse`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import APIConnectionError, APIError
from edgeagent.providers.gemini.errors import error_in_answer
from edgeagent.providers.gemini.reader import ResponseReader, invalid
from edgeagent.providers.gemini.response import encode_response
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import assemble
from edgeagent.wire.json import dump_json
from edgeagent.wire.jsonarray import MAX_ITEM_SIZE, JSONArrayError, JSONArraySplitter
from edgeagent.wire.sse import SSEDecoder, SSEError

__all__ = ["GenerateStreamDecoder", "GenerateStreamEncoder"]

_SPACE: Final = b" \t\r\n"


class GenerateStreamDecoder:
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`.

    What the stream is, is told by its first byte: `[` an array, `{` one document, anything else events. Gemini's events
    have no mark of the end: a stream has ended properly if each candidate said why it finished.
    """

    def __init__(self) -> None:
        self._reader = ResponseReader()
        self._kind: bytes | None = None
        self._sse = SSEDecoder()
        self._array = JSONArraySplitter()
        self._document: list[bytes] = []
        self._size = 0
        self._fault: APIError | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be expected: the array has ended, or a fault is waiting to be raised."""
        return self._array.finished or self._fault is not None

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """The chunks that have become complete."""
        if self._fault is not None:
            raise self._fault
        if self._kind is None:
            data = data.lstrip(_SPACE)
            if not data:
                return []
            self._kind = data[:1]
        try:
            return self._read(self._documents(data))
        except (SSEError, JSONArrayError) as error:
            self._fault = _invalid(str(error))
            raise self._fault from error

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: how each candidate ended, and the usage."""
        if self._fault is not None:
            raise self._fault
        try:
            chunks = self._read(self._rest())
        except SSEError as error:
            raise _invalid(str(error)) from error
        if self._fault is not None:
            raise self._fault
        if not self._reader.complete:
            raise APIConnectionError(message="The stream ended before the answer did.")
        return chunks + self._reader.end()

    def _documents(self, data: bytes) -> list[bytes | str]:
        if self._kind == b"[":
            return list(self._array.feed(data))
        if self._kind == b"{":
            self._document.append(data)
            self._size += len(data)
            if self._size > MAX_ITEM_SIZE:
                raise JSONArrayError(f"The answer is larger than {MAX_ITEM_SIZE} bytes.")
            return []
        return [text for _, text in self._sse.feed(data)]

    def _rest(self) -> list[bytes | str]:
        if self._kind == b"{":
            return [b"".join(self._document)]
        return [] if self._kind == b"[" else [text for _, text in self._sse.end()]

    def _read(self, documents: list[bytes | str]) -> list[ChatCompletionChunk]:
        """What came before a fault is delivered first; the fault is raised by the call after."""
        chunks: list[ChatCompletionChunk] = []
        for data in documents:
            try:
                chunks += self._chunks(data)
            except APIError as error:
                self._fault = error
                if not chunks:
                    raise
                break
        return chunks

    def _chunks(self, data: bytes | str) -> list[ChatCompletionChunk]:
        try:
            document = from_json(data)
        except ValueError as error:
            if self._kind != b"[" and not self._reader.complete:
                raise APIConnectionError(message="The stream was cut in the middle of an event.") from error
            invalid("an event is not JSON")
        if isinstance(document, list) and len(document) == 1:
            document = document[0]  # an error, on Vertex
        if not isinstance(document, Mapping):
            invalid("an event is no JSON object")
        if document.get("error"):
            raise error_in_answer(document)
        return self._reader.feed(document)


def _invalid(reason: str) -> APIError:
    try:
        invalid(reason.rstrip("."))
    except APIError as error:
        return error


class GenerateStreamEncoder:
    """Chunks → events. See `edgeagent.providers.base.StreamEncoder`.

    Text is sent as it comes. What arrives in fragments (calls, the vendor's own parts) is whole only at the end, and is
    sent with the finish reasons.
    """

    def __init__(self) -> None:
        self._chunks: list[ChatCompletionChunk] = []

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """The text of one chunk, if it has any."""
        self._chunks.append(chunk)
        parts = [(choice.index, _plain(choice.delta)) for choice in chunk.choices]
        candidates = [{"content": {"role": "model", "parts": told}, "index": index} for index, told in parts if told]
        return _event(chunk, {"candidates": candidates}) if candidates else b""

    def end(self) -> bytes:
        """The last event: what is not text, finish reasons, usage."""
        completion = assemble(self._chunks)
        body = encode_response(completion)
        for candidate in body.get("candidates", ()):
            parts = candidate["content"].get("parts") or []
            left = [part for part in parts if not part.keys() <= {"text", "thought"}]
            candidate["content"]["parts"] = left or [{"text": ""}]
        return b"data: " + dump_json(body) + b"\r\n\r\n"


def _plain(delta: Any) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if delta.reasoning_content:
        parts.append({"text": delta.reasoning_content, "thought": True})
    if delta.content or delta.refusal:
        parts.append({"text": (delta.content or "") + (delta.refusal or "")})
    return parts


def _event(chunk: ChatCompletionChunk, body: dict[str, Any]) -> bytes:
    if chunk.model:
        body["modelVersion"] = chunk.model
    if chunk.id:
        body["responseId"] = chunk.id
    return b"data: " + dump_json(body) + b"\r\n\r\n"
