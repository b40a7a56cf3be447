"""OpenAI's chat format passed on: the caller's own body, and the answer's own bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from edgeagent.providers.base import Encoded
from edgeagent.providers.native import passed_on
from edgeagent.wire.json import dump_json
from edgeagent.wire.split import EventSplitter

__all__ = ["UsageFilter", "asks_usage", "encode_native"]


def encode_native(body: Mapping[str, Any], *, model: str | None, stream: bool, stream_options: bool) -> Encoded:
    """The caller's body for `model`; a stream is asked for its usage if the server takes `stream_options`."""
    copy, edits = passed_on(body, model=model, stream=stream)
    if stream and stream_options and not asks_usage(body):
        options = copy.get("stream_options")
        copy["stream_options"] = {**(options if isinstance(options, Mapping) else {}), "include_usage": True}
        edits.append("stream_options.include_usage added")
    if not stream:
        copy.pop("stream_options", None)  # OpenAI refuses it without `stream`
    return Encoded(copy, edits=tuple(edits))


def asks_usage(body: Mapping[str, Any]) -> bool:
    """Whether the caller wants to see the usage of a stream."""
    options = body.get("stream_options")
    return isinstance(options, Mapping) and bool(options.get("include_usage"))


class UsageFilter:
    """Takes out of a stream what is there because usage was asked for: one chunk, and `"usage": null` in the others.

    See `edgeagent.providers.base.StreamFilter`. All other bytes stay as they are.
    """

    __slots__ = ("_events",)

    def __init__(self) -> None:
        self._events = EventSplitter()

    def feed(self, data: bytes, /) -> bytes:
        """The events that have become complete."""
        events = self._events.feed(data)
        return b"".join(_without_usage(event) if b'"usage"' in event else event for event in events)

    def end(self) -> bytes:
        """What no blank line followed."""
        rest = self._events.end()
        return _without_usage(rest) if b'"usage"' in rest else rest


def _without_usage(event: bytes) -> bytes:
    """The event without what the caller did not ask for; as it is if it is no chunk with its data in one line."""
    head, colon, data = event.partition(b"data:")
    try:
        chunk = from_json(data) if colon else None
    except ValueError:
        return event
    if not isinstance(chunk, dict) or "usage" not in chunk:
        return event
    if chunk["usage"] is None:
        del chunk["usage"]
        ending = data[len(data.rstrip(b"\r\n")) :]
        return b"".join((head, b"data: ", dump_json(chunk), ending))
    return event if chunk.get("choices") else b""
