"""Ollama's `/api/embed`, and `/api/embeddings` before it (https://docs.ollama.com/api/embed)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded
from edgeagent.providers.embeddings.base import Limits
from edgeagent.providers.embeddings.reading import answer, document, in_form, refuse, request_of, texts, without_nulls
from edgeagent.providers.notes import Notes
from edgeagent.providers.ollama.errors import decode_error, encode_error, error_in_answer
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["OllamaEmbeddingCodec"]


class OllamaEmbeddingCodec:
    """Pure functions between our model and Ollama's; see `base.EmbeddingCodec`. `older`: `/api/embeddings`."""

    __slots__ = ("_older",)

    def __init__(self, *, older: bool = False) -> None:
        self._older = older

    @property
    def wire(self) -> str:
        """`"ollama.embeddings"`."""
        return "ollama.embeddings.older" if self._older else "ollama.embeddings"

    def limits(self, model: str) -> Limits:
        """None but memory; the older API takes one text."""
        return Limits(1) if self._older else Limits()

    def encode_request(self, request: EmbeddingRequest, *, model: str) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` for token ids, pictures and formats of others."""
        notes = Notes()
        inputs = texts(request, "Ollama")
        body: dict[str, Any] = {"model": model, **without_nulls(request.model_extra or {})}
        if request.encoding_format == "base64":
            notes.edit("the vendor sends numbers; they were turned into base64")
        elif request.encoding_format not in (None, "float"):
            refuse("must be 'float' or 'base64'", "encoding_format")
        for name in ("user", "input_type"):
            if getattr(request, name) is not None:
                notes.drop(name)
        if self._older:
            if len(inputs) != 1:
                refuse("this API takes one input at a time", "input")
            if request.dimensions is not None:
                refuse("this API has no such parameter", "dimensions")
            body["prompt"] = inputs[0]
        else:
            body["input"] = inputs[0] if isinstance(request.input, str) else inputs
            if request.dimensions is not None:
                body["dimensions"] = request.dimensions
        return Encoded(body, dropped=notes.dropped, edits=notes.edits)

    def decode_response(self, response: HTTPResponse, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """A 200 answer of either API → our answer. Raises `ResponseValidationError`, or the error that it hides."""
        data = document(response)
        if data.get("error"):
            raise error_in_answer(data, response)
        one, several = data.pop("embedding", None), data.pop("embeddings", None)
        vectors = several if isinstance(several, list) else [one]
        count = data.pop("prompt_eval_count", None)
        usage = None if count is None else {"prompt_tokens": count, "total_tokens": count}
        found = [{"embedding": vector, "index": i} for i, vector in enumerate(vectors)]
        values = {"model": request.model, **data, "data": found, "object": "list", "usage": usage}
        return in_form(answer(CreateEmbeddingResponse, values, response), request, response)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> EmbeddingRequest:
        """A body of either API → our request. Raises `RequestValidationError`."""
        values = without_nulls(body)
        if "prompt" in values:
            values["input"] = values.pop("prompt")
        return request_of(values)

    def encode_response(self, answer: CreateEmbeddingResponse) -> dict[str, Any]:
        """Our answer → the JSON. The older API tells neither model nor usage."""
        rest = {k: v for k, v in (answer.model_extra or {}).items() if v is not None}
        if self._older:
            return {"embedding": answer.data[0].floats}
        if answer.usage is not None:
            rest["prompt_eval_count"] = answer.usage.prompt_tokens
        return {"model": answer.model, "embeddings": [vector.floats for vector in answer.data], **rest}

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"error": "…"}` with its status."""
        return encode_error(error)
