"""What a provider of the caller's own returns for embeddings and reranks → the unified model. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from edgeagent.providers.embeddings.reading import answer, in_form, invalid
from edgeagent.providers.embeddings.rerank import ordered
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest, RerankRequest, RerankResponse
from edgeagent.wire.http import HTTPResponse

__all__ = ["embedding_answer", "rerank_answer"]


def embedding_answer(value: Any, request: EmbeddingRequest) -> CreateEmbeddingResponse:
    """Vectors → an answer that shares nothing with them, in the form that was asked for.

    Args:
        value: a `CreateEmbeddingResponse`; a pydantic object or a dict with its fields (openai's own); or the vectors
            alone, one for each input, as lists or as anything with `tolist()` (an array of NumPy's, also for all).
        request: what was asked; its `model` is the answer's where none is named.

    Raises:
        ResponseValidationError: anything else, or not one vector for each input.
    """
    response = HTTPResponse(200)
    if isinstance(value, CreateEmbeddingResponse):
        return in_form(value.model_copy(deep=True), request, response)
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True)
    if not isinstance(value, Mapping):
        value = {"data": _vectors(value, response)}
    data = value.get("data")
    if isinstance(data, list):
        data = [{"index": i, **row} if isinstance(row, Mapping) else row for i, row in enumerate(data)]
    return in_form(
        answer(CreateEmbeddingResponse, {"model": request.model, **value, "data": data}, response), request, response
    )


def _vectors(value: Any, response: HTTPResponse) -> list[dict[str, Any]]:
    rows = _plain(value)
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes):
        invalid(f"{type(value).__name__} is no list of vectors", response)
    return [{"embedding": _plain(row)} for row in rows]


def _plain(value: Any) -> Any:
    to_list = getattr(value, "tolist", None)
    if callable(to_list):
        return to_list()
    return list(value) if isinstance(value, tuple) else value


def rerank_answer(value: Any, request: RerankRequest) -> RerankResponse:
    """A `RerankResponse`, or a dict of one → an answer, the best first. Raises `ResponseValidationError`."""
    response = HTTPResponse(200)
    if isinstance(value, RerankResponse):
        found = value.model_copy(deep=True)
    elif isinstance(value, Mapping):
        found = answer(RerankResponse, {"model": request.model, **value}, response)
    else:
        invalid(f"{type(value).__name__} is no answer to a rerank", response)
    return ordered(found, request, response)
