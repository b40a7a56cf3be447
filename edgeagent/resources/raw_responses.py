"""`with_raw_response` and `with_streaming_response` of `client.responses`.

`create` and `retrieve` are written out for the types of their streams; `parse` because only `.parse()` of the response
reads the texts: what cannot be read can still be looked at.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from edgeagent.resources.async_responses import AsyncResponses
from edgeagent.resources.input_items import AsyncInputItems, InputItems
from edgeagent.resources.raw_methods import async_raw, async_streaming, raw, streaming
from edgeagent.resources.response_calls import read, structured
from edgeagent.resources.responses import Responses
from edgeagent.types.left_out import Omit, omit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Unpack

    from edgeagent.resources.raw import RawResponse
    from edgeagent.resources.raw_streaming import AsyncResponseContextManager, ResponseContextManager
    from edgeagent.resources.streams import AsyncStream, Stream
    from edgeagent.types.responses import ParsedResponse, Response, ResponseStreamEvent
    from edgeagent.types.responses.params import ResponseParams, RetrieveParams

__all__ = [
    "AsyncInputItemsWithRawResponse",
    "AsyncInputItemsWithStreamingResponse",
    "AsyncResponsesWithRawResponse",
    "AsyncResponsesWithStreamingResponse",
    "InputItemsWithRawResponse",
    "InputItemsWithStreamingResponse",
    "ResponsesWithRawResponse",
    "ResponsesWithStreamingResponse",
]

T = TypeVar("T")


def _structured(
    responses: Responses | AsyncResponses, text_format: Any, params: Mapping[str, Any], parse_as: Any
) -> tuple[dict[str, Any], Callable[[Response], ParsedResponse[Any]]]:
    """The arguments of `create` for those of `parse`, and what reads the answer's texts."""
    structure = structured(responses._client, text_format, params, parse_as)
    return structure.arguments(), partial(read, responses._client, structure)


class InputItemsWithRawResponse:
    """`client.responses.input_items`, each of whose calls gives the HTTP response."""

    def __init__(self, items: InputItems) -> None:
        self.list = raw(items, InputItems.list)


class InputItemsWithStreamingResponse:
    """`client.responses.input_items`, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, items: InputItems) -> None:
        self.list = streaming(items, InputItems.list)


class AsyncInputItemsWithRawResponse:
    """`client.responses.input_items` of an async client, each of whose calls gives the HTTP response."""

    def __init__(self, items: AsyncInputItems) -> None:
        self.list = async_raw(items, AsyncInputItems._first_page)


class AsyncInputItemsWithStreamingResponse:
    """`client.responses.input_items` of an async client: each call gives a context manager over the HTTP response."""

    def __init__(self, items: AsyncInputItems) -> None:
        self.list = async_streaming(items, AsyncInputItems._first_page)


class ResponsesWithRawResponse:
    """`client.responses`, each of whose calls gives the HTTP response."""

    def __init__(self, responses: Responses) -> None:
        self._responses = responses
        self.cancel = raw(responses, Responses.cancel)
        self.delete = raw(responses, Responses.delete)
        self.input_items = InputItemsWithRawResponse(responses.input_items)

    @overload
    def create(
        self, *, stream: Literal[False] | None = None, **params: Unpack[ResponseParams]
    ) -> RawResponse[Response]: ...

    @overload
    def create(
        self, *, stream: Literal[True], **params: Unpack[ResponseParams]
    ) -> RawResponse[Stream[ResponseStreamEvent]]: ...

    @overload
    def create(self, *, stream: bool, **params: Unpack[ResponseParams]) -> RawResponse[Any]: ...

    def create(self, **params: Any) -> RawResponse[Any]:
        """`create`, as a response."""
        return raw(self._responses, Responses.create)(**params)

    def parse(
        self,
        *,
        text_format: type[T] | None = None,
        parse_as: type[T] | Omit | None = omit,
        **params: Unpack[ResponseParams],
    ) -> RawResponse[ParsedResponse[T]]:
        """`parse`, as a response; `.parse()` of it reads the texts, and raises where they cannot be read."""
        arguments, texts = _structured(self._responses, text_format, params, parse_as)
        create: Any = Responses.create
        made: RawResponse[ParsedResponse[T]] = raw(self._responses, create, texts)(**arguments)
        return made

    @overload
    def retrieve(
        self, response_id: str, *, stream: Literal[False] | None = None, **params: Unpack[RetrieveParams]
    ) -> RawResponse[Response]: ...

    @overload
    def retrieve(
        self, response_id: str, *, stream: Literal[True], **params: Unpack[RetrieveParams]
    ) -> RawResponse[Stream[ResponseStreamEvent]]: ...

    def retrieve(self, response_id: str, **params: Any) -> RawResponse[Any]:
        """`retrieve`, as a response."""
        return raw(self._responses, Responses.retrieve)(response_id, **params)


class ResponsesWithStreamingResponse:
    """`client.responses`, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, responses: Responses) -> None:
        self._responses = responses
        self.cancel = streaming(responses, Responses.cancel)
        self.delete = streaming(responses, Responses.delete)
        self.input_items = InputItemsWithStreamingResponse(responses.input_items)

    @overload
    def create(
        self, *, stream: Literal[False] | None = None, **params: Unpack[ResponseParams]
    ) -> ResponseContextManager[Response]: ...

    @overload
    def create(
        self, *, stream: Literal[True], **params: Unpack[ResponseParams]
    ) -> ResponseContextManager[Stream[ResponseStreamEvent]]: ...

    @overload
    def create(self, *, stream: bool, **params: Unpack[ResponseParams]) -> ResponseContextManager[Any]: ...

    def create(self, **params: Any) -> ResponseContextManager[Any]:
        """`create`, as a response whose body is read piece by piece."""
        return streaming(self._responses, Responses.create)(**params)

    def parse(
        self,
        *,
        text_format: type[T] | None = None,
        parse_as: type[T] | Omit | None = omit,
        **params: Unpack[ResponseParams],
    ) -> ResponseContextManager[ParsedResponse[T]]:
        """`parse`, as a response; `.parse()` of it reads the texts, and raises where they cannot be read."""
        arguments, texts = _structured(self._responses, text_format, params, parse_as)
        create: Any = Responses.create
        made: ResponseContextManager[ParsedResponse[T]] = streaming(self._responses, create, texts)(**arguments)
        return made

    @overload
    def retrieve(
        self, response_id: str, *, stream: Literal[False] | None = None, **params: Unpack[RetrieveParams]
    ) -> ResponseContextManager[Response]: ...

    @overload
    def retrieve(
        self, response_id: str, *, stream: Literal[True], **params: Unpack[RetrieveParams]
    ) -> ResponseContextManager[Stream[ResponseStreamEvent]]: ...

    def retrieve(self, response_id: str, **params: Any) -> ResponseContextManager[Any]:
        """`retrieve`, as a response whose body is read piece by piece."""
        return streaming(self._responses, Responses.retrieve)(response_id, **params)


class AsyncResponsesWithRawResponse:
    """`client.responses` of an async client, each of whose calls gives the HTTP response."""

    def __init__(self, responses: AsyncResponses) -> None:
        self._responses = responses
        self.cancel = async_raw(responses, AsyncResponses.cancel)
        self.delete = async_raw(responses, AsyncResponses.delete)
        self.input_items = AsyncInputItemsWithRawResponse(responses.input_items)

    @overload
    async def create(
        self, *, stream: Literal[False] | None = None, **params: Unpack[ResponseParams]
    ) -> RawResponse[Response]: ...

    @overload
    async def create(
        self, *, stream: Literal[True], **params: Unpack[ResponseParams]
    ) -> RawResponse[AsyncStream[ResponseStreamEvent]]: ...

    @overload
    async def create(self, *, stream: bool, **params: Unpack[ResponseParams]) -> RawResponse[Any]: ...

    async def create(self, **params: Any) -> RawResponse[Any]:
        """`create`, as a response."""
        return await async_raw(self._responses, AsyncResponses.create)(**params)

    async def parse(
        self,
        *,
        text_format: type[T] | None = None,
        parse_as: type[T] | Omit | None = omit,
        **params: Unpack[ResponseParams],
    ) -> RawResponse[ParsedResponse[T]]:
        """`parse`, as a response; `.parse()` of it reads the texts, and raises where they cannot be read."""
        arguments, texts = _structured(self._responses, text_format, params, parse_as)
        create: Any = AsyncResponses.create
        made: RawResponse[ParsedResponse[T]] = await async_raw(self._responses, create, texts)(**arguments)
        return made

    @overload
    async def retrieve(
        self, response_id: str, *, stream: Literal[False] | None = None, **params: Unpack[RetrieveParams]
    ) -> RawResponse[Response]: ...

    @overload
    async def retrieve(
        self, response_id: str, *, stream: Literal[True], **params: Unpack[RetrieveParams]
    ) -> RawResponse[AsyncStream[ResponseStreamEvent]]: ...

    async def retrieve(self, response_id: str, **params: Any) -> RawResponse[Any]:
        """`retrieve`, as a response."""
        return await async_raw(self._responses, AsyncResponses.retrieve)(response_id, **params)


class AsyncResponsesWithStreamingResponse:
    """`client.responses` of an async client, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, responses: AsyncResponses) -> None:
        self._responses = responses
        self.cancel = async_streaming(responses, AsyncResponses.cancel)
        self.delete = async_streaming(responses, AsyncResponses.delete)
        self.input_items = AsyncInputItemsWithStreamingResponse(responses.input_items)

    @overload
    def create(
        self, *, stream: Literal[False] | None = None, **params: Unpack[ResponseParams]
    ) -> AsyncResponseContextManager[Response]: ...

    @overload
    def create(
        self, *, stream: Literal[True], **params: Unpack[ResponseParams]
    ) -> AsyncResponseContextManager[AsyncStream[ResponseStreamEvent]]: ...

    @overload
    def create(self, *, stream: bool, **params: Unpack[ResponseParams]) -> AsyncResponseContextManager[Any]: ...

    def create(self, **params: Any) -> AsyncResponseContextManager[Any]:
        """`create`, as a response whose body is read piece by piece."""
        return async_streaming(self._responses, AsyncResponses.create)(**params)

    def parse(
        self,
        *,
        text_format: type[T] | None = None,
        parse_as: type[T] | Omit | None = omit,
        **params: Unpack[ResponseParams],
    ) -> AsyncResponseContextManager[ParsedResponse[T]]:
        """`parse`, as a response; `.parse()` of it reads the texts, and raises where they cannot be read."""
        arguments, texts = _structured(self._responses, text_format, params, parse_as)
        create: Any = AsyncResponses.create
        made: AsyncResponseContextManager[ParsedResponse[T]] = async_streaming(self._responses, create, texts)(
            **arguments
        )
        return made

    @overload
    def retrieve(
        self, response_id: str, *, stream: Literal[False] | None = None, **params: Unpack[RetrieveParams]
    ) -> AsyncResponseContextManager[Response]: ...

    @overload
    def retrieve(
        self, response_id: str, *, stream: Literal[True], **params: Unpack[RetrieveParams]
    ) -> AsyncResponseContextManager[AsyncStream[ResponseStreamEvent]]: ...

    def retrieve(self, response_id: str, **params: Any) -> AsyncResponseContextManager[Any]:
        """`retrieve`, as a response whose body is read piece by piece."""
        return async_streaming(self._responses, AsyncResponses.retrieve)(response_id, **params)
