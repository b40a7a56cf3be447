"""Cloudflare's streamed answers, both directions: server-sent events, ended by `[DONE]`.

The laws of the decoder:

- An event says more `response` (a text, or a piece of JSON that is none: `true`), fragments of tool calls, or usage;
  `{}` and padding (`p`) say nothing. Finish reason and usage come when `[DONE]` does.
- Cloudflare does not say why an answer ended; one with as many tokens as were asked for at most ended at its length.
- A stream of OpenAI's chunks (newer models) is decoded as such.
- What came before a fault is delivered first, the fault is raised by the call after.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIConnectionError, APIError, ResponseValidationError
from edgeagent.providers.cloudflare.answer import (
    InvalidAnswerError,
    answer_id,
    calls_of,
    content_of,
    extra_fields,
    finish_reason,
    model_of,
    usage_of,
)
from edgeagent.providers.cloudflare.errors import error_in_answer, is_failure
from edgeagent.providers.cloudflare.response import concluded, decode_response, invalid
from edgeagent.providers.openai.stream import ChatStreamDecoder
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import to_chunks
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.sse import SSEDecoder, SSEError, SSEEvent

__all__ = ["RunStreamDecoder", "RunStreamEncoder"]

DONE: Final = "[DONE]"
MAX_HEAD: Final = 1024 * 1024
"""How much is kept of a body that has shown no event yet: it may be one JSON document in spite of its label."""

_FIELDS: Final = (b":", b"data", b"event", b"id", b"retry")
_validate = ChatCompletionChunk.model_validate


class RunStreamDecoder:
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = (
        "_calls",
        "_chat",
        "_done",
        "_extra",
        "_fault",
        "_head",
        "_kept",
        "_kept_size",
        "_request",
        "_said",
        "_sse",
        "_top",
        "_usage",
    )

    def __init__(self, request: ChatRequest, head: HTTPResponse | None = None) -> None:
        self._head = head
        self._request = request
        self._top: dict[str, Any] = {"id": answer_id(head), "model": model_of(head) or request.model, "created": 0}
        self._sse = SSEDecoder()
        self._chat: ChatStreamDecoder | None = None  # when the chunks are OpenAI's
        self._usage: dict[str, Any] | None = None
        self._extra: dict[str, Any] = {}
        self._calls = 0  # the index that the next call without one gets
        self._said: bool | None = None  # None before the first chunk, then whether there was content
        self._done = False
        self._fault: APIError | None = None
        self._kept: list[bytes] | None = []  # until the first event
        self._kept_size = 0

    @property
    def finished(self) -> bool:
        """Whether `[DONE]` was seen."""
        return self._done or (self._chat is not None and self._chat.finished)

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """The chunks that have become complete."""
        if self._fault is not None:
            raise self._fault
        if self._kept is not None:
            self._keep(self._kept, data)
        try:
            events = self._sse.feed(data)
        except SSEError as error:
            raise self._failed(invalid(str(error), HTTPResponse(200))) from error
        return self._decode(events) if events else []

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: raise what is wrong, or give what no blank line followed."""
        if self._fault is not None:
            raise self._fault
        if self._done:
            return []
        try:
            events = self._sse.end()
            chunks = self._decode(events) if events else []
        except (SSEError, ResponseValidationError) as error:
            raise self._failed(APIConnectionError(message="The stream was cut in the middle of an event.")) from error
        if self._chat is not None:
            return chunks + self._chat.end()
        if self._kept is not None:
            return self._without_events(b"".join(self._kept).strip())
        if not self.finished:
            raise self._failed(APIConnectionError(message="The stream ended before the answer did."))
        return chunks

    def _decode(self, events: list[SSEEvent]) -> list[ChatCompletionChunk]:
        chunks: list[ChatCompletionChunk] = []
        self._kept = None
        for event in events:
            if self.finished:
                break
            try:
                chunks += self._event(event)
            except APIError as error:
                self._failed(error)
                if not chunks:
                    raise
                break
        return chunks

    def _event(self, event: SSEEvent) -> list[ChatCompletionChunk]:
        text = event.data.strip()
        if self._chat is not None:
            return self._chat.feed(_as_event(text))
        if text == DONE:
            return self._ended()
        if not text:
            return []
        try:
            value = from_json(text, allow_inf_nan=False)
        except ValueError as error:
            raise invalid("an event is not JSON", self._quoted(text)) from error
        if not isinstance(value, dict):
            raise invalid("an event is not a JSON object", self._quoted(text))
        if event.event == "error" or is_failure(value):
            raise error_in_answer(value, self._quoted(text))
        if value.get("choices") and self._said is None:
            self._chat = ChatStreamDecoder(lenient=True)
            return self._chat.feed(_as_event(text))
        try:
            return self._piece(value)
        except InvalidAnswerError as error:
            raise invalid(str(error), self._quoted(text)) from None
        except (ValidationError, ValueError, RecursionError) as error:
            raise invalid("an event has not the documented form", self._quoted(text)) from error

    def _piece(self, value: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        usage = usage_of(value)
        self._usage = usage if usage is not None else self._usage
        self._extra.update(extra_fields(value))
        delta: dict[str, Any] = {}
        if content := content_of(value):
            delta["content"] = content
        if calls := calls_of(value, self._top["id"], self._calls):
            delta["tool_calls"] = [self._indexed(call) for call in calls]
        if not delta:
            return []
        if self._said is None:
            delta = {"role": "assistant", **delta}
        chunk = _validate({**self._top, "choices": [{"index": 0, "delta": delta}]})
        self._said = bool(self._said) or "content" in delta
        return [chunk]

    def _indexed(self, call: dict[str, Any]) -> dict[str, Any]:
        """The call with its index: the one it has, or the next."""
        index = call.get("index")
        if index is None:
            index = self._calls
        if isinstance(index, bool) or not isinstance(index, int) or index < 0:
            raise InvalidAnswerError("a tool call's index is none")
        self._calls = max(self._calls, index + 1)
        return {**call, "index": index}

    def _ended(self) -> list[ChatCompletionChunk]:
        delta: dict[str, Any] = {}
        if self._said is None:
            delta = {"role": "assistant", "content": ""}
        choice = {
            "index": 0,
            "delta": delta,
            "finish_reason": finish_reason(self._request, self._usage, called=bool(self._calls)),
        }
        try:
            if self._usage is None:
                chunks = [_validate({**self._extra, **self._top, "choices": [choice]})]
            else:
                last = {**self._extra, **self._top, "choices": [], "usage": self._usage}
                chunks = [_validate({**self._top, "choices": [choice]}), _validate(last)]
        except ValidationError as error:
            raise invalid("its usage has not the documented form", HTTPResponse(200)) from error
        self._done = True
        return chunks

    def _failed(self, fault: APIError) -> APIError:
        self._fault = fault
        return fault

    def _keep(self, kept: list[bytes], data: bytes) -> None:
        kept.append(data)
        self._kept_size += len(data)
        if self._kept_size > MAX_HEAD:
            self._kept = None

    def _without_events(self, body: bytes) -> list[ChatCompletionChunk]:
        if body.startswith(b"{"):  # one JSON document labelled as an event stream
            return to_chunks(concluded(decode_response(self._quoted(body.decode("utf-8", "replace"))), self._request))
        if not any(body.startswith(field) or field.startswith(body) for field in _FIELDS):
            raise self._failed(invalid("it is not an event stream", HTTPResponse(200, content=body)))
        raise self._failed(APIConnectionError(message="The stream ended before it began."))

    def _quoted(self, text: str) -> HTTPResponse:
        head = self._head
        content = text.encode()
        return HTTPResponse(200, head.headers, content, head.request) if head else HTTPResponse(200, content=content)


class RunStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`."""

    __slots__ = ("_usage",)

    def __init__(self) -> None:
        self._usage: dict[str, Any] | None = None

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """An event for what the first choice says; Cloudflare has no others."""
        if chunk.usage is not None:
            self._usage = chunk.usage.to_dict(mode="json")
        out = b""
        for choice in chunk.choices:
            delta = choice.delta
            said: dict[str, Any] = {}
            if text := delta.content or delta.refusal:
                said["response"] = text
            if delta.tool_calls:
                said["tool_calls"] = [call.to_dict(mode="json", exclude_none=True) for call in delta.tool_calls]
            if said and choice.index == 0:
                out += b"data: " + dump_json(said) + b"\n\n"
        return out

    def end(self) -> bytes:
        """Usage and the closing event."""
        usage = {"response": "", "usage": self._usage} if self._usage is not None else {"response": ""}
        return b"data: " + dump_json(usage) + b"\n\ndata: [DONE]\n\n"


def _as_event(text: str) -> bytes:
    return b"data: " + text.replace("\n", " ").encode() + b"\n\n"
