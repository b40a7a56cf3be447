"""A completion → an answer of generateContent, for clients that speak Google's API.

A message with `native_content` of this wire gives exactly those parts, as long as it still says what they say.
Otherwise: thoughts, text, refusal, tool calls, and what another vendor signed as a signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.calls import CUSTOM_INPUT, RAW_ARGUMENTS, input_of
from edgeagent.providers.gemini.grounding import grounding_of
from edgeagent.providers.gemini.names import FINISH_NUMBERS, FINISH_NUMBERS_VERTEX
from edgeagent.providers.gemini.parts import is_made, native_parts
from edgeagent.providers.gemini.response import FINISH_REASONS
from edgeagent.providers.gemini.signing import with_seal
from edgeagent.providers.gemini.usage import encode_usage
from edgeagent.types import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageToolCall
from edgeagent.types.completion import Choice, ChoiceLogprobs

__all__ = ["answer_of", "call_part", "finish_word", "logprobs_result"]

_WORDS: Final[Mapping[str, str]] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "function_call": "STOP",
    "content_filter": "SAFETY",
}
_OWN_WORDS: Final = frozenset({*FINISH_REASONS, *FINISH_NUMBERS.values(), *FINISH_NUMBERS_VERTEX.values()})
"""Others have words in capitals, too: Cohere's `COMPLETE` is none that Google's SDK knows."""


def answer_of(completion: ChatCompletion) -> dict[str, Any]:
    """The body of the vendor's 200 answer."""
    body: dict[str, Any] = {"candidates": [_candidate(choice) for choice in completion.choices]}
    if completion.usage is not None:
        body["usageMetadata"] = encode_usage(completion.usage)
    body["modelVersion"] = completion.model
    body["responseId"] = completion.id
    return {**body, **(completion.model_extra or {})}


def finish_word(finish: str | None, native: str | None) -> str | None:
    """The vendor's own word where it is one of this vendor's, else the nearest to OpenAI's."""
    if native in _OWN_WORDS:
        return native
    return _WORDS.get(finish, "OTHER") if finish is not None else None


def call_part(call: ChatCompletionMessageToolCall) -> dict[str, Any]:
    """A tool call as a part."""
    if call.custom is not None:
        name, value = call.custom.name, {CUSTOM_INPUT: call.custom.input}
    else:
        name, text = (call.function.name, call.function.arguments) if call.function else ("", "")
        parsed = input_of(text)
        value = {RAW_ARGUMENTS: text} if parsed is None else parsed
    given = {} if is_made(call.id) else {"id": call.id}
    return {"functionCall": {**given, "name": name, "args": value}}


def logprobs_result(logprobs: ChoiceLogprobs | None) -> dict[str, Any] | None:
    """OpenAI's log probabilities as `logprobsResult`."""
    if logprobs is None or logprobs.content is None:
        return None
    return {
        "chosenCandidates": [{"token": t.token, "logProbability": t.logprob} for t in logprobs.content],
        "topCandidates": [
            {"candidates": [{"token": o.token, "logProbability": o.logprob} for o in t.top_logprobs or ()]}
            for t in logprobs.content
        ],
    }


def _candidate(choice: Choice) -> dict[str, Any]:
    result: dict[str, Any] = {"content": {"parts": _parts(choice.message), "role": "model"}, "index": choice.index}
    word = finish_word(choice.finish_reason, choice.native_finish_reason)
    if word is not None:
        result["finishReason"] = word
    tokens = logprobs_result(choice.logprobs)
    if tokens is not None:
        result["logprobsResult"] = tokens
    own = choice.model_extra or {}
    told = grounding_of(choice.message.annotations or (), choice.message.content or "", own)
    return {**result, **told, **own}


def _parts(message: ChatCompletionMessage) -> list[dict[str, Any]]:
    native = native_parts(message.model_dump(exclude_unset=True)) if message.native_content else None
    if native is not None:
        return native
    parts: list[dict[str, Any]] = []
    if message.reasoning_content:
        parts.append({"text": message.reasoning_content, "thought": True})
    spoken = message.audio.transcript if message.audio else None
    parts += [{"text": text} for text in (message.content or spoken, message.refusal) if text]
    if message.function_call is not None:
        call = {"name": message.function_call.name, "args": input_of(message.function_call.arguments) or {}}
        parts.append({"functionCall": call})
    parts += [call_part(call) for call in message.tool_calls or ()]
    return with_seal(parts, message.native_content, message.content)
