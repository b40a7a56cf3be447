"""The frame of a stream decoder for vendors that send server-sent events, and of those whose events are JSON objects,
ended by `[DONE]` or an event.

The laws, whatever the vendor: what came before a fault is delivered first, the fault is raised by the call after (by
`end` at the latest), so that the outcome does not depend on where the transport cut the bytes; no event ever leaves as
another exception than a typed one; the work is linear in the bytes.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIConnectionError, APIError, ResponseValidationError
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import to_chunks
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.sse import SSEDecoder, SSEError, SSEEvent

__all__ = ["EventDecoder", "JSONEventDecoder", "UnexpectedFormError", "quoted"]

MAX_HEAD: Final = 1024 * 1024
"""How much is kept of a body that has shown no event yet: it may be one JSON document in spite of its label."""

_FIELDS: Final = (b":", b"data", b"event", b"id", b"retry")


class UnexpectedFormError(ValueError):
    """The answer is not what the vendor documents; the text says where, and quotes no value."""


class EventDecoder:
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`; a subclass reads the events of its vendor.

    It says so when the format's own end has come: `_finished`.
    """

    __slots__ = ("_fault", "_finished", "_head", "_head_size", "_sse")

    def __init__(self) -> None:
        self._sse = SSEDecoder()
        self._finished = False
        self._fault: APIError | None = None
        self._head: list[bytes] | None = []  # until the first event
        self._head_size = 0

    # what a subclass says

    def _event(self, name: str, data: str) -> list[ChatCompletionChunk]:
        """The chunks of one event. Raises nothing but typed errors."""
        raise NotImplementedError

    def on_end(self) -> list[ChatCompletionChunk] | None:
        """The connection ended before the format's own end: the last chunks if that will do, None if it is a fault."""
        return None

    def document(self, response: HTTPResponse) -> ChatCompletion:
        """One JSON document in place of the stream → the completion, or the error that it is."""
        raise NotImplementedError

    def invalid(self, reason: str, response: HTTPResponse) -> ResponseValidationError:
        """The error for an answer that is not what the vendor documents."""
        return ResponseValidationError(response, None, message=f"The stream is not the vendor's: {reason}.")

    # the protocol

    @property
    def finished(self) -> bool:
        """See `StreamDecoder`."""
        return self._finished or self._fault is not None

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """The chunks that have become complete."""
        if self._fault is not None:
            raise self._fault
        if self._head is not None:
            self._keep_head(self._head, data)
        try:
            events = self._sse.feed(data)
        except SSEError as error:
            raise self._too_large(error) from error
        return self._decode(events) if events else []

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: raise what is wrong, or give what no blank line followed."""
        if self._fault is not None:
            raise self._fault
        if self._finished:
            return []
        try:
            events = self._sse.end()
            chunks = self._decode(events) if events else []
        except SSEError as error:
            raise self._too_large(error) from error
        except ResponseValidationError as error:
            raise self._failed(APIConnectionError(message="The stream was cut in the middle of an event.")) from error
        if self._head is not None:
            return self._without_events(b"".join(self._head).strip())
        if self.finished:
            return chunks
        rest = self.on_end()
        if rest is None:
            raise self._failed(APIConnectionError(message="The stream ended before the answer did."))
        self._finished = True
        return chunks + rest

    def _decode(self, events: list[SSEEvent]) -> list[ChatCompletionChunk]:
        chunks: list[ChatCompletionChunk] = []
        self._head = None
        for name, data in events:
            if self._finished:
                break
            try:
                chunks += self._event(name, data)
            except APIError as error:
                self._failed(error)
                if not chunks:
                    raise
                break
        return chunks

    def _without_events(self, body: bytes) -> list[ChatCompletionChunk]:
        if body.startswith((b"{", b"[")):  # one JSON document labelled as an event stream
            try:
                chunks = to_chunks(self.document(HTTPResponse(200, content=body)))
            except APIError as error:
                raise self._failed(error) from None
            self._finished = True
            return chunks
        if not any(body.startswith(field) or field.startswith(body) for field in _FIELDS):
            raise self._failed(self.invalid("it is not an event stream", HTTPResponse(200, content=body)))
        raise self._failed(APIConnectionError(message="The stream ended before it began."))

    def _keep_head(self, head: list[bytes], data: bytes) -> None:
        head.append(data)
        self._head_size += len(data)
        if self._head_size > MAX_HEAD:
            self._head = None

    def _too_large(self, error: SSEError) -> APIError:
        return self._failed(self.invalid(str(error), HTTPResponse(200)))

    def _failed(self, fault: APIError) -> APIError:
        self._fault = fault
        return fault


class JSONEventDecoder(EventDecoder):
    """Where each event is a JSON object; a subclass reads them."""

    __slots__ = ()

    def on_event(self, event: str, value: dict[str, Any]) -> list[ChatCompletionChunk]:
        """The chunks of one event. Raises a typed error, `UnexpectedFormError`, or what wrong types raise."""
        raise NotImplementedError

    def on_done(self) -> list[ChatCompletionChunk]:
        """`[DONE]` came: the last chunks."""
        rest = self.on_end()
        if rest is None:
            raise APIConnectionError(message="The stream ended before the answer did.")
        return rest

    def _event(self, name: str, data: str) -> list[ChatCompletionChunk]:
        text = data.strip()
        if text == "[DONE]":
            rest = self.on_done()
            self._finished = True
            return rest
        if not text:
            return []
        try:
            value = from_json(text, allow_inf_nan=False)
            if not isinstance(value, dict):
                raise UnexpectedFormError("an event is not a JSON object")
            return self.on_event(name, value)
        except UnexpectedFormError as error:
            raise self.invalid(str(error), quoted(data)) from None
        except ValidationError as error:
            raise self.invalid("in an event, " + " ".join(first_fault(error)), quoted(data)) from error
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise self.invalid("an event has not the documented form", quoted(data)) from error


def quoted(data: str) -> HTTPResponse:
    """An event as the answer that an error quotes."""
    return HTTPResponse(200, content=data.encode("utf-8", "replace"))
