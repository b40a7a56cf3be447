"""ConverseStream's answer → chunks.

The laws:

- Text and reasoning need no `contentBlockStart`; a block is what its first delta makes it.
- A tool call's index counts the client's tool calls only. Its arguments are sent on as they come; a call without any
  gets `{}`.
- Blocks that have no OpenAI-shaped place are sent as `delta.native_content` when they are complete, from the moment on
  that one is known, and those before it with it; assembled, they are all of the message's blocks in order.
- The finish reason comes with `messageStop`, without which the stream has not ended, the usage with `metadata`.
- What came before a fault is delivered first, the fault is raised by the call after, so that the outcome does not
  depend on where the transport cut the bytes.
- Unknown events and deltas are harmless; the padding `p` is no part of the answer.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from edgeagent.errors import APIConnectionError, APIError
from edgeagent.providers.bedrock.blocks import (
    InvalidBlockError,
    annotations_of,
    call_of,
    check_block,
    cited_text,
    is_client_call,
    is_plain,
    native_content,
)
from edgeagent.providers.bedrock.frames import FrameReader, quoted
from edgeagent.providers.bedrock.response import finish_of, identity, invalid_answer, tier_of
from edgeagent.providers.bedrock.usage import decode_usage
from edgeagent.providers.calls import JSON_TOOL, RAW_ARGUMENTS, arguments_of, input_of
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["ConverseEvents", "ConverseStreamDecoder"]

_validate = ChatCompletionChunk.model_validate
_READ: Final = frozenset({"usage", "serviceTier", "p", *ChatCompletionChunk.model_fields})


class _Block:
    """A content block under way: its kind, its fields, the pieces of its growing field, its place among the calls."""

    __slots__ = ("call", "fields", "kind", "pieces", "start")

    def __init__(self, kind: str, fields: dict[str, Any], start: int) -> None:
        self.kind = kind
        self.fields = fields
        self.pieces: list[str] = []
        self.start = start  # characters of text before it
        self.call: int | None = None

    def whole(self) -> dict[str, Any]:
        """The block as an unstreamed answer has it."""
        text = "".join(self.pieces)
        if self.kind == "text":
            return {"text": text}
        if self.kind == "citationsContent":
            return {self.kind: {**self.fields, "content": [{"text": text}] if text else []}}
        if self.kind == "reasoningContent":
            if "redactedContent" in self.fields:
                return {self.kind: self.fields}
            return {self.kind: {"reasoningText": {"text": text, **self.fields}}}
        if self.kind == "toolUse":
            value = input_of(text)
            self.fields["input"] = {RAW_ARGUMENTS: text} if value is None else value
        return {self.kind: self.fields}


class ConverseEvents:
    """The events of one answer, by name and JSON → chunks; what carries them is somebody else's matter."""

    __slots__ = ("_calls", "_closed", "_customs", "_length", "_native", "_open", "_stopped", "_top", "finished")

    def __init__(self, request: ChatRequest | None, head: HTTPResponse | None) -> None:
        answer_id, model = identity(head)
        model = model or (request.model if request else "")
        self._top: dict[str, Any] = {"id": answer_id, "created": 0, "model": model}
        self._customs = _custom_names(request)
        self._open: dict[int, _Block] = {}
        self._closed: list[dict[str, Any]] = []  # complete and not yet sent as native content
        self._native = False
        self._calls = 0
        self._length = 0
        self._stopped = False
        self.finished = False

    @property
    def stopped(self) -> bool:
        """Whether the answer itself is complete; its usage may still come."""
        return self._stopped

    def event(self, name: str, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        """The chunks of one event. Raises `InvalidBlockError` and the errors of wrong types."""
        handler = _HANDLERS.get(name)
        return handler(self, event) if handler is not None else []

    def _chunk(self, delta: dict[str, Any], **choice: Any) -> ChatCompletionChunk:
        return _validate({**self._top, "choices": [{"index": 0, "delta": delta, **choice}]})

    # the events

    def _message_start(self, _: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        return [self._chunk({"role": "assistant"})]

    def _block_start(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        start = event["start"]
        if not isinstance(start, Mapping) or len(start) != 1:
            raise InvalidBlockError("the start of a block is not one block")
        kind, fields = next(iter(start.items()))
        fields = dict(fields)
        if kind == "toolUse":
            check_block({kind: {"input": {}, **fields}}, "start")
            if fields.get("type") == "tool_use":
                del fields["type"]  # says nothing, and is refused when it is sent back
        elif kind == "toolResult":
            fields["content"] = []
        block, chunks = self._begin(_index(event), kind, fields)
        if not is_client_call({kind: fields}):
            return chunks
        name = fields["name"]
        if name == JSON_TOOL:
            return chunks
        block.call = self._calls
        self._calls += 1
        if name in self._customs:
            return chunks
        function = {"name": name, "arguments": ""}
        call = {"index": block.call, "id": fields["toolUseId"], "type": "function", "function": function}
        return [*chunks, self._chunk({"tool_calls": [call]})]

    def _begin(self, index: int, kind: str, fields: dict[str, Any]) -> tuple[_Block, list[ChatCompletionChunk]]:
        """A new block, and what was held back before it if it has no OpenAI-shaped place."""
        block = self._open[index] = _Block(kind, fields, self._length)
        place = len(self._closed) + len(self._open) - 1
        whole = {kind: {**fields, "input": {}} if kind == "toolUse" else fields}
        if self._native or is_plain(whole, place):
            return block, []
        self._native = True
        return block, self._told()

    def _told(self) -> list[ChatCompletionChunk]:
        """The closed blocks as native content."""
        blocks, self._closed = self._closed, []
        return [self._chunk({"native_content": native_content(blocks)})] if blocks else []

    def _delta(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        delta = event["delta"]
        if not isinstance(delta, Mapping) or len(delta) != 1:
            raise InvalidBlockError("a delta has not one member")
        kind, value = next(iter(delta.items()))
        index = _index(event)
        block = self._open.get(index)
        chunks: list[ChatCompletionChunk] = []
        if block is None:
            if kind == "toolUse":
                raise InvalidBlockError("arguments come before their tool call")
            made: str = {"citation": "citationsContent", "toolResult": "toolResult"}.get(kind) or str(kind)
            block, chunks = self._begin(index, made, {"content": []} if made == "toolResult" else {})
        if kind == "text":
            chunks += self._text(block, value)
        elif kind == "reasoningContent":
            chunks += self._reasoning(block, value)
        elif kind == "toolUse":
            chunks += self._arguments(block, value["input"])
        elif kind == "citation":
            block.kind = "citationsContent"
            block.fields.setdefault("citations", []).append(value)
        elif kind == "toolResult":
            block.fields["content"] += value if isinstance(value, list) else [value]
        else:
            block.fields.update(value)
        return chunks

    def _text(self, block: _Block, piece: Any) -> list[ChatCompletionChunk]:
        if not isinstance(piece, str):
            raise InvalidBlockError("a piece of text is not text")
        if not piece:
            return []
        block.pieces.append(piece)
        self._length += len(piece)
        return [self._chunk({"content": piece})]

    def _reasoning(self, block: _Block, value: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        chunks = []
        for name, piece in value.items():
            if not isinstance(piece, str):
                raise InvalidBlockError("a piece of reasoning is not text")
            if name == "text" and piece:
                block.pieces.append(piece)
                chunks.append(self._chunk({"reasoning_content": piece}))
            elif name != "text":
                block.fields[name] = block.fields.get(name, "") + piece
        return chunks

    def _arguments(self, block: _Block, piece: Any) -> list[ChatCompletionChunk]:
        if block.kind != "toolUse":
            raise InvalidBlockError("arguments come in a block that is no tool call")
        if not isinstance(piece, str):
            piece = arguments_of(piece)
        if not piece:
            return []
        block.pieces.append(piece)
        if not is_client_call({"toolUse": block.fields}) or block.fields["name"] in self._customs:
            return []
        if block.call is None:
            self._length += len(piece)
            return [self._chunk({"content": piece})]
        return [self._chunk({"tool_calls": [{"index": block.call, "function": {"arguments": piece}}]})]

    def _block_stop(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        index = _index(event)
        if index not in self._open:  # a block without any content, as an empty text
            self._open[index] = _Block("text", {}, self._length)
        return self._close(index)

    def _close(self, index: int) -> list[ChatCompletionChunk]:
        place = len(self._closed)
        block = self._open.pop(index)
        chunks: list[ChatCompletionChunk] = []
        if block.call is not None and not block.pieces:
            chunks += self._arguments(block, "{}")
        whole = block.whole()
        if block.kind == "citationsContent":
            found = annotations_of(whole[block.kind], block.start, cited_text(whole[block.kind]))
            chunks += [self._chunk({"annotations": found})] if found else []
        if block.call is not None and block.fields["name"] in self._customs:
            chunks.append(self._custom_call(block))
        self._closed.append(whole)
        if self._native or not is_plain(whole, place):
            self._native = True
            chunks += self._told()
        return chunks

    def _custom_call(self, block: _Block) -> ChatCompletionChunk:
        """The call of a free-form tool, whole: its text is JSON inside JSON until the end is known."""
        call = call_of(block.fields)
        if "custom" not in call:
            raw = "".join(block.pieces)
            call = {"id": call["id"], "type": "custom", "custom": {"name": block.fields["name"], "input": raw}}
        return self._chunk({"tool_calls": [{"index": block.call, **call}]})

    def _message_stop(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        chunks = [chunk for index in sorted(self._open) for chunk in self._close(index)]
        reason = event.get("stopReason")
        delta = {} if self._length or self._calls else {"content": ""}
        finish = finish_of(reason, calls=self._calls > 0)
        chunks.append(self._chunk(delta, finish_reason=finish, native_finish_reason=reason))
        more = {name: value for name, value in event.items() if name not in {"stopReason", "p"} and value is not None}
        if more:
            chunks.append(_validate({**more, **self._top, "choices": []}))
        self._stopped = True
        return chunks

    def _metadata(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        last = {name: value for name, value in event.items() if name not in _READ and value is not None}
        last.update(self._top, choices=[], service_tier=tier_of(event))
        if event.get("usage") is not None:
            last["usage"] = decode_usage(event["usage"])
        self.finished = self._stopped
        return [_validate(last)]


class ConverseStreamDecoder:
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = ("_events", "_fault", "_frames")

    def __init__(self, request: ChatRequest | None = None, head: HTTPResponse | None = None) -> None:
        self._frames = FrameReader()
        self._events = ConverseEvents(request, head)
        self._fault: APIError | None = None

    @property
    def finished(self) -> bool:
        """Whether the end of the answer and its usage were seen, or a fault waits to be raised."""
        return self._events.finished or self._fault is not None

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """The chunks that have become complete."""
        if self._fault is not None:
            raise self._fault
        if self.finished:
            return []
        chunks: list[ChatCompletionChunk] = []
        try:
            for name, event in self._frames.feed(data):
                if self._events.finished:
                    break
                chunks += self._one(name, event)
        except APIError as error:
            self._fault = error
            if not chunks:
                raise
        return chunks

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: raise what is wrong."""
        self.feed(b"")  # a fault that the last bytes held
        if self._fault is None and not self._events.finished and (self._frames.pending or not self._events.stopped):
            self._fault = APIConnectionError(message="The stream ended before the answer did.")
        if self._fault is not None:
            raise self._fault
        self._events.finished = True
        return []

    def _one(self, name: str, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        try:
            return self._events.event(name, event)
        except InvalidBlockError as error:
            raise invalid_answer(str(error), quoted(event)) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise invalid_answer("an event has not the documented form", quoted(event)) from error


_HANDLERS: Final[Mapping[str, Callable[[ConverseEvents, Mapping[str, Any]], list[ChatCompletionChunk]]]] = {
    "messageStart": ConverseEvents._message_start,
    "contentBlockStart": ConverseEvents._block_start,
    "contentBlockDelta": ConverseEvents._delta,
    "contentBlockStop": ConverseEvents._block_stop,
    "messageStop": ConverseEvents._message_stop,
    "metadata": ConverseEvents._metadata,
}


def _index(event: Mapping[str, Any]) -> int:
    index = event["contentBlockIndex"]
    if not isinstance(index, int):
        raise InvalidBlockError("a block's index is no number")
    return index


def _custom_names(request: ChatRequest | None) -> frozenset[str]:
    """The free-form tools of the request."""
    customs = [tool.get("custom") for tool in (request.tools if request else None) or ()]
    return frozenset(str(custom["name"]) for custom in customs if isinstance(custom, Mapping) and "name" in custom)
