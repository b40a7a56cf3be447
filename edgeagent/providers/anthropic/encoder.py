"""Chunks → Anthropic's streamed answer, for clients that speak the messages API.

The events come in the documented order, one block at a time. A chunk's `native_content` completes the block that is
open (signature, citations) or gives blocks that nothing else tells; where it comes before the content that it tells too
(as in a replayed completion), that content is not told twice. Fragments of a tool call that arrive between those of
another wait until the other's arguments are complete. What another vendor signed is the last block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from edgeagent.errors import APIStatusError
from edgeagent.providers.anthropic.blocks import WIRE
from edgeagent.providers.anthropic.citing import citations_of
from edgeagent.providers.anthropic.errors import encode_error
from edgeagent.providers.anthropic.outbound import sealed_block, stop_details, stop_reason_of
from edgeagent.providers.anthropic.response import CHOICE_FIELDS
from edgeagent.providers.anthropic.usage import encode_usage
from edgeagent.providers.calls import CUSTOM_INPUT, arguments_of, input_of, wire_id
from edgeagent.types import ChatCompletionChunk, ChoiceDelta, ChoiceDeltaToolCall, ChunkChoice
from edgeagent.types.assembly import joined_native
from edgeagent.types.completion import Annotation
from edgeagent.wire.json import dump_json

__all__ = ["MessageStreamEncoder"]

_DELTAS: Final[Mapping[str, str]] = {"text": "text_delta", "thinking": "thinking_delta"}


class _Call:
    """A tool call as far as its fragments have come."""

    __slots__ = ("custom", "id", "name", "pieces", "sent")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.custom = False
        self.pieces: list[str] = []
        self.sent = 0  # pieces that have been sent

    def add(self, part: ChoiceDeltaToolCall) -> None:
        self.id = self.id or part.id or ""
        if part.function is not None:
            self.name = self.name or part.function.name or ""
            self.pieces.append(part.function.arguments or "")
        if part.custom is not None:
            self.custom = True
            self.name = self.name or part.custom.name or ""
            self.pieces.append(part.custom.input or "")

    def is_complete(self) -> bool:
        """Whether the arguments are a whole object; a free-form input never looks so."""
        text = "".join(self.pieces)
        return not self.custom and text.rstrip().endswith("}") and input_of(text) is not None


class MessageStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`."""

    __slots__ = (
        "_called",
        "_calls",
        "_choice",
        "_cited",
        "_current",
        "_end",
        "_extra",
        "_foreign",
        "_index",
        "_kind",
        "_native",
        "_refusal",
        "_replay",
        "_said",
        "_started",
        "_usage",
    )

    def __init__(self) -> None:
        self._started = False
        self._index = 0  # blocks begun
        self._kind: Literal["text", "thinking", "tool"] | None = None  # of the open block
        self._calls: dict[int, _Call] = {}  # not yet closed, in the order of their beginning
        self._called = False
        self._current: int | None = None  # the call whose block is open
        self._native = 0  # blocks that native content has told
        self._replay = False
        self._refusal = ""
        self._foreign: list[dict[str, Any]] = []  # native content of another format
        self._said: list[str] = []
        self._cited: list[Annotation] = []  # of the text whose block is open, or begins next
        self._choice: ChunkChoice | None = None  # with the finish reason
        self._usage: dict[str, Any] = encode_usage(None)
        self._extra: dict[str, Any] = {}
        self._end: dict[str, Any] = {}

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """Encode one chunk."""
        out: list[bytes] = []
        if not self._started:
            self._start(chunk, out)
        for choice in chunk.choices:
            if choice.index == 0:  # the vendor has no others
                self._take(choice, out)
        if chunk.usage is not None:
            self._usage = encode_usage(chunk.usage, chunk.service_tier)
        if not chunk.choices:  # the fields of the whole come with its last chunk
            self._extra.update(chunk.model_extra or {})
        return b"".join(out)

    def fault(self, error: APIStatusError, /) -> bytes:
        """`error`, after which nothing comes."""
        return b"event: error\ndata: " + encode_error(error).content + b"\n\n"

    def end(self) -> bytes:
        """The last block's end, `message_delta`, `message_stop`."""
        out: list[bytes] = []
        if not self._started:
            self._start(ChatCompletionChunk(id="", choices=[], created=0, model=""), out)
        self._close_calls(out)
        self._close(out)
        if self._foreign:
            self._whole("redacted_thinking", sealed_block(joined_native(self._foreign), "".join(self._said)), out)
        choice = self._choice
        native = choice.native_finish_reason if choice else None
        finish = choice.finish_reason if choice else "stop"
        reason = stop_reason_of(finish, native, called=self._called, refused=bool(self._refusal))
        if self._refusal and reason == "refusal":
            self._end.setdefault("stop_details", stop_details(self._refusal))
        delta = {"stop_reason": reason, "stop_sequence": None, **self._end}
        if "container" in self._extra:
            delta["container"] = self._extra.pop("container")
        out.append(_event("message_delta", delta=delta, usage=self._usage, **self._extra))
        out.append(_event("message_stop"))
        return b"".join(out)

    def _start(self, chunk: ChatCompletionChunk, out: list[bytes]) -> None:
        self._started = True
        message = {"id": chunk.id, "type": "message", "role": "assistant", "model": chunk.model, "content": []}
        unknown = {"stop_reason": None, "stop_sequence": None, "usage": self._usage}
        out.append(_event("message_start", message={**message, **unknown}))

    def _take(self, choice: ChunkChoice, out: list[bytes]) -> None:
        delta = choice.delta
        native = delta.native_content
        if native is not None and native.get("wire") == WIRE:
            self._cited = []  # the blocks have the citations, too
            for block in native.get("content") or ():
                self._native_block(block, out)
        elif native is not None:
            self._foreign.append(native)
        self._said.append(delta.content or "")
        if not self._replay:
            if native is None or native.get("wire") != WIRE:
                self._cited += delta.annotations or ()
            self._content(delta, out)
            if choice.finish_reason != "content_filter":  # there it is the end's detail
                self._text("text", delta.refusal, out)
        if choice.finish_reason is not None or choice.native_finish_reason is not None:
            self._choice = choice
        self._end.update({k: v for k, v in (choice.model_extra or {}).items() if k in CHOICE_FIELDS})
        self._refusal += delta.refusal or ""

    def _content(self, delta: ChoiceDelta, out: list[bytes]) -> None:
        self._text("thinking", delta.reasoning_content, out)
        self._text("text", delta.content, out)
        if delta.audio is not None:
            self._text("text", delta.audio.transcript, out)
        for part in delta.tool_calls or ():
            self._tool_call(part, out)
        if delta.function_call is not None:
            function = {"name": delta.function_call.name, "arguments": delta.function_call.arguments}
            call = {"index": 0, "id": "function_1", "function": function}
            self._tool_call(ChoiceDeltaToolCall.model_validate(call), out)

    def _text(self, kind: Literal["text", "thinking"], text: str | None, out: list[bytes]) -> None:
        if not text:
            return
        if self._kind != kind:
            self._close_calls(out)
            self._close(out)
            self._open(kind, _empty(kind), out)
        self._delta(out, type=_DELTAS[kind], **{kind: text})

    # tool calls

    def _tool_call(self, part: ChoiceDeltaToolCall, out: list[bytes]) -> None:
        if part.index not in self._calls and part.id is None:
            return  # what follows the end of its call
        self._calls.setdefault(part.index, _Call()).add(part)
        current = self._calls.get(self._current) if self._current is not None else None
        if current is not None and part.index != self._current and current.is_complete():
            self._close(out)
        self._advance(out)

    def _advance(self, out: list[bytes]) -> None:
        """Send what can be sent: the fragments of the open call, and of the next ones as far as it is complete."""
        while self._calls:
            index = next(iter(self._calls))
            call = self._calls[index]
            if index != self._current:
                if not call.name:
                    return
                self._close(out)
                self._open("tool", {"type": "tool_use", "id": wire_id(call.id), "name": call.name, "input": {}}, out)
                self._current, self._called = index, True
            if not call.custom:
                for piece in call.pieces[call.sent :]:
                    if piece:
                        self._delta(out, type="input_json_delta", partial_json=piece)
                call.sent = len(call.pieces)
            if len(self._calls) == 1 or not call.is_complete():
                return
            self._close(out)

    def _close_calls(self, out: list[bytes]) -> None:
        """No more fragments will come: end the open call, send those that wait."""
        while self._calls:
            if self._current is not None:
                self._close(out)
            else:
                del self._calls[next(iter(self._calls))]  # nobody said what was called
            self._advance(out)

    # blocks of the vendor's own

    def _native_block(self, block: Mapping[str, Any], out: list[bytes]) -> None:
        place = self._native
        self._native += 1
        if place < self._index:  # the content told it already; what is open, this completes
            if place == self._index - 1 and self._kind is not None:
                self._complete(block, out)
                self._close(out)
            return
        self._close_calls(out)
        self._close(out)
        kind = str(block.get("type"))
        self._replay = self._replay or kind == "tool_use" or bool(kind in _DELTAS and block.get(kind))
        self._whole(kind, block, out)

    def _whole(self, kind: str, block: Mapping[str, Any], out: list[bytes]) -> None:
        if kind in _DELTAS:
            self._open("text" if kind == "text" else "thinking", {**block, **_empty(kind)}, out)
            if block.get(kind):
                self._delta(out, type=_DELTAS[kind], **{kind: block[kind]})
            self._complete(block, out)
        elif isinstance(block.get("input"), Mapping):
            self._open("tool", {**block, "input": {}}, out)
            self._delta(
                out, type="input_json_delta", partial_json=arguments_of(block["input"]) if block["input"] else ""
            )
        else:
            self._open("tool", dict(block), out)
        self._close(out)

    def _complete(self, block: Mapping[str, Any], out: list[bytes]) -> None:
        """What a block has beyond its text."""
        for citation in block.get("citations") or ():
            self._delta(out, type="citations_delta", citation=citation)
        if block.get("signature"):
            self._delta(out, type="signature_delta", signature=block["signature"])

    # events

    def _open(self, kind: Literal["text", "thinking", "tool"], block: dict[str, Any], out: list[bytes]) -> None:
        if block.get("citations"):
            block = {**block, "citations": []}
        out.append(_event("content_block_start", index=self._index, content_block=block))
        self._index += 1
        self._kind = kind

    def _delta(self, out: list[bytes], **delta: Any) -> None:
        out.append(_event("content_block_delta", index=self._index - 1, delta=delta))

    def _close(self, out: list[bytes]) -> None:
        if self._kind is None:
            return
        if self._current is not None:
            call = self._calls.pop(self._current)
            if call.custom:
                text = arguments_of({CUSTOM_INPUT: "".join(call.pieces)})
                self._delta(out, type="input_json_delta", partial_json=text)
            elif not any(call.pieces):
                self._delta(out, type="input_json_delta", partial_json="")
            self._current = None
        if self._kind == "text" and self._cited:
            for citation in citations_of(self._cited):
                self._delta(out, type="citations_delta", citation=citation)
            self._cited = []
        out.append(_event("content_block_stop", index=self._index - 1))
        self._kind = None


def _empty(kind: str) -> dict[str, Any]:
    """The fields with which a block of text or thinking begins."""
    return {"type": "text", "text": ""} if kind == "text" else {"type": "thinking", "thinking": "", "signature": ""}


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + dump_json({"type": kind, **fields}) + b"\n\n"
