"""A message of Anthropic's ↔ a completion.

Nothing is lost: what has no OpenAI-shaped place stands in `message.native_content` (the blocks, exactly), in extra
fields of the choice (`stop_sequence`, `stop_details`), of the usage, and of the completion (`container`,
`context_management`, whatever is new). The vendor sends no time, so `created` is 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.anthropic.blocks import Reading, native_content, read_blocks
from edgeagent.providers.anthropic.errors import error_in_stream
from edgeagent.providers.anthropic.usage import decode_usage
from edgeagent.types import ChatCompletion, ChatCompletionChunk, FinishReason
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = [
    "CHOICE_FIELDS",
    "FINISH_REASONS",
    "InvalidMessageError",
    "check_block",
    "completion_of",
    "decode_response",
    "extra_fields",
    "finish_of",
    "invalid_answer",
    "refusal_of",
    "service_tier_of",
]

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}

CHOICE_FIELDS: Final = frozenset({"stop_sequence", "stop_details"})
"""Fields of a message that describe its end, and stand on the choice."""

_TRANSLATED: Final = (
    frozenset({"type", "role", "content", "delta", "stop_reason"})
    | CHOICE_FIELDS
    | frozenset(ChatCompletionChunk.model_fields)
)
"""Fields of a message (or of the events that tell it) that are read, or whose names mean something else with us."""

_NEEDED: Final[Mapping[str, Mapping[str, type]]] = {
    "text": {"text": str},
    "thinking": {"thinking": str},
    "tool_use": {"id": str, "name": str, "input": dict},
}
"""The fields that reading needs, of the blocks that are read."""


class InvalidMessageError(ValueError):
    """The message is not what the vendor documents; the text says where, and quotes no value."""


def decode_response(response: HTTPResponse) -> ChatCompletion:
    """A 200 answer → the completion. Raises `ResponseValidationError`, or the error that the 200 hides."""
    try:
        message = from_json(response.content, allow_inf_nan=False)
    except ValueError:
        raise invalid_answer("it is not JSON, or only the beginning of it", response) from None
    if isinstance(message, dict) and message.get("error") and message.get("type", "error") == "error":
        raise error_in_stream(message)
    try:
        return completion_of(message)
    except InvalidMessageError as error:
        raise invalid_answer(str(error), response) from None


def invalid_answer(reason: str, response: HTTPResponse) -> ResponseValidationError:
    """The error for an answer that is not what the vendor documents; `reason` quotes nothing of it."""
    return ResponseValidationError(response, None, message=f"The answer is not a message of Anthropic's: {reason}.")


def completion_of(message: Any) -> ChatCompletion:
    """The vendor's message, parsed from JSON → a completion. Raises `InvalidMessageError`."""
    if not isinstance(message, Mapping) or message.get("type", "message") != "message":
        raise InvalidMessageError("it is not a message")
    blocks = message.get("content")
    if not isinstance(blocks, list):
        raise InvalidMessageError("content is not a list")
    for index, block in enumerate(blocks):
        check_block(block, f"content[{index}]")
    reading = read_blocks(blocks)
    choice = {
        "index": 0,
        "message": _message(reading, blocks, message),
        "finish_reason": finish_of(message.get("stop_reason"), calls=bool(reading.calls)),
        "native_finish_reason": message.get("stop_reason"),
        **{name: message[name] for name in CHOICE_FIELDS if message.get(name) is not None},
    }
    values = extra_fields(message)
    values.update(id=message.get("id"), model=message.get("model"), created=0, choices=[choice])
    try:
        if message.get("usage") is not None:
            values["usage"] = decode_usage(message["usage"])
            values["service_tier"] = service_tier_of(message["usage"])
        return ChatCompletion.model_validate(values)
    except ValidationError as error:
        raise InvalidMessageError(" ".join(first_fault(error))) from None
    except (ValueError, AttributeError) as error:
        raise InvalidMessageError(str(error)) from None


def check_block(block: Any, where: str) -> None:
    """Raise `InvalidMessageError` unless this is a content block that can be read."""
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        raise InvalidMessageError(f"{where} is not a block")
    for name, kind in _NEEDED.get(block["type"], {}).items():
        if not isinstance(block.get(name), kind):
            raise InvalidMessageError(f"{where}.{name} is missing or wrong")


def finish_of(stop_reason: Any, *, calls: bool) -> FinishReason | None:
    """OpenAI's word for a stop reason; an unknown one is an ordinary end. Without calls it is never "tool_calls"."""
    if stop_reason is None:
        return None
    reason = FINISH_REASONS.get(stop_reason, "stop") if isinstance(stop_reason, str) else "stop"
    return "stop" if reason == "tool_calls" and not calls else reason


def extra_fields(message: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have no place of their own, and say something."""
    return {name: value for name, value in message.items() if name not in _TRANSLATED and value is not None}


def service_tier_of(usage: Any) -> str | None:
    """The tier that served the request, in OpenAI's words where it has the same."""
    tier = usage.get("service_tier") if isinstance(usage, Mapping) else None
    return {"standard": "default"}.get(tier, tier) if isinstance(tier, str) else None


def refusal_of(message: Mapping[str, Any]) -> str | None:
    """What the vendor says of why the model refused."""
    details = message.get("stop_details")
    if message.get("stop_reason") != "refusal" or not isinstance(details, Mapping):
        return None
    explanation = details.get("explanation")
    return explanation if isinstance(explanation, str) else None


def _message(reading: Reading, blocks: Sequence[Mapping[str, Any]], message: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"role": "assistant", "content": reading.content}
    if refusal := refusal_of(message):
        values["refusal"] = refusal
        values["content"] = reading.content or None
    if reading.calls:
        values["tool_calls"] = reading.calls
    if reading.annotations:
        values["annotations"] = reading.annotations
    if reading.reasoning:
        values["reasoning_content"] = reading.reasoning
    if not reading.plain:
        values["native_content"] = native_content(blocks)
    return values
