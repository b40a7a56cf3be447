"""A completion → Anthropic's message, for clients that speak the messages API.

A message with `native_content` of this wire gives exactly those blocks, as long as it still says what they say.
Otherwise: reasoning (unsigned; what another vendor signed is redacted thinking), text, refusal, tool calls. Only the
first choice has a place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.anthropic.blocks import WIRE, native_blocks
from edgeagent.providers.anthropic.citing import citations_of
from edgeagent.providers.anthropic.response import FINISH_REASONS
from edgeagent.providers.anthropic.usage import encode_usage
from edgeagent.providers.calls import CUSTOM_INPUT, RAW_ARGUMENTS, input_of, wire_id
from edgeagent.providers.sealed import seal
from edgeagent.types import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageToolCall

__all__ = ["call_block", "message_of", "sealed_block", "stop_details", "stop_reason_of"]

_STOP_REASONS: Final[Mapping[str, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_WORDS: Final = frozenset(FINISH_REASONS) | {"compaction"}


def message_of(completion: ChatCompletion) -> dict[str, Any]:
    """The body of the vendor's 200 answer."""
    choice = completion.choices[0] if completion.choices else None
    extra = dict(choice.model_extra or {}) if choice else {}
    refusal = choice.message.refusal if choice else None
    called = bool(choice and (choice.message.tool_calls or choice.message.function_call))
    reason: str | None = "end_turn"
    if choice is not None:
        finish, native = choice.finish_reason, choice.native_finish_reason
        reason = stop_reason_of(finish, native, called=called, refused=bool(refusal))
    body: dict[str, Any] = {
        "id": completion.id,
        "type": "message",
        "role": "assistant",
        "model": completion.model,
        "content": _blocks(choice.message) if choice else [],
        "stop_reason": reason,
        "stop_sequence": extra.get("stop_sequence"),
    }
    if "stop_details" in extra:
        body["stop_details"] = extra["stop_details"]
    elif refusal and reason == "refusal":
        body["stop_details"] = stop_details(refusal)
    body.update(completion.model_extra or {})
    body["usage"] = encode_usage(completion.usage, completion.service_tier)
    return body


def stop_reason_of(finish: str | None, native: str | None, *, called: bool, refused: bool = False) -> str | None:
    """The vendor's own word where it is one of this vendor's, else the nearest to OpenAI's.

    `called` says that a tool was called: where `tool_choice` named it, OpenAI's models end with "stop" all the same.
    `refused` says that the model's words are a refusal (https://platform.openai.com/docs/guides/structured-outputs):
    with that they end in the same way.
    """
    if native in _WORDS:
        return native
    if finish == "stop" and (called or refused):
        return "tool_use" if called else "refusal"
    return _STOP_REASONS.get(finish, "end_turn") if finish is not None else None


def stop_details(refusal: str) -> dict[str, Any]:
    """A model's own words for its refusal."""
    return {"type": "refusal", "category": None, "explanation": refusal}


def call_block(call: ChatCompletionMessageToolCall) -> dict[str, Any]:
    """A tool call as a tool_use block."""
    own_id = wire_id(call.id)
    if call.custom is not None:
        return {"type": "tool_use", "id": own_id, "name": call.custom.name, "input": {CUSTOM_INPUT: call.custom.input}}
    name, arguments = (call.function.name, call.function.arguments) if call.function else ("", "")
    value = input_of(arguments)
    return {
        "type": "tool_use",
        "id": own_id,
        "name": name,
        "input": {RAW_ARGUMENTS: arguments} if value is None else value,
    }


def sealed_block(native: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    """What another vendor has to be sent back, as thinking that nobody else reads."""
    return {"type": "redacted_thinking", "data": seal(native, text)}


def _blocks(message: ChatCompletionMessage) -> list[dict[str, Any]]:
    native = native_blocks(message.model_dump(exclude_unset=True)) if message.native_content else None
    if native is not None:
        return native
    blocks: list[dict[str, Any]] = []
    if message.reasoning_content:
        blocks.append({"type": "thinking", "thinking": message.reasoning_content, "signature": ""})
    spoken = message.audio.transcript if message.audio else None
    if said := message.content or spoken:
        cited = citations_of(message.annotations or ())
        blocks.append({"type": "text", "text": said, **({"citations": cited} if cited else {})})
    if message.refusal:
        blocks.append({"type": "text", "text": message.refusal})
    if message.function_call is not None:
        value = input_of(message.function_call.arguments)
        call = {"id": "function_1", "name": message.function_call.name}
        blocks.append({"type": "tool_use", **call, "input": value if value is not None else {}})
    blocks += [call_block(call) for call in message.tool_calls or ()]
    if message.native_content and message.native_content.get("wire") != WIRE:  # last: programs read the first as text
        blocks.append(sealed_block(message.native_content, message.content))
    return blocks
