"""`client.chat.completions`: openai's surface over the pipeline."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from edgeagent.core.requests import KNOWN_PARAMETERS, chat_request, given
from edgeagent.effects import Scope
from edgeagent.resources.options import OPTIONS, call_options
from edgeagent.resources.streams import AsyncStream, Stream

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions
    from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
    from edgeagent.types.params import ChatParams

__all__ = ["AsyncChat", "AsyncCompletions", "Chat", "Completions"]

_ACCEPTED: Final = (KNOWN_PARAMETERS | OPTIONS) - {"stream"}


def _prepared(
    client: EdgeClient | AsyncEdgeClient, params: dict[str, Any], stream: object
) -> tuple[ChatRequest, CallOptions]:
    """The request and the options that one call's arguments mean.

    Raises:
        TypeError: an unknown argument.
        RequestValidationError: a missing or ill-typed one.
    """
    if not _ACCEPTED.issuperset(params):
        name = min(params.keys() - _ACCEPTED)
        raise TypeError(
            f"create() got an unexpected keyword argument {name!r}; a vendor's own parameters go into extra_body."
        )
    options, extra_body = client.options, None
    if client.default_headers or client.default_query or not OPTIONS.isdisjoint(params):
        options, extra_body = call_options(client, params)
    if stream:
        params["stream"] = True
    return chat_request(params, extra_body), options


class Completions:
    """`client.chat.completions`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @overload
    def create(self, *, stream: Literal[False] | None = None, **params: Unpack[ChatParams]) -> ChatCompletion: ...

    @overload
    def create(self, *, stream: Literal[True], **params: Unpack[ChatParams]) -> Stream[ChatCompletionChunk]: ...

    @overload
    def create(self, *, stream: bool, **params: Unpack[ChatParams]) -> ChatCompletion | Stream[ChatCompletionChunk]: ...

    def create(self, *, stream: bool | None = None, **params: Any) -> ChatCompletion | Stream[ChatCompletionChunk]:
        """Ask for a completion, with openai's parameters and `edge={…}`.

        Returns:
            A `ChatCompletion`; with `stream=True` a `Stream` of chunks, once the first chunk with content is there.

        Raises:
            RequestValidationError: the request is wrong; `.param` names the field.
            NoTargetError: no configured provider can serve it.
            APIError: the provider's final error, as in the `openai` package; `.attempts` tells what was tried.
        """
        client = self._client
        stream = bool(stream) if given(stream) else False
        request, options = _prepared(client, params, stream)
        engine = client._engine.here()
        driver = engine.runtime.sync_driver
        scope = Scope()
        if not stream:
            return driver.run(engine.pipeline.complete(request, options, scope, prefers_async=False), scope)
        try:
            session = driver.step(engine.pipeline.open_stream(request, options, scope, prefers_async=False), scope)
        except BaseException:
            driver.close(scope)
            raise
        return Stream(session, driver, scope)


class AsyncCompletions:
    """`client.chat.completions` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @overload
    async def create(self, *, stream: Literal[False] | None = None, **params: Unpack[ChatParams]) -> ChatCompletion: ...

    @overload
    async def create(
        self, *, stream: Literal[True], **params: Unpack[ChatParams]
    ) -> AsyncStream[ChatCompletionChunk]: ...

    @overload
    async def create(
        self, *, stream: bool, **params: Unpack[ChatParams]
    ) -> ChatCompletion | AsyncStream[ChatCompletionChunk]: ...

    async def create(
        self, *, stream: bool | None = None, **params: Any
    ) -> ChatCompletion | AsyncStream[ChatCompletionChunk]:
        """Ask for a completion; see `Completions.create`."""
        client = self._client
        stream = bool(stream) if given(stream) else False
        request, options = _prepared(client, params, stream)
        engine = client._engine.here()
        driver = engine.runtime.async_driver
        scope = Scope()
        if not stream:
            return await driver.run(engine.pipeline.complete(request, options, scope, prefers_async=True), scope)
        try:
            session = await driver.step(engine.pipeline.open_stream(request, options, scope, prefers_async=True), scope)
        except BaseException:
            await driver.aclose(scope)
            raise
        return AsyncStream(session, driver, scope)


class Chat:
    """`client.chat`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @cached_property
    def completions(self) -> Completions:
        """Chat completions."""
        return Completions(self._client)


class AsyncChat:
    """`client.chat` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @cached_property
    def completions(self) -> AsyncCompletions:
        """Chat completions."""
        return AsyncCompletions(self._client)
