"""Ollama's streamed answer, newline-delimited JSON documents, → chunks.

The laws:

- A document's text, thinking and tool calls are deltas; tool calls arrive whole and are counted over the stream.
- The document that is `done` gives the finish reason and then, in a chunk without choices, usage and durations; without
  it the stream has not ended.
- What came before a fault is delivered first, the fault is raised by the call after, so that the outcome does not
  depend on where the transport cut the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIConnectionError, APIError, ResponseValidationError
from edgeagent.providers.ollama.answer import (
    InvalidAnswerError,
    answer_id,
    epoch,
    extra_fields,
    finish_of,
    logprobs_of,
    message_of,
    text,
    usage_of,
)
from edgeagent.providers.ollama.errors import error_in_answer
from edgeagent.types import ChatCompletionChunk
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.ndjson import NDJSONDecoder, NDJSONError

__all__ = ["AnswerStreamDecoder"]

_validate = ChatCompletionChunk.model_validate


class AnswerStreamDecoder:
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`.

    Args:
        normal: what gives a document the form of `/api/chat`.
    """

    __slots__ = ("_calls", "_done", "_extra", "_fault", "_lines", "_name", "_normal", "_said", "_top")

    def __init__(self, normal: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict) -> None:
        self._normal = normal
        self._lines = NDJSONDecoder()
        self._top: dict[str, Any] | None = None  # id, model, created
        self._name = ""  # the answer's id
        self._extra: dict[str, Any] = {}  # fields of documents that are not ours
        self._calls = 0
        self._said = False  # whether there was any content
        self._done = False
        self._fault: APIError | None = None

    @property
    def finished(self) -> bool:
        """Whether the document was seen that is `done`, or a fault waits to be raised."""
        return self._done or self._fault is not None

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """The chunks that have become complete."""
        if self._fault is not None:
            raise self._fault
        if self._done:
            return []
        try:
            lines = self._lines.feed(data)
        except NDJSONError as error:
            raise self._failed(_invalid(str(error), b"")) from error
        return self._decode(lines) if lines else []

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: raise what is wrong, or give what no line end followed."""
        if self._fault is not None:
            raise self._fault
        if self._done:
            return []
        try:
            lines = self._lines.end()
            chunks = self._decode(lines) if lines else []
        except (NDJSONError, ResponseValidationError) as error:
            if self._top is None and isinstance(error, ResponseValidationError) and not _begins(error):
                raise
            raise self._failed(APIConnectionError(message="The stream was cut in the middle of a line.")) from error
        if not self.finished:
            raise self._failed(APIConnectionError(message="The stream ended before the answer did."))
        return chunks

    def _decode(self, lines: list[bytes]) -> list[ChatCompletionChunk]:
        chunks: list[ChatCompletionChunk] = []
        for line in lines:
            if self._done:
                break
            try:
                chunks += self._line(line)
            except APIError as error:
                self._failed(error)
                if not chunks:
                    raise
                break
        return chunks

    def _line(self, line: bytes) -> list[ChatCompletionChunk]:
        try:
            document = from_json(line, allow_inf_nan=False)
        except ValueError as error:
            raise _invalid("a line is not JSON", line) from error
        if not isinstance(document, dict):
            raise _invalid("a line is not a JSON object", line)
        if document.get("error"):
            raise error_in_answer(document, HTTPResponse(200, content=line))
        try:
            return self._document(self._normal(document))
        except InvalidAnswerError as error:
            raise _invalid(str(error), line) from None
        except (ValidationError, ValueError, RecursionError) as error:
            raise _invalid("a line has not the documented form", line) from error

    def _document(self, document: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        first = self._top is None
        if self._top is None:
            self._name = answer_id(document)
            self._top = {"id": self._name, "model": text(document, "model"), "created": epoch(document)}
        delta = message_of(document, self._name, self._calls)
        for call in delta.get("tool_calls", ()):
            call["index"] = self._calls
            self._calls += 1
        self._said = self._said or "content" in delta
        self._extra.update(extra_fields(document))
        logprobs = logprobs_of(document)
        chunks: list[ChatCompletionChunk] = []
        if first:
            delta = {"role": "assistant", **delta}
        if delta or logprobs is not None:
            choice = {"index": 0, "delta": delta, **({"logprobs": logprobs} if logprobs is not None else {})}
            chunks.append(_validate({**self._top, "choices": [choice]}))
        if document.get("done") is True:
            chunks += self._ended(document)
        return chunks

    def _ended(self, document: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        assert self._top is not None
        finish, native = finish_of(document, calls=self._calls > 0)
        delta = {} if self._said or self._calls else {"content": ""}
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish}
        if native is not None:
            choice["native_finish_reason"] = native
        usage = usage_of(document)
        if usage is None:
            chunks = [_validate({**self._extra, **self._top, "choices": [choice]})]
        else:
            last = {**self._extra, **self._top, "choices": [], "usage": usage}
            chunks = [_validate({**self._top, "choices": [choice]}), _validate(last)]
        self._done = True
        return chunks

    def _failed(self, fault: APIError) -> APIError:
        self._fault = fault
        return fault


def _begins(error: ResponseValidationError) -> bool:
    """Whether what is wrong may be the beginning of a document."""
    return error.response.content.startswith(b"{")


def _invalid(reason: str, line: bytes) -> ResponseValidationError:
    answer = HTTPResponse(200, content=line)
    return ResponseValidationError(answer, None, message=f"The answer is not one of Ollama's: {reason}.")
