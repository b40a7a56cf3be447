"""A whole embedding call of one vendor as a flow: split, asked part by part, joined."""

from __future__ import annotations

from collections.abc import Callable

from edgeagent.effects import Flow
from edgeagent.providers.base import Encoded
from edgeagent.providers.embeddings.base import EmbeddingCodec
from edgeagent.providers.embeddings.batching import join, split
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["embed"]


def embed(
    codec: EmbeddingCodec,
    request: EmbeddingRequest,
    model: str,
    post: Callable[[Encoded], Flow[HTTPResponse]],
    answers: list[CreateEmbeddingResponse] | None = None,
) -> Flow[CreateEmbeddingResponse]:
    """The answer to `request`, of as many requests to the vendor as its limits make it.

    All parts are encoded before the first is sent, so that nothing is paid for what the vendor cannot be asked.

    Args:
        codec: the vendor's.
        request: may hold any number of inputs.
        model: as the vendor calls it.
        post: sends one encoded request (`effects.send` of it, with whatever attempts the caller makes).
        answers: those of the first parts, from a try before this one that failed at a later part; this one goes on
            after them, and adds its own.

    Raises:
        RequestValidationError: the vendor cannot be asked this.
        APIStatusError: the vendor refused a part.
        ResponseValidationError: an answer is not what is documented.
    """
    parts = split(request, codec.limits(model))
    bodies = [codec.encode_request(part, model=model) for part in parts]
    answers = [] if answers is None else answers
    done = len(answers)
    for part, body in zip(parts[done:], bodies[done:], strict=True):
        response = yield from post(body)
        if not 200 <= response.status_code < 300:
            raise codec.decode_error(response)
        answers.append(codec.decode_response(response, part))
    return join(answers)
