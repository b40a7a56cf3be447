"""Hugging Face's streamed text generation, both directions: server-sent events, one for each token.

The event with `generated_text` is the last; its `details` tell why it ended and how many tokens there were. Special
tokens (the end of the text) are no text. What came before a fault is delivered first, the fault is raised by the call
after.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.events import JSONEventDecoder, quoted
from edgeagent.providers.huggingface.answer import (
    InvalidAnswerError,
    answer_id,
    decode_response,
    finish_of,
    invalid,
    native_finish,
    token_of,
)
from edgeagent.providers.huggingface.errors import error_in_answer
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["TextStreamDecoder", "TextStreamEncoder"]

DONE: Final = "[DONE]"
_validate = ChatCompletionChunk.model_validate


class TextStreamDecoder(JSONEventDecoder):
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = ("_begun", "_logprobs", "_top")

    def __init__(self, request: ChatRequest, head: HTTPResponse | None = None) -> None:
        super().__init__()
        self._top: dict[str, Any] = {"id": answer_id(head), "model": request.model, "created": 0}
        self._logprobs = bool(request.logprobs or request.top_logprobs)
        self._begun = False

    def document(self, response: HTTPResponse) -> ChatCompletion:
        """See `EventDecoder`."""
        return decode_response(response)

    def invalid(self, reason: str, response: HTTPResponse) -> ResponseValidationError:
        """See `EventDecoder`."""
        return invalid(reason, response)

    def on_event(self, event: str, value: dict[str, Any]) -> list[ChatCompletionChunk]:
        """See `JSONEventDecoder`."""
        if value.get("error"):
            raise error_in_answer(value, quoted(dump_json(value).decode()))
        return self._token(value)

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
        self._finished = True
        return chunks


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
