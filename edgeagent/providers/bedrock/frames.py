"""The messages of a Bedrock event stream → named events with their JSON, or the error that they are.

A message is an event (`:event-type`), an exception that the service documents (`:exception-type`), or an error that it
does not (`:error-code`, `:error-message`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import from_json

from edgeagent.providers.bedrock.errors import error_in_stream
from edgeagent.providers.bedrock.response import invalid_answer
from edgeagent.wire.eventstream import EventStreamDecoder, EventStreamError, Message, encode_message
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["FrameReader", "frame", "quoted"]


class FrameReader:
    """Bytes → events."""

    __slots__ = ("_decoder",)

    def __init__(self) -> None:
        self._decoder = EventStreamDecoder()

    @property
    def pending(self) -> bool:
        """Whether a message has begun that is not complete."""
        return self._decoder.pending

    def feed(self, data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
        """The events that have become complete, one by one.

        Raises what a message says went wrong, and `ResponseValidationError` for what is none.
        """
        try:
            messages = self._decoder.feed(data)
        except EventStreamError as error:
            raise invalid_answer(str(error).rstrip("."), HTTPResponse(200)) from error
        for message in messages:
            yield _event(message)


def _event(message: Message) -> tuple[str, dict[str, Any]]:
    kind = message.text(":message-type")
    if kind == "exception":
        raise error_in_stream(message.text(":exception-type"), message.payload)
    if kind == "error":
        body = {"message": message.text(":error-message") or "The service reported an error."}
        raise error_in_stream(message.text(":error-code"), dump_json(body))
    if kind != "event":
        raise invalid_answer("a message of its stream is of no known type", HTTPResponse(200))
    try:
        event = from_json(message.payload, allow_inf_nan=False)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise invalid_answer("an event is not a JSON object", HTTPResponse(200, content=message.payload))
    return message.text(":event-type"), event


def frame(name: str, event: Mapping[str, Any]) -> bytes:
    """One event as the bytes of a message."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return encode_message(Message(headers, dump_json(event)))


def quoted(event: Mapping[str, Any]) -> HTTPResponse:
    """The event as the answer that an error shows."""
    return HTTPResponse(200, content=dump_json(event))
