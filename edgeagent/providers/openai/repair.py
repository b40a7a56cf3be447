"""What servers of OpenAI's shape really send, made into what OpenAI documents.

Two kinds of repair. `repaired` works on a JSON document that is no completion (or chunk) as it stands, and runs only
when one was refused; it is harmless for OpenAI itself. `Tidy` works on objects that are well formed and say something
in a way that callers do not expect; it is for servers other than OpenAI's own (`Quirks.lenient`).
"""

from __future__ import annotations

import math
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from typing import Any, Final

from edgeagent.types import ChatCompletion, ChatCompletionChunk, CompletionUsage
from edgeagent.types.chunk import ChoiceDelta, ChoiceDeltaToolCall, ChoiceDeltaToolCallFunction, ChunkChoice
from edgeagent.types.completion import Annotation, AnnotationURLCitation, ChatCompletionMessage, Choice
from edgeagent.types.usage import PromptTokensDetails
from edgeagent.wire.json import dump_json

__all__ = ["WIRE", "Tidy", "repaired"]

WIRE: Final = "openai.chat"

_FINISH_REASONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "model_length"), "length"),
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use"), "tool_calls"),
    **dict.fromkeys(("content_filter", "safety", "refusal", "sensitive", "guardrail_intervened"), "content_filter"),
    "function_call": "function_call",
}
"""OpenAI's own and, in lower case, those that gateways and compatible servers pass on from other vendors."""

_OWN: Final = frozenset(_FINISH_REASONS.values())
_COUNTERS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


# Documents


def repaired(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A completion or chunk with what servers leave out or write otherwise, and with OpenAI's finish reasons.

    Azure's first chunk has an empty `object`; OpenAI's audio chunks may have no `choices`, others no `delta`.
    """
    fixed = {**data, "object": kind}
    for name, default in (("id", ""), ("model", ""), ("created", 0)):
        if fixed.get(name) is None:
            fixed[name] = default
    created = fixed["created"]
    if isinstance(created, float) and math.isfinite(created):
        fixed["created"] = int(created)
    usage = data.get("usage")
    if isinstance(usage, dict) and any(usage.get(name, 0) is None for name in _COUNTERS):
        fixed["usage"] = {**usage, **{name: usage.get(name) or 0 for name in _COUNTERS}}
    choices = data.get("choices")
    whole = kind == "chat.completion"
    if choices is None and not whole:
        choices = []
    if isinstance(choices, list):
        fixed["choices"] = [_choice(i, choice, whole=whole) for i, choice in enumerate(choices)]
    return fixed


def _choice(position: int, choice: Any, *, whole: bool) -> Any:
    if not isinstance(choice, dict):
        return choice
    fixed = {"index": position, **choice}
    part = "message" if whole else "delta"
    if not whole and fixed.get("delta") is None:
        fixed["delta"] = {}
    if isinstance(fixed.get(part), dict):
        fixed[part] = _message(fixed[part], whole=whole)
    if isinstance(fixed.get("logprobs"), dict):
        fixed["logprobs"] = {name: _tokens(value) for name, value in fixed["logprobs"].items()}
    reason = fixed.get("finish_reason")
    if isinstance(reason, str) and reason not in _OWN:
        fixed["finish_reason"] = _FINISH_REASONS.get(reason.lower(), "stop") if reason else None
        if reason and fixed.get("native_finish_reason") is None:
            fixed["native_finish_reason"] = reason
    return fixed


def _message(message: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    fixed = dict(message)
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        fixed.update(_from_parts(content, message.get("reasoning_content")))
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        fixed["tool_calls"] = [_call(i, call, whole=whole) for i, call in enumerate(calls)]
    elif isinstance(calls, dict):  # one call, not in a list
        fixed["tool_calls"] = [_call(0, calls, whole=whole)]
    return fixed


def _from_parts(parts: list[dict[str, Any]], reasoning: Any) -> dict[str, Any]:
    """Content in parts, as Mistral has it: thinking beside text. The parts themselves are kept for the next turn."""
    texts: list[str] = []
    thoughts: list[str] = [reasoning] if isinstance(reasoning, str) else []
    for part in parts:
        if part.get("type") == "thinking":
            thoughts += _thoughts(part.get("thinking"))
        elif isinstance(part.get("text"), str):
            texts.append(part["text"])
    fixed: dict[str, Any] = {"content": "".join(texts) if texts else None}
    if thoughts:
        fixed["reasoning_content"] = "".join(thoughts)
    return {**fixed, "native_content": {"wire": WIRE, "content": parts}}


def _thoughts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value if isinstance(value, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]


def _call(position: int, call: Any, *, whole: bool) -> Any:
    if not isinstance(call, dict):
        return call
    fixed = {"type": "function", **call} if whole else dict(call)
    if whole and fixed.get("id") is None:
        fixed["id"] = ""
    if whole and fixed["type"] is None:
        fixed["type"] = "function"
    if not whole and fixed.get("index") is None:
        fixed["index"] = -1 - position  # which one it is, is known to who sees the whole stream
    function = fixed.get("function")
    if isinstance(function, dict):
        arguments = function.get("arguments")
        if arguments is None:
            arguments = "" if whole or "arguments" in function else None
        elif not isinstance(arguments, str):
            arguments = _json_text(arguments)
        fixed["function"] = {**function, "arguments": arguments}
    return fixed


def _json_text(value: Any) -> str:
    try:
        return dump_json(value).decode()
    except (ValueError, RecursionError):
        return "{}"


def _tokens(value: Any) -> Any:
    """Log probabilities whose bytes are base64, or which say nothing of a token but its text."""
    if not isinstance(value, list):
        return value
    return [_token(token) if isinstance(token, dict) else token for token in value]


def _token(token: dict[str, Any]) -> dict[str, Any]:
    fixed = {"token": "", **token}
    if fixed.get("logprob") is None:
        fixed["logprob"] = 0.0
    if isinstance(fixed.get("bytes"), str):
        try:
            fixed["bytes"] = list(b64decode(fixed["bytes"], validate=True))
        except (Error, ValueError):
            fixed["bytes"] = None
    if "top_logprobs" in fixed:
        fixed["top_logprobs"] = _tokens(fixed["top_logprobs"])
    return fixed


# Objects


MAX_CALLS: Final = 4096
"""More than any answer has: an index beyond it is passed on as it is."""


class _Call:
    """What is known of one call of a stream."""

    __slots__ = ("empty", "id")

    def __init__(self) -> None:
        self.id = ""
        self.empty = True  # no arguments yet


class Tidy:
    """Makes the objects of one answer say what callers expect. One for each answer, since a stream is told in parts.

    - tool calls have an id and an index, and arguments that are JSON: `null` and nothing at all mean no arguments;
    - `reasoning` (OpenRouter, Groq, Together, vLLM) is also `reasoning_content`;
    - a finish reason "tool_calls" without any call is "stop", none at all is what the answer shows;
    - usage counts reasoning in `completion_tokens` (xAI counts it apart), and DeepSeek's cache hits as cached tokens;
    - the web pages that Perplexity cites are `annotations`.

    What the server said besides is kept beside it.
    """

    __slots__ = ("_calls", "_choices", "_cited", "_id", "_last")

    def __init__(self) -> None:
        self._id = ""
        self._calls: dict[int, list[_Call]] = {}  # by choice, in order
        self._choices: dict[int, bool] = {}  # whether they have finished
        self._last: ChatCompletionChunk | None = None
        self._cited = False

    def completion(self, completion: ChatCompletion) -> ChatCompletion:
        """A whole answer, in place."""
        self._id = completion.id
        for choice in completion.choices:
            self._message(choice.message, choice.index)
            self._finish(choice, bool(choice.message.tool_calls), bool(choice.message.function_call))
        if completion.choices:
            self._cite(completion, completion.choices[0].message)
        _usage(completion.usage)
        return completion

    def chunk(self, chunk: ChatCompletionChunk) -> ChatCompletionChunk:
        """The next piece of a stream, in place."""
        self._id = self._id or chunk.id
        for choice in chunk.choices:
            delta = choice.delta
            if delta.model_extra:
                _reasoning(delta)
            if delta.tool_calls:
                self._fragments(delta, choice.index)
            if choice.finish_reason is not None:
                self._choices[choice.index] = True
                self._finish(choice, bool(self._calls.get(choice.index)), bool(delta.function_call))
                self._no_arguments(choice)
            else:
                self._choices.setdefault(choice.index, False)
        self._last = chunk
        if chunk.choices and not self._cited:
            self._cite(chunk, chunk.choices[0].delta)
        _usage(chunk.usage)
        return chunk

    def rest(self) -> list[ChatCompletionChunk]:
        """The stream has ended properly: the finish reasons that it left out."""
        last = self._last
        unfinished = [index for index, finished in self._choices.items() if not finished]
        if last is None or not unfinished:
            return []
        choices = []
        for index in unfinished:
            choice = ChunkChoice(index=index, delta=ChoiceDelta())
            self._finish(choice, bool(self._calls.get(index)), called_function=False)
            self._no_arguments(choice)
            choices.append(choice)
        return [ChatCompletionChunk(id=last.id, created=last.created, model=last.model, choices=choices)]

    def _no_arguments(self, choice: ChunkChoice) -> None:
        """With its end, a call that was given no arguments is given none in JSON."""
        for position, call in enumerate(self._calls.get(choice.index, ())):
            if call.empty:
                call.empty = False
                delta = ChoiceDeltaToolCall(index=position, function=ChoiceDeltaToolCallFunction(arguments="{}"))
                choice.delta.tool_calls = [*(choice.delta.tool_calls or ()), delta]

    def _message(self, message: ChatCompletionMessage, choice: int) -> None:
        _reasoning(message)
        for position, call in enumerate(message.tool_calls or ()):
            call.id = call.id or self._made(choice, position)
            if call.function is not None and call.function.arguments.strip() in ("", "null"):
                call.function.arguments = "{}"
        function = message.function_call
        if function is not None and not function.name:
            message.function_call = None  # Snowflake's dummy
        if message.audio is not None and not message.audio.id and not message.audio.data:
            message.audio = None
        if message.refusal == "":
            message.refusal = None

    def _finish(self, choice: Choice | ChunkChoice, called: bool, called_function: bool) -> None:
        if choice.finish_reason == "tool_calls" and not called:
            choice.native_finish_reason = choice.native_finish_reason or "tool_calls"
            choice.finish_reason = "stop"
        elif choice.finish_reason is None:
            choice.finish_reason = "tool_calls" if called else "function_call" if called_function else "stop"

    def _fragments(self, delta: ChoiceDelta, choice: int) -> None:
        """Fragments without an index belong to the call of their id, else begin one if they name it, else go on."""
        known = self._calls.setdefault(choice, [])
        for call in delta.tool_calls or ():
            if call.index < 0:
                call.index = _place(known, call)
            while len(known) <= call.index < MAX_CALLS:
                known.append(_Call())
            if call.index >= MAX_CALLS:
                continue
            state = known[call.index]
            if not state.id:
                state.id = call.id = call.id or self._made(choice, call.index)
            function = call.function
            if function is None:
                state.empty = state.empty and call.custom is None
            elif function.arguments:
                if state.empty and function.arguments.strip() == "null":
                    function.arguments = "{}"
                state.empty = state.empty and not function.arguments.strip()

    def _made(self, choice: int, position: int) -> str:
        return f"call_{self._id or 'local'}_{choice}_{position}"

    def _cite(self, holder: ChatCompletion | ChatCompletionChunk, message: ChatCompletionMessage | ChoiceDelta) -> None:
        extra = holder.model_extra or {}
        cited = extra.get("citations")
        if not isinstance(cited, list) or message.annotations:
            return
        found = extra.get("search_results")
        titles = {
            result.get("url"): result.get("title")
            for result in (found if isinstance(found, list) else ())
            if isinstance(result, dict) and isinstance(result.get("url"), str)
        }
        annotations = [
            Annotation(type="url_citation", url_citation=AnnotationURLCitation(url=url, title=_text(titles.get(url))))
            for url in cited
            if isinstance(url, str)
        ]
        if annotations:
            message.annotations = annotations
            self._cited = True


def _place(known: list[_Call], call: ChoiceDeltaToolCall) -> int:
    """Of which call a fragment without an index is."""
    place = next((place for place, state in enumerate(known) if call.id and state.id == call.id), None)
    if place is not None:
        return place
    begins = call.id or (call.function is not None and call.function.name) or not known
    return len(known) if begins else len(known) - 1


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _reasoning(part: ChatCompletionMessage | ChoiceDelta) -> None:
    extra = part.model_extra or {}
    told = extra.get("reasoning")
    if part.reasoning_content is None and isinstance(told, str) and told:
        part.reasoning_content = told


def _usage(usage: CompletionUsage | None) -> None:
    if usage is None:
        return
    details = usage.completion_tokens_details
    reasoning = details.reasoning_tokens if details is not None else None
    if reasoning and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens + reasoning:
        usage.completion_tokens += reasoning
    hits = (usage.model_extra or {}).get("prompt_cache_hit_tokens")
    if isinstance(hits, int) and not isinstance(hits, bool):
        if usage.prompt_tokens_details is None:
            usage.prompt_tokens_details = PromptTokensDetails(cached_tokens=hits)
        elif usage.prompt_tokens_details.cached_tokens is None:
            usage.prompt_tokens_details.cached_tokens = hits
