"""Embeddings and reranking: openai's parameters and answers, typed, unknown ones kept.

Embeddings have the fields of OpenAI's `POST /embeddings` (https://platform.openai.com/docs/api-reference/embeddings),
and beside them `input_type`, since most other vendors embed a query and a document differently. OpenAI has no
reranking: its fields are Cohere's (https://docs.cohere.com/reference/rerank), which llama.cpp's server speaks too.
"""

from __future__ import annotations

import base64
import binascii
import math
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from edgeagent.types._model import Model
from edgeagent.types.parameters import Answered, Parameters, check_model, refuse, validated

__all__ = [
    "CreateEmbeddingResponse",
    "Embedding",
    "EmbeddingInput",
    "EmbeddingRequest",
    "EmbeddingUsage",
    "RerankRequest",
    "RerankResponse",
    "RerankResult",
    "embedding_request",
    "floats_of",
    "rerank_request",
    "text_of",
]

EmbeddingInput: TypeAlias = str | list[str] | list[int] | list[list[int]] | list[str | dict[str, Any]]
"""One text; several; one text as token ids; several such; or several, each a text or `{"content": [parts]}` with parts
as in a chat message, for vendors that embed pictures."""

Number: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class EmbeddingRequest(Parameters):
    """One embedding request. A field that is None is the same as an absent one; see `embedding_request`."""

    input: EmbeddingInput
    dimensions: int | None = None
    encoding_format: str | None = None
    """`"float"` or `"base64"`: what the answer holds, whatever the vendor sends. Others are the vendor's own."""
    user: str | None = None
    input_type: str | None = None
    """What the texts are: `search_query`, `search_document`, `classification`, `clustering`, or the vendor's word."""

    @property
    def items(self) -> Sequence[str | list[int] | dict[str, Any]]:
        """The inputs one by one: what gets one vector each."""
        value = self.input
        if isinstance(value, str):
            return [value]
        if value and isinstance(value[0], int):
            return [value]
        return value  # type: ignore[return-value]  # a list of texts or of lists, which mypy cannot tell from one of numbers


class EmbeddingUsage(Model):
    """What one request used, in tokens. Embeddings have no output tokens."""

    prompt_tokens: int
    total_tokens: int


class Embedding(Model):
    """One vector. `embedding` is a list of numbers, or the base64 text that was asked for."""

    embedding: list[Number] | str
    index: int
    object: Literal["embedding"] = "embedding"

    def _complete(self) -> None:
        self.__pydantic_fields_set__.add("object")

    @property
    def floats(self) -> list[float]:
        """The vector as numbers, whichever form it has. Raises `ValueError` for text that is no such base64."""
        return floats_of(self.embedding) if isinstance(self.embedding, str) else self.embedding


class CreateEmbeddingResponse(Answered):
    """The vectors, in the order of the inputs. `usage` is None where the vendor does not tell it."""

    data: list[Embedding]
    model: str
    object: Literal["list"] = "list"
    usage: EmbeddingUsage | None = None

    def _complete(self) -> None:
        self.__pydantic_fields_set__.add("object")
        for vector in self.data:
            vector._complete()


class RerankRequest(Parameters):
    """Documents to be ordered by how well they answer a query; see `rerank_request`."""

    query: str
    documents: list[str | dict[str, Any]]
    top_n: int | None = None
    max_tokens_per_doc: int | None = None


class RerankResult(Model):
    """One document, by its index among those of the request."""

    index: int
    relevance_score: Number


class RerankResponse(Answered):
    """The best documents, the most relevant first."""

    results: list[RerankResult]
    model: str | None = None
    usage: EmbeddingUsage | None = None


# Base64


def floats_of(text: str) -> list[float]:
    """Base64 of little-endian 32-bit floats → the numbers, exactly. Raises `ValueError` for anything else."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from None
    if len(raw) % 4:
        raise ValueError("not a whole number of 32-bit floats")
    numbers = array("f", raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    values = numbers.tolist()
    if not all(map(math.isfinite, values)):
        raise ValueError("not finite")
    return values


def text_of(numbers: Iterable[float]) -> str:
    """Numbers → base64 of little-endian 32-bit floats, rounded to them. Raises `ValueError` for what does not fit."""
    try:
        packed = array("f", numbers)
    except OverflowError:
        raise ValueError("too large for a 32-bit float") from None
    if not all(map(math.isfinite, packed)):
        raise ValueError("too large for a 32-bit float")
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode()


# Validation


def embedding_request(params: Mapping[str, Any], extra_body: Mapping[str, Any] | None = None) -> EmbeddingRequest:
    """A caller's keyword arguments → a request that shares no list with the caller. None is the same as absent.

    Raises:
        RequestValidationError: `.param` names what is missing, ill-typed or empty, as in `input[3]`.
    """
    request = validated(EmbeddingRequest, params, extra_body)
    check_model(request)
    if not request.input:
        refuse("must not be empty", "input")
    if not isinstance(request.input, str) and not isinstance(request.input[0], int):
        for i, item in enumerate(request.items):
            if not item:
                refuse("must not be empty", f"input[{i}]")
            if isinstance(item, dict) and not (isinstance(item.get("content"), list) and item["content"]):
                refuse("must be a list with at least one part", f"input[{i}].content")
    if request.dimensions is not None and request.dimensions < 1:
        refuse("must be at least 1", "dimensions")
    return request


def rerank_request(params: Mapping[str, Any], extra_body: Mapping[str, Any] | None = None) -> RerankRequest:
    """A caller's keyword arguments → a request. Raises `RequestValidationError` like `embedding_request`."""
    request = validated(RerankRequest, params, extra_body)
    check_model(request)
    if not request.documents:
        refuse("must not be empty", "documents")
    for name in ("top_n", "max_tokens_per_doc"):
        value = getattr(request, name)
        if value is not None and value < 1:
            refuse("must be at least 1", name)
    return request
