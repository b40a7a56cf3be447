"""A streamed answer of Google's → chunks, in whichever form it comes (`documents`).

Each event or element is an answer of its own that continues the last one. The laws:

- The last count of usage is the count; counts that a later piece leaves out stay.
- A finish reason in mid-stream is not the end: parts may follow. The end is the connection's, so the finish reasons and
  then the usage (in a chunk without choices) come from `end()`, which raises if a candidate has no finish reason.
- Tool calls arrive whole, or in pieces that are put together (`partial`).
- What came before a fault is delivered first, so that the outcome does not depend on where the transport cut the bytes.

Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIConnectionError, APIError, ResponseValidationError
from edgeagent.providers.gemini.array import ArrayScanner
from edgeagent.providers.gemini.candidate import StreamedCandidate
from edgeagent.providers.gemini.documents import ArrayError, Documents, SSEError
from edgeagent.providers.gemini.names import FINISH_NUMBERS
from edgeagent.providers.gemini.parts import InvalidAnswerError
from edgeagent.providers.gemini.response import check_document, invalid_answer, top_of, whole_fields
from edgeagent.providers.gemini.usage import decode_usage, service_tier_of
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = ["GenerateStreamDecoder"]

MAX_CANDIDATES: Final = 64
_QUOTED: Final = 2000
_FIELDS: Final = (b":", b"data", b"event", b"id", b"retry")

_validate = ChatCompletionChunk.model_validate


class GenerateStreamDecoder:
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = ("_candidates", "_documents", "_extra", "_fault", "_finished", "_numbers", "_top", "_usage")

    def __init__(self, numbers: Mapping[int, str] = FINISH_NUMBERS) -> None:
        self._numbers = numbers
        self._documents = Documents()
        self._top: dict[str, Any] | None = None
        self._extra: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._candidates: dict[int, StreamedCandidate] = {}
        self._fault: APIError | None = None
        self._finished = False

    @property
    def finished(self) -> bool:
        """Whether the end was seen, of the array (events have none of their own), or a fault waits to be raised."""
        return self._finished or self._fault is not None

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """The chunks that have become complete."""
        if self._fault is not None:
            raise self._fault
        if self._finished:
            return []
        try:
            documents = self._documents.feed(data)
        except (SSEError, ArrayError) as error:
            raise self._failed(invalid_answer(str(error), HTTPResponse(200))) from error
        return self._decode(documents) if documents else []

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: raise what is wrong, or give the finish reasons and the usage."""
        if self._fault is not None:
            raise self._fault
        if self._finished:
            return []
        chunks: list[ChatCompletionChunk] = []
        array = self._documents.array
        if array is not None:
            self._check_array(array)
        else:
            try:
                chunks = self._decode(self._documents.end())
            except (SSEError, ResponseValidationError) as error:
                raise self._failed(_cut("The stream was cut in the middle of an event.")) from error
        if not self._candidates:
            raise self._failed(self._without_candidates())
        if not all(candidate.has_finished for candidate in self._candidates.values()):
            raise self._failed(_cut("The stream ended before the answer did."))
        self._finished = True
        return chunks + self._last()

    def _check_array(self, array: ArrayScanner) -> None:
        try:
            array.check()
        except ArrayError as error:
            raise self._failed(invalid_answer(str(error), HTTPResponse(200))) from error
        if not array.closed:
            raise self._failed(_cut("The stream was cut before the end of its array."))

    def _without_candidates(self) -> APIError:
        if self._top is not None:
            return invalid_answer("it has no candidates", HTTPResponse(200))
        head = self._documents.head
        is_stream = not head or any(head.startswith(field) or field.startswith(head) for field in _FIELDS)
        if self._documents.array is not None or is_stream:
            return _cut("The stream ended before it began.")
        return invalid_answer("it is no stream", HTTPResponse(200, content=head))

    def _decode(self, documents: list[Any]) -> list[ChatCompletionChunk]:
        chunks: list[ChatCompletionChunk] = []
        for data in documents:
            try:
                chunks += self._document(data)
            except APIError as error:
                self._failed(error)
                if not chunks:
                    raise
                break
        return chunks

    def _document(self, data: str | bytes) -> list[ChatCompletionChunk]:
        if isinstance(data, str) and data.strip() == "[DONE]":  # proxies of OpenAI's manners
            return []
        try:
            answer = check_document(from_json(data, allow_inf_nan=False))
            return self._answer(answer)
        except InvalidAnswerError as error:
            raise invalid_answer(str(error), _quoted(data)) from None
        except ValidationError as error:
            raise invalid_answer(" ".join(first_fault(error)), _quoted(data)) from None
        except ValueError as error:
            raise invalid_answer("a piece of it is not JSON", _quoted(data)) from error

    def _answer(self, answer: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        if self._top is None or not (self._top["id"] and self._top["model"]):
            top = top_of(answer)
            self._top = {name: (self._top or {}).get(name) or value for name, value in top.items()}
        self._extra.update(whole_fields(answer))
        usage = answer.get("usageMetadata") or {}
        decode_usage(usage)  # what is wrong with it belongs to this piece
        self._usage.update({name: value for name, value in usage.items() if value is not None})
        chunks = []
        for i, candidate in enumerate(answer.get("candidates") or ()):
            index = candidate.get("index") or i
            is_new = index not in self._candidates
            if is_new and (len(self._candidates) >= MAX_CANDIDATES or index < 0):
                raise InvalidAnswerError("it has too many candidates")
            known = self._candidates.setdefault(index, StreamedCandidate(index, self._numbers))
            choices = known.add(candidate, self._top["id"])
            if is_new:
                choices = choices or [{"index": index, "delta": {}}]
                choices[0]["delta"] = {"role": "assistant", **choices[0]["delta"]}
            chunks += [_validate({**self._top, "choices": [choice]}) for choice in choices]
        return chunks

    def _last(self) -> list[ChatCompletionChunk]:
        assert self._top is not None
        choices = [c for i in sorted(self._candidates) for c in self._candidates[i].end(self._top["id"])]
        chunks = [_validate({**self._top, "choices": [choice]}) for choice in choices]
        last: dict[str, Any] = {**self._extra, **self._top, "choices": []}
        if self._usage:
            last.update(usage=decode_usage(self._usage), service_tier=service_tier_of(self._usage))
        return [*chunks, _validate(last)] if self._usage or self._extra else chunks

    def _failed(self, fault: APIError) -> APIError:
        self._fault = fault
        return fault


def _cut(message: str) -> APIConnectionError:
    return APIConnectionError(message=message)


def _quoted(data: str | bytes) -> HTTPResponse:
    raw = data[:_QUOTED].encode("utf-8", "replace") if isinstance(data, str) else data[:_QUOTED]
    return HTTPResponse(200, content=raw)
