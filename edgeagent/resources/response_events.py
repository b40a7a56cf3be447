"""A streamed response as typed events: a session around the one that has its bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from edgeagent.errors import StreamInterruptedError
from edgeagent.providers.responses import stream_of
from edgeagent.types.responses import Response
from edgeagent.types.responses.events import LifeEvent, event_from
from edgeagent.wire.sse import SSEDecoder

if TYPE_CHECKING:
    from edgeagent.core.call import Call
    from edgeagent.core.native_session import NativeSession
    from edgeagent.core.stored import StoredSession
    from edgeagent.effects import Flow
    from edgeagent.types import ChatCompletion, CompletionUsage
    from edgeagent.types.responses import ResponseStreamEvent

__all__ = ["EventSession"]

_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})


class EventSession:
    """See `edgeagent.resources.streams.Session`.

    The event that ends the response is held back until the stream has ended: it carries `edge`, which is complete then.
    After `response.failed` nothing is raised: the event is the vendor's own word for it.
    """

    def __init__(self, session: NativeSession | StoredSession) -> None:
        self.call: Call[Any] = session.call
        self.pending: deque[ResponseStreamEvent] = deque()
        self._session = session
        self._events = SSEDecoder()
        self._last: LifeEvent | None = None
        self._any = False
        self._take()

    @property
    def flowing(self) -> bool:
        """Whether more may come."""
        return self._session.flowing

    @property
    def usage(self) -> CompletionUsage | None:
        """Token usage, once it was told."""
        return self._session.usage

    def advance(self) -> Flow[None]:
        """Read until an event is pending or the stream has ended. Raises `StreamInterruptedError`."""
        while not self.pending and self._session.flowing:
            try:
                yield from self._session.advance()
            except StreamInterruptedError as error:
                self._show_last()
                if self.pending:  # the response's own failure
                    return
                if error.partial is not None:
                    error.partial = self._partial(error.partial)
                raise
            self._take()

    def close_early(self) -> None:
        """The caller wants no more. Idempotent."""
        self._session.close_early()
        self.pending.clear()

    def _partial(self, completion: ChatCompletion) -> Response:
        assert self.call.native is not None
        return Response.read(self.call.native.asked.codec.encode_response(completion))

    def _take(self) -> None:
        while self._session.pending:
            self._read(self._session.pending.popleft())
        if not self._session.flowing:
            if not self._any:
                self._read(self._document())
            self._show_last()

    def _read(self, data: bytes) -> None:
        for _, text in self._events.feed(data):
            try:
                event = from_json(text)
            except ValueError:  # `[DONE]`
                continue
            if isinstance(event, Mapping) and isinstance(event.get("type"), str):
                self._any = True
                self._put(event_from(event))

    def _put(self, event: ResponseStreamEvent) -> None:
        if isinstance(event, LifeEvent) and event.type in _ENDS:
            self._last = event
        else:
            self.pending.append(event)

    def _show_last(self) -> None:
        event: Any
        event, self._last = self._last, None
        if event is not None:
            if isinstance(event.response, Response):
                event.response._attach(self.call.edge)
            self.pending.append(event)

    def _document(self) -> bytes:
        """The events of an answer that came as one document though a stream was asked for."""
        native = self.call.native
        return stream_of(from_json(native.raw)) if native is not None and native.raw and not native.streamed else b""
