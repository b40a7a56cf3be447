"""`client.responses`: openai's Responses API over the pipeline, for every vendor."""

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
from edgeagent.resources.streams import Stream
from edgeagent.types.left_out import Omit, omit

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from edgeagent.client import EdgeClient
    from edgeagent.core.call import Call
    from edgeagent.resources.input_items import InputItems
    from edgeagent.resources.raw_responses import (
        ResponsesWithRawResponse,
        ResponsesWithStreamingResponse,
    )
    from edgeagent.resources.response_stream import ResponseStreamManager
    from edgeagent.types.responses import ParsedResponse, Response, ResponseStreamEvent
    from edgeagent.types.responses.params import ResponseParams, RetrieveParams, StoredParams, StreamedParams
    from edgeagent.wire.http import HTTPResponse

__all__ = ["Responses"]

T = TypeVar("T")


class Responses(Partial):
    """`client.responses`."""

    _path = "responses."
    _elsewhere = NOT_HERE

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> ResponsesWithRawResponse:
        """The same calls, each giving the HTTP response."""
        from edgeagent.resources.raw_responses import ResponsesWithRawResponse

        return ResponsesWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> ResponsesWithStreamingResponse:
        """The same calls, each giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_responses import ResponsesWithStreamingResponse

        return ResponsesWithStreamingResponse(self)

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
        stream = streams(client, stream)
        request, native, options = prepared(client, params, stream=stream)
        engine = client._engine.here()
        driver = engine.runtime.sync_driver
        scope = Scope()
        pipeline = engine.pipeline
        if not stream:
            return whole(
                driver.run(pipeline.complete_natively(request, native, options, scope, prefers_async=False), scope)
            )
        try:
            flow = pipeline.open_stream_natively(request, native, options, scope, prefers_async=False)
            return Stream(EventSession(driver.step(flow, scope)), driver, scope)
        except BaseException:
            driver.close(scope)
            raise

    def parse(
        self,
        *,
        text_format: type[T] | None = None,
        parse_as: type[T] | Omit | None = omit,
        **params: Unpack[ResponseParams],
    ) -> ParsedResponse[T]:
        """Ask for a response whose text is an instance of a type, `response.output_parsed`.

        Args:
            text_format: a pydantic model, a dataclass or a TypedDict; its strict schema is asked for.
            parse_as: what the text is read as, where that is another type, or where `text` has a schema of the caller's
                own; None: it is not read.
            params: as of `create`; a tool may be one of `edgeagent.pydantic_function_tool`, whose arguments are read.

        Raises:
            LengthFinishReasonError, ContentFilterFinishReasonError: the answer was cut off.
            pydantic.ValidationError: it is not what was asked for.
            Exception: what `create` raises.
        """
        structure = structured(self._client, text_format, params, parse_as)
        return read(self._client, structure, self.create(**structure.arguments()))

    @overload
    def stream(
        self, *, text_format: type[T] | None = None, **params: Unpack[ResponseParams]
    ) -> ResponseStreamManager[T]: ...

    @overload
    def stream(
        self,
        *,
        response_id: str,
        text_format: type[T] | None = None,
        **params: Unpack[StreamedParams],
    ) -> ResponseStreamManager[T]: ...

    def stream(self, *, text_format: type[T] | None = None, **params: Any) -> ResponseStreamManager[T]:
        """A context manager over the events of one response, with the text so far and, at the end, what was read.

        Args:
            text_format: as of `parse`.
            params: as of `create`. In their place `response_id`, of a background response that its vendor keeps (see
                `retrieve`): it is read from its beginning, and the events behind `starting_after` (a sequence number)
                are shown. With it go `include`, `tools` (their arguments are read), `extra_headers`, `extra_query`,
                `timeout` and `edge`.
        """
        from edgeagent.resources.response_stream import ResponseStreamManager

        structure, asked, start = opening(self._client, text_format, params)
        begin: Callable[..., Any] = self.retrieve if "response_id" in asked else self.create
        return ResponseStreamManager(lambda: begin(stream=True, **asked), structure, self._client, start)

    # what a vendor keeps

    @cached_property
    def input_items(self) -> InputItems:
        """The items that a stored response was made from."""
        from edgeagent.resources.input_items import InputItems

        return InputItems(self._client)

    @overload
    def retrieve(
        self, response_id: str, *, stream: Literal[False] | None = None, **params: Unpack[RetrieveParams]
    ) -> Response: ...

    @overload
    def retrieve(
        self, response_id: str, *, stream: Literal[True], **params: Unpack[RetrieveParams]
    ) -> Stream[ResponseStreamEvent]: ...

    def retrieve(
        self, response_id: str, *, stream: bool | None = None, **params: Any
    ) -> Response | Stream[ResponseStreamEvent]:
        """A response that its vendor keeps; never cached.

        Args:
            response_id: asked at the provider that `edge={"provider": …}` names, else at that before the slash in
                `"openai/resp_…"`, else at the only one that has the Responses API.
            stream: the events of a background response, behind `starting_after` (a sequence number) if that is given.
            params: `include`, `include_obfuscation`, `starting_after`; `extra_headers`, `extra_query`, `timeout`,
                `edge`.

        Raises:
            NoTargetError: it is not clear which provider has the response.
            APIError: the vendor's error.
        """
        if not streams(self._client, stream):
            return self._stored("GET", response_id, **params)
        question, options = stored(self._client, "GET", response_id, known=QUERY, stream=True, **params)
        engine, scope = self._client._engine.here(), Scope()
        driver = engine.runtime.sync_driver
        try:
            flow = StoredAnswers.beside(engine.pipeline).open(question, options, scope, prefers_async=False)
            return Stream(EventSession(driver.step(flow, scope)), driver, scope)
        except BaseException:
            driver.close(scope)
            raise

    def cancel(self, response_id: str, **params: Unpack[StoredParams]) -> Response:
        """Stop a background response; see `retrieve` for where it is asked."""
        return self._stored("POST", response_id, "cancel", **params)

    def delete(self, response_id: str, **params: Unpack[StoredParams]) -> None:
        """Have its vendor forget a response; see `retrieve` for where it is asked."""
        self._ask_stored(lambda _: None, "DELETE", response_id, **params)

    def _stored(self, *question: str, **params: Any) -> Response:
        response, call = self._ask_stored(response_of, *question, **params)
        response._attach(call.edge)
        return response

    def _ask_stored(
        self, decode: Callable[[HTTPResponse], T], method: str, response_id: str, *path: str, **params: Any
    ) -> tuple[T, Call[Any]]:
        question, options = stored(self._client, method, response_id, *path, known=QUERY, **params)
        engine, scope = self._client._engine.here(), Scope()
        flow = StoredAnswers.beside(engine.pipeline).ask(question, decode, options, scope, prefers_async=False)
        return engine.runtime.sync_driver.run(flow, scope)
