"""`client.chat.completions.with_raw_response` and `.with_streaming_response`.

Each call is made through a view of the client that keeps the response of the attempt that answers; any other call
keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from edgeagent.core.record import WireRecord
from edgeagent.resources.raw import RawResponse, as_response, recording
from edgeagent.resources.raw_streaming import (
    APIResponse,
    AsyncAPIResponse,
    AsyncResponseContextManager,
    ResponseContextManager,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.resources.chat import AsyncCompletions, Completions
    from edgeagent.resources.streams import AsyncStream, Stream
    from edgeagent.types import ChatCompletion, ChatCompletionChunk
    from edgeagent.types.params import ChatParams, ParseParams
    from edgeagent.types.parsed import ParsedChatCompletion

__all__ = [
    "AsyncCompletionsWithRawResponse",
    "AsyncCompletionsWithStreamingResponse",
    "CompletionsWithRawResponse",
    "CompletionsWithStreamingResponse",
    "WithCompletions",
]

T = TypeVar("T")


class CompletionsWithRawResponse:
    """Calls that give a `RawResponse`."""

    def __init__(self, completions: Completions) -> None:
        self._completions = completions

    @overload
    def create(
        self, *, stream: Literal[False] | None = None, **params: Unpack[ChatParams]
    ) -> RawResponse[ChatCompletion]: ...

    @overload
    def create(
        self, *, stream: Literal[True], **params: Unpack[ChatParams]
    ) -> RawResponse[Stream[ChatCompletionChunk]]: ...

    @overload
    def create(self, *, stream: bool, **params: Unpack[ChatParams]) -> RawResponse[Any]: ...

    def create(self, *, stream: bool | None = None, **params: Any) -> RawResponse[Any]:
        """`create`, as a response."""
        record = WireRecord(body=False)
        made = recording(self._completions._client, record).chat.completions.create(stream=stream, **params)
        return as_response(RawResponse, made, record)

    @overload
    def parse(
        self, *, response_format: type[T], **params: Unpack[ParseParams]
    ) -> RawResponse[ParsedChatCompletion[T]]: ...

    @overload
    def parse(
        self, *, response_format: Any = None, **params: Unpack[ParseParams]
    ) -> RawResponse[ParsedChatCompletion[Any]]: ...

    def parse(self, *, response_format: Any = None, **params: Any) -> RawResponse[Any]:
        """`parse`, as a response; `.parse()` of it reads the content, and raises where that cannot be read."""
        record = WireRecord(body=False)
        completions = recording(self._completions._client, record).chat.completions
        structure = completions._structure(response_format, params, strict_tools=True)
        made = completions.create(**structure.arguments(params))
        return as_response(RawResponse, made, record, partial(completions._parsed, structure))


class AsyncCompletionsWithRawResponse:
    """Calls that give a `RawResponse`, for code that awaits."""

    def __init__(self, completions: AsyncCompletions) -> None:
        self._completions = completions

    @overload
    async def create(
        self, *, stream: Literal[False] | None = None, **params: Unpack[ChatParams]
    ) -> RawResponse[ChatCompletion]: ...

    @overload
    async def create(
        self, *, stream: Literal[True], **params: Unpack[ChatParams]
    ) -> RawResponse[AsyncStream[ChatCompletionChunk]]: ...

    @overload
    async def create(self, *, stream: bool, **params: Unpack[ChatParams]) -> RawResponse[Any]: ...

    async def create(self, *, stream: bool | None = None, **params: Any) -> RawResponse[Any]:
        """`create`, as a response."""
        record = WireRecord(body=False)
        completions = recording(self._completions._client, record).chat.completions
        return as_response(RawResponse, await completions.create(stream=stream, **params), record)

    @overload
    async def parse(
        self, *, response_format: type[T], **params: Unpack[ParseParams]
    ) -> RawResponse[ParsedChatCompletion[T]]: ...

    @overload
    async def parse(
        self, *, response_format: Any = None, **params: Unpack[ParseParams]
    ) -> RawResponse[ParsedChatCompletion[Any]]: ...

    async def parse(self, *, response_format: Any = None, **params: Any) -> RawResponse[Any]:
        """`parse`, as a response; see `CompletionsWithRawResponse.parse`."""
        record = WireRecord(body=False)
        completions = recording(self._completions._client, record).chat.completions
        structure = completions._structure(response_format, params, strict_tools=True)
        made = await completions.create(**structure.arguments(params))
        return as_response(RawResponse, made, record, partial(completions._parsed, structure))


class CompletionsWithStreamingResponse:
    """Calls that give a context manager over an `APIResponse`."""

    def __init__(self, completions: Completions) -> None:
        self._completions = completions

    @overload
    def create(
        self, *, stream: Literal[False] | None = None, **params: Unpack[ChatParams]
    ) -> ResponseContextManager[ChatCompletion]: ...

    @overload
    def create(
        self, *, stream: Literal[True], **params: Unpack[ChatParams]
    ) -> ResponseContextManager[Stream[ChatCompletionChunk]]: ...

    @overload
    def create(self, *, stream: bool, **params: Unpack[ChatParams]) -> ResponseContextManager[Any]: ...

    def create(self, *, stream: bool | None = None, **params: Any) -> ResponseContextManager[Any]:
        """`create`, as a response whose body is read piece by piece."""
        return ResponseContextManager(partial(self._send, None, {"stream": stream, **params}))

    @overload
    def parse(
        self, *, response_format: type[T], **params: Unpack[ParseParams]
    ) -> ResponseContextManager[ParsedChatCompletion[T]]: ...

    @overload
    def parse(
        self, *, response_format: Any = None, **params: Unpack[ParseParams]
    ) -> ResponseContextManager[ParsedChatCompletion[Any]]: ...

    def parse(self, *, response_format: Any = None, **params: Any) -> ResponseContextManager[Any]:
        """`parse`, as a response."""
        completions = self._completions
        structure = completions._structure(response_format, params, strict_tools=True)
        return ResponseContextManager(
            partial(self._send, partial(completions._parsed, structure), structure.arguments(params))
        )

    def _send(self, read: Callable[[Any], Any] | None, params: dict[str, Any]) -> APIResponse[Any]:
        record = WireRecord(body=True)
        client = self._completions._client
        made = recording(client, record).chat.completions.create(**params)
        response: APIResponse[Any] = as_response(APIResponse, made, record, read)
        response.attach(record)
        return response


class AsyncCompletionsWithStreamingResponse:
    """The same for `async with`."""

    def __init__(self, completions: AsyncCompletions) -> None:
        self._completions = completions

    @overload
    def create(
        self, *, stream: Literal[False] | None = None, **params: Unpack[ChatParams]
    ) -> AsyncResponseContextManager[ChatCompletion]: ...

    @overload
    def create(
        self, *, stream: Literal[True], **params: Unpack[ChatParams]
    ) -> AsyncResponseContextManager[AsyncStream[ChatCompletionChunk]]: ...

    @overload
    def create(self, *, stream: bool, **params: Unpack[ChatParams]) -> AsyncResponseContextManager[Any]: ...

    def create(self, *, stream: bool | None = None, **params: Any) -> AsyncResponseContextManager[Any]:
        """`create`, as a response whose body is read piece by piece."""
        return AsyncResponseContextManager(partial(self._send, None, {"stream": stream, **params}))

    @overload
    def parse(
        self, *, response_format: type[T], **params: Unpack[ParseParams]
    ) -> AsyncResponseContextManager[ParsedChatCompletion[T]]: ...

    @overload
    def parse(
        self, *, response_format: Any = None, **params: Unpack[ParseParams]
    ) -> AsyncResponseContextManager[ParsedChatCompletion[Any]]: ...

    def parse(self, *, response_format: Any = None, **params: Any) -> AsyncResponseContextManager[Any]:
        """`parse`, as a response."""
        completions = self._completions
        structure = completions._structure(response_format, params, strict_tools=True)
        return AsyncResponseContextManager(
            partial(self._send, partial(completions._parsed, structure), structure.arguments(params))
        )

    async def _send(self, read: Callable[[Any], Any] | None, params: dict[str, Any]) -> AsyncAPIResponse[Any]:
        record = WireRecord(body=True)
        client = self._completions._client
        made: Any = await recording(client, record).chat.completions.create(**params)
        response: AsyncAPIResponse[Any] = as_response(AsyncAPIResponse, made, record, read)
        response.attach(record)
        return response


@dataclass(frozen=True, slots=True)
class WithCompletions(Generic[T]):
    """`client.chat.with_raw_response` and its like."""

    completions: T
