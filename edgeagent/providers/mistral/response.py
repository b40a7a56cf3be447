"""Mistral's whole answers → completions.

https://docs.mistral.ai/api/endpoint/chat: `finish_reason` is `stop`, `length`, `model_length` (the context is full),
`tool_calls` or `error`; content is text or a list of parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIStatusError, InternalServerError, ResponseValidationError
from edgeagent.providers.events import UnexpectedFormError
from edgeagent.providers.mistral.calls import arguments_of, given_id, wire_id
from edgeagent.providers.mistral.errors import error_in_answer
from edgeagent.providers.mistral.parts import WIRE, read_parts
from edgeagent.providers.mistral.usage import decode_usage, service_tier_of
from edgeagent.types import ChatCompletion
from edgeagent.types.completion import FinishReason
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = ["completion_of", "decode_response", "extra_fields", "failed_answer", "finish_of", "invalid_answer"]

_FINISH: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}

_TOP: Final = frozenset({"id", "created", "model", "object", "choices", "usage", "p"})
"""Fields that are read; `p` is padding that hides the length of a chunk."""
_CHOICE: Final = frozenset({"index", "message", "delta", "finish_reason", "logprobs", "native_finish_reason"})
_MESSAGE: Final = frozenset({"role", "content", "tool_calls"})


def decode_response(response: HTTPResponse) -> ChatCompletion:
    """A 200 answer → the completion. Raises `ResponseValidationError`, or the error that the 200 hides."""
    try:
        value = from_json(response.content, allow_inf_nan=False)
    except ValueError:
        raise invalid_answer("it is not JSON, or only the beginning of it", response) from None
    if not isinstance(value, dict):
        raise invalid_answer("it is not a JSON object", response)
    if "choices" not in value and (value.get("error") or value.get("object") == "error" or "detail" in value):
        raise error_in_answer(value, response)
    try:
        return completion_of(value)
    except UnexpectedFormError as error:
        raise invalid_answer(str(error), response) from None
    except ValidationError as error:
        raise invalid_answer(" ".join(first_fault(error)), response) from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise invalid_answer("a field has not the documented type", response) from error


def invalid_answer(reason: str, response: HTTPResponse) -> ResponseValidationError:
    """The error for an answer that is not what the vendor documents; `reason` quotes nothing of it."""
    return ResponseValidationError(response, None, message=f"The answer is not a completion of Mistral's: {reason}.")


def failed_answer(response: HTTPResponse | None = None) -> APIStatusError:
    """The error for an answer that ended with `finish_reason: "error"`."""
    body = {"object": "error", "type": "error", "message": "The model stopped with an error."}
    given = response if response is not None else HTTPResponse(500)
    answer = HTTPResponse(500, given.headers, given.content, given.request)
    return InternalServerError("The model stopped with an error.", response=answer, body=body)


def completion_of(value: Mapping[str, Any]) -> ChatCompletion:
    """The vendor's answer, parsed from JSON → a completion."""
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices:
        raise UnexpectedFormError("choices is missing or empty")
    answer_id = value.get("id")
    values: dict[str, Any] = extra_fields(value, _TOP, ChatCompletion)
    values.update(id=answer_id, model=value.get("model"), created=value.get("created") or 0)
    values["choices"] = [_choice(choice, number, answer_id) for number, choice in enumerate(choices)]
    if value.get("usage") is not None:
        values["usage"] = decode_usage(value["usage"])
        if (tier := service_tier_of(value["usage"])) is not None:
            values["service_tier"] = tier
    return ChatCompletion.model_validate(values)


def extra_fields(value: Mapping[str, Any], read: frozenset[str], model: type[Any]) -> dict[str, Any]:
    """The fields that have no place of their own, say something, and mean nothing else with us."""
    known = model.model_fields
    return {k: v for k, v in value.items() if k not in read and k not in known and v is not None}


def finish_of(reason: Any, *, calls: bool) -> FinishReason | None:
    """OpenAI's word for a finish reason; an unknown one is an ordinary end. Without calls it is never "tool_calls"."""
    if reason is None:
        return None
    found = _FINISH.get(reason, "stop") if isinstance(reason, str) else "stop"
    return "stop" if found == "tool_calls" and not calls else found


def _choice(choice: Any, number: int, answer_id: Any) -> dict[str, Any]:
    if not isinstance(choice, Mapping):
        raise UnexpectedFormError(f"choices[{number}] is not an object")
    reason = choice.get("finish_reason")
    if reason == "error":
        raise failed_answer()
    message = choice.get("message")
    if message is None and isinstance(choice.get("messages"), list):
        message = _joined(choice["messages"])
    if not isinstance(message, Mapping):
        raise UnexpectedFormError(f"choices[{number}].message is missing")
    index = choice.get("index", number)
    told = _message(message, f"{answer_id}.{index}")
    result = {k: v for k, v in choice.items() if k not in _CHOICE and v is not None}
    result.update(index=index, message=told)
    result.update(finish_reason=finish_of(reason, calls="tool_calls" in told), native_finish_reason=reason)
    if choice.get("logprobs") is not None:
        result["logprobs"] = choice["logprobs"]
    return result


def _joined(messages: list[Any]) -> dict[str, Any]:
    """Several messages of one choice (the vendor's own tools ran in between): all that the assistant said."""
    own = [message for message in messages if isinstance(message, Mapping) and message.get("role") == "assistant"]
    parts: list[Any] = []
    for message in own:
        content = message.get("content")
        parts += content if isinstance(content, list) else [content] if content else []
    calls = [call for message in own for call in message.get("tool_calls") or ()]
    return {"role": "assistant", "content": parts, "tool_calls": calls or None}


def _message(message: Mapping[str, Any], seed: str) -> dict[str, Any]:
    values: dict[str, Any] = {k: v for k, v in message.items() if k not in _MESSAGE and k != "prefix" and v is not None}
    values["role"] = "assistant"
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise UnexpectedFormError("tool_calls is not a list")
    content = message.get("content")
    if isinstance(content, list):
        reading = read_parts(content)
        values["content"] = reading.text if reading.text or not calls else None
        if reading.reasoning:
            values["reasoning_content"] = reading.reasoning
        if reading.annotations:
            values["annotations"] = reading.annotations
        if not reading.plain:
            values["native_content"] = {"wire": WIRE, "content": content}
    elif content is None or isinstance(content, str):
        values["content"] = content or (None if calls else "")
    else:
        raise UnexpectedFormError("content is neither text nor a list")
    if calls:
        values["tool_calls"] = [_call(call, number, seed) for number, call in enumerate(calls)]
    return values


def _call(call: Any, number: int, seed: str) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(function, Mapping):
        raise UnexpectedFormError("a tool call has no function")
    result = {k: v for k, v in call.items() if k not in ("index", "type", "id", "function")}
    told = {**function, "arguments": arguments_of(function.get("arguments"))}
    return {**result, "id": given_id(call) or wire_id(f"{seed}.{number}"), "type": "function", "function": told}
