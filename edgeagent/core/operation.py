"""Everything that a target can be asked in one piece beside chat: what each needs, and one attempt at it.

HTTP vendors are asked through the codec of their route, providers of the caller's own through the methods they have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from pydantic_core import PydanticSerializationError

from edgeagent.core.ask import CHAT_METHODS, credential, invoke_own, is_http, not_json, own_method, sent
from edgeagent.core.call import Call
from edgeagent.effects import Flow
from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded, Provider, Route
from edgeagent.types import (
    CreateEmbeddingResponse,
    EmbeddingRequest,
    ModerationCreateResponse,
    ModerationRequest,
    RerankRequest,
    RerankResponse,
    Target,
)
from edgeagent.wire.http import HTTPResponse

__all__ = ["EMBEDDINGS", "MODERATIONS", "OWN_METHODS", "RERANK", "A", "Operation", "R", "ask_once", "offers"]

R = TypeVar("R", EmbeddingRequest, RerankRequest, ModerationRequest)
A = TypeVar("A", CreateEmbeddingResponse, RerankResponse, ModerationCreateResponse)


@dataclass(frozen=True, slots=True)
class Operation(Generic[R, A]):
    """One kind of question.

    Args:
        name: in telemetry (`gen_ai.operation.name`) and messages.
        methods: of a provider of the caller's own, sync and async.
        route: an HTTP provider's route for a model, if it has one.
        read: what such a method returned → our answer. Raises `ResponseValidationError`.
    """

    name: str
    methods: tuple[str, str]
    route: Callable[[Any, str], Route[Any] | None]
    read: Callable[[Any, R], A]


def _embedding_route(provider: Any, model: str) -> Route[Any] | None:
    find = getattr(provider, "embedding_codec", None)
    codec = None if find is None else find(model)
    return None if codec is None else Route(codec, provider.embedding_path(model))


def _routed_by(method: str) -> Callable[[Any, str], Route[Any] | None]:
    def route(provider: Any, model: str) -> Route[Any] | None:
        find = getattr(provider, method, None)
        found: Route[Any] | None = None if find is None else find(model)
        return found

    return route


def _embeddings(value: Any, request: EmbeddingRequest) -> CreateEmbeddingResponse:
    from edgeagent.providers.embeddings.own import embedding_answer

    return embedding_answer(value, request)


def _reranked(value: Any, request: RerankRequest) -> RerankResponse:
    from edgeagent.providers.embeddings.own import rerank_answer

    return rerank_answer(value, request)


def _moderated(value: Any, request: ModerationRequest) -> ModerationCreateResponse:
    from edgeagent.providers.moderation import moderation_answer

    return moderation_answer(value, request)


EMBEDDINGS: Final = Operation("embeddings", ("embed", "aembed"), _embedding_route, _embeddings)
RERANK: Final = Operation("rerank", ("rerank", "arerank"), _routed_by("rerank_route"), _reranked)
MODERATIONS: Final = Operation("moderations", ("moderate", "amoderate"), _routed_by("moderation_route"), _moderated)


OWN_METHODS: Final = (*CHAT_METHODS, *EMBEDDINGS.methods, *RERANK.methods, *MODERATIONS.methods)
"""What a provider of the caller's own may have, at least one of them."""


def offers(operation: Operation[Any, Any], provider: Provider, model: str) -> bool:
    """Whether the provider can be asked this at all."""
    if is_http(provider):
        return operation.route(provider, model) is not None
    return any(callable(getattr(provider, method, None)) for method in operation.methods)


def ask_once(
    call: Call[Any],
    operation: Operation[R, A],
    provider: Provider,
    target: Target,
    request: R,
    *,
    max_body_bytes: int,
    parts: list[Any] | None = None,
) -> Flow[A]:
    """One attempt.

    Args:
        call: its options, deadline and story.
        operation: what is asked.
        provider: who is asked.
        target: for which model.
        request: what is asked; `call.request`, or a part of it.
        max_body_bytes: the largest body.
        parts: answers to the first parts of a request that takes several, from an attempt before this one at the same
            target; this one goes on after them, and adds its own.
    """
    if not parts:
        call.forget_response()
    if request.model != target.model:
        request = request.model_copy(update={"model": target.model})
    try:
        route = operation.route(provider, target.model) if is_http(provider) else None
        if route is None or not is_http(provider):
            return (yield from _ask_own(call, operation, provider, request))
        post = partial(_post, call, provider, route.path, request, max_body_bytes)
        answer: A = yield from _ask_codec(route.codec, request, target.model, post, parts)
        return answer
    except RequestValidationError as error:  # another target may take it
        error.target = str(target)
        raise


def _ask_codec(
    codec: Any, request: Any, model: str, post: Callable[[Encoded], Flow[HTTPResponse]], parts: list[Any] | None
) -> Flow[Any]:
    if isinstance(request, EmbeddingRequest):
        from edgeagent.providers.embeddings.calling import embed

        return (yield from embed(codec, request, model, post, parts))
    response = yield from post(codec.encode_request(request, model=model))
    if not 200 <= response.status_code < 300:
        raise codec.decode_error(response)
    return codec.decode_response(response, request)


def _post(
    call: Call[Any], provider: Any, path: str, request: Any, max_body_bytes: int, encoded: Encoded
) -> Flow[HTTPResponse]:
    call.edge.dropped_params, call.edge.edits = encoded.dropped, encoded.edits
    key = yield from credential(call, provider)
    try:
        asked = provider.request_to(
            path, key, encoded=encoded, extra_headers=request.extra_headers, extra_query=request.extra_query
        )
    except PydanticSerializationError:
        raise not_json() from None
    size = len(asked.content)
    if size > max_body_bytes:
        name = "documents" if isinstance(request, RerankRequest) else "input"
        raise RequestValidationError(
            f"{name}: the request's body has {size} bytes, more than the limit of {max_body_bytes}.", param=name
        )
    response = yield from sent(call, asked, provider)
    if 200 <= response.status_code < 300:
        call.received(response)
    return response


def _ask_own(call: Call[Any], operation: Operation[R, A], provider: Any, request: R) -> Flow[A]:
    method = own_method(provider, call, operation.methods)
    assert method is not None  # else the target was not planned
    value = yield from invoke_own(call, partial(method, request))
    return operation.read(value, request)
