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

from edgeagent.errors import ResponseValidationError
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
from edgeagent.providers.events import EventDecoder
from edgeagent.providers.openai.stream import ChatStreamDecoder
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["RunStreamDecoder", "RunStreamEncoder"]

DONE: Final = "[DONE]"
_validate = ChatCompletionChunk.model_validate


class RunStreamDecoder(EventDecoder):
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = ("_answer", "_calls", "_chat", "_extra", "_request", "_said", "_top", "_usage")

    def __init__(self, request: ChatRequest, head: HTTPResponse | None = None) -> None:
        super().__init__()
        self._answer = head
        self._request = request
        self._top: dict[str, Any] = {"id": answer_id(head), "model": model_of(head) or request.model, "created": 0}
        self._chat: ChatStreamDecoder | None = None  # when the chunks are OpenAI's
        self._usage: dict[str, Any] | None = None
        self._extra: dict[str, Any] = {}
        self._calls = 0  # the index that the next call without one gets
        self._said: bool | None = None  # None before the first chunk, then whether there was content

    def document(self, response: HTTPResponse) -> ChatCompletion:
        """See `EventDecoder`."""
        quoted = self._quoted(response.content.decode("utf-8", "replace"))
        return concluded(decode_response(quoted), self._request)

    def invalid(self, reason: str, response: HTTPResponse) -> ResponseValidationError:
        """See `EventDecoder`."""
        return invalid(reason, response)

    def on_end(self) -> list[ChatCompletionChunk] | None:
        """See `EventDecoder`."""
        return None if self._chat is None else self._chat.end()

    def _event(self, name: str, data: str) -> list[ChatCompletionChunk]:
        text = data.strip()
        if self._chat is not None:
            return self._passed(self._chat, text)
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
        if name == "error" or is_failure(value):
            raise error_in_answer(value, self._quoted(text))
        if value.get("choices") and self._said is None:
            self._chat = ChatStreamDecoder(lenient=True)
            return self._passed(self._chat, text)
        try:
            return self._piece(value)
        except InvalidAnswerError as error:
            raise invalid(str(error), self._quoted(text)) from None
        except (ValidationError, ValueError, RecursionError) as error:
            raise invalid("an event has not the documented form", self._quoted(text)) from error

    def _passed(self, chat: ChatStreamDecoder, text: str) -> list[ChatCompletionChunk]:
        """What the decoder of OpenAI's chunks makes of an event."""
        chunks = chat.feed(b"data: " + text.replace("\n", " ").encode() + b"\n\n")
        self._finished = chat.finished
        return chunks

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
        self._finished = True
        return chunks

    def _quoted(self, text: str) -> HTTPResponse:
        head = self._answer
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
