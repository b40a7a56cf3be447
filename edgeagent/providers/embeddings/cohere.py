"""Cohere's `/v2/embed`, and `/v1/embed` before it (https://docs.cohere.com/reference/embed)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded
from edgeagent.providers.cohere.errors import decode_error, encode_error
from edgeagent.providers.embeddings.base import Limits
from edgeagent.providers.embeddings.purposes import COHERE, word
from edgeagent.providers.embeddings.reading import (
    answer,
    document,
    in_form,
    invalid,
    numbers_in,
    refuse,
    request_of,
    without_nulls,
)
from edgeagent.providers.notes import Notes
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["CohereEmbeddingCodec"]

KINDS: Final = ("float", "base64", "int8", "uint8", "binary", "ubinary")
"""Types of vectors; of several in one answer, the first of these is the `embedding`."""


class CohereEmbeddingCodec:
    """Pure functions between our model and Cohere's; see `base.EmbeddingCodec`.

    Vectors of several types (`embedding_types`) are all on `Embedding.embeddings_by_type`.
    """

    __slots__ = ("_version",)

    def __init__(self, version: Literal[1, 2] = 2) -> None:
        self._version = version

    @property
    def wire(self) -> str:
        """`"cohere.embeddings.v2"`."""
        return f"cohere.embeddings.v{self._version}"

    def limits(self, model: str) -> Limits:
        """96 texts, by the reference."""
        return Limits(96)

    def encode_request(self, request: EmbeddingRequest, *, model: str) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` for token ids and unknown formats."""
        notes = Notes()
        body: dict[str, Any] = {"model": model, **without_nulls(request.model_extra or {})}
        pictures = self._put_inputs(request, body)
        purpose = request.input_type
        meant = "image" if pictures else word(purpose, COHERE) if purpose is not None else None
        if meant is None and purpose is not None:
            notes.edit(f"input_type: {purpose!r} is none of Cohere's")
        if meant is None and self._version == 2:
            meant = "search_document"
            notes.edit("input_type: 'search_document', since Cohere must be told one")
        if meant is not None:
            body["input_type"] = meant
        if request.user is not None:
            notes.drop("user")
        if request.dimensions is not None:
            body["output_dimension"] = request.dimensions
        if request.encoding_format not in (None, "float", "base64"):
            refuse(
                "must be 'float' or 'base64'; Cohere's other types are asked for with embedding_types",
                "encoding_format",
            )
        if "embedding_types" not in body and (self._version == 2 or request.encoding_format == "base64"):
            body["embedding_types"] = [request.encoding_format or "float"]
        return Encoded(body, dropped=notes.dropped, edits=notes.edits)

    def _put_inputs(self, request: EmbeddingRequest, body: dict[str, Any]) -> bool:
        """Put the inputs where they belong; whether they are pictures and nothing else."""
        items = request.items
        if any(isinstance(item, list) for item in items):
            refuse("Cohere takes no token ids", "input")
        if all(isinstance(item, str) for item in items):
            body["texts"] = list(items)
            return False
        urls = [_picture(item) for item in items]
        if all(url is not None for url in urls):
            body["images"] = urls
            return True
        body["inputs"] = [
            {"content": [{"type": "text", "text": item}]} if isinstance(item, str) else item for item in items
        ]
        return False

    def decode_response(self, response: HTTPResponse, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """A 200 answer of either version → our answer. Raises `ResponseValidationError`."""
        data = document(response)
        told = data.pop("embeddings", None)
        kinds = told if isinstance(told, dict) else {"float": told}
        kinds = {kind: kinds[kind] for kind in (*KINDS, *(kinds.keys() - set(KINDS))) if kinds.get(kind) is not None}
        columns = list(kinds.values())
        if not columns or not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
            invalid("embeddings is no list, or lists of different lengths", response)
        vectors: list[dict[str, Any]] = [{"embedding": vector, "index": i} for i, vector in enumerate(columns[0])]
        if list(kinds) not in (["float"], ["base64"]):
            for i, vector in enumerate(vectors):
                vector["embeddings_by_type"] = {kind: column[i] for kind, column in kinds.items()}
        values = {"model": request.model, **data, "data": vectors, "object": "list", "usage": _usage(data)}
        found = answer(CreateEmbeddingResponse, values, response)
        return in_form(found, request, response)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> EmbeddingRequest:
        """A body of either version → our request. Raises `RequestValidationError`."""
        values = without_nulls(body)
        texts, images, inputs = (values.pop(name, None) for name in ("texts", "images", "inputs"))
        if texts:
            values["input"] = texts
        elif inputs:
            values["input"] = inputs
        elif isinstance(images, list):
            values["input"] = [{"content": [{"type": "image_url", "image_url": {"url": url}}]} for url in images]
        if "output_dimension" in values:
            values["dimensions"] = values.pop("output_dimension")
        if values.get("embedding_types") == ["base64"]:
            values["encoding_format"] = "base64"
        return request_of(values)

    def encode_response(self, answer: CreateEmbeddingResponse) -> dict[str, Any]:
        """Our answer → the JSON: by type, or plain lists where it was an answer of version 1 that had such."""
        rest = {k: v for k, v in (answer.model_extra or {}).items() if v is not None}
        plain = rest.get("response_type", "embeddings_floats" if self._version == 1 else "") == "embeddings_floats"
        if answer.usage is not None:
            rest.setdefault("meta", {"billed_units": {"input_tokens": answer.usage.prompt_tokens}})
        rest.setdefault("response_type", "embeddings_floats" if plain else "embeddings_by_type")
        if plain:
            return {"embeddings": [vector.floats for vector in answer.data], **rest}
        by_type: dict[str, list[Any]] = {}
        for vector in answer.data:
            own = "base64" if isinstance(vector.embedding, str) else "float"
            kinds = (vector.model_extra or {}).get("embeddings_by_type") or {own: vector.embedding}
            for kind, value in kinds.items():
                by_type.setdefault(kind, []).append(value)
        return {"embeddings": by_type, **rest}

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → Cohere's own with its status."""
        return encode_error(error)


def _picture(item: object) -> str | None:
    """The URL of an input that is one picture."""
    parts = item.get("content") if isinstance(item, Mapping) else None
    if not isinstance(parts, list) or len(parts) != 1 or not isinstance(parts[0], Mapping):
        return None
    image = parts[0].get("image_url") if parts[0].get("type") == "image_url" else None
    url = image.get("url") if isinstance(image, Mapping) else None
    return url if isinstance(url, str) else None


def _usage(data: Mapping[str, Any]) -> dict[str, int] | None:
    meta = data.get("meta")
    billed = meta.get("billed_units") if isinstance(meta, Mapping) else None
    if not isinstance(billed, Mapping):
        return None
    counts = [billed.get(name) for name in ("input_tokens", "image_tokens")]
    told = numbers_in(counts)
    return {"prompt_tokens": sum(told), "total_tokens": sum(told)} if told else None
