"""OpenAI's chat format passed on: the caller's own body, and the answer's own bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.providers.base import Encoded
from edgeagent.providers.native import passed_on
from edgeagent.providers.openai.adapting import with_short_ids
from edgeagent.providers.openai.messages import CALL_SIGNATURE, OTHERS, REASONING
from edgeagent.providers.openai.quirks import CALL_ID_MAX
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import PADDING, latest
from edgeagent.wire.json import dump_json
from edgeagent.wire.split import EventSplitter

__all__ = ["UsageFilter", "asks_usage", "encode_native"]


_OURS: Final = frozenset({"native_content"})
"""What only the gateway's answers have: an SDK sends it back, and no server of OpenAI's shape knows it."""
_REFUSED: Final = _OURS.union(REASONING, OTHERS)
_SIGNATURES: Final = frozenset({CALL_SIGNATURE})


def encode_native(
    body: Mapping[str, Any], *, model: str | None, stream: bool, stream_options: bool, reasoning: bool = False
) -> Encoded:
    """The caller's body for `model`; a stream is asked for its usage if the server takes `stream_options`.

    What another vendor's answer had, and OpenAI refuses, is taken out of the conversation; with `reasoning` it is not
    OpenAI, and is sent what answers say of their reasoning and whatever else they have.
    """
    copy, edits = passed_on(body, model=model, stream=stream)
    messages = body.get("messages")
    if isinstance(messages, list):
        if reasoning:
            kept, taken = _without(messages, _OURS)
            said = _said(taken)
        else:
            kept, said = _sent_back(messages)
        if said:
            copy["messages"] = kept
            edits += said
    if stream and stream_options and not asks_usage(body):
        options = copy.get("stream_options")
        copy["stream_options"] = {**(options if isinstance(options, Mapping) else {}), "include_usage": True}
        edits.append("stream_options.include_usage added")
    if not stream:
        copy.pop("stream_options", None)  # OpenAI refuses it without `stream`
    return Encoded(copy, edits=tuple(edits))


def _sent_back(messages: list[Any]) -> tuple[list[Any], list[str]]:
    """The messages without what OpenAI refuses of other vendors' answers, and what was changed, in words."""
    messages, taken = _without(messages, _REFUSED)
    edits = []
    if any(isinstance(message, dict) and "tool_calls" in message for message in messages):
        messages, signed = _unsigned(messages)
        taken |= signed
        if (short := with_short_ids(messages, CALL_ID_MAX)) is not None:
            messages = short
            edits.append(f"ids of tool calls longer than {CALL_ID_MAX} characters replaced")
    return messages, _said(taken) + edits


def _without(messages: list[Any], fields: frozenset[str]) -> tuple[list[Any], set[str]]:
    """The messages without these fields, and which of them there were."""
    taken = {name for message in messages if isinstance(message, Mapping) for name in fields & message.keys()}
    if not taken:
        return messages, taken
    return [
        {name: value for name, value in message.items() if name not in fields}
        if isinstance(message, Mapping)
        else message
        for message in messages
    ], taken


def _unsigned(messages: list[Any]) -> tuple[list[Any], set[str]]:
    """The messages without signatures of their calls, and under which name there were any."""
    changed, taken = list(messages), set[str]()
    for place, message in enumerate(messages):
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        if not isinstance(calls, list):
            continue
        kept, found = _without(calls, _SIGNATURES)
        if found:
            changed[place] = {**message, "tool_calls": kept}
            taken.update(f"tool_calls.{name}" for name in found)
    return changed, taken


def _said(taken: set[str]) -> list[str]:
    return [f"fields of answers not sent back: {', '.join(sorted(taken))}"] if taken else []


def asks_usage(body: Mapping[str, Any]) -> bool:
    """Whether the caller wants to see the usage of a stream."""
    options = body.get("stream_options")
    return isinstance(options, Mapping) and bool(options.get("include_usage"))


class UsageFilter:
    """Takes out of a stream what is there because usage was asked for: one chunk, and `"usage": null` in the others.

    What a vendor says of its own beside the usage (`citations`, say) goes into the event that ends a choice, which is
    held back until the next one comes: a chunk without choices would surprise who did not ask for any. Before that it
    goes into the next event with a choice.

    See `edgeagent.providers.base.StreamFilter`. All other bytes stay as they are.
    """

    __slots__ = ("_beside", "_events", "_held")

    def __init__(self) -> None:
        self._events = EventSplitter()
        self._held = b""
        self._beside: dict[str, Any] = {}

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
                    said = {name: value for name, value in chunk.items() if name not in _DOCUMENTED}
                    if before:
                        return _joined(before, said) if said else before
                    self._beside = _together(self._beside, said)
                    return b""
        if self._beside:
            event = self._with_beside(event)
        if _ENDS.search(event):
            self._held = event
            return before
        return before + event

    def _with_beside(self, event: bytes) -> bytes:
        chunk = _chunk(event)
        if chunk is None or not chunk.get("choices"):
            return event
        said, self._beside = _together(self._beside, chunk), {}
        return _with(event, said)


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
    return _with(event, _together(chunk, beside))


def _together(before: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    return {**before, **{name: latest(before.get(name), value) for name, value in later.items()}}
