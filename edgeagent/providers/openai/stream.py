"""OpenAI's streamed answers, both directions: server-sent events of chunks, ended by `[DONE]`.

The law of the decoder: what came before a fault is delivered first, the fault is raised by the call after (by `end` at
the latest), so that the outcome does not depend on where the transport cut the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIConnectionError, APIError, APIStatusError, ResponseValidationError
from edgeagent.providers.openai.errors import encode_error, hidden_error, tells_error
from edgeagent.providers.openai.repair import broken_off, repaired
from edgeagent.providers.openai.response import broken, decode_response, invalid, with_essentials
from edgeagent.providers.openai.tidy import Tidy
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import to_chunks
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.sse import SSEDecoder, SSEError, SSEEvent

__all__ = ["ChatStreamDecoder", "ChatStreamEncoder"]

DONE: Final = "[DONE]"
MAX_HEAD: Final = 1024 * 1024
"""How much is kept of a body that has shown no event yet: it may be one JSON document in spite of its label."""

_FIELDS: Final = (b":", b"data", b"event", b"id", b"retry")


class ChatStreamDecoder:
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`.

    A stream has ended properly if it said `[DONE]`, if each of its choices said why it finished, or if the chunk came
    that has the usage and no choices; some servers leave out one or the other.
    """

    __slots__ = (
        "_done",
        "_ended",
        "_fault",
        "_head",
        "_head_size",
        "_lenient",
        "_open",
        "_sse",
        "_think",
        "_tidy",
        "_usage",
    )

    def __init__(self, *, lenient: bool = False, think: bool = False) -> None:
        self._sse = SSEDecoder()
        self._lenient = lenient
        self._think = think
        self._tidy = Tidy(think=think)
        self._open: set[int] = set()  # choices that have begun and not finished
        self._ended: set[int] = set()
        self._usage = False
        self._done = False
        self._fault: APIError | None = None
        self._head: list[bytes] | None = []  # until the first event
        self._head_size = 0

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be expected: `[DONE]` was seen, or a fault is waiting to be raised."""
        return self._done or self._fault is not None

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """The chunks that have become complete."""
        if self._fault is not None:
            raise self._fault
        if self._head is not None:
            self._keep_head(self._head, data)
        try:
            events = self._sse.feed(data)
        except SSEError as error:
            raise self._failed(error) from error
        return self._decode(events) if events else []

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: raise what is wrong, or give the chunk that no blank line followed."""
        if self._fault is not None:
            raise self._fault
        try:
            events = self._sse.end()
            chunks = self._decode(events)
        except SSEError as error:
            raise self._failed(error) from error
        except ResponseValidationError as error:
            raise APIConnectionError(message="The stream was cut in the middle of an event.") from error
        if self._head is not None:
            return self._without_events(b"".join(self._head))
        if not self._complete():
            raise APIConnectionError(message="The stream ended before the answer did.")
        return chunks + self._tidy.rest() if self._lenient else chunks

    def _complete(self) -> bool:
        return self._done or self._usage or (bool(self._ended) and not self._open)

    def _decode(self, events: list[SSEEvent]) -> list[ChatCompletionChunk]:
        chunks: list[ChatCompletionChunk] = []
        for event, data in events:
            self._head = None
            if self._done:
                break
            try:
                chunk = self._chunk(event, data)
            except APIError as error:
                self._fault = error
                if not chunks:
                    raise
                break
            if chunk is not None:
                chunks.append(chunk)
        return chunks

    def _chunk(self, event: str, data: str) -> ChatCompletionChunk | None:
        if event == "error":
            raise hidden_error(_json(data), _response(data), lenient=self._lenient)
        try:
            chunk = ChatCompletionChunk.from_json(data)
        except ValidationError as error:
            return self._second_look(data, error)
        extra = chunk.__pydantic_extra__
        if extra and extra.get("error"):
            raise hidden_error(extra, _response(data), lenient=self._lenient)
        self._note(chunk)
        return self._tidied(chunk, data) if self._lenient else chunk

    def _second_look(self, data: str, error: ValidationError) -> ChatCompletionChunk | None:
        """What is no chunk as it stands: the end, a keep-alive, an error, a chunk with something left out."""
        text = data.strip()
        if text == DONE:
            self._done = True
            return None
        if text in ("", "{}"):
            return None
        value = _json(text)
        if not isinstance(value, dict):
            invalid("an event is not a JSON object", _response(data), cause=error)
        if tells_error(value):
            raise hidden_error(value, _response(data), lenient=self._lenient)
        if reason := broken_off(value):
            raise broken(reason, _response(data))
        try:
            chunk = ChatCompletionChunk.model_validate(repaired(value, "chat.completion.chunk"))
        except ValidationError as still:
            invalid("in a chunk, " + " ".join(first_fault(still)), _response(data), body=value, cause=still)
        if not self._lenient and any(call.index < 0 for part in chunk.choices for call in part.delta.tool_calls or ()):
            self._tidy.chunk(chunk)  # a call without its index cannot be passed on as it is
        self._note(chunk)
        return self._tidied(chunk, data) if self._lenient else chunk

    def _tidied(self, chunk: ChatCompletionChunk, data: str) -> ChatCompletionChunk:
        """What compatible servers put into a chunk, read and set right."""
        if reason := _stopped(chunk.__pydantic_extra__):
            raise hidden_error({"message": reason, "type": "server_error"}, _response(data))
        for choice in chunk.choices:
            extra = choice.__pydantic_extra__
            if extra and extra.get("error"):
                raise hidden_error(extra, _response(data), lenient=True)
        self._tidy.chunk(chunk)
        return chunk

    def _note(self, chunk: ChatCompletionChunk) -> None:
        if not chunk.choices:
            if chunk.usage is not None and (self._open or self._ended):
                self._usage = True
            return
        for choice in chunk.choices:
            index = choice.index
            if choice.finish_reason is not None:
                self._ended.add(index)
                self._open.discard(index)
            elif index not in self._ended:
                self._open.add(index)

    def _keep_head(self, head: list[bytes], data: bytes) -> None:
        head.append(data)
        self._head_size += len(data)
        if self._head_size > MAX_HEAD:
            self._head = None

    def _without_events(self, body: bytes) -> list[ChatCompletionChunk]:
        body = body.strip()
        if body.startswith((b"{", b"[")):  # one JSON document labelled as an event stream
            answer = HTTPResponse(200, content=body)
            return to_chunks(decode_response(answer, lenient=self._lenient, think=self._think))
        if not any(body.startswith(field) or field.startswith(body) for field in _FIELDS):
            invalid("it is not an event stream", HTTPResponse(200, content=body))
        raise APIConnectionError(message="The stream ended before it began.")

    def _failed(self, error: SSEError) -> ResponseValidationError:
        fault = ResponseValidationError(HTTPResponse(200), None, message=str(error))
        self._fault = fault
        return fault


class ChatStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`."""

    __slots__ = ()

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """One event."""
        body = with_essentials(chunk.model_dump(mode="json", exclude_unset=True), "chat.completion.chunk")
        for choice in body["choices"]:
            choice.setdefault("finish_reason", None)
        return b"data: " + dump_json(body) + b"\n\n"

    def end(self) -> bytes:
        """The closing event."""
        return b"data: [DONE]\n\n"

    def fault(self, error: APIStatusError, /) -> bytes:
        """`{"error": {…}}`, after which nothing comes."""
        return b"data: " + encode_error(error).content + b"\n\n"


def _stopped(extra: Mapping[str, Any] | None) -> str | None:
    """Why Groq stopped a stream early, in its package's words: `x_groq.error`."""
    own = extra.get("x_groq") if extra else None
    reason = own.get("error") if isinstance(own, dict) else None
    return reason if isinstance(reason, str) and reason else None


def _json(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        return None


def _response(data: str) -> HTTPResponse:
    """The event as the answer that an error quotes."""
    return HTTPResponse(200, content=data.encode())
