"""Completions → Cohere's answers, whole and streamed, for clients that speak its API.

A message with `native_content` of this wire gives exactly those blocks, plan and citations, as long as it still says
what they say. Otherwise: reasoning as a thinking block, then the text. Only the first choice has a place. In a stream,
reasoning is always told as thinking: that it was a plan is known with its end only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.cohere.blocks import WIRE, native_message
from edgeagent.providers.cohere.usage import encode_usage
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChoiceDelta, ChoiceDeltaToolCall, ChoiceLogprobs
from edgeagent.wire.json import dump_json

__all__ = ["ChatStreamEncoder", "answer_of"]

_FINISH: Final[Mapping[str, str]] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "function_call": "TOOL_CALL",
    "content_filter": "ERROR_TOXIC",
}
_WORDS: Final = frozenset({"COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL", "ERROR_TOXIC", "ERROR_LIMIT"})


def answer_of(completion: ChatCompletion) -> dict[str, Any]:
    """The body of the vendor's 200 answer."""
    choice = completion.choices[0] if completion.choices else None
    told = choice.message.model_dump(mode="json", exclude_unset=True) if choice else {}
    body: dict[str, Any] = {"id": completion.id, **(completion.model_extra or {}), "message": _message(told)}
    body["finish_reason"] = _finish(choice.finish_reason, choice.native_finish_reason) if choice else "COMPLETE"
    body["usage"] = encode_usage(completion.usage)
    if choice is not None and choice.logprobs is not None:
        body["logprobs"] = _logprobs(choice.logprobs)
    return body


def _finish(finish: str | None, native: str | None) -> str:
    """The vendor's own word where it is one of this vendor's, else the nearest to OpenAI's."""
    return native if native is not None and native in _WORDS else _FINISH.get(finish or "stop", "COMPLETE")


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"role": "assistant"}
    native = native_message(message)
    if native is not None:
        result.update({name: value for name, value in native.items() if value})
    else:
        blocks = []
        if message.get("reasoning_content"):
            blocks.append({"type": "thinking", "thinking": message["reasoning_content"]})
        spoken = (message.get("audio") or {}).get("transcript")
        text = message.get("content") or message.get("refusal") or spoken
        if text or message.get("content") is not None:
            blocks.append({"type": "text", "text": text or ""})
        if blocks:
            result["content"] = blocks
    calls = [_call(call) for call in message.get("tool_calls") or ()]
    if message.get("function_call"):
        calls.append(_call({"id": "function_1", "function": message["function_call"]}))
    if calls:
        result["tool_calls"] = calls
    return result


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    custom = call.get("custom")
    if custom:
        arguments = dump_json({"input": custom.get("input") or ""}).decode()
        function: Any = {"name": custom.get("name"), "arguments": arguments}
    else:
        function = call.get("function") or {"name": "", "arguments": "{}"}
    return {"id": call.get("id") or "", "type": "function", "function": function}


def _logprobs(logprobs: ChoiceLogprobs) -> list[dict[str, Any]]:
    items = []
    for token in logprobs.content or ():
        extra = token.model_extra or {}
        single = extra.get("logprobs") or [token.logprob]
        items.append({"text": token.token, "token_ids": extra.get("token_ids") or [], "logprobs": single})
    return items


class ChatStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`."""

    __slots__ = (
        "_calls",
        "_citations",
        "_customs",
        "_extra",
        "_finish",
        "_index",
        "_kind",
        "_replay",
        "_started",
        "_usage",
    )

    def __init__(self) -> None:
        self._started = False
        self._index = -1  # of the open block
        self._kind: str | None = None
        self._calls: dict[int, bool] = {}  # ours → whether it is open
        self._customs: dict[int, list[str]] = {}  # inputs of free-form calls: JSON when they are whole
        self._citations: list[Any] = []
        self._finish = "COMPLETE"
        self._usage: dict[str, Any] = {}
        self._extra: dict[str, Any] = {}
        self._replay = False

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """Encode one chunk."""
        out: list[bytes] = []
        if not self._started:
            self._start(chunk.id, out)
        for choice in chunk.choices:
            if choice.index != 0:
                continue  # the vendor has no others
            self._take(choice.delta, choice.logprobs, out)
            if choice.finish_reason is not None or choice.native_finish_reason is not None:
                self._finish = _finish(choice.finish_reason, choice.native_finish_reason)
        if chunk.usage is not None:
            self._usage = encode_usage(chunk.usage)
        if not chunk.choices:
            self._extra.update(chunk.model_extra or {})
        return b"".join(out)

    def end(self) -> bytes:
        """The last block's end, the citations, `message-end`."""
        out: list[bytes] = []
        if not self._started:
            self._start("", out)
        self._close(out)
        for index in [index for index, is_open in self._calls.items() if is_open]:
            self._close_call(index, out)
        for index, citation in enumerate(self._citations):
            message = {"citations": citation}
            out += [
                _event("citation-start", index=index, delta={"message": message}),
                _event("citation-end", index=index),
            ]
        delta = {**self._extra, "finish_reason": self._finish, "usage": self._usage}
        out += [_event("message-end", delta=delta), b"data: [DONE]\n\n"]
        return b"".join(out)

    def _start(self, message_id: str, out: list[bytes]) -> None:
        self._started = True
        message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        out.append(_event("message-start", id=message_id, delta={"message": message}))

    def _take(self, delta: ChoiceDelta, logprobs: ChoiceLogprobs | None, out: list[bytes]) -> None:
        native = delta.native_content
        if native is not None and native.get("wire") == WIRE:
            self._citations = native.get("citations") or self._citations
            if self._index < 0 and (delta.content or delta.reasoning_content) and not self._replay:
                self._native(native, out)
        if not self._replay:
            self._text("thinking", delta.reasoning_content, None, out)
            spoken = delta.audio.transcript if delta.audio is not None else None
            for text in (delta.content, delta.refusal, spoken):
                self._text("text", text, logprobs, out)
        for call in delta.tool_calls or ():
            self._call(call, out)
        if delta.function_call is not None:
            function = {"name": delta.function_call.name, "arguments": delta.function_call.arguments}
            made = {"index": 0, "id": "function_1", "function": function}
            self._call(ChoiceDeltaToolCall.model_validate(made), out)

    def _native(self, native: Mapping[str, Any], out: list[bytes]) -> None:
        """The vendor's own blocks came before the content that they tell: it is not told twice."""
        self._replay = True
        if native.get("tool_plan"):
            out.append(_event("tool-plan-delta", delta={"message": {"tool_plan": native["tool_plan"]}}))
        for block in native.get("content") or ():
            kind = block.get("type")
            if kind in ("text", "thinking"):
                self._close(out)
                self._text(kind, block.get(kind), None, out)

    def _text(self, kind: str, text: str | None, logprobs: ChoiceLogprobs | None, out: list[bytes]) -> None:
        if not text:
            return
        if self._kind != kind:
            self._close(out)
            self._index += 1
            self._kind = kind
            content = {"type": kind, kind: ""}
            out.append(_event("content-start", index=self._index, delta={"message": {"content": content}}))
        more = {"logprobs": items[0]} if logprobs is not None and len(items := _logprobs(logprobs)) == 1 else {}
        out.append(_event("content-delta", index=self._index, delta={"message": {"content": {kind: text}}}, **more))

    def _close(self, out: list[bytes]) -> None:
        if self._kind is not None:
            out.append(_event("content-end", index=self._index))
            self._kind = None

    def _call(self, call: ChoiceDeltaToolCall, out: list[bytes]) -> None:
        function = call.function or call.custom
        name = function.name if function is not None else None
        arguments = call.function.arguments if call.function is not None else None
        if call.custom is not None:
            self._customs.setdefault(call.index, []).append(call.custom.input or "")
        if call.index not in self._calls:
            self._close(out)
            self._calls[call.index] = True
            told = {"id": call.id or "", "type": "function", "function": {"name": name or "", "arguments": ""}}
            out.append(_event("tool-call-start", index=call.index, delta={"message": {"tool_calls": told}}))
        if arguments:
            self._arguments(call.index, arguments, out)

    def _arguments(self, index: int, piece: str, out: list[bytes]) -> None:
        call = {"function": {"arguments": piece}}
        out.append(_event("tool-call-delta", index=index, delta={"message": {"tool_calls": call}}))

    def _close_call(self, index: int, out: list[bytes]) -> None:
        self._calls[index] = False
        if index in self._customs:
            self._arguments(index, dump_json({"input": "".join(self._customs.pop(index))}).decode(), out)
        out.append(_event("tool-call-end", index=index))


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + dump_json({"type": kind, **fields}) + b"\n\n"
