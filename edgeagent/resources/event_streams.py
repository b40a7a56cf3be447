"""`client.chat.completions.stream(…)`: openai's context manager over the events of one stream.

    with client.chat.completions.stream(model=…, messages=…) as stream:
        for event in stream: …
        completion = stream.get_final_completion()

The request is sent when the `with` block is entered, and the connection given back when it is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from edgeagent.errors import ContentFilterFinishReasonError, EdgeAgentError, LengthFinishReasonError
from edgeagent.resources.event_state import ChatCompletionStreamState
from edgeagent.resources.streams import ENDS, no_end
from edgeagent.types.stream_events import ChatCompletionStreamEvent

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeagent.resources.streams import AsyncStream, Stream
    from edgeagent.resources.structured import Structure
    from edgeagent.types import ChatCompletionChunk, CompletionUsage, ResponseMetadata
    from edgeagent.types.parsed import ParsedChatCompletion

__all__ = [
    "AsyncChatCompletionStream",
    "AsyncChatCompletionStreamManager",
    "ChatCompletionStream",
    "ChatCompletionStreamManager",
]

T = TypeVar("T")

Told: TypeAlias = Callable[[EdgeAgentError], Exception]
"""How the client shows an error to its caller."""


class _Events(Generic[T]):
    """What both kinds have: the state, the events that wait to be told, the facts of the stream."""

    _stream: Stream[ChatCompletionChunk] | AsyncStream[ChatCompletionChunk]

    def __init__(self, stream: Any, state: ChatCompletionStreamState[T], told: Told) -> None:
        self._stream = stream
        self._state = state
        self._told = told
        self._pending: deque[ChatCompletionStreamEvent[T]] = deque()

    def _take(self, chunk: ChatCompletionChunk) -> None:
        try:
            self._pending += self._state.handle_chunk(chunk)
        except ENDS as error:
            raise no_end(error) from error
        except (LengthFinishReasonError, ContentFilterFinishReasonError) as error:
            error.completion._attach(self._stream.edge)
            raise self._told(error)  # noqa: B904  # has its cause
        except EdgeAgentError as error:
            raise self._told(error)  # noqa: B904  # has its cause

    def _final(self) -> ParsedChatCompletion[T]:
        try:
            return self._state.get_final_completion()
        except EdgeAgentError as error:
            raise self._told(error)  # noqa: B904  # has its cause

    @property
    def current_completion_snapshot(self) -> ParsedChatCompletion[Any]:
        """The completion as far as it has come: one object that goes on growing."""
        return self._state.current_completion_snapshot

    @property
    def edge(self) -> ResponseMetadata:
        """What the gateway did; complete once the stream has ended."""
        return self._stream.edge

    @property
    def usage(self) -> CompletionUsage | None:
        """Token usage, whether or not the caller asked for it; None until the provider told it."""
        return self._stream.usage


class ChatCompletionStream(_Events[T]):
    """An iterator over the events of one answer."""

    _stream: Stream[ChatCompletionChunk]

    def __iter__(self) -> Iterator[ChatCompletionStreamEvent[T]]:
        return self

    def __next__(self) -> ChatCompletionStreamEvent[T]:
        while not self._pending:
            self._take(next(self._stream))
        return self._pending.popleft()

    def until_done(self) -> Self:
        """Read the stream to its end."""
        for _ in self:
            pass
        return self

    def get_final_completion(self) -> ParsedChatCompletion[T]:
        """The whole completion, once the stream has been read to its end; its content and tool arguments are read.

        Raises:
            LengthFinishReasonError, ContentFilterFinishReasonError: it was cut off.
            pydantic.ValidationError: it is not what was asked for.
        """
        self.until_done()
        return self._final()

    def close(self) -> None:
        """Give the connection back. Idempotent."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncChatCompletionStream(_Events[T]):
    """An async iterator over the events of one answer."""

    _stream: AsyncStream[ChatCompletionChunk]

    def __aiter__(self) -> AsyncIterator[ChatCompletionStreamEvent[T]]:
        return self

    async def __anext__(self) -> ChatCompletionStreamEvent[T]:
        while not self._pending:
            self._take(await anext(self._stream))
        return self._pending.popleft()

    async def until_done(self) -> Self:
        """Read the stream to its end."""
        async for _ in self:
            pass
        return self

    async def get_final_completion(self) -> ParsedChatCompletion[T]:
        """The whole completion; see `ChatCompletionStream.get_final_completion`."""
        await self.until_done()
        return self._final()

    async def close(self) -> None:
        """Give the connection back. Idempotent."""
        await self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class ChatCompletionStreamManager(Generic[T]):
    """Sends the request when its `with` block is entered."""

    def __init__(self, send: Callable[[], Stream[ChatCompletionChunk]], structure: Structure, told: Told) -> None:
        self._send = send
        self._structure = structure
        self._told = told
        self._stream: ChatCompletionStream[T] | None = None

    def __enter__(self) -> ChatCompletionStream[T]:
        self._stream = ChatCompletionStream(self._send(), ChatCompletionStreamState.of(self._structure), self._told)
        return self._stream

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()


class AsyncChatCompletionStreamManager(Generic[T]):
    """Sends the request when its `async with` block is entered."""

    def __init__(
        self, send: Callable[[], Awaitable[AsyncStream[ChatCompletionChunk]]], structure: Structure, told: Told
    ) -> None:
        self._send = send
        self._structure = structure
        self._told = told
        self._stream: AsyncChatCompletionStream[T] | None = None

    async def __aenter__(self) -> AsyncChatCompletionStream[T]:
        state = ChatCompletionStreamState.of(self._structure)
        self._stream = AsyncChatCompletionStream(await self._send(), state, self._told)
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            await self._stream.close()
