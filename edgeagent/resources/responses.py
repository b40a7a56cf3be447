"""`client.responses`: openai's Responses API over the pipeline, for every vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from edgeagent.core.requests import given
from edgeagent.effects import Scope
from edgeagent.resources.chat import _call_options
from edgeagent.resources.response_events import EventSession
from edgeagent.resources.response_request import KNOWN, asked
from edgeagent.resources.streams import AsyncStream, Stream
from edgeagent.types.responses import Response

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions
    from edgeagent.core.native import Native, NativeAnswer
    from edgeagent.types import ChatRequest
    from edgeagent.types.responses import ResponseStreamEvent
    from edgeagent.types.responses.params import ResponseParams

__all__ = ["AsyncResponses", "Responses"]


def _prepared(
    client: EdgeClient | AsyncEdgeClient, params: dict[str, Any], *, stream: bool
) -> tuple[ChatRequest, Native, CallOptions]:
    """What one call's arguments mean.

    Raises:
        TypeError: an unknown argument.
        RequestValidationError: a missing or ill-typed one.
    """
    if not KNOWN.issuperset(params):
        name = min(params.keys() - KNOWN)
        raise TypeError(
            f"create() got an unexpected keyword argument {name!r}; a vendor's own parameters go into extra_body."
        )
    options, extra_body = _call_options(client, params)
    request, native = asked(params, extra_body, stream=stream)
    return request, native, options


def _response(answer: NativeAnswer) -> Response:
    response = Response.from_json(answer.body)
    response._attach(answer.completion.edge)
    return response


class Responses:
    """`client.responses`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @overload
    def create(self, *, stream: Literal[False] | None = None, **params: Unpack[ResponseParams]) -> Response: ...

    @overload
    def create(self, *, stream: Literal[True], **params: Unpack[ResponseParams]) -> Stream[ResponseStreamEvent]: ...

    @overload
    def create(self, *, stream: bool, **params: Unpack[ResponseParams]) -> Response | Stream[ResponseStreamEvent]: ...

    def create(self, *, stream: bool | None = None, **params: Any) -> Response | Stream[ResponseStreamEvent]:
        """Ask for a response, with openai's parameters and `edge={…}`.

        A vendor that has the Responses API is sent the body as it is, but for the edits in `response.edge.edits`; any
        other is asked through its chat.

        Returns:
            A `Response`; with `stream=True` a `Stream` of events, once the first with content is there.

        Raises:
            RequestValidationError: the request is wrong, or asks for what only a vendor with the Responses API can do;
                `.param` names the field.
            NoTargetError: no configured provider can serve it.
            APIError: the provider's final error; `.attempts` tells what was tried.
        """
        client = self._client
        stream = bool(stream) if given(stream) else False
        request, native, options = _prepared(client, params, stream=stream)
        engine = client._engine.here()
        driver = engine.runtime.sync_driver
        scope = Scope()
        pipeline = engine.pipeline
        if not stream:
            return _response(
                driver.run(pipeline.complete_natively(request, native, options, scope, prefers_async=False), scope)
            )
        try:
            flow = pipeline.open_stream_natively(request, native, options, scope, prefers_async=False)
            return Stream(EventSession(driver.step(flow, scope)), driver, scope)
        except BaseException:
            driver.close(scope)
            raise


class AsyncResponses:
    """`client.responses` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

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
        stream = bool(stream) if given(stream) else False
        request, native, options = _prepared(client, params, stream=stream)
        engine = client._engine.here()
        driver = engine.runtime.async_driver
        scope = Scope()
        pipeline = engine.pipeline
        if not stream:
            return _response(
                await driver.run(pipeline.complete_natively(request, native, options, scope, prefers_async=True), scope)
            )
        try:
            flow = pipeline.open_stream_natively(request, native, options, scope, prefers_async=True)
            return AsyncStream(EventSession(await driver.step(flow, scope)), driver, scope)
        except BaseException:
            await driver.aclose(scope)
            raise
