"""Completions → Mistral's answers, whole and streamed, for clients that speak its API.

A message with `native_content` of this wire gives exactly those parts, as long as it still says what they say.
Otherwise: reasoning as a thinking part, then the text. In a stream, tool calls are sent whole with their choice's end,
as the vendor sends them.
"""

from __future__ import annotations

from typing import Any, Final

from edgeagent.providers.mistral.parts import WIRE, native_parts
from edgeagent.providers.mistral.usage import encode_usage
from edgeagent.types import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessage,
    Choice,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChunkChoice,
)
from edgeagent.wire.json import dump_json

__all__ = ["ChatStreamEncoder", "answer_of"]

_WORDS: Final = frozenset({"stop", "length", "model_length", "tool_calls"})
_TOLD: Final = frozenset({"thinking", "text", "type"})


def answer_of(completion: ChatCompletion) -> dict[str, Any]:
    """The body of the vendor's 200 answer."""
    return {
        "id": completion.id,
        "object": "chat.completion",
        "created": completion.created,
        "model": completion.model,
        "choices": [_choice(choice) for choice in completion.choices],
        **(completion.model_extra or {}),
        "usage": encode_usage(completion.usage),
    }


def _choice(choice: Choice) -> dict[str, Any]:
    result: dict[str, Any] = {"index": choice.index, "message": _message(choice.message)}
    result["finish_reason"] = _finish(choice.finish_reason, choice.native_finish_reason)
    if choice.logprobs is not None:
        result["logprobs"] = choice.logprobs.model_dump(mode="json", exclude_unset=True)
    return {**result, **(choice.model_extra or {})}


def _finish(finish: str | None, native: str | None) -> str | None:
    """The vendor's own word where it is one of this vendor's, else the nearest to OpenAI's."""
    if native in _WORDS:
        return native
    return {"function_call": "tool_calls", "content_filter": "stop"}.get(finish, finish) if finish else None


def _message(message: ChatCompletionMessage) -> dict[str, Any]:
    told = message.model_dump(mode="json", exclude_unset=True)
    content: Any = native_parts(told) if message.native_content else None
    if content is None:
        spoken = message.audio.transcript if message.audio else None
        text = message.content or message.refusal or spoken or ""
        content = text
        if message.reasoning_content:
            content = [_thinking(message.reasoning_content), *([{"type": "text", "text": text}] if text else [])]
    result: dict[str, Any] = {"role": "assistant", "content": content, "tool_calls": None}
    calls = [_call(index, call) for index, call in enumerate(told.get("tool_calls") or ())]
    if message.function_call is not None:
        calls.append(_call(len(calls), {"id": "function1", "function": told["function_call"]}))
    if calls:
        result["tool_calls"] = calls
    return {**result, **(message.model_extra or {})}


def _thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _call(index: int, call: dict[str, Any]) -> dict[str, Any]:
    custom = call.get("custom")
    if custom:
        arguments = dump_json({"input": custom.get("input") or ""}).decode()
        function: dict[str, Any] = {"name": custom.get("name"), "arguments": arguments}
    else:
        function = call.get("function") or {"name": "", "arguments": "{}"}
    extra = {k: v for k, v in call.items() if k not in ("custom", "function", "index") and v is not None}
    return {**extra, "id": call.get("id") or "", "type": "function", "function": function, "index": index}


class _State:
    """One choice as far as it has been sent."""

    __slots__ = ("begun", "calls", "replay", "told")

    def __init__(self) -> None:
        self.begun = False
        self.told = False  # whether any content was sent
        self.replay = False  # whether the native parts came first: they are the content
        self.calls: dict[int, list[ChoiceDeltaToolCall]] = {}


class ChatStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`."""

    __slots__ = ("_states", "_top")

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}
        self._top: dict[str, Any] = {"id": "", "object": "chat.completion.chunk", "created": 0, "model": ""}

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """Encode one chunk."""
        self._top.update({name: getattr(chunk, name) for name in ("id", "created", "model") if getattr(chunk, name)})
        out = [piece for choice in chunk.choices for piece in self._take(choice)]
        extra = chunk.model_extra or {}
        if chunk.usage is not None or (extra and not chunk.choices):
            usage = {"usage": encode_usage(chunk.usage)} if chunk.usage is not None else {}
            out.append(self._event([], **extra, **usage))
        return b"".join(out)

    def end(self) -> bytes:
        """What has not been sent yet, and the closing event."""
        rest = [
            self._event([{"index": index, "delta": {"tool_calls": calls}, "finish_reason": None}])
            for index, state in self._states.items()
            if (calls := _whole_calls(state))
        ]
        return b"".join(rest) + b"data: [DONE]\n\n"

    def _take(self, choice: ChunkChoice) -> list[bytes]:
        state = self._states.setdefault(choice.index, _State())
        delta = choice.delta
        contents = self._contents(state, delta)
        for call in delta.tool_calls or ():
            state.calls.setdefault(call.index, []).append(call)
        if delta.function_call is not None:
            function = {"name": delta.function_call.name, "arguments": delta.function_call.arguments}
            call = ChoiceDeltaToolCall.model_validate({"index": 0, "id": "function1", "function": function})
            state.calls.setdefault(0, []).append(call)
        deltas: list[dict[str, Any]] = [{"content": content} for content in contents]
        finish = _finish(choice.finish_reason, choice.native_finish_reason)
        if finish is not None or not state.begun or choice.logprobs is not None:
            deltas = deltas or [{"content": ""}]
        if not deltas:
            return []
        if not state.begun:
            state.begun = True
            deltas[0] = {"role": "assistant", **deltas[0]}
        if finish is not None and (calls := _whole_calls(state)):
            deltas[-1]["tool_calls"] = calls
        told: list[dict[str, Any]] = [{"index": choice.index, "delta": d, "finish_reason": None} for d in deltas]
        told[-1]["finish_reason"] = finish
        told[-1].update(choice.model_extra or {})
        if choice.logprobs is not None:
            told[-1]["logprobs"] = choice.logprobs.model_dump(mode="json", exclude_unset=True)
        return [self._event([one]) for one in told]

    def _contents(self, state: _State, delta: ChoiceDelta) -> list[Any]:
        """The values of `content` that tell the delta."""
        contents: list[Any] = []
        native = delta.native_content
        if native is not None and native.get("wire") == WIRE and isinstance(native.get("content"), list):
            if not state.told and (delta.content or delta.reasoning_content):
                state.replay = state.told = True
                return [native["content"]]
            contents += [[extra] for part in native["content"] if (extra := _beyond_text(part))]
        if state.replay:
            return contents
        spoken = delta.audio.transcript if delta.audio is not None else None
        if delta.reasoning_content:
            contents.append([_thinking(delta.reasoning_content)])
        contents += [text for text in (delta.content, delta.refusal, spoken) if text]
        state.told = state.told or bool(contents)
        return contents

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        return b"data: " + dump_json({**self._top, "choices": choices, **more}) + b"\n\n"


def _beyond_text(part: Any) -> dict[str, Any] | None:
    """What a part says beyond the text that was sent when it came."""
    if not isinstance(part, dict) or part.get("type") == "text":
        return None
    if part.get("type") != "thinking":
        return part
    return {**part, "thinking": []} if part.keys() - _TOLD else None


def _whole_calls(state: _State) -> list[dict[str, Any]]:
    calls, state.calls = state.calls, {}
    whole = []
    for place, index in enumerate(sorted(calls)):
        parts = calls[index]
        functions = [part.function for part in parts if part.function is not None]
        customs = [part.custom for part in parts if part.custom is not None]
        call: dict[str, Any] = {"id": next((part.id for part in parts if part.id), "")}
        if customs and not functions:
            name = next((one.name for one in customs if one.name), "")
            call["custom"] = {"name": name, "input": "".join(one.input or "" for one in customs)}
        else:
            name = next((one.name for one in functions if one.name), "")
            call["function"] = {"name": name, "arguments": "".join(one.arguments or "" for one in functions)}
        for part in parts:
            call.update(part.model_extra or {})
        whole.append(_call(place, call))
    return whole
