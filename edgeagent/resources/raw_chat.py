"""`client.chat.completions.with_raw_response` and `.with_streaming_response`, written out for their types."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from edgeagent.resources.chat import AsyncCompletions, Completions
from edgeagent.resources.raw_methods import async_raw, async_streaming, raw, streaming

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.resources.raw import RawResponse
    from edgeagent.resources.raw_streaming import AsyncResponseContextManager, ResponseContextManager
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

    def create(self, **params: Any) -> RawResponse[Any]:
        """`create`, as a response."""
        return raw(self._completions, Completions.create)(**params)

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
        structure = self._completions._structure(response_format, params, strict_tools=True)
        parsed = partial(self._completions._parsed, structure)
        return raw(self._completions, Completions.create, parsed)(**structure.arguments(params))


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

    async def create(self, **params: Any) -> RawResponse[Any]:
        """`create`, as a response."""
        return await async_raw(self._completions, AsyncCompletions.create)(**params)

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
        structure = self._completions._structure(response_format, params, strict_tools=True)
        parsed = partial(self._completions._parsed, structure)
        return await async_raw(self._completions, AsyncCompletions.create, parsed)(**structure.arguments(params))


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

    def create(self, **params: Any) -> ResponseContextManager[Any]:
        """`create`, as a response whose body is read piece by piece."""
        return streaming(self._completions, Completions.create)(**params)

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
        structure = self._completions._structure(response_format, params, strict_tools=True)
        parsed = partial(self._completions._parsed, structure)
        return streaming(self._completions, Completions.create, parsed)(**structure.arguments(params))


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

    def create(self, **params: Any) -> AsyncResponseContextManager[Any]:
        """`create`, as a response whose body is read piece by piece."""
        return async_streaming(self._completions, AsyncCompletions.create)(**params)

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
        structure = self._completions._structure(response_format, params, strict_tools=True)
        parsed = partial(self._completions._parsed, structure)
        return async_streaming(self._completions, AsyncCompletions.create, parsed)(**structure.arguments(params))


@dataclass(frozen=True, slots=True)
class WithCompletions(Generic[T]):
    """`client.chat.with_raw_response` and its like."""

    completions: T
