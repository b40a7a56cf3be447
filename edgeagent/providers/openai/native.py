"""OpenAI's chat format passed on: the caller's own body, and the answer's own bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.providers.base import Encoded
from edgeagent.providers.native import passed_on
from edgeagent.providers.openai.messages import REASONING
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import PADDING, latest
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

    What a vendor says of its own beside the usage (`citations`, say) goes into the event that ends a choice, which is
    held back until the next one comes: a chunk without choices would surprise who did not ask for any.

    See `edgeagent.providers.base.StreamFilter`. All other bytes stay as they are.
    """

    __slots__ = ("_events", "_held")

    def __init__(self) -> None:
        self._events = EventSplitter()
        self._held = b""

    def feed(self, data: bytes, /) -> bytes:
        """The events that have become complete, and may be told."""
        return b"".join(map(self._told, self._events.feed(data)))

    def end(self) -> bytes:
        """What was held back, and what no blank line followed."""
        rest = self._told(self._events.end())
        held, self._held = self._held, b""
        return rest + held

    def _told(self, event: bytes) -> bytes:
        if not event:
            return b""
        before, self._held = self._held, b""
        if b'"usage"' in event:
            chunk = _chunk(event)
            if chunk is not None and "usage" in chunk:
                if chunk["usage"] is None:
                    del chunk["usage"]
                    event = _with(event, chunk)
                elif not chunk.get("choices"):
                    beside = {name: value for name, value in chunk.items() if name not in _DOCUMENTED}
                    return _joined(before, beside) if before and beside else before
        if _ENDS.search(event):
            self._held = event
            return before
        return before + event


_DOCUMENTED: Final = PADDING.union(ChatCompletionChunk.model_fields)
_ENDS: Final = re.compile(rb'"finish_reason"\s*:\s*"')


def _chunk(event: bytes) -> dict[str, Any] | None:
    """What the event tells, if it is a chunk with its data in one line."""
    _, colon, data = event.partition(b"data:")
    try:
        chunk = from_json(data) if colon else None
    except ValueError:
        return None
    return chunk if isinstance(chunk, dict) else None


def _with(event: bytes, chunk: Mapping[str, Any]) -> bytes:
    """The event with other data."""
    head, _, data = event.partition(b"data:")
    return b"".join((head, b"data: ", dump_json(chunk), data[len(data.rstrip(b"\r\n")) :]))


def _joined(event: bytes, beside: Mapping[str, Any]) -> bytes:
    chunk = _chunk(event)
    if chunk is None:
        return event
    return _with(event, {**chunk, **{name: latest(chunk.get(name), value) for name, value in beside.items()}})
