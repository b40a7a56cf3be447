"""Embeddings in OpenAI's shape: OpenAI, Azure, and the vendors that differ in a few names (as data, `Shape`)."""

from __future__ import annotations

import base64
import binascii
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded
from edgeagent.providers.embeddings.base import Limits
from edgeagent.providers.embeddings.errors import decode_error
from edgeagent.providers.embeddings.purposes import VOYAGE, word
from edgeagent.providers.embeddings.reading import (
    answer,
    document,
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

__all__ = ["COMPATIBLE", "MISTRAL", "OPENAI", "PERPLEXITY", "VOYAGEAI", "OpenAIEmbeddingCodec", "Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """How an API differs from OpenAI's, as data.

    Args:
        vendor: as in messages and in the wire's name.
        limits: how much one request takes.
        tokens: whether inputs may be token ids.
        dimensions: the vendor's name of the parameter.
        dropped: advisory parameters that it has no place for.
        purposes: its words for `input_type`; empty: it has no such thing.
        compact: base64 is asked for where the caller does not say, as the `openai` package does: it is a third as long.
        small: base64 is of signed 8-bit numbers, and is all that the vendor sends.
        total_only: usage is told as `total_tokens` alone.
    """

    vendor: str
    limits: Limits = field(default_factory=Limits)
    tokens: bool = True
    dimensions: str = "dimensions"
    dropped: tuple[str, ...] = ()
    purposes: Mapping[str, str] = field(default_factory=dict)
    compact: bool = False
    small: bool = False
    total_only: bool = False


OPENAI: Final = Shape("openai", Limits(2048, 300_000), compact=True)
"""https://platform.openai.com/docs/api-reference/embeddings/create"""
COMPATIBLE: Final = Shape("compatible")
MISTRAL: Final = Shape("mistral", Limits(256), tokens=False, dimensions="output_dimension", dropped=("user",))
"""https://docs.mistral.ai/api/endpoint/embeddings; the number of inputs is not documented: 257 were refused."""
PERPLEXITY: Final = Shape("perplexity", Limits(512, 120_000), tokens=False, dropped=("user",), small=True)
"""https://docs.perplexity.ai/api-reference/embeddings-post"""
VOYAGEAI: Final = Shape(
    "voyageai",
    Limits(1000, 120_000),
    tokens=False,
    dimensions="output_dimension",
    dropped=("user",),
    purposes=VOYAGE,
    total_only=True,
)
"""https://docs.voyageai.com/reference/embeddings-api; some models take more tokens in one request, none takes fewer."""


class OpenAIEmbeddingCodec:
    """Pure functions between our model and `POST /embeddings`; see `base.EmbeddingCodec`."""

    __slots__ = ("_shape",)

    def __init__(self, shape: Shape = OPENAI) -> None:
        self._shape = shape

    @property
    def wire(self) -> str:
        """`"openai.embeddings"`, or that of the shape's vendor."""
        return f"{self._shape.vendor}.embeddings"

    def limits(self, model: str) -> Limits:
        """The same for every model."""
        return self._shape.limits

    def encode_request(self, request: EmbeddingRequest, *, model: str) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` for token ids or pictures that it does not take."""
        shape, notes = self._shape, Notes()
        body = request.params()
        body["model"] = model
        if not all(isinstance(item, list) for item in request.items):
            plain = texts(request, shape.vendor)
            body["input"] = plain[0] if isinstance(request.input, str) else plain
        elif not shape.tokens:
            refuse(f"{shape.vendor} takes no token ids", "input")
        for name in shape.dropped:
            if body.pop(name, None) is not None:
                notes.drop(name)
        purpose = body.pop("input_type", None)
        if purpose is not None:
            meant = word(purpose, shape.purposes)
            if meant is None:
                notes.drop("input_type")
            else:
                body["input_type"] = meant
        if "dimensions" in body:
            body[shape.dimensions] = body.pop("dimensions")
        if shape.small:
            if body.get("encoding_format") in ("float", "base64"):
                del body["encoding_format"]
                notes.edit("the vendor sends 8-bit numbers; they were turned into the form that was asked for")
        elif shape.vendor == "voyageai" and body.get("encoding_format") == "float":
            del body["encoding_format"]  # its only other form is base64: numbers are what it sends unasked
        elif shape.compact:
            body.setdefault("encoding_format", "base64")
        return Encoded(body, dropped=notes.dropped, edits=notes.edits)

    def decode_response(self, response: HTTPResponse, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """A 200 answer → our answer. Raises `ResponseValidationError`, or the error that a 200 hides."""
        try:
            found = CreateEmbeddingResponse.from_json(response.content)
        except ValidationError:
            found = self._second_look(response, request)
        if found.model_extra and found.model_extra.get("error"):
            raise hidden_error(found.model_extra, response)
        if self._shape.small and request.encoding_format in (None, "float", "base64"):
            for vector in found.data:
                if isinstance(vector.embedding, str):
                    vector.embedding = _small_numbers(vector.embedding, response)
        return in_form(found, request, response)

    def _second_look(self, response: HTTPResponse, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """What servers of this shape leave out: the model, indices, a part of the usage."""
        data = document(response)
        if data.get("error"):
            raise hidden_error(data, response)
        data["usage"] = _usage(data.get("usage"))
        vectors = objects(data.get("data"), "data", response)
        data["data"] = [{"index": i, **vector, "object": "embedding"} for i, vector in enumerate(vectors)]
        data["object"] = "list"
        if not isinstance(data.get("model"), str):
            data["model"] = request.model
        return answer(CreateEmbeddingResponse, data, response)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. OpenAI too has no code for an input that is too long here."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> EmbeddingRequest:
        """A body → our request. Raises `RequestValidationError`."""
        values = without_nulls(body)
        if self._shape.dimensions in values:
            values["dimensions"] = values.pop(self._shape.dimensions)
        return request_of(values)

    def encode_response(self, answer: CreateEmbeddingResponse) -> dict[str, Any]:
        """Our answer → the JSON."""
        body = answer.model_dump(mode="json", exclude_unset=True)
        body.setdefault("object", "list")
        for vector in body["data"]:
            vector.setdefault("object", "embedding")
            if self._shape.small and isinstance(vector["embedding"], list):
                vector["embedding"] = _small_text(vector["embedding"])
        if self._shape.total_only and body.get("usage"):
            body["usage"].pop("prompt_tokens", None)
        return body

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"error": {…}}` with its status."""
        return encode_error(error)


def _usage(told: object) -> dict[str, Any] | None:
    """Both counts, where one of them is told: they are the same, since there is no output."""
    if not isinstance(told, dict):
        return None
    counts = {name: told.get(name) for name in ("prompt_tokens", "total_tokens")}
    known = next((count for count in counts.values() if isinstance(count, int)), None)
    return None if known is None else {**told, **{k: known if v is None else v for k, v in counts.items()}}


def _small_numbers(text: str, response: HTTPResponse) -> list[float]:
    try:
        return [float(number) for number in array("b", base64.b64decode(text, validate=True))]
    except binascii.Error as error:
        invalid("a vector is not base64", response, cause=error)


def _small_text(numbers: list[float]) -> str:
    """8-bit numbers in base64; numbers of another vendor's are brought into their range, the largest to 127."""
    if not all(number == int(number) and -128 <= number <= 127 for number in numbers):
        largest = max(map(abs, numbers))
        numbers = [number / largest * 127 for number in numbers]
    return base64.b64encode(array("b", [round(number) for number in numbers]).tobytes()).decode()
