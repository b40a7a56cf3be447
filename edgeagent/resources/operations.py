"""`client.embeddings`, `client.rerank`, `client.moderations`: openai's surface (rerank: Cohere's) over their flows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from edgeagent.core.embedding import Embeddings as EmbeddingFlows
from edgeagent.core.operation import MODERATIONS, RERANK
from edgeagent.core.question import Questions
from edgeagent.effects import Scope
from edgeagent.resources.options import parted, telling
from edgeagent.types import EmbeddingRequest, ModerationRequest, RerankRequest
from edgeagent.types.embedding import embedding_request, rerank_request
from edgeagent.types.moderation import moderation_request

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions
    from edgeagent.resources.raw_calls import (
        AsyncEmbeddingsWithRawResponse,
        AsyncEmbeddingsWithStreamingResponse,
        AsyncModerationsWithRawResponse,
        AsyncModerationsWithStreamingResponse,
        EmbeddingsWithRawResponse,
        EmbeddingsWithStreamingResponse,
        ModerationsWithRawResponse,
        ModerationsWithStreamingResponse,
    )
    from edgeagent.types import CreateEmbeddingResponse, ModerationCreateResponse, RerankResponse
    from edgeagent.types.params import EmbeddingParams, ModerationParams, RerankParams

__all__ = ["AsyncEmbeddings", "AsyncModerations", "AsyncRerank", "Embeddings", "Moderations", "Rerank"]

_EMBEDDING: Final = frozenset(EmbeddingRequest.model_fields)
_RERANK: Final = frozenset(RerankRequest.model_fields)
_MODERATION: Final = frozenset(ModerationRequest.model_fields)


@telling
def _embedding(client: EdgeClient | AsyncEdgeClient, params: Any) -> tuple[EmbeddingRequest, CallOptions]:
    values, options, extra_body = parted(client, params, _EMBEDDING)
    return embedding_request(values, extra_body), options


@telling
def _reranking(client: EdgeClient | AsyncEdgeClient, params: Any) -> tuple[RerankRequest, CallOptions]:
    values, options, extra_body = parted(client, params, _RERANK)
    return rerank_request(values, extra_body), options


@telling
def _moderation(client: EdgeClient | AsyncEdgeClient, params: Any) -> tuple[ModerationRequest, CallOptions]:
    values, options, extra_body = parted(client, params, _MODERATION)
    if values.get("model") is None and "model" not in (extra_body or {}):
        values["model"] = client._engine.flows(Questions).default_moderation()
    return moderation_request(values, extra_body), options


class Embeddings:
    """`client.embeddings`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> EmbeddingsWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_calls import EmbeddingsWithRawResponse

        return EmbeddingsWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> EmbeddingsWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_calls import EmbeddingsWithStreamingResponse

        return EmbeddingsWithStreamingResponse(self)

    def create(self, **params: Unpack[EmbeddingParams]) -> CreateEmbeddingResponse:
        """Embed texts, with openai's parameters, `input_type` and `edge={…}`.

        Returns:
            One vector for each input, in their order. What the cache had was not asked for: `usage` and
            `edge.cost_usd` are those of the rest, `edge.cached_inputs` counts it, `edge.cached` says that it was all.

        Raises:
            RequestValidationError: the request is wrong; `.param` names the field, as in `input[3]`.
            NoTargetError: no configured provider embeds with this model.
            APIError: the provider's final error, as in the `openai` package; `.attempts` tells what was tried.
        """
        request, options = _embedding(self._client, params)
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(EmbeddingFlows).create(request, options, scope, prefers_async=False)
        return engine.runtime.sync_driver.run(flow, scope)


class AsyncEmbeddings:
    """`client.embeddings` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> AsyncEmbeddingsWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_calls import AsyncEmbeddingsWithRawResponse

        return AsyncEmbeddingsWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> AsyncEmbeddingsWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_calls import AsyncEmbeddingsWithStreamingResponse

        return AsyncEmbeddingsWithStreamingResponse(self)

    async def create(self, **params: Unpack[EmbeddingParams]) -> CreateEmbeddingResponse:
        """Embed texts; see `Embeddings.create`."""
        request, options = _embedding(self._client, params)
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(EmbeddingFlows).create(request, options, scope, prefers_async=True)
        return await engine.runtime.async_driver.run(flow, scope)


class Rerank:
    """`client.rerank`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    def create(self, **params: Unpack[RerankParams]) -> RerankResponse:
        """Order documents by how well they answer a query, with Cohere's parameters and `edge={…}`.

        Returns:
            The best `top_n` documents, by their index, the most relevant first. It is not cached.

        Raises:
            RequestValidationError: the request is wrong; `.param` names the field.
            NoTargetError: no configured provider reranks with this model.
            APIError: the provider's final error.
        """
        request, options = _reranking(self._client, params)
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(Questions).ask(RERANK, request, options, scope, prefers_async=False)
        return engine.runtime.sync_driver.run(flow, scope)


class AsyncRerank:
    """`client.rerank` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    async def create(self, **params: Unpack[RerankParams]) -> RerankResponse:
        """Order documents; see `Rerank.create`."""
        request, options = _reranking(self._client, params)
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(Questions).ask(RERANK, request, options, scope, prefers_async=True)
        return await engine.runtime.async_driver.run(flow, scope)


class Moderations:
    """`client.moderations`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> ModerationsWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_calls import ModerationsWithRawResponse

        return ModerationsWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> ModerationsWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_calls import ModerationsWithStreamingResponse

        return ModerationsWithStreamingResponse(self)

    def create(self, **params: Unpack[ModerationParams]) -> ModerationCreateResponse:
        """Judge texts, with openai's parameters and `edge={…}`.

        Without `model`, the first provider that is known to moderate is asked for its own. It is not cached.

        Raises:
            RequestValidationError: the request is wrong; `.param` names the field.
            NoTargetError: no configured provider moderates with this model.
            APIError: the provider's final error.
        """
        request, options = _moderation(self._client, params)
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(Questions).ask(MODERATIONS, request, options, scope, prefers_async=False)
        return engine.runtime.sync_driver.run(flow, scope)


class AsyncModerations:
    """`client.moderations` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> AsyncModerationsWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_calls import AsyncModerationsWithRawResponse

        return AsyncModerationsWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> AsyncModerationsWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_calls import AsyncModerationsWithStreamingResponse

        return AsyncModerationsWithStreamingResponse(self)

    async def create(self, **params: Unpack[ModerationParams]) -> ModerationCreateResponse:
        """Judge texts; see `Moderations.create`."""
        request, options = _moderation(self._client, params)
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(Questions).ask(MODERATIONS, request, options, scope, prefers_async=True)
        return await engine.runtime.async_driver.run(flow, scope)
