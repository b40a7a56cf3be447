"""`client.models`: what models all configured providers have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from edgeagent.core.listing import Models as ModelFlows
from edgeagent.effects import Scope
from edgeagent.resources.elsewhere import Partial
from edgeagent.resources.options import parted, telling
from edgeagent.types import AsyncModelPage, ModelPage, ModelQuery
from edgeagent.types.parameters import check_model, validated

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions
    from edgeagent.resources.raw_calls import (
        AsyncModelsWithRawResponse,
        AsyncModelsWithStreamingResponse,
        ModelsWithRawResponse,
        ModelsWithStreamingResponse,
    )
    from edgeagent.types import Model
    from edgeagent.types.params import QueryOptions

__all__ = ["AsyncModelList", "AsyncModels", "Models"]


@telling
def _query(client: EdgeClient | AsyncEdgeClient, params: Any, method: str) -> tuple[ModelQuery, CallOptions]:
    values, options, extra_body = parted(client, params, frozenset({"model"} if method == "retrieve" else ()), method)
    query = validated(ModelQuery, values, extra_body)
    if method == "retrieve":
        check_model(query)
    return query, options


class Models(Partial):
    """`client.models`."""

    _path = "models."
    _elsewhere = frozenset({"delete"})

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> ModelsWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_calls import ModelsWithRawResponse

        return ModelsWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> ModelsWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_calls import ModelsWithStreamingResponse

        return ModelsWithStreamingResponse(self)

    def list(self, **params: Unpack[QueryOptions]) -> ModelPage:
        """Ask every configured provider for its models, all at the same time.

        Returns:
            A page that iterates over all models, in the providers' order; `page.errors` tells which providers could
            not be asked, and why.

        Raises:
            NoTargetError: there is no provider.
            APIError: no provider could be asked; it is the first one's error.
        """
        query, options = _query(self._client, params, "list")
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(ModelFlows).list(query, options, scope, prefers_async=False, page=ModelPage)
        return engine.runtime.sync_driver.run(flow, scope)

    def retrieve(self, model: str, **params: Unpack[QueryOptions]) -> Model:
        """Ask a model's provider for it; the name is read like that of any call (`"openai/gpt-4o"`, `"gpt-4o"`).

        Raises:
            RequestValidationError: no name was given.
            NotFoundError: the provider has no such model.
            APIError: the provider's final error.
        """
        query, options = _query(self._client, {"model": model, **params}, "retrieve")
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(ModelFlows).retrieve(query, options, scope, prefers_async=False)
        return engine.runtime.sync_driver.run(flow, scope)


class AsyncModels(Partial):
    """`client.models` of an async client."""

    _path = "models."
    _elsewhere = frozenset({"delete"})

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> AsyncModelsWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_calls import AsyncModelsWithRawResponse

        return AsyncModelsWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> AsyncModelsWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_calls import AsyncModelsWithStreamingResponse

        return AsyncModelsWithStreamingResponse(self)

    def list(self, **params: Unpack[QueryOptions]) -> AsyncModelList:
        """Ask every configured provider for its models; see `Models.list`.

        Returns:
            Something to be awaited, for the page, or iterated over with `async for`, as in `openai`.
        """
        return AsyncModelList(self._client, params)

    async def retrieve(self, model: str, **params: Unpack[QueryOptions]) -> Model:
        """Ask a model's provider for it; see `Models.retrieve`."""
        query, options = _query(self._client, {"model": model, **params}, "retrieve")
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(ModelFlows).retrieve(query, options, scope, prefers_async=True)
        return await engine.runtime.async_driver.run(flow, scope)


class AsyncModelList:
    """A list that is asked for when it is awaited or iterated over."""

    def __init__(self, client: AsyncEdgeClient, params: Any) -> None:
        self._client = client
        self._asked = _query(client, params, "list")

    def __await__(self) -> Generator[Any, None, AsyncModelPage]:
        return self._page().__await__()

    async def __aiter__(self) -> AsyncIterator[Model]:
        for model in (await self._page()).data:
            yield model

    async def _page(self) -> AsyncModelPage:
        query, options = self._asked
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.flows(ModelFlows).list(query, options, scope, prefers_async=True, page=AsyncModelPage)
        return await engine.runtime.async_driver.run(flow, scope)
