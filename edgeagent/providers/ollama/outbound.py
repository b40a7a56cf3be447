"""Completions → Ollama's answers: whole ones, and the lines of a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from edgeagent.providers.ollama.answer import MADE_ID, WIRE
from edgeagent.providers.ollama.messages import RAW_ARGUMENTS
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChoiceDeltaToolCall, CompletionUsage
from edgeagent.types.assembly import Assembly
from edgeagent.wire.json import dump_json

__all__ = ["AnswerStreamEncoder", "Shape", "answer_of"]

Document = dict[str, Any]
Shape: TypeAlias = Callable[[Document], Document]
"""What gives a document of `/api/chat` the form of another API."""

_REASONS: Final[Mapping[str, str]] = {"length": "length"}


def answer_of(completion: ChatCompletion) -> Document:
    """The body of Ollama's 200 answer. Only the first choice has a place."""
    choice = completion.choices[0] if completion.choices else None
    fields = choice.message.model_dump(mode="json", exclude_unset=True) if choice else {}
    finish, native = (choice.finish_reason, choice.native_finish_reason) if choice else (None, None)
    body = _head(completion.model, completion.created, completion.model_extra or {})
    body["message"] = _message(fields, fields.get("tool_calls") or [])
    body |= _end(finish, native, completion.usage, completion.model_extra or {})
    if choice and choice.logprobs is not None and choice.logprobs.content is not None:
        body["logprobs"] = [token.model_dump(mode="json", exclude_unset=True) for token in choice.logprobs.content]
    return body


class AnswerStreamEncoder:
    """Chunks → lines. See `edgeagent.providers.base.StreamEncoder`.

    Tool calls have no fragments at Ollama's: they are held back until the choice has finished. Args: `shape`, what
    gives a document of `/api/chat` the form of another API.
    """

    __slots__ = ("_begun", "_calls", "_finish", "_last", "_shape", "_top", "_usage")

    def __init__(self, shape: Shape = dict) -> None:
        self._shape = shape
        self._begun = False
        self._calls = Assembly()
        self._finish: tuple[str | None, str | None] = (None, None)
        self._usage: CompletionUsage | None = None
        self._top: tuple[str, int] = ("", 0)
        self._last: dict[str, Any] = {}

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """Encode one chunk."""
        self._top = (self._top[0] or chunk.model, self._top[1] or chunk.created)
        self._usage = chunk.usage or self._usage
        self._last.update(chunk.model_extra or {})
        out = b""
        for choice in chunk.choices:
            if choice.index != 0:  # Ollama has no others
                continue
            if choice.finish_reason is not None or choice.native_finish_reason is not None:
                self._finish = (choice.finish_reason, choice.native_finish_reason)
            fields = choice.delta.model_dump(mode="json", exclude_unset=True, exclude={"tool_calls"})
            if calls := choice.delta.tool_calls:
                out += self._take(chunk, calls)
            document: Document = {"message": _message(fields, [])}
            if choice.logprobs is not None and choice.logprobs.content is not None:
                tokens = choice.logprobs.content
                document["logprobs"] = [token.model_dump(mode="json", exclude_unset=True) for token in tokens]
            if document["message"].keys() - {"role", "content"} or fields.get("content") or "logprobs" in document:
                out += self._line(document)
        return out

    def end(self) -> bytes:
        """The tool calls, and the document that is done."""
        whole = self._calls.completion()
        calls = whole.choices[0].message.tool_calls if whole.choices else None
        out = b""
        if calls:
            out = self._line({"message": _message({}, [call.model_dump(mode="json") for call in calls])})
        finish, native = self._finish
        return out + self._line({"message": _message({}, []), **_end(finish, native, self._usage, self._last)})

    def _take(self, chunk: ChatCompletionChunk, calls: list[ChoiceDeltaToolCall]) -> bytes:
        choice = {"index": 0, "delta": {"tool_calls": [call.model_dump(exclude_unset=True) for call in calls]}}
        top = {"id": chunk.id, "created": chunk.created, "model": chunk.model}
        self._calls.add(ChatCompletionChunk.model_validate({**top, "choices": [choice]}))
        return b""

    def _line(self, document: Document) -> bytes:
        whole = {**_head(*self._top, self._last), "done": False, **document}
        return dump_json(self._shape(whole)) + b"\n"


def _head(model: str, created: int, extra: Mapping[str, Any]) -> Document:
    moment = datetime.fromtimestamp(created, timezone.utc).isoformat().replace("+00:00", "Z")
    return {"model": model, "created_at": extra.get("created_at", moment)}


def _end(finish: str | None, native: str | None, usage: CompletionUsage | None, extra: Mapping[str, Any]) -> Document:
    """The fields of the last document; counts that are 0 are left out, as Go does it."""
    own = {name: value for name, value in extra.items() if name not in {"created_at", "id", "choices"}}
    end: Document = {"done": True, "done_reason": _reason(finish, native), **own}
    if usage is not None:
        counts = {"prompt_eval_count": usage.prompt_tokens, "eval_count": usage.completion_tokens}
        end |= {name: count for name, count in counts.items() if count}
    return end


def _reason(finish: str | None, native: str | None) -> str:
    """Ollama's own word where it is one, else the nearest to OpenAI's."""
    if native in {"stop", "length", "load", "unload"}:
        return native
    return _REASONS.get(finish or "stop", "stop")


def _message(fields: Mapping[str, Any], calls: list[Any]) -> Document:
    text = fields.get("content") or fields.get("refusal") or ""
    message: Document = {"role": "assistant", "content": text}
    if fields.get("reasoning_content"):
        message["thinking"] = fields["reasoning_content"]
    native = fields.get("native_content")
    if isinstance(native, Mapping) and native.get("wire") == WIRE:
        for block in native.get("content") or ():
            message |= block
    if calls and "tool_calls" not in message:
        message["tool_calls"] = [_call(call, place) for place, call in enumerate(calls)]
    return message


def _call(call: Mapping[str, Any], place: int) -> Document:
    function, custom = call.get("function") or {}, call.get("custom")
    name, arguments = function.get("name", ""), _object(function.get("arguments"))
    if custom:
        name, arguments = custom.get("name", ""), {"input": custom.get("input", "")}
    made: Document = {"function": {"index": place, "name": name, "arguments": arguments}}
    call_id = call.get("id")
    return {"id": call_id, **made} if call_id and not call_id.startswith(MADE_ID) else made


def _object(arguments: Any) -> dict[str, Any]:
    try:
        value = from_json(arguments or "{}", allow_inf_nan=False)
    except (ValueError, TypeError):  # TypeError: a lone surrogate
        value = arguments
    return value if isinstance(value, dict) else {RAW_ARGUMENTS: value}
