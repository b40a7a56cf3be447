"""Anthropic's streamed answer → chunks.

Events are told apart by the `type` in their data. The laws:

- Usage is replaced, never added: the counts of `message_delta` are cumulative, and those it leaves out stay.
- A tool call's index counts the client's tool calls only. A block's arguments are sent on as they come; a call without
  any gets `{}`.
- Blocks that have no OpenAI-shaped place are sent as `delta.native_content` when they are complete, from the moment on
  that one is known, and those before it with it; assembled, they are all of the message's blocks in order.
- The finish reason and then the usage (in a chunk without choices) come with `message_stop`, without which the stream
  has not ended.
- What came before a fault is delivered first, the fault is raised by the call after, so that the outcome does not
  depend on where the transport cut the bytes.
- Unknown events and deltas are harmless.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.anthropic.blocks import annotations_of, call_of, is_plain, native_content
from edgeagent.providers.anthropic.errors import error_in_stream
from edgeagent.providers.anthropic.response import (
    CHOICE_FIELDS,
    InvalidMessageError,
    check_block,
    decode_response,
    extra_fields,
    finish_of,
    invalid_answer,
    refusal_of,
    service_tier_of,
)
from edgeagent.providers.anthropic.usage import decode_usage
from edgeagent.providers.calls import JSON_TOOL, RAW_ARGUMENTS, arguments_of, input_of
from edgeagent.providers.events import EventDecoder, quoted
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["MessageStreamDecoder"]

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "text_delta": ("text", "content"),
    "thinking_delta": ("thinking", "reasoning_content"),
}
"""By a delta's type: its own field, which is the block's too, and the field of our delta."""

_validate = ChatCompletionChunk.model_validate


class _Block:
    """A content block under way: its fields, the pieces of its growing field, and its place among the tool calls."""

    __slots__ = ("call", "fields", "pieces", "start")

    def __init__(self, fields: dict[str, Any], start: int) -> None:
        self.fields = fields
        self.pieces: list[str] = []
        self.start = start  # characters of text before it
        self.call: int | None = None


class MessageStreamDecoder(EventDecoder):
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = (
        "_calls",
        "_closed",
        "_customs",
        "_end",
        "_extra",
        "_length",
        "_native",
        "_open",
        "_top",
        "_usage",
    )

    def __init__(self, request: ChatRequest | None = None) -> None:
        super().__init__()
        self._customs = _custom_names(request)
        self._top: dict[str, Any] | None = None  # id, model, created
        self._extra: dict[str, Any] = {}  # fields of the message that are not ours
        self._usage: dict[str, Any] = {}
        self._end: dict[str, Any] = {}  # stop_reason, stop_sequence, stop_details
        self._open: dict[int, _Block] = {}
        self._closed: list[dict[str, Any]] = []  # complete and not yet sent as native content
        self._native = False
        self._calls = 0
        self._length = 0

    def document(self, response: HTTPResponse) -> ChatCompletion:
        """See `EventDecoder`."""
        return decode_response(response)

    def invalid(self, reason: str, response: HTTPResponse) -> ResponseValidationError:
        """See `EventDecoder`."""
        return invalid_answer(reason, response)

    def _event(self, name: str, data: str) -> list[ChatCompletionChunk]:
        try:
            event = from_json(data, allow_inf_nan=False)
            kind = event.get("type", name)
            if kind == "content_block_delta":
                return self._delta(self._open[event["index"]], event["delta"])
            if kind == "error" or (kind not in _HANDLERS and event.get("error")):
                raise error_in_stream(event)
            handler = _HANDLERS.get(kind)
            return handler(self, event) if handler is not None else []
        except InvalidMessageError as error:
            raise invalid_answer(str(error), quoted(data)) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise invalid_answer("an event has not the documented form", quoted(data)) from error

    def _chunk(self, delta: dict[str, Any], **choice: Any) -> ChatCompletionChunk:
        if self._top is None:
            raise InvalidMessageError("an event comes before message_start")
        return _validate({**self._top, "choices": [{"index": 0, "delta": delta, **choice}]})

    # the events, by their type

    def _message_start(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        message = event["message"]
        self._top = {"id": message["id"], "created": 0, "model": message["model"]}
        self._usage.update(message.get("usage") or {})
        self._extra.update(extra_fields(message))
        return [self._chunk({"role": "assistant"})]

    def _block_start(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        if self._top is None:
            raise InvalidMessageError("a block comes before message_start")
        fields = dict(event["content_block"])
        if fields.get("type") == "tool_use":
            fields.setdefault("input", {})  # llama.cpp's server leaves it out
        check_block(fields, "content_block")
        block = self._open[event["index"]] = _Block(fields, self._length)
        chunks = []
        if not self._native and not is_plain(fields, len(self._closed) + len(self._open) - 1):
            chunks += self._become_native()
        if fields["type"] in {"text", "thinking"}:
            whole = {"type": f"{fields['type']}_delta", fields["type"]: fields[fields["type"]]}
            return chunks + self._delta(block, whole)
        if fields["type"] == "tool_use":
            chunks += self._call_start(block)
        return chunks

    def _call_start(self, block: _Block) -> list[ChatCompletionChunk]:
        name, given = block.fields["name"], block.fields["input"]
        if name != JSON_TOOL:
            block.call = self._calls
            self._calls += 1
        chunks = []
        if block.call is not None and name not in self._customs:
            function = {"name": name, "arguments": ""}
            call = {"index": block.call, "id": block.fields["id"], "type": "function", "function": function}
            chunks.append(self._chunk({"tool_calls": [call]}))
        if given:  # a block that arrives whole
            chunks += self._arguments(block, arguments_of(given))
        return chunks

    def _delta(self, block: _Block, delta: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        kind = delta["type"]
        if kind in _TEXTS:
            source, target = _TEXTS[kind]
            piece = delta[source]
            if not piece:
                return []
            block.pieces.append(piece)
            if kind == "text_delta":
                self._length += len(piece)
            return [self._chunk({target: piece})]
        if kind == "input_json_delta":
            return self._arguments(block, delta["partial_json"])
        if kind == "citations_delta":
            block.fields["citations"] = [*(block.fields.get("citations") or ()), delta["citation"]]
        else:  # signature_delta, and whatever is new: its fields are the block's
            block.fields.update({name: value for name, value in delta.items() if name != "type"})
        return []

    def _arguments(self, block: _Block, piece: str) -> list[ChatCompletionChunk]:
        if not piece:
            return []
        block.pieces.append(piece)
        if block.fields["type"] != "tool_use" or block.fields["name"] in self._customs:
            return []
        if block.call is None:
            self._length += len(piece)
            return [self._chunk({"content": piece})]
        return [self._chunk({"tool_calls": [{"index": block.call, "function": {"arguments": piece}}]})]

    def _block_stop(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        return self._close(event["index"])

    def _close(self, index: int) -> list[ChatCompletionChunk]:
        place = len(self._closed)
        block = self._open.pop(index)
        fields, chunks = block.fields, []
        text = "".join(block.pieces)
        if fields["type"] in {"text", "thinking"}:
            fields[fields["type"]] = text
            if found := annotations_of(fields, block.start):
                chunks.append(self._chunk({"annotations": found}))
        elif "input" in fields:
            if text:
                value = input_of(text)
                fields["input"] = {RAW_ARGUMENTS: text} if value is None else value
            elif fields["type"] == "tool_use":
                chunks += self._arguments(block, "{}")
            if fields["type"] == "tool_use" and fields["name"] in self._customs:
                chunks.append(self._custom_call(block))
        self._closed.append(fields)
        if self._native:
            chunks += self._native_chunk()
        elif not is_plain(fields, place):
            chunks += self._become_native()
        return chunks

    def _custom_call(self, block: _Block) -> ChatCompletionChunk:
        """The call of a free-form tool, whole: its text is JSON inside JSON until the end is known."""
        call = call_of(block.fields)
        if "custom" not in call:
            raw = "".join(block.pieces)
            call = {"id": call["id"], "type": "custom", "custom": {"name": block.fields["name"], "input": raw}}
        return self._chunk({"tool_calls": [{"index": block.call, **call}]})

    def _become_native(self) -> list[ChatCompletionChunk]:
        self._native = True
        return self._native_chunk()

    def _native_chunk(self) -> list[ChatCompletionChunk]:
        blocks, self._closed = self._closed, []
        return [self._chunk({"native_content": native_content(blocks)})] if blocks else []

    def _message_delta(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        usage = event.get("usage") or {}
        self._usage.update({name: value for name, value in usage.items() if value is not None})
        delta = event["delta"]
        self._end.update({name: value for name, value in delta.items() if name in _END and value is not None})
        self._extra.update(extra_fields(delta))
        self._extra.update(extra_fields(event))
        return []

    def _message_stop(self, _: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        chunks = [chunk for index in sorted(self._open) for chunk in self._close(index)]
        reason = self._end.get("stop_reason")
        delta: dict[str, Any] = {}
        if refusal := refusal_of(self._end):
            delta["refusal"] = refusal
        elif not self._length and not self._calls:
            delta["content"] = ""
        end = {name: self._end[name] for name in CHOICE_FIELDS if name in self._end}
        finish = finish_of(reason, calls=self._calls > 0)
        chunks.append(self._chunk(delta, finish_reason=finish, native_finish_reason=reason, **end))
        assert self._top is not None
        last = {**self._extra, **self._top, "choices": []}
        if self._usage:
            last.update(usage=decode_usage(self._usage), service_tier=service_tier_of(self._usage))
        chunks.append(_validate(last))
        self._finished = True
        return chunks


_END: Final = CHOICE_FIELDS | {"stop_reason"}
_HANDLERS: Final[Mapping[str, Callable[[MessageStreamDecoder, Mapping[str, Any]], list[ChatCompletionChunk]]]] = {
    "message_start": MessageStreamDecoder._message_start,
    "content_block_start": MessageStreamDecoder._block_start,
    "content_block_stop": MessageStreamDecoder._block_stop,
    "message_delta": MessageStreamDecoder._message_delta,
    "message_stop": MessageStreamDecoder._message_stop,
}


def _custom_names(request: ChatRequest | None) -> frozenset[str]:
    """The free-form tools of the request."""
    customs = [tool.get("custom") for tool in (request.tools if request else None) or ()]
    return frozenset(str(custom["name"]) for custom in customs if isinstance(custom, Mapping) and "name" in custom)
