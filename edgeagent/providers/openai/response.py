"""OpenAI's whole answers, both directions.

An answer that is what OpenAI documents is parsed once, straight from its bytes. Only what that refuses is looked at a
second time: an error inside a 200, fields that compatible servers leave out, finish reasons of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.openai.errors import hidden_error
from edgeagent.types import ChatCompletion
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = ["decode_response", "encode_response", "invalid", "repaired", "with_essentials"]

_FINISH_REASONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "model_length"), "length"),
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use"), "tool_calls"),
    **dict.fromkeys(("content_filter", "safety", "refusal", "sensitive", "guardrail_intervened"), "content_filter"),
    "function_call": "function_call",
}
"""OpenAI's own and, in lower case, those that gateways and compatible servers pass on from other vendors."""

_OWN: Final = frozenset(_FINISH_REASONS.values())


def decode_response(response: HTTPResponse) -> ChatCompletion:
    """A 200 answer → the completion, every field kept.

    Raises:
        ResponseValidationError: it is no JSON, has no choices, or has wrong types.
        APIStatusError: it is an error all the same (`{"error": …}`).
    """
    try:
        completion = ChatCompletion.from_json(response.content)
    except ValidationError as error:
        completion = _second_look(response, error)
    if completion.model_extra and completion.model_extra.get("error"):
        raise hidden_error(completion.model_extra, response)
    if not completion.choices:
        invalid("choices is empty", response)
    for choice in completion.choices:
        if choice.model_extra and choice.model_extra.get("error"):
            raise hidden_error(choice.model_extra, response)
    return completion


def _second_look(response: HTTPResponse, error: ValidationError) -> ChatCompletion:
    try:
        data = from_json(response.content)
    except ValueError:
        invalid("it is not JSON, or only the beginning of it", response, cause=error)
    if not isinstance(data, dict):
        invalid("it is not a JSON object", response, cause=error)
    if data.get("error"):
        raise hidden_error(data, response)
    try:
        return ChatCompletion.model_validate(repaired(data, "chat.completion"))
    except ValidationError as still:
        invalid(" ".join(first_fault(still)), response, body=data, cause=still)


def invalid(
    reason: str, response: HTTPResponse, *, body: object = None, cause: BaseException | None = None
) -> NoReturn:
    """Raise the error for an answer that is not what OpenAI documents; `reason` quotes nothing of it."""
    raise ResponseValidationError(response, body, message=f"The answer is not a chat completion: {reason}.") from cause


def repaired(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A completion or chunk with what servers leave out, and with OpenAI's finish reasons.

    Azure's first chunk has an empty `object`; OpenAI's audio chunks may have no `choices`, others no `delta`.
    """
    fixed = {**data, "object": kind}
    for name, default in (("id", ""), ("model", ""), ("created", 0)):
        if fixed.get(name) is None:
            fixed[name] = default
    created = fixed["created"]
    if isinstance(created, float) and math.isfinite(created):
        fixed["created"] = int(created)
    choices = data.get("choices")
    whole = kind == "chat.completion"
    if choices is None and not whole:
        choices = []
    if isinstance(choices, list):
        fixed["choices"] = [_repaired_choice(i, choice, whole=whole) for i, choice in enumerate(choices)]
    return fixed


def _repaired_choice(position: int, choice: Any, *, whole: bool) -> Any:
    if not isinstance(choice, dict):
        return choice
    fixed = {"index": position, **choice}
    if not whole and fixed.get("delta") is None:
        fixed["delta"] = {}
    reason = fixed.get("finish_reason")
    if isinstance(reason, str) and reason not in _OWN:
        fixed["finish_reason"] = _FINISH_REASONS.get(reason.lower(), "stop") if reason else None
        if reason and fixed.get("native_finish_reason") is None:
            fixed["native_finish_reason"] = reason
    return fixed


def encode_response(completion: ChatCompletion) -> dict[str, Any]:
    """The completion → OpenAI's JSON: what was set, and the fields that OpenAI's answers always have."""
    body = with_essentials(completion.model_dump(mode="json", exclude_unset=True), "chat.completion")
    for choice in body["choices"]:
        choice.setdefault("finish_reason", None)
        message = choice["message"]
        message.setdefault("role", "assistant")
        message.setdefault("content", None)
        for call in message.get("tool_calls") or ():
            call.setdefault("type", "function")
    return body


def with_essentials(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """`body` with its `object`, which a completion of another vendor was built without."""
    body.setdefault("object", kind)
    return body
