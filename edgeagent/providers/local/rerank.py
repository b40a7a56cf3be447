"""Documents ordered by a local model that was made for it."""

from __future__ import annotations

from typing import Final

from edgeagent.providers.embeddings.rerank import RerankCodec
from edgeagent.providers.local.embeddings import PooledModel, asked
from edgeagent.types import RerankRequest, RerankResponse

__all__ = ["rerank"]

_CODEC: Final = RerankCodec()


def rerank(model: PooledModel, request: RerankRequest, name: str) -> RerankResponse:
    """The documents of `request`, the most relevant first, at most `top_n`; it cannot be stopped before its end.

    Raises:
        RequestValidationError: a document that is no text.
        ContextWindowExceededError: query and document together are longer than the context.
        BadRequestError: llama.cpp refuses the request.
        ResponseValidationError: the scores are no numbers, as of a model that was not made for it.
        ConfigurationError: the model cannot be loaded.
    """
    body = _CODEC.encode_request(request, model=name).body
    response = asked(model, "rerank", body)
    if response.status_code != 200:
        raise _CODEC.decode_error(response)
    return _CODEC.decode_response(response, request)
