"""Cohere's `/v2/rerank` (https://docs.cohere.com/reference/rerank), which llama.cpp's `/v1/rerank` speaks too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded
from edgeagent.providers.cohere.errors import encode_error
from edgeagent.providers.embeddings.errors import decode_error
from edgeagent.providers.embeddings.reading import answer, document, invalid, refuse, without_nulls
from edgeagent.providers.openai.errors import hidden_error
from edgeagent.types import RerankRequest, RerankResponse
from edgeagent.types.embedding import rerank_request
from edgeagent.types.request import NOT_IN_BODY
from edgeagent.wire.http import HTTPResponse

__all__ = ["RerankCodec", "ordered"]


class RerankCodec:
    """Pure functions between our model and Cohere's rerank API."""

    __slots__ = ()

    wire = "cohere.rerank"

    def encode_request(self, request: RerankRequest, *, model: str) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` for a document that is no text."""
        documents = [_text(document, i) for i, document in enumerate(request.documents)]
        return Encoded({**request.params(), "model": model, "documents": documents})

    def decode_response(self, response: HTTPResponse, request: RerankRequest) -> RerankResponse:
        """A 200 answer → our answer, the most relevant document first.

        Raises:
            ResponseValidationError: it is none, or names documents that were not sent.
            APIStatusError: it is an error all the same.
        """
        data = document(response)
        if data.get("error"):
            raise hidden_error(data, response)
        return ordered(answer(RerankResponse, data, response), request, response)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> RerankRequest:
        """A body → our request. Raises `RequestValidationError`."""
        for name in NOT_IN_BODY & body.keys():
            refuse("is no field of the body", name)
        return rerank_request(without_nulls(body))

    def encode_response(self, answer: RerankResponse) -> dict[str, Any]:
        """Our answer → the JSON."""
        return answer.model_dump(mode="json", exclude_unset=True)

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → Cohere's own with its status."""
        return encode_error(error)


def ordered(found: RerankResponse, request: RerankRequest, response: HTTPResponse) -> RerankResponse:
    """The answer, the best first. Raises `ResponseValidationError` for documents that were not sent."""
    indices = {result.index for result in found.results}
    if len(indices) != len(found.results) or not indices <= set(range(len(request.documents))):
        invalid("results name documents twice, or such as were not sent", response)
    found.results.sort(key=lambda result: -result.relevance_score)
    return found


def _text(document: str | Mapping[str, Any], index: int) -> str:
    if isinstance(document, str):
        return document
    text = document.get("text")
    if not isinstance(text, str):
        refuse("must be text, or an object with a text", f"documents[{index}]")
    return text
