"""OpenAI's chat format passed on: the caller's own body, and the answer's own bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.providers.base import Encoded
from edgeagent.providers.native import passed_on
from edgeagent.providers.openai.messages import REASONING
from edgeagent.wire.json import dump_json
from edgeagent.wire.split import EventSplitter

__all__ = ["UsageFilter", "asks_usage", "encode_native"]


_OURS: Final = frozenset({"native_content"})
"""What only the gateway's answers have: an SDK sends it back, and no server of OpenAI's shape knows it."""


def encode_native(
    body: Mapping[str, Any], *, model: str | None, stream: bool, stream_options: bool, reasoning: bool = False
) -> Encoded:
    """The caller's body for `model`; a stream is asked for its usage if the server takes `stream_options`.

    What another vendor's answer had, and OpenAI refuses, is taken out of the conversation; with `reasoning` a server
    is sent what answers say of their reasoning.
    """
    copy, edits = passed_on(body, model=model, stream=stream)
    foreign = _OURS if reasoning else _OURS.union(REASONING)
    if taken := _taken(body.get("messages"), foreign):
        copy["messages"] = [
            {name: value for name, value in message.items() if name not in foreign}
            if isinstance(message, Mapping)
            else message
            for message in body["messages"]
        ]
        edits.append(f"fields of answers not sent back: {', '.join(sorted(taken))}")
    if stream and stream_options and not asks_usage(body):
        options = copy.get("stream_options")
        copy["stream_options"] = {**(options if isinstance(options, Mapping) else {}), "include_usage": True}
        edits.append("stream_options.include_usage added")
    if not stream:
        copy.pop("stream_options", None)  # OpenAI refuses it without `stream`
    return Encoded(copy, edits=tuple(edits))


def _taken(messages: Any, foreign: frozenset[str]) -> set[str]:
    """Which of these fields any message has."""
    told = messages if isinstance(messages, list) else ()
    return {name for message in told if isinstance(message, Mapping) for name in foreign & message.keys()}


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
