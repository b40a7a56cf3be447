"""Hugging Face's streamed text generation, both directions: server-sent events, one for each token.

The event with `generated_text` is the last; its `details` tell why it ended and how many tokens there were. Special
tokens (the end of the text) are no text. What came before a fault is delivered first, the fault is raised by the call
after.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIConnectionError, APIError, ResponseValidationError
from edgeagent.providers.huggingface.answer import (
    InvalidAnswerError,
    answer_id,
    finish_of,
    invalid,
    native_finish,
    token_of,
)
from edgeagent.providers.huggingface.errors import error_in_answer
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.sse import SSEDecoder, SSEError, SSEEvent

__all__ = ["TextStreamDecoder", "TextStreamEncoder"]

DONE: Final = "[DONE]"
_validate = ChatCompletionChunk.model_validate


class TextStreamDecoder:
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = ("_begun", "_done", "_fault", "_logprobs", "_sse", "_top")

    def __init__(self, request: ChatRequest, head: HTTPResponse | None = None) -> None:
        self._top: dict[str, Any] = {"id": answer_id(head), "model": request.model, "created": 0}
        self._logprobs = bool(request.logprobs or request.top_logprobs)
        self._sse = SSEDecoder()
        self._begun = False
        self._done = False
        self._fault: APIError | None = None

    @property
    def finished(self) -> bool:
        """Whether the event with the whole text was seen."""
        return self._done

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """The chunks that have become complete."""
        if self._fault is not None:
            raise self._fault
        if self._done:
            return []
        try:
            events = self._sse.feed(data)
        except SSEError as error:
            raise self._failed(invalid(str(error), HTTPResponse(200))) from error
        return self._decode(events)

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: raise what is wrong, or give what no blank line followed."""
        if self._fault is not None:
            raise self._fault
        if self._done:
            return []
        try:
            chunks = self._decode(self._sse.end())
        except (SSEError, ResponseValidationError) as error:
            raise self._failed(APIConnectionError(message="The stream was cut in the middle of an event.")) from error
        if not self.finished:
            raise self._failed(APIConnectionError(message="The stream ended before the answer did."))
        return chunks

    def _decode(self, events: list[SSEEvent]) -> list[ChatCompletionChunk]:
        chunks: list[ChatCompletionChunk] = []
        for _, data in events:
            if self._done:
                break
            try:
                chunks += self._event(data)
            except APIError as error:
                self._failed(error)
                if not chunks:
                    raise
                break
        return chunks

    def _event(self, data: str) -> list[ChatCompletionChunk]:
        answer = HTTPResponse(200, content=data.encode())
        if data.strip() in {"", DONE}:
            return []
        try:
            value = from_json(data, allow_inf_nan=False)
        except ValueError as error:
            raise invalid("an event is not JSON", answer) from error
        if not isinstance(value, dict):
            raise invalid("an event is not a JSON object", answer)
        if value.get("error"):
            raise error_in_answer(value, answer)
        try:
            return self._token(value)
        except InvalidAnswerError as error:
            raise invalid(str(error), answer) from None
        except ValidationError as error:
            raise invalid("an event has not the documented form", answer) from error

    def _token(self, value: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        told = token_of(value.get("token"), value.get("top_tokens") or None)
        delta: dict[str, Any] = {} if self._begun else {"role": "assistant", "content": ""}
        if told["token"] and not told.get("special"):
            delta["content"] = told["token"]
        choice: dict[str, Any] = {"index": 0, "delta": delta}
        if self._logprobs:
            choice["logprobs"] = {"content": [told]}
        chunks = [_validate({**self._top, "choices": [choice]})] if delta or self._logprobs else []
        self._begun = True
        return chunks + (self._ended(value) if value.get("generated_text") is not None else [])

    def _ended(self, value: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        details = value.get("details") or {}
        if not isinstance(details, Mapping):
            raise InvalidAnswerError("details are no object")
        chunks = [_validate({**self._top, "choices": [{"index": 0, "delta": {}, **finish_of(details)}]})]
        if usage := _usage(details):
            chunks.append(_validate({**self._top, "choices": [], "usage": usage}))
        self._done = True
        return chunks

    def _failed(self, fault: APIError) -> APIError:
        self._fault = fault
        return fault


def _usage(details: Mapping[str, Any]) -> dict[str, int]:
    """The tokens; empty where none were counted. Raises `InvalidAnswerError`."""
    if "input_length" not in details and "generated_tokens" not in details:
        return {}
    counts = [details.get(name) or 0 for name in ("input_length", "generated_tokens")]
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in counts):
        raise InvalidAnswerError("details hold what is no count")
    return {"prompt_tokens": counts[0], "completion_tokens": counts[1], "total_tokens": sum(counts)}


class TextStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`. Each piece of text counts as a token."""

    __slots__ = ("_details", "_finish", "_index", "_text")

    def __init__(self) -> None:
        self._index = 0
        self._text: list[str] = []
        self._finish: tuple[str | None, str | None] = (None, None)
        self._details: dict[str, Any] = {}

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """An event for the first choice's text."""
        if chunk.usage is not None:
            self._details["generated_tokens"] = chunk.usage.completion_tokens
            self._details["input_length"] = chunk.usage.prompt_tokens
        out = b""
        for choice in chunk.choices:
            if choice.index != 0:
                continue
            if choice.finish_reason is not None:
                self._finish = (choice.finish_reason, choice.native_finish_reason)
            if choice.delta.content:
                out += self._event(choice.delta.content, special=False)
        return out

    def end(self) -> bytes:
        """The last event, of the token that ends the text."""
        details = {"finish_reason": native_finish(*self._finish), **self._details}
        return self._event("", special=True, generated_text="".join(self._text), details=details)

    def _event(self, text: str, *, special: bool, generated_text: str | None = None, details: Any = None) -> bytes:
        self._text.append(text)
        self._index += 1
        token = {"id": 0, "text": text, "logprob": 0.0, "special": special}
        event = {"index": self._index, "token": token, "generated_text": generated_text, "details": details}
        return b"data:" + dump_json(event) + b"\n\n"
