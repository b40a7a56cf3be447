"""`client.chat.completions`: openai's surface over the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from edgeagent.core.requests import KNOWN_PARAMETERS, chat_request
from edgeagent.effects import Scope
from edgeagent.errors import EdgeAgentError
from edgeagent.resources.options import OPTIONS, call_options, is_shielded, streams, unknown_argument
from edgeagent.resources.stored import Stored
from edgeagent.resources.streams import AsyncStream, Stream

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions
    from edgeagent.core.known_requests import KnownRequest
    from edgeagent.resources.event_streams import AsyncChatCompletionStreamManager, ChatCompletionStreamManager
    from edgeagent.resources.raw_chat import (
        AsyncCompletionsWithRawResponse,
        AsyncCompletionsWithStreamingResponse,
        CompletionsWithRawResponse,
        CompletionsWithStreamingResponse,
        WithCompletions,
    )
    from edgeagent.resources.structured import Structure
    from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
    from edgeagent.types.left_out import LeftOut
    from edgeagent.types.params import ChatParams, JSONObject, ParseParams
    from edgeagent.types.parsed import ParsedChatCompletion

T = TypeVar("T")

__all__ = ["AsyncChat", "AsyncCompletions", "Chat", "Completions", "prepared"]

_ACCEPTED: Final = (KNOWN_PARAMETERS | OPTIONS) - {"stream"}


def prepared(
    client: EdgeClient | AsyncEdgeClient, params: dict[str, Any], stream: object
) -> tuple[ChatRequest, CallOptions, KnownRequest | None]:
    """The request and the options that one call's arguments mean, and what is known of the request.

    Raises:
        TypeError: an unknown argument.
        RequestValidationError: a missing or ill-typed one.
    """
    if not _ACCEPTED.issuperset(params):
        raise unknown_argument(params, _ACCEPTED)
    try:
        options, extra_body = client.options, None
        if client.default_headers or client.default_query or not OPTIONS.isdisjoint(params):
            options, extra_body = call_options(client, params)
        if stream:
            params["stream"] = True
        layers = client._engine.pipeline.layers
        if extra_body is None and layers.enabled and options.cache.mode != "off":
            request, known = layers.known.request(params)
            return request, options, known
        return chat_request(params, extra_body), options, None
    except EdgeAgentError as error:
        raise client._told(error)  # noqa: B904  # has its cause


class _Structured(Stored):
    """What `parse` and `stream` of both kinds share."""

    def _structure(self, response_format: Any, params: Mapping[str, Any], *, strict_tools: bool) -> Structure:
        """What a call wants to have read. Raises `RequestValidationError`."""
        from edgeagent.resources.structured import Structure

        if "stream" in params:
            raise TypeError("parse() and stream() take no stream=.")
        try:
            hides = is_shielded(self._client, params)
            return Structure(response_format, params.get("tools"), strict_tools=strict_tools, hides=hides)
        except EdgeAgentError as error:
            raise self._client._told(error)  # noqa: B904  # has its cause

    def _parsed(self, structure: Structure, completion: ChatCompletion) -> ParsedChatCompletion[Any]:
        """The completion with everything read. Raises `LengthFinishReasonError`, `ContentFilterFinishReasonError`."""
        try:
            return structure.parsed(completion)
        except EdgeAgentError as error:
            raise self._client._told(error)  # noqa: B904  # has its cause


class Completions(_Structured):
    """`client.chat.completions`."""

    _client: EdgeClient

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> CompletionsWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_chat import CompletionsWithRawResponse

        return CompletionsWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> CompletionsWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response, whose body is read piece by piece."""
        from edgeagent.resources.raw_chat import CompletionsWithStreamingResponse

        return CompletionsWithStreamingResponse(self)

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
        stream = streams(client, stream)
        request, options, known = prepared(client, params, stream)
        engine = client._engine.here()
        driver = engine.runtime.sync_driver
        scope = Scope()
        if not stream:
            return driver.run(
                engine.pipeline.complete(request, options, scope, prefers_async=False, known=known), scope
            )
        try:
            session = driver.step(
                engine.pipeline.open_stream(request, options, scope, prefers_async=False, known=known), scope
            )
        except BaseException:
            driver.close(scope)
            raise
        return Stream(session, driver, scope)

    @overload
    def parse(self, *, response_format: type[T], **params: Unpack[ParseParams]) -> ParsedChatCompletion[T]: ...

    @overload
    def parse(
        self, *, response_format: JSONObject | LeftOut | None = None, **params: Unpack[ParseParams]
    ) -> ParsedChatCompletion[None]: ...

    def parse(self, *, response_format: Any = None, **params: Any) -> ParsedChatCompletion[Any]:
        """Ask for a completion and read its content and the arguments of its tool calls.

        Args:
            response_format: the type of the content: a pydantic model, a dataclass or a TypedDict, whose strict schema
                is asked for; or a `response_format` of `create`, with which the content is left as text.
            **params: those of `create`. Every tool must be a strict function: see `edgeagent.pydantic_function_tool`.

        Returns:
            A completion whose messages have `parsed`, and whose tool calls have `function.parsed_arguments`.

        Raises:
            LengthFinishReasonError, ContentFilterFinishReasonError: the answer was cut off.
            pydantic.ValidationError: the answer is not what was asked for.
            RequestValidationError: the type is none of these, or a tool is not strict; and all that `create` raises.
        """
        structure = self._structure(response_format, params, strict_tools=True)
        return self._parsed(structure, self.create(**structure.arguments(params)))

    @overload
    def stream(self, *, response_format: type[T], **params: Unpack[ParseParams]) -> ChatCompletionStreamManager[T]: ...

    @overload
    def stream(
        self, *, response_format: JSONObject | LeftOut | None = None, **params: Unpack[ParseParams]
    ) -> ChatCompletionStreamManager[None]: ...

    def stream(self, *, response_format: Any = None, **params: Any) -> ChatCompletionStreamManager[Any]:
        """Ask for a streamed completion, as typed events: a context manager that sends the request when it is entered.

        Args:
            response_format: as for `parse`.
            **params: those of `create`.

        Raises:
            RequestValidationError: the type is none that can be read; entering raises all that `create` raises.
        """
        from edgeagent.resources.event_streams import ChatCompletionStreamManager

        structure = self._structure(response_format, params, strict_tools=False)
        send: Any = partial(self.create, stream=True, **structure.arguments(params))
        return ChatCompletionStreamManager(send, structure, self._client._told)


class AsyncCompletions(_Structured):
    """`client.chat.completions` of an async client."""

    _client: AsyncEdgeClient

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> AsyncCompletionsWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_chat import AsyncCompletionsWithRawResponse

        return AsyncCompletionsWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> AsyncCompletionsWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response, whose body is read piece by piece."""
        from edgeagent.resources.raw_chat import AsyncCompletionsWithStreamingResponse

        return AsyncCompletionsWithStreamingResponse(self)

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
        stream = streams(client, stream)
        request, options, known = prepared(client, params, stream)
        engine = client._engine.here()
        driver = engine.runtime.async_driver
        scope = Scope()
        if not stream:
            return await driver.run(
                engine.pipeline.complete(request, options, scope, prefers_async=True, known=known), scope
            )
        try:
            session = await driver.step(
                engine.pipeline.open_stream(request, options, scope, prefers_async=True, known=known), scope
            )
        except BaseException:
            await driver.aclose(scope)
            raise
        return AsyncStream(session, driver, scope)

    @overload
    async def parse(self, *, response_format: type[T], **params: Unpack[ParseParams]) -> ParsedChatCompletion[T]: ...

    @overload
    async def parse(
        self, *, response_format: JSONObject | LeftOut | None = None, **params: Unpack[ParseParams]
    ) -> ParsedChatCompletion[None]: ...

    async def parse(self, *, response_format: Any = None, **params: Any) -> ParsedChatCompletion[Any]:
        """Ask for a completion and read it; see `Completions.parse`."""
        structure = self._structure(response_format, params, strict_tools=True)
        return self._parsed(structure, await self.create(**structure.arguments(params)))

    @overload
    def stream(
        self, *, response_format: type[T], **params: Unpack[ParseParams]
    ) -> AsyncChatCompletionStreamManager[T]: ...

    @overload
    def stream(
        self, *, response_format: JSONObject | LeftOut | None = None, **params: Unpack[ParseParams]
    ) -> AsyncChatCompletionStreamManager[None]: ...

    def stream(self, *, response_format: Any = None, **params: Any) -> AsyncChatCompletionStreamManager[Any]:
        """Ask for a streamed completion, as typed events; see `Completions.stream`."""
        from edgeagent.resources.event_streams import AsyncChatCompletionStreamManager

        structure = self._structure(response_format, params, strict_tools=False)
        send: Any = partial(self.create, stream=True, **structure.arguments(params))
        return AsyncChatCompletionStreamManager(send, structure, self._client._told)


class Chat:
    """`client.chat`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @cached_property
    def completions(self) -> Completions:
        """Chat completions."""
        return Completions(self._client)

    @property
    def with_raw_response(self) -> WithCompletions[CompletionsWithRawResponse]:
        """`completions`, each of whose calls gives the HTTP response."""
        from edgeagent.resources.raw_chat import WithCompletions

        return WithCompletions(self.completions.with_raw_response)

    @property
    def with_streaming_response(self) -> WithCompletions[CompletionsWithStreamingResponse]:
        """`completions`, each of whose calls gives a context manager over the HTTP response."""
        from edgeagent.resources.raw_chat import WithCompletions

        return WithCompletions(self.completions.with_streaming_response)


class AsyncChat:
    """`client.chat` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @cached_property
    def completions(self) -> AsyncCompletions:
        """Chat completions."""
        return AsyncCompletions(self._client)

    @property
    def with_raw_response(self) -> WithCompletions[AsyncCompletionsWithRawResponse]:
        """`completions`, each of whose calls gives the HTTP response."""
        from edgeagent.resources.raw_chat import WithCompletions

        return WithCompletions(self.completions.with_raw_response)

    @property
    def with_streaming_response(self) -> WithCompletions[AsyncCompletionsWithStreamingResponse]:
        """`completions`, each of whose calls gives a context manager over the HTTP response."""
        from edgeagent.resources.raw_chat import WithCompletions

        return WithCompletions(self.completions.with_streaming_response)
