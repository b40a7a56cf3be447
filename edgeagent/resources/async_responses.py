"""`client.responses` of an async client."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from edgeagent.core.stored import StoredAnswers
from edgeagent.effects import Scope
from edgeagent.resources.elsewhere import Partial
from edgeagent.resources.options import streams
from edgeagent.resources.response_calls import NOT_HERE, QUERY, opening, prepared, read, structured, whole
from edgeagent.resources.response_events import EventSession
from edgeagent.resources.stored_responses import response_of, stored
from edgeagent.resources.streams import AsyncStream
from edgeagent.types.left_out import Omit, omit

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from edgeagent.client import AsyncEdgeClient
    from edgeagent.core.call import Call
    from edgeagent.resources.input_items import AsyncInputItems
    from edgeagent.resources.raw_responses import (
        AsyncResponsesWithRawResponse,
        AsyncResponsesWithStreamingResponse,
    )
    from edgeagent.resources.response_stream import AsyncResponseStreamManager
    from edgeagent.types.responses import ParsedResponse, Response, ResponseStreamEvent
    from edgeagent.types.responses.params import ResponseParams, RetrieveParams, StoredParams, StreamedParams
    from edgeagent.wire.http import HTTPResponse

__all__ = ["AsyncResponses"]

T = TypeVar("T")


class AsyncResponses(Partial):
    """`client.responses` of an async client."""

    _path = "responses."
    _elsewhere = NOT_HERE

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> AsyncResponsesWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_responses import AsyncResponsesWithRawResponse

        return AsyncResponsesWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> AsyncResponsesWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_responses import AsyncResponsesWithStreamingResponse

        return AsyncResponsesWithStreamingResponse(self)

    @overload
    async def create(self, *, stream: Literal[False] | None = None, **params: Unpack[ResponseParams]) -> Response: ...

    @overload
    async def create(
        self, *, stream: Literal[True], **params: Unpack[ResponseParams]
    ) -> AsyncStream[ResponseStreamEvent]: ...

    @overload
    async def create(
        self, *, stream: bool, **params: Unpack[ResponseParams]
    ) -> Response | AsyncStream[ResponseStreamEvent]: ...

    async def create(self, *, stream: bool | None = None, **params: Any) -> Response | AsyncStream[ResponseStreamEvent]:
        """Ask for a response; see `Responses.create`."""
        client = self._client
        stream = streams(client, stream)
        request, native, options = prepared(client, params, stream=stream)
        engine = client._engine.here()
        driver = engine.runtime.async_driver
        scope = Scope()
        pipeline = engine.pipeline
        if not stream:
            return whole(
                await driver.run(pipeline.complete_natively(request, native, options, scope, prefers_async=True), scope)
            )
        try:
            flow = pipeline.open_stream_natively(request, native, options, scope, prefers_async=True)
            return AsyncStream(EventSession(await driver.step(flow, scope)), driver, scope)
        except BaseException:
            await driver.aclose(scope)
            raise

    async def parse(
        self,
        *,
        text_format: type[T] | None = None,
        parse_as: type[T] | Omit | None = omit,
        **params: Unpack[ResponseParams],
    ) -> ParsedResponse[T]:
        """Ask for a response whose text is an instance of a type; see `Responses.parse`."""
        structure = structured(self._client, text_format, params, parse_as)
        return read(self._client, structure, await self.create(**structure.arguments()))

    @overload
    def stream(
        self, *, text_format: type[T] | None = None, **params: Unpack[ResponseParams]
    ) -> AsyncResponseStreamManager[T]: ...

    @overload
    def stream(
        self, *, response_id: str, text_format: type[T] | None = None, **params: Unpack[StreamedParams]
    ) -> AsyncResponseStreamManager[T]: ...

    def stream(self, *, text_format: type[T] | None = None, **params: Any) -> AsyncResponseStreamManager[T]:
        """An async context manager over the events of one response; see `Responses.stream`."""
        from edgeagent.resources.response_stream import AsyncResponseStreamManager

        structure, asked, start = opening(self._client, text_format, params)
        begin: Callable[..., Any] = self.retrieve if "response_id" in asked else self.create
        return AsyncResponseStreamManager(lambda: begin(stream=True, **asked), structure, self._client, start)

    # what a vendor keeps

    @cached_property
    def input_items(self) -> AsyncInputItems:
        """The items that a stored response was made from."""
        from edgeagent.resources.input_items import AsyncInputItems

        return AsyncInputItems(self._client)

    @overload
    async def retrieve(
        self, response_id: str, *, stream: Literal[False] | None = None, **params: Unpack[RetrieveParams]
    ) -> Response: ...

    @overload
    async def retrieve(
        self, response_id: str, *, stream: Literal[True], **params: Unpack[RetrieveParams]
    ) -> AsyncStream[ResponseStreamEvent]: ...

    async def retrieve(
        self, response_id: str, *, stream: bool | None = None, **params: Any
    ) -> Response | AsyncStream[ResponseStreamEvent]:
        """A response that its vendor keeps; see `Responses.retrieve`."""
        if not streams(self._client, stream):
            return await self._stored("GET", response_id, **params)
        question, options = stored(self._client, "GET", response_id, known=QUERY, stream=True, **params)
        engine, scope = self._client._engine.here(), Scope()
        driver = engine.runtime.async_driver
        try:
            flow = StoredAnswers.beside(engine.pipeline).open(question, options, scope, prefers_async=True)
            return AsyncStream(EventSession(await driver.step(flow, scope)), driver, scope)
        except BaseException:
            await driver.aclose(scope)
            raise

    async def cancel(self, response_id: str, **params: Unpack[StoredParams]) -> Response:
        """Stop a background response; see `retrieve` for where it is asked."""
        return await self._stored("POST", response_id, "cancel", **params)

    async def delete(self, response_id: str, **params: Unpack[StoredParams]) -> None:
        """Have its vendor forget a response; see `retrieve` for where it is asked."""
        await self._ask_stored(lambda _: None, "DELETE", response_id, **params)

    async def _stored(self, *question: str, **params: Any) -> Response:
        response, call = await self._ask_stored(response_of, *question, **params)
        response._attach(call.edge)
        return response

    async def _ask_stored(
        self, decode: Callable[[HTTPResponse], T], method: str, response_id: str, *path: str, **params: Any
    ) -> tuple[T, Call[Any]]:
        question, options = stored(self._client, method, response_id, *path, known=QUERY, **params)
        engine, scope = self._client._engine.here(), Scope()
        flow = StoredAnswers.beside(engine.pipeline).ask(question, decode, options, scope, prefers_async=True)
        return await engine.runtime.async_driver.run(flow, scope)
