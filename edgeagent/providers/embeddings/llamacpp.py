"""llama.cpp's own `/embedding`, beside the `/v1/embeddings` of OpenAI's shape that its server has too.

https://github.com/ggml-org/llama.cpp/tree/master/tools/server#post-embedding-generate-embedding-of-a-given-text
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded
from edgeagent.providers.embeddings.base import Limits
from edgeagent.providers.embeddings.errors import decode_error
from edgeagent.providers.embeddings.reading import (
    answer,
    in_form,
    invalid,
    objects,
    refuse,
    request_of,
    texts,
    without_nulls,
)
from edgeagent.providers.notes import Notes
from edgeagent.providers.openai.errors import encode_error, hidden_error
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["LlamaCppEmbeddingCodec"]


class LlamaCppEmbeddingCodec:
    """Pure functions between our model and llama.cpp's own; see `base.EmbeddingCodec`."""

    __slots__ = ()

    wire = "llamacpp.embeddings"

    def limits(self, model: str) -> Limits:
        """None: its batch bounds each input, not their number."""
        return Limits()

    def encode_request(self, request: EmbeddingRequest, *, model: str) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` for what it would silently ignore."""
        notes = Notes()
        if request.dimensions is not None:
            refuse("llama.cpp gives all that the model has", "dimensions")
        if request.encoding_format not in (None, "float", "base64"):
            refuse("must be 'float' or 'base64'", "encoding_format")
        for name in ("user", "input_type"):
            if getattr(request, name) is not None:
                notes.drop(name)
        content: Any = request.input
        if not all(isinstance(item, list) for item in request.items):
            plain = texts(request, "llama.cpp")
            content = plain[0] if isinstance(request.input, str) else plain
        return Encoded({"content": content, **without_nulls(request.model_extra or {})}, dropped=notes.dropped)

    def decode_response(self, response: HTTPResponse, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """A 200 answer → our answer. Raises `ResponseValidationError`, also for a vector for each token."""
        try:
            data = from_json(response.content)
        except ValueError as error:
            invalid("it is not JSON, or only the beginning of it", response, cause=error)
        if isinstance(data, dict) and data.get("error"):
            raise hidden_error(data, response)
        vectors = objects(data if isinstance(data, list) else [data], "it", response)
        found = [{**vector, "index": vector.get("index", i)} for i, vector in enumerate(vectors)]
        for vector in found:
            rows = vector.get("embedding")
            if isinstance(rows, list) and rows and isinstance(rows[0], list):
                if len(rows) != 1:
                    invalid("a vector for each token, since the model has no pooling", response)
                vector["embedding"] = rows[0]
        values = {"model": request.model, "data": found, "object": "list"}
        return in_form(answer(CreateEmbeddingResponse, values, response), request, response)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> EmbeddingRequest:
        """A body → our request. Raises `RequestValidationError`."""
        values = without_nulls(body)
        if "content" in values:
            values["input"] = values.pop("content")
        return request_of(values)

    def encode_response(self, answer: CreateEmbeddingResponse) -> list[dict[str, Any]]:
        """Our answer → the JSON list."""
        return [{"index": vector.index, "embedding": [vector.floats]} for vector in answer.data]

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"error": {…}}` with its status."""
        return encode_error(error)
