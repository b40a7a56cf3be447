"""Chunks → ConverseStream's answer, for clients that speak Converse.

The blocks come one at a time. A chunk's `native_content` completes the block that is open (signature, citations) or
gives blocks that nothing else tells; where it comes before the content that it tells too (as in a replayed completion),
that content is not told twice. Fragments of a tool call that arrive between those of another wait for its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.providers.bedrock.blocks import WIRE, cited_text, read_blocks
from edgeagent.providers.bedrock.frames import frame
from edgeagent.providers.bedrock.response import stop_reason_of
from edgeagent.providers.bedrock.usage import encode_usage
from edgeagent.providers.calls import CUSTOM_INPUT, arguments_of
from edgeagent.types import ChatCompletionChunk, ChoiceDelta, ChoiceDeltaToolCall, ChunkChoice

__all__ = ["ConverseStreamEncoder", "block_events"]

Event = tuple[str, dict[str, Any]]


class _Call:
    """A tool call as far as its fragments have come."""

    __slots__ = ("custom", "id", "name", "pieces")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.custom = False
        self.pieces: list[str] = []

    def add(self, part: ChoiceDeltaToolCall) -> None:
        self.id = self.id or part.id or ""
        if part.function is not None:
            self.name = self.name or part.function.name or ""
            self.pieces.append(part.function.arguments or "")
        if part.custom is not None:
            self.custom = True
            self.name = self.name or part.custom.name or ""
            self.pieces.append(part.custom.input or "")


class ConverseStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`."""

    __slots__ = ("_calls", "_choice", "_current", "_extra", "_index", "_kind", "_native", "_out", "_replay", "_started")

    def __init__(self) -> None:
        self._started = False
        self._index = 0  # blocks begun
        self._kind: str | None = None  # of the open block
        self._calls: dict[int, _Call] = {}  # not yet closed, in the order of their beginning
        self._current: int | None = None  # the call whose block is open
        self._native = 0  # blocks that native content has told
        self._replay = False
        self._choice: ChunkChoice | None = None  # with the finish reason
        self._extra: dict[str, Any] = {}
        self._out: list[bytes] = []

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """Encode one chunk."""
        self._start()
        for choice in chunk.choices:
            if choice.index == 0:  # the vendor has no others
                self._take(choice)
        if chunk.usage is not None:
            self._extra["usage"] = encode_usage(chunk.usage)
        if chunk.service_tier is not None:
            self._extra["serviceTier"] = {"type": chunk.service_tier}
        if not chunk.choices:  # the fields of the whole come with its last chunk
            self._extra.update(chunk.model_extra or {})
        return self._taken()

    def end(self) -> bytes:
        """The last block's end, `messageStop`, `metadata`."""
        self._start()
        self._close_calls()
        self._close()
        choice = self._choice
        reason = stop_reason_of(choice.finish_reason, choice.native_finish_reason) if choice else "end_turn"
        fields = self._extra.pop("additionalModelResponseFields", None)
        more = {"additionalModelResponseFields": fields} if fields is not None else {}
        self._send("messageStop", stopReason=reason, **more)
        self._send("metadata", **{"usage": encode_usage(None), "metrics": {"latencyMs": 0}, **self._extra})
        return self._taken()

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._send("messageStart", role="assistant")

    def _take(self, choice: ChunkChoice) -> None:
        delta = choice.delta
        native = delta.native_content
        if native is not None and native.get("wire") == WIRE:
            for block in native.get("content") or ():
                self._native_block(block)
        if not self._replay:
            self._content(delta)
        if choice.finish_reason is not None or choice.native_finish_reason is not None:
            self._choice = choice

    def _content(self, delta: ChoiceDelta) -> None:
        if delta.reasoning_content:
            self._grow("reasoningContent", {"reasoningContent": {"text": delta.reasoning_content}})
        spoken = delta.audio.transcript if delta.audio is not None else None
        for text in (delta.content, spoken, delta.refusal):
            if text:
                self._grow("text", {"text": text})
        for part in delta.tool_calls or ():
            self._tool_call(part)
        if delta.function_call is not None:
            function = {"name": delta.function_call.name, "arguments": delta.function_call.arguments}
            call = {"index": -1, "id": "function_1", "function": function}
            self._tool_call(ChoiceDeltaToolCall.model_validate(call))

    def _grow(self, kind: str, delta: dict[str, Any]) -> None:
        if self._kind != kind:
            self._close_calls()
            self._close()
            self._open(kind)
        self._delta(delta)

    # tool calls

    def _tool_call(self, part: ChoiceDeltaToolCall) -> None:
        if part.index not in self._calls and part.id is None:
            return  # what follows the end of its call
        call = self._calls.setdefault(part.index, _Call())
        call.add(part)
        if self._current is None and call.name:
            self._open_call(part.index)
        elif part.index == self._current and not call.custom:
            self._arguments(call)

    def _open_call(self, index: int) -> None:
        call = self._calls[index]
        self._close()
        self._open("toolUse", {"toolUse": {"toolUseId": call.id, "name": call.name}})
        self._current = index
        if not call.custom:
            self._arguments(call)

    def _arguments(self, call: _Call) -> None:
        for piece in call.pieces:
            if piece:
                self._delta({"toolUse": {"input": piece}})
        call.pieces.clear()

    def _close_calls(self) -> None:
        """No more fragments will come: end the open call, send those that wait."""
        if self._current is not None:
            self._close()
        for index in list(self._calls):
            if self._calls[index].name:
                self._open_call(index)
                self._close()
        self._calls.clear()

    # blocks of the vendor's own

    def _native_block(self, block: Mapping[str, Any]) -> None:
        place = self._native
        self._native += 1
        if place < self._index:  # the content told it already; what is open, this completes
            if place == self._index - 1 and self._kind is not None:
                for delta in _completion(block):
                    self._delta(delta)
                self._close()
            return
        self._close_calls()
        self._close()
        reading = read_blocks([block])
        self._replay = self._replay or bool(reading.text or reading.reasoning or reading.calls)
        for name, event in block_events(block, self._index):
            self._send(name, **event)
        self._index += 1

    # events

    def _open(self, kind: str, start: dict[str, Any] | None = None) -> None:
        if start is not None:
            self._send("contentBlockStart", start=start, contentBlockIndex=self._index)
        self._index += 1
        self._kind = kind

    def _delta(self, delta: dict[str, Any]) -> None:
        self._send("contentBlockDelta", delta=delta, contentBlockIndex=self._index - 1)

    def _close(self) -> None:
        if self._kind is None:
            return
        if self._current is not None:
            call = self._calls.pop(self._current)
            if call.custom:
                self._delta({"toolUse": {"input": arguments_of({CUSTOM_INPUT: "".join(call.pieces)})}})
            self._current = None
        self._send("contentBlockStop", contentBlockIndex=self._index - 1)
        self._kind = None

    def _send(self, name: str, **event: Any) -> None:
        self._out.append(frame(name, event))

    def _taken(self) -> bytes:
        data = b"".join(self._out)
        self._out.clear()
        return data


def block_events(block: Mapping[str, Any], index: int) -> list[Event]:
    """The events that tell a whole block."""
    kind: str
    value: Any
    kind, value = next(iter(block.items()), ("text", ""))
    start: dict[str, Any] | None = None
    deltas: list[dict[str, Any]] = []
    if kind == "text":
        deltas = [{"text": value}]
    elif kind == "reasoningContent":
        text = (value.get("reasoningText") or {}).get("text")
        deltas = [{kind: {"text": text}}] if text else []
    elif kind == "citationsContent":
        deltas = [{"text": cited_text(value)}]
    elif kind == "toolUse":
        start = {kind: {name: item for name, item in value.items() if name != "input"}}
        deltas = [{kind: {"input": arguments_of(value.get("input"))}}]
    elif kind == "toolResult":
        start = {kind: {name: item for name, item in value.items() if name != "content"}}
        deltas = [{kind: value.get("content") or []}]
    else:
        deltas = [{kind: value}]
    events: list[Event] = [] if start is None else [("contentBlockStart", {"start": start, "contentBlockIndex": index})]
    told = [*deltas, *_completion(block)]
    events += [("contentBlockDelta", {"delta": delta, "contentBlockIndex": index}) for delta in told]
    return [*events, ("contentBlockStop", {"contentBlockIndex": index})]


def _completion(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a block has beyond its text, as deltas."""
    thought, cited = block.get("reasoningContent"), block.get("citationsContent")
    deltas: list[dict[str, Any]] = []
    if isinstance(thought, Mapping):
        if "redactedContent" in thought:
            deltas.append({"reasoningContent": {"redactedContent": thought["redactedContent"]}})
        signature = (thought.get("reasoningText") or {}).get("signature")
        if signature:
            deltas.append({"reasoningContent": {"signature": signature}})
    if isinstance(cited, Mapping):
        deltas += [{"citation": citation} for citation in cited.get("citations") or ()]
    return deltas
