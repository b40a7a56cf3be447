"""`client.responses.stream(…)`: openai's context manager over the events of one response.

    with client.responses.stream(model=…, input=…, text_format=…) as stream:
        for event in stream: …
        response = stream.get_final_response()

The request is sent when the `with` block is entered, and the connection given back when it is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import ValidationError

from edgeagent.providers.responses import error_of
from edgeagent.resources.response_calls import read
from edgeagent.resources.streams import ENDS, no_end
from edgeagent.types.responses import (
    ParsedResponse,
    ResponseCompletedEvent,
    ResponseFailedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseIncompleteEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
    SnapshotArgumentsDeltaEvent,
    SnapshotCompletedEvent,
    SnapshotTextDeltaEvent,
    SnapshotTextDoneEvent,
)
from edgeagent.wire.http import HTTPResponse

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.resources.response_parsing import ResponseStructure
    from edgeagent.resources.streams import AsyncStream, Stream
    from edgeagent.types import ResponseMetadata
    from edgeagent.types.responses import ParsedResponseStreamEvent, Response, ResponseStreamEvent

__all__ = ["AsyncResponseStream", "AsyncResponseStreamManager", "ResponseStream", "ResponseStreamManager"]

T = TypeVar("T")


class _State(Generic[T]):
    """What has been told so far."""

    def __init__(
        self, structure: ResponseStructure, client: EdgeClient | AsyncEdgeClient, starting_after: int | None
    ) -> None:
        self._structure = structure
        self._starting_after = starting_after
        self._client = client
        self._texts: defaultdict[tuple[int, int], str] = defaultdict(str)
        self._arguments: defaultdict[int, str] = defaultdict(str)
        self._phases: dict[int, str | None] = {}
        self._items: dict[int, Any] = {}
        self._end: Response | None = None
        self._failure: ResponseFailedEvent | None = None

    def take(self, event: ResponseStreamEvent) -> ParsedResponseStreamEvent[T]:
        """The event as the caller sees it: with the text so far, or with what was read."""
        try:
            seen: ParsedResponseStreamEvent[T] = self._seen(event)
        except ENDS as error:
            raise no_end(error) from error
        return seen

    def is_new(self, event: ParsedResponseStreamEvent[T]) -> bool:
        """Whether the caller has not seen it before, by its number; one without is shown."""
        number = getattr(event, "sequence_number", None)
        return self._starting_after is None or not isinstance(number, int) or number > self._starting_after

    def _seen(self, event: ResponseStreamEvent) -> Any:
        if isinstance(event, ResponseTextDeltaEvent):
            at = (event.output_index, event.content_index)
            self._texts[at] += event.delta or ""
            return _with(event, SnapshotTextDeltaEvent, snapshot=self._texts[at])
        if isinstance(event, ResponseFunctionCallArgumentsDeltaEvent):
            self._arguments[event.output_index] += event.delta or ""
            return _with(event, SnapshotArgumentsDeltaEvent, snapshot=self._arguments[event.output_index])
        if isinstance(event, ResponseTextDoneEvent):
            return _with(event, SnapshotTextDoneEvent, parsed=self._read(event))
        if isinstance(event, ResponseOutputItemAddedEvent):
            self._phases[event.output_index] = getattr(event.item, "phase", None)
        elif isinstance(event, ResponseOutputItemDoneEvent):
            self._items[event.output_index] = event.item
        elif isinstance(event, ResponseCompletedEvent):
            self._end = self._whole(event.response)
            return _with(event, SnapshotCompletedEvent, response=read(self._client, self._structure, self._end))
        elif isinstance(event, ResponseIncompleteEvent):
            self._end = self._whole(event.response)
        elif isinstance(event, ResponseFailedEvent):
            self._failure = event
        return event

    def _whole(self, response: Response) -> Response:
        """Some servers leave the items out of the last event."""
        if response.output or not self._items:
            return response
        whole = response.model_copy(update={"output": [self._items[place] for place in sorted(self._items)]})
        whole._attach(response._edge)
        return whole

    def _read(self, event: ResponseTextDoneEvent) -> Any:
        """A text that was cut off cannot be read; whether it was, only the end of the response tells."""
        try:
            return self._structure.text(event.text, self._phases.get(event.output_index))
        except ValidationError:
            return None

    def final(self) -> ParsedResponse[T]:
        """The whole response, read."""
        if self._end is None:
            error = self._failure and self._failure.response.error
            failure = error_of(error.to_dict() if error else "The response failed.", HTTPResponse(200))
            raise self._client._told(failure)
        return read(self._client, self._structure, self._end)


def _with(event: Any, kind: Any, **values: Any) -> Any:
    return kind.model_construct(
        event.model_fields_set | values.keys(), **{**event.__dict__, **(event.model_extra or {}), **values}
    )


class ResponseStream(Generic[T]):
    """An iterator over the events of one response."""

    def __init__(
        self,
        stream: Stream[ResponseStreamEvent],
        structure: ResponseStructure,
        client: EdgeClient,
        starting_after: int | None = None,
    ) -> None:
        self._stream = stream
        self._state: _State[T] = _State(structure, client, starting_after)

    def __iter__(self) -> Iterator[ParsedResponseStreamEvent[T]]:
        return self

    def __next__(self) -> ParsedResponseStreamEvent[T]:
        while not self._state.is_new(event := self._state.take(next(self._stream))):
            pass
        return event

    @property
    def edge(self) -> ResponseMetadata:
        """What the gateway did; complete once the stream has ended."""
        return self._stream.edge

    def until_done(self) -> Self:
        """Read the stream to its end."""
        for _ in self:
            pass
        return self

    def get_final_response(self) -> ParsedResponse[T]:
        """The whole response, once the stream has been read to its end; its texts and arguments are read.

        Raises:
            LengthFinishReasonError, ContentFilterFinishReasonError: it was cut off, and something was to be read.
            pydantic.ValidationError: it is not what was asked for.
            APIError: it failed.
        """
        self.until_done()
        return self._state.final()

    def close(self) -> None:
        """Give the connection back. Idempotent."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncResponseStream(Generic[T]):
    """An async iterator over the events of one response; see `ResponseStream`."""

    def __init__(
        self,
        stream: AsyncStream[ResponseStreamEvent],
        structure: ResponseStructure,
        client: AsyncEdgeClient,
        starting_after: int | None = None,
    ) -> None:
        self._stream = stream
        self._state: _State[T] = _State(structure, client, starting_after)

    def __aiter__(self) -> AsyncIterator[ParsedResponseStreamEvent[T]]:
        return self

    async def __anext__(self) -> ParsedResponseStreamEvent[T]:
        while not self._state.is_new(event := self._state.take(await anext(self._stream))):
            pass
        return event

    @property
    def edge(self) -> ResponseMetadata:
        """What the gateway did; complete once the stream has ended."""
        return self._stream.edge

    async def until_done(self) -> Self:
        """Read the stream to its end."""
        async for _ in self:
            pass
        return self

    async def get_final_response(self) -> ParsedResponse[T]:
        """The whole response; see `ResponseStream.get_final_response`."""
        await self.until_done()
        return self._state.final()

    async def close(self) -> None:
        """Give the connection back. Idempotent."""
        await self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class ResponseStreamManager(Generic[T]):
    """What `client.responses.stream(…)` gives: entering it sends the request."""

    def __init__(
        self,
        open_stream: Callable[[], Stream[ResponseStreamEvent]],
        structure: ResponseStructure,
        client: EdgeClient,
        starting_after: int | None = None,
    ) -> None:
        self._open = open_stream
        self._structure = structure
        self._client = client
        self._starting_after = starting_after
        self._stream: ResponseStream[T] | None = None

    def __enter__(self) -> ResponseStream[T]:
        self._stream = ResponseStream(self._open(), self._structure, self._client, self._starting_after)
        return self._stream

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()


class AsyncResponseStreamManager(Generic[T]):
    """The same of an async client."""

    def __init__(
        self,
        open_stream: Callable[[], Awaitable[AsyncStream[ResponseStreamEvent]]],
        structure: ResponseStructure,
        client: AsyncEdgeClient,
        starting_after: int | None = None,
    ) -> None:
        self._open = open_stream
        self._structure = structure
        self._client = client
        self._starting_after = starting_after
        self._stream: AsyncResponseStream[T] | None = None

    async def __aenter__(self) -> AsyncResponseStream[T]:
        self._stream = AsyncResponseStream(await self._open(), self._structure, self._client, self._starting_after)
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            await self._stream.close()
